"""How much room is left on the disk, and when people are to be told."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

LOW, VERY_LOW = 0.10, 0.05  # of the whole


@dataclass(frozen=True)
class Room:
    """What is left at one place.

    Attributes:
        place: Where.
        free_bytes: What we may still write.
        total_bytes: The whole.
    """

    place: str
    free_bytes: int
    total_bytes: int

    @classmethod
    def at(cls, place: Path) -> Self:
        """Look now; the nearest folder that exists stands for one that does not yet."""
        while not place.exists():
            place = place.parent
        usage = shutil.disk_usage(place)
        return cls(str(place), usage.free, usage.total)

    @property
    def free(self) -> float:
        """The free part of the whole, 0 to 1."""
        return self.free_bytes / self.total_bytes if self.total_bytes else 1.0

    @property
    def is_very_low(self) -> bool:
        """Whether it is time to do something now."""
        return self.free < VERY_LOW

    @property
    def percent(self) -> int:
        """The free part in whole per cent, rounded down."""
        return int(self.free * 100)

    def warning(self) -> str | None:
        """What to tell people, None while there is room.

        >>> Room("/data", 4, 100).warning()
        'the disk of /data is nearly full: 4% is free; a full disk stops every acknowledgement'
        >>> Room("/data", 11, 100).warning()
        """
        if self.free >= LOW:
            return None
        state = "nearly full" if self.is_very_low else "filling up"
        return f"the disk of {self.place} is {state}: {self.free:.0%} is free; a full disk stops every acknowledgement"
