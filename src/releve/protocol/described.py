"""What people are told of a channel: its name, its unit, how it is read. Nothing of it is stored with a reading.

A contract proposes what it fixes; where none does, no unit is shown and none is guessed. A team describes the channels
of its devices better than any contract can, and what it says stands above the proposal.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec


class ChannelKind(StrEnum):
    """How the values of a channel are to be read."""

    GAUGE = "gauge"  # a quantity that goes up and down
    COUNTER = "counter"  # one that only grows, until it starts again
    STATE = "state"  # one of a few values, held until the next
    TEXT = "text"


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as people see it.

    Attributes:
        name_en: What it is called in English; empty for the channel's own name.
        name_fr: The same in French.
        unit: Its unit, after the conversion; empty where nobody said it.
        scale: What a number is multiplied by to be shown.
        offset: What is added then.
        kind: How its values are read.
        decimals: How many digits are shown behind the point; None for as many as there are.
        is_hidden: Whether it is left out where channels are shown, as a number that only names something is.
    """

    name_en: str = ""
    name_fr: str = ""
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    kind: ChannelKind = ChannelKind.GAUGE
    decimals: int | None = None
    is_hidden: bool = False

    @property
    def converts(self) -> bool:
        """Whether its numbers are shown as others than were sent."""
        return self.scale != 1 or self.offset != 0

    def called(self, channel: str, language: str) -> str:
        """What a channel is called in a language.

        >>> Description(name_fr="Batterie").called("battery", "fr-fr"), Description().called("battery", "en")
        ('Batterie', 'battery')
        """
        return (self.name_fr if language.startswith("fr") else self.name_en) or channel

    def shown(self, value: Any) -> Any:
        """A value as it is shown; what is no number stays.

        >>> Description(scale=0.001, decimals=2).shown(3704), Description().shown("on"), Description().shown(12)
        (3.7, 'on', 12)
        """
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        number = value * self.scale + self.offset if self.converts else value
        return number if self.decimals is None else round(number, self.decimals)


_PLAIN = Description()
_PROPOSED: Final[Mapping[str, Mapping[str, Description]]] = {
    "gym": {
        "acceleration_x": Description(name_en="Acceleration x", name_fr="Accélération x", unit="m/s²"),
        "acceleration_y": Description(name_en="Acceleration y", name_fr="Accélération y", unit="m/s²"),
        "acceleration_z": Description(name_en="Acceleration z", name_fr="Accélération z", unit="m/s²"),
        "acceleration_total": Description(name_en="Acceleration", name_fr="Accélération", unit="m/s²"),
        "series_time": Description(name_en="Set time", name_fr="Durée de la série", unit="s"),
        "rest_time": Description(name_en="Rest time", name_fr="Temps de repos", unit="s"),
        "machine_id": Description(name_en="Machine", name_fr="Machine", kind=ChannelKind.STATE, is_hidden=True),
    },
    "racing": {
        "speed": Description(name_en="Speed", name_fr="Vitesse"),
        "distance": Description(name_en="Distance", name_fr="Distance", kind=ChannelKind.COUNTER),
        "battery": Description(name_en="Battery", name_fr="Batterie"),
        "track": Description(name_en="Lap", name_fr="Tour", kind=ChannelKind.STATE),
        "race": Description(name_en="Race", name_fr="Course", kind=ChannelKind.STATE, is_hidden=True),
    },
    "profilometre": {
        "temperature": Description(name_en="Temperature", name_fr="Température", unit="°C"),
        "humidite": Description(name_en="Humidity", name_fr="Humidité", unit="%"),
    },
}


def proposed(contract: str, channel: str) -> Description:
    """What the contract says of a channel.

    >>> proposed("profilometre", "temperature").unit
    '°C'
    >>> proposed("racing", "speed").unit
    ''
    """
    return _PROPOSED.get(contract, {}).get(channel, _PLAIN)


def described(contract: str, channel: str, said: Mapping[str, object]) -> Description:
    """What a team says of a channel above what the contract proposes.

    Args:
        contract: What the device speaks.
        channel: The channel's name.
        said: By attribute what was said; None for what was not.

    >>> said = described("profilometre", "temperature", {"decimals": 1, "unit": None})
    >>> said.unit, said.decimals
    ('°C', 1)
    """
    known = {name: value for name, value in said.items() if value is not None}
    return msgspec.structs.replace(proposed(contract, channel), **known)
