"""How the head of a column tells a channel's unit, and how a converted value leads back to what was sent; pure.

A column is called `temperature / °C`, as tables of quantities are headed (ISO 80000-1, 7.1.4), and where the numbers
were converted `battery / V (sent * 0.001)`. A channel without either is called by its name alone, as ever.
"""

import math
import re
from typing import Any, NamedTuple, Self

from releve.protocol.column import channel, column
from releve.protocol.described import Description

_MARK = " / "
_ONE = "1"  # the unit of a number that has none, written where the name alone would read as one with a unit
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_CONVERSION = re.compile(rf"(?P<unit>.*?) ?\(sent \* (?P<scale>{_NUMBER})(?: (?P<sign>[+-]) (?P<offset>{_NUMBER}))?\)")
_DIGITS = 15  # that a double keeps of any number


class Heading(NamedTuple):
    """What the head of a column says.

    Attributes:
        channel: Which channel.
        unit: Its unit, empty for none.
        scale: What each number that was sent is multiplied by.
        offset: What is added then.
    """

    channel: str
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0

    @classmethod
    def of(cls, name: str, description: Description) -> Self:
        """The head of a channel that is shown as it is described."""
        return cls(name, description.unit, description.scale, description.offset)

    @classmethod
    def read(cls, text: str) -> Self:
        """What stands at the head of a column.

        >>> Heading.read("battery / V (sent * 0.001)")
        Heading(channel='battery', unit='V', scale=0.001, offset=0.0)
        >>> Heading.read("speed"), Heading.read("in / out / 1").channel
        (Heading(channel='speed', unit='', scale=1.0, offset=0.0), 'in / out')
        """
        name, mark, unit = text.rpartition(_MARK)
        if not mark:
            return cls(channel(text))
        found = _CONVERSION.fullmatch(unit)
        if found is None:
            return cls(channel(name), "" if unit == _ONE else unit)
        offset = float(f"{found['sign'] or ''}{found['offset'] or 0}")
        return cls(channel(name), found["unit"], float(found["scale"]), offset)

    @property
    def converts(self) -> bool:
        """Whether the numbers under it are others than were sent."""
        return self.scale != 1 or self.offset != 0

    def written(self) -> str:
        """The head as text.

        >>> Heading("temperature", "°C").written(), Heading("t", "°C", 0.1, -40.0).written(), Heading("time").written()
        ('temperature / °C', 't / °C (sent * 0.1 - 40.0)', 'channel:time')
        """
        name, unit = column(self.channel), self.unit.replace("/ ", "/").replace("(sent", "(")
        if self.converts:
            shift = f" {'-' if self.offset < 0 else '+'} {abs(self.offset)!r}" if self.offset else ""
            return f"{name}{_MARK}{f'{unit} ' if unit else ''}(sent * {self.scale!r}{shift})"
        if not unit:
            return f"{name}{_MARK}{_ONE}" if _MARK in name else name
        return f"{name}{_MARK}{unit}"

    def sent(self, shown: Any) -> Any:
        """The number that was sent for one that is shown; whole numbers and halves of them come back as doubles.

        >>> Heading("battery", "V", 0.001).sent(3704 * 0.001), Heading("battery", "V", 0.001).sent("low")
        (3704.0, 'low')
        """
        if not self.converts or isinstance(shown, bool) or not isinstance(shown, int | float):
            return shown
        value = (shown - self.offset) / self.scale
        if not math.isfinite(value):
            return value
        plain = float(f"{value:.{_DIGITS}g}")
        return plain if plain * self.scale + self.offset == shown else value
