"""Which topics a client may use: derived from its identity, so that nothing has to be configured.

    out of a device     releve/<device>/readings, releve/<device>/answers, fitbuddy/sensors, esp32bis/…, esp32/…
    to a device         releve/<device>/commands, releve/<device>/config
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


def is_own(topic_filter: str, *, device: str) -> bool:
    """Whether a device may subscribe so: its own commands and configuration, by name or by a wildcard below its name.

    >>> is_own("releve/car1/#", device="car1"), is_own("releve/+/commands", device="car1"), is_own("#", device="car1")
    (True, False, False)
    """
    if not is_topic_filter(topic_filter) or topic_filter.split("/")[:2] != [ROOT, device]:
        return False
    return matches(topic_filter, commands(device)) or matches(topic_filter, config(device))


def live_owner(topic_filter: str) -> str | None:
    """Whose live topics a filter asks for: a device's name, a team's id or `+`; None when it is no live filter.

    >>> live_owner("releve/7/live/#"), live_owner("releve/+/live/#"), live_owner("releve/#"), live_owner("+/7/live/#")
    ('7', '+', None, None)
    """
    levels = topic_filter.split("/")
    if len(levels) <= _LIVE_FROM or levels[0] != ROOT or levels[2] != "live" or not is_topic_filter(topic_filter):
        return None
    return levels[1] if levels[1] and levels[1] != "#" else None
