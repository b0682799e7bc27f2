"""How each family of clients spells a reading; a fourth family is a fourth file here.

A contract maps one decoded object onto a `Draft`, or refuses it naming the field. To add one: write `<name>.py` with
a `read` function, add it to `CONTRACTS`, which both planes and the command line take their list from, capture real
payloads into `tests/captured/`.
"""

from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Any

import msgspec

from releve.protocol.contract import generic, gym, profilometre
from releve.protocol.reading import Draft

__all__ = ["CONTRACTS", "GENERIC", "GYM", "PROFILOMETRE", "RACING", "Contract"]


class Contract(msgspec.Struct, frozen=True):
    """One wire format.

    Attributes:
        name: As devices declare it.
        read: Reads one decoded object, which it uses up; the flag says whether the payload holds an escaped NUL at all.
        read_typed: Reads a payload of the usual kind, and makes the same of it as `read`; None for any other.
        zone: The zone of timestamps that name none; None is the device's own.
        may_count_uptime: Whether its devices send milliseconds since boot that may be as large as epoch seconds.
    """

    name: str
    read: Callable[[dict[str, Any], bool], Draft]
    read_typed: Callable[[bytes], Draft | None]
    zone: tzinfo | None = None
    may_count_uptime: bool = False


GYM = Contract("gym", gym.read, gym.read_typed, UTC)
RACING = Contract("racing", generic.read, generic.read_typed)
PROFILOMETRE = Contract("profilometre", profilometre.read, profilometre.read_typed, may_count_uptime=True)
GENERIC = Contract("generic", generic.read, generic.read_typed)
CONTRACTS = {each.name: each for each in (GYM, RACING, PROFILOMETRE, GENERIC)}
