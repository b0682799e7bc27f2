"""Which readings of a device are meant, for whoever reads those of a run or of a device."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec


class Left(NamedTuple):
    """Readings that were left out: those of [from, to), or one of them by its identity, of a part or of all."""

    from_us: int
    to_us: int
    reading: int | None
    part: str


class Which(msgspec.Struct, frozen=True, kw_only=True):
    """A device's readings of some spans that count.

    Attributes:
        device_id: Whose; 0 for nobody's.
        spans: The first instant of each and the one behind its last, microseconds since 1970, in order.
        part: Which of the device's readings, such as `machine_id=4`; empty for all.
        left_out: What does not count.
    """

    device_id: int
    spans: Sequence[tuple[int, int]]
    part: str = ""
    left_out: Sequence[Left] = ()
