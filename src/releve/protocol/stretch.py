"""A part of a waveform that goes through the path as one: a sequence of readings that are made only if asked for."""

from collections.abc import Iterator
from typing import overload

from releve.protocol.clock import Rule
from releve.protocol.reading import Reading
from releve.protocol.waveform import Waveform

LEAST = 1_000  # readings below which a stretch does not pay


class Stretch:
    """Readings of a waveform, which all have the same channels, follow each other, and name no message id.

    Args:
        waveform: Whose.
        start: The first of them; not that of the whole, which has channels and a timestamp of its own.
        end: The one behind the last.
    """

    __slots__ = ("end", "start", "waveform")

    def __init__(self, waveform: Waveform, start: int, end: int) -> None:
        self.waveform = waveform
        self.start = start
        self.end = end

    @classmethod
    def of(cls, waveform: Waveform) -> "Stretch | None":
        """All but the first reading of a waveform; None where they are few, or each is to be looked at by itself."""
        is_plain = waveform.key is None and waveform.first.machine is None
        return cls(waveform, 1, waveform.count) if is_plain and waveform.count > LEAST else None

    def __len__(self) -> int:
        return self.end - self.start

    def __iter__(self) -> Iterator[Reading]:
        return iter(self.waveform.readings(self.start, self.end))

    @overload
    def __getitem__(self, place: int) -> Reading: ...
    @overload
    def __getitem__(self, place: slice) -> "Stretch": ...
    def __getitem__(self, place: "int | slice") -> "Reading | Stretch":
        if isinstance(place, slice):
            first, last, _ = place.indices(len(self))
            return Stretch(self.waveform, self.start + first, self.start + max(first, last))
        at = range(self.start, self.end)[place]
        return self.waveform.readings(at, at + 1)[0]

    @property
    def device_id(self) -> int:
        """Whose readings."""
        return self.waveform.first.device_id

    @property
    def received_us(self) -> int:
        """When all of them were received."""
        return self.waveform.first.received_us

    @property
    def rule(self) -> Rule:
        """What gave them their instants."""
        return Rule(self.waveform.first.instant.rule)

    @property
    def last_us(self) -> int:
        """The instant of the last of them."""
        return self.waveform.time_us(self.end - 1)

    def times_us(self) -> list[int]:
        """Their instants."""
        return [self.waveform.time_us(place) for place in range(self.start, self.end)]

    def values(self) -> dict[str, list[int | float]]:
        """The values of each channel."""
        return {name: array[self.start : self.end] for name, array in self.waveform.run.arrays.items()}
