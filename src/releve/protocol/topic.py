"""Which topics a client may use: derived from its identity, so that nothing has to be configured.

    out of a device     releve/<device>/readings, releve/<device>/answers, fitbuddy/sensors, esp32bis/…, esp32/…
    to a device         releve/<device>/commands, releve/<device>/config; to a car also esp32bis/…, esp32/…
    to people           releve/<device>/live/…, releve/<team id>/live/…, releve/+/live/…

Everything else is refused, at the subscription and again at the delivery.
"""

from enum import Enum, auto

import msgspec

from releve.protocol.mqtt.topic_filter import is_topic_filter, matches

ROOT = "releve"
GYM = "fitbuddy/sensors"
RACING = ("esp32bis", "esp32")
EVERYONE = "+"
CAR = "racing"  # the contract whose devices hear on RACING too
LONGEST_QUANTITY = 64
_LIVE_FROM = 3  # levels of `releve/<owner>/live`


class Purpose(Enum):
    """What a publish is for."""

    READINGS = auto()
    """Our own topic: by the contract that the device declares."""
    GYM = auto()
    """Contract A."""
    RACING = auto()
    """One quantity of contract B, as text."""
    ANSWERS = auto()
    """What became of a command."""


class Route(msgspec.Struct, frozen=True):
    """Where a publish goes; `quantity` is the last level of a racing topic."""

    purpose: Purpose
    quantity: str = ""


def route(topic: str, *, device: str) -> Route | None:
    """What a device's publish on a topic is for; None when that is not its topic.

    >>> route("esp32bis/speed", device="car1")
    Route(purpose=<Purpose.RACING: 3>, quantity='speed')
    >>> route("releve/car2/readings", device="car1") is None
    True
    """
    if topic == readings(device):
        return Route(Purpose.READINGS)
    if topic == GYM:
        return Route(Purpose.GYM)
    if topic == answers(device):
        return Route(Purpose.ANSWERS)
    prefix, _, quantity = topic.partition("/")
    if prefix in RACING and 0 < len(quantity) <= LONGEST_QUANTITY and "/" not in quantity:
        return Route(Purpose.RACING, quantity)
    return None


def published_by(device: str) -> list[str]:
    """Every topic that a device may publish to; `+` stands for any quantity.

    >>> published_by("car1")
    ['releve/car1/readings', 'releve/car1/answers', 'fitbuddy/sensors', 'esp32bis/+', 'esp32/+']
    """
    return [readings(device), answers(device), GYM, *(f"{prefix}/+" for prefix in RACING)]


def readings(device: str) -> str:
    """Where a device sends its readings."""
    return f"{ROOT}/{device}/readings"


def answers(device: str) -> str:
    """Where a device answers commands."""
    return f"{ROOT}/{device}/answers"


def commands(device: str) -> str:
    """Where a device hears commands."""
    return f"{ROOT}/{device}/commands"


def config(device: str) -> str:
    """Where a device finds its configuration, retained."""
    return f"{ROOT}/{device}/config"


def live_of_device(device: str) -> str:
    """Where people hear one device's readings as they are committed."""
    return f"{ROOT}/{device}/live/reading"


def live_of_team(team_id: int, device: str) -> str:
    """Where people hear a whole team's readings as they are committed."""
    return f"{ROOT}/{team_id}/live/{device}"


def heard_by(device: str, *, contract: str) -> list[str]:
    """Every topic that a device may subscribe to; `#` stands for any name."""
    cars = [f"{prefix}/#" for prefix in RACING] if contract == CAR else []
    return [commands(device), config(device), *cars]


def is_own(topic_filter: str, *, device: str, contract: str) -> bool:
    """Whether a device may subscribe so: its own commands and configuration, by name or by a wildcard below its name.

    A car may subscribe to whatever is below its prefix too: nobody but its own team's editors sends to it there.

    >>> is_own("releve/pi/#", device="pi", contract="gym"), is_own("releve/+/commands", device="pi", contract="gym")
    (True, False)
    >>> [is_own("esp32bis/ajustments", device="car1", contract=contract) for contract in ("racing", "gym")]
    [True, False]
    """
    levels = topic_filter.split("/")
    if not is_topic_filter(topic_filter):
        return False
    if contract == CAR and levels[0] in RACING and len(levels) > 1:
        return True
    if levels[:2] != [ROOT, device]:
        return False
    return matches(topic_filter, commands(device)) or matches(topic_filter, config(device))


def is_of_car(topic: str) -> bool:
    """Whether plain text may be sent to a car on this topic.

    >>> is_of_car("esp32bis/ajustments"), is_of_car("esp32bis/#"), is_of_car("esp32bis/"), is_of_car("releve/car2/a")
    (True, False, False, False)
    """
    prefix, _, name = topic.partition("/")
    return prefix in RACING and 0 < len(name) <= LONGEST_QUANTITY and name.isprintable() and not set(name) & {"+", "#"}


def live_owner(topic_filter: str) -> str | None:
    """Whose live topics a filter asks for: a device's name, a team's id or `+`; None when it is no live filter.

    >>> live_owner("releve/7/live/#"), live_owner("releve/+/live/#"), live_owner("releve/#"), live_owner("+/7/live/#")
    ('7', '+', None, None)
    """
    levels = topic_filter.split("/")
    if len(levels) <= _LIVE_FROM or levels[0] != ROOT or levels[2] != "live" or not is_topic_filter(topic_filter):
        return None
    return levels[1] if levels[1] and levels[1] != "#" else None
