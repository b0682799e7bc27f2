"""What a reading's channels are called, and which kind of value each holds."""

from typing import Any

import msgspec

_NUMBERS = frozenset({int, float})
_SIMPLE = frozenset({int, float, bool})


class Layout:
    """Names and types of a reading's channels; one object for each, so that others may remember what they know of it.

    Attributes:
        names: The channels that hold anything.
        numbers: The channels that hold numbers.
        texts: Those that hold text.
        integers: Those of the numbers that are whole.
        is_simple: Whether it holds nothing but numbers and true/false, whose values are judged quickest.
    """

    __slots__ = ("integers", "is_simple", "names", "numbers", "texts")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.names = tuple(name for name, value in fields.items() if value is not None)
        self.numbers = tuple(name for name, value in fields.items() if type(value) in _NUMBERS)
        self.texts = tuple(name for name, value in fields.items() if type(value) is str)
        self.integers = tuple(name for name, value in fields.items() if type(value) is int)
        self.is_simple = _SIMPLE.issuperset(map(type, fields.values()))


class Run(msgspec.Struct, gc=False):
    """The arrays of one object.

    Attributes:
        arrays: Channel name to its values, all of one length.
        step_us: From one value to the next, in microseconds; may be a fraction.
        count: How many values each array holds.
        layout: Names and types of the channels of every reading but the first.
    """

    arrays: dict[str, list[int | float]]
    step_us: float
    count: int
    layout: Layout | None = None
