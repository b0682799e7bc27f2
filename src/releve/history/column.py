"""One channel of many readings: a kind and a value for each, so that 12, 12.0 and "12" stay what they are."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Self

import msgspec
import numpy as np

from releve.history.array import Index, Integers, Kinds, Mask, Reals, all_same, joined_kinds, taken_kinds, the_same
from releve.history.coded import Coded
from releve.history.coded import joined as joined_texts
from releve.protocol.reading import INTEGER_LIMIT

ABSENT_VALUE = msgspec.UNSET  # None is JSON's null, which an odd reading may hold
_json = msgspec.json.Encoder(order="sorted").encode


class Kind(IntEnum):
    """What a reading holds for a channel; the numbers are part of the format."""

    ABSENT = 0
    REAL = 1
    INTEGER = 2
    FALSE = 3
    TRUE = 4
    TEXT = 5
    JSON = 6  # whatever else: null, an array, an object, an integer beyond 2⁵³


class Column:
    """A channel's values.

    Attributes:
        kinds: A `Kind` for each reading.
        numbers: The value where it is a number, NaN elsewhere; integers are within 2⁵³, so that a double holds each.
        coded: The text where it is text, the JSON where it is `Kind.JSON`; None where the channel has neither.
    """

    __slots__ = ("coded", "kinds", "numbers")

    def __init__(self, kinds: Kinds, numbers: Reals, coded: Coded | None = None) -> None:
        self.kinds = kinds
        self.numbers = numbers
        self.coded = coded

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def of(cls, values: Sequence[Any]) -> Self:
        """The column of values as JSON decodes them, `ABSENT_VALUE` where a reading has none.

        >>> Column.of([12, 12.0, "12", True, ABSENT_VALUE]).kinds.tolist()
        [2, 1, 5, 4, 0]
        """
        types = set(map(type, values))
        if types == {float}:
            return cls(all_same(Kind.REAL, len(values)), np.array(values, np.float64))
        if types == {int} and min(values) >= -INTEGER_LIMIT and max(values) <= INTEGER_LIMIT:
            return cls(all_same(Kind.INTEGER, len(values)), np.array(values, np.float64))
        if types == {str}:
            return cls(all_same(Kind.TEXT, len(values)), np.full(len(values), np.nan), Coded.of(values))
        kinds = np.array([_kind(value) for value in values], np.uint8)
        numbers = np.full(len(values), np.nan)
        measured = (kinds == Kind.REAL) | (kinds == Kind.INTEGER)
        numbers[measured] = [value for value, is_number in zip(values, measured.tolist(), strict=True) if is_number]
        has_words = bool((kinds >= Kind.TEXT).any())
        texts = map(_text, values, kinds.tolist()) if has_words else ()
        return cls(kinds, numbers, Coded.of(texts) if has_words else None)

    @classmethod
    def of_numbers(cls, numbers: Reals | Integers) -> Self:
        """The column of an array: all real, or all whole."""
        kind = Kind.INTEGER if numbers.dtype.kind == "i" else Kind.REAL
        return cls(all_same(kind, len(numbers)), numbers.astype(np.float64))

    @classmethod
    def absent(cls, n: int) -> Self:
        """The column of a channel that none of the readings has."""
        return cls(all_same(Kind.ABSENT, n), np.full(n, np.nan))

    @property
    def measured(self) -> Mask | None:
        """Which readings have a number; None for all of them."""
        only = the_same(self.kinds)
        if only in (Kind.REAL, Kind.INTEGER):
            return None
        found: Mask = (self.kinds == Kind.REAL) | (self.kinds == Kind.INTEGER)
        return found

    @property
    def present(self) -> Mask:
        """Which readings have a value of any kind."""
        found: Mask = self.kinds != Kind.ABSENT
        return found

    def take(self, index: Index) -> Self:
        """The readings at the index."""
        coded = None if self.coded is None else self.coded.take(index)
        return type(self)(taken_kinds(self.kinds, index), self.numbers[index], coded)

    def values(self) -> list[Any]:
        """The values as JSON decodes them.

        >>> Column.of([12, 12.0, "12", True]).values()
        [12, 12.0, '12', True]
        """
        only = the_same(self.kinds)
        if only == Kind.REAL:
            reals: list[Any] = self.numbers.tolist()
            return reals
        if only == Kind.INTEGER:
            integers: list[Any] = self.numbers.astype(np.int64).tolist()
            return integers
        texts = self.coded.texts() if self.coded else [None] * len(self)
        return [_value(*each) for each in zip(self.kinds.tolist(), self.numbers.tolist(), texts, strict=True)]


def joined(parts: Sequence[Column]) -> Column:
    """Columns one after the other."""
    return Column(
        joined_kinds([part.kinds for part in parts]),
        np.concatenate([part.numbers for part in parts]),
        joined_texts([part.coded for part in parts], [len(part) for part in parts]),
    )


_KINDS = {float: Kind.REAL, int: Kind.INTEGER, str: Kind.TEXT, type(ABSENT_VALUE): Kind.ABSENT}


def _kind(value: Any) -> Kind:
    if value is True or value is False:
        return Kind.TRUE if value else Kind.FALSE
    kind = _KINDS.get(type(value), Kind.JSON)
    return Kind.JSON if kind is Kind.INTEGER and abs(value) > INTEGER_LIMIT else kind


def _text(value: Any, kind: int) -> str | None:
    if kind == Kind.TEXT:
        return str(value)
    return _json(value).decode() if kind == Kind.JSON else None


def _value(kind: int, number: float, text: str | None) -> Any:
    if kind == Kind.REAL:
        return number
    if kind == Kind.INTEGER:
        return int(number)
    if kind == Kind.TEXT:
        return text
    if kind == Kind.JSON:
        return msgspec.json.decode(text or "null")
    return {Kind.FALSE: False, Kind.TRUE: True}.get(Kind(kind), ABSENT_VALUE)
