"""The units that a contract fixes for its channels; where no contract does, none is shown and none is guessed."""

_FIXED = {
    "gym": {
        "acceleration_x": "m/s²",
        "acceleration_y": "m/s²",
        "acceleration_z": "m/s²",
        "acceleration_total": "m/s²",
        "series_time": "s",
        "rest_time": "s",
    },
    "profilometre": {"temperature": "°C", "humidite": "%"},
}


def unit(contract: str, channel: str) -> str:
    """The unit of a channel, empty when it was not declared.

    >>> unit("profilometre", "temperature")
    '°C'
    >>> unit("racing", "speed")
    ''
    """
    return _FIXED.get(contract, {}).get(channel, "")
