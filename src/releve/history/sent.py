"""The timestamps as sent: those that follow from the time are kept as a rule and an offset, the others as text.

A naive local time lies at a constant distance from the instant until clocks change; an uptime, until the device boots
again. Both then cost next to nothing in a segment.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import Self

import numpy as np

from releve.history import instant, number
from releve.history.array import Index, Integers, Kinds, all_same, joined_kinds, taken_kinds, the_same
from releve.history.coded import Coded
from releve.history.coded import joined as joined_texts
from releve.history.matrix import Texts

MOST_OFFSETS = 8  # of one style in one block; a zone changes its clocks twice a year
_WHOLE_LIMIT = 2**62
_DIGITS = len(str(_WHOLE_LIMIT))
_SHORTEST = len("2026-06-01T12:00:00")


class Kind(IntEnum):
    """How a timestamp was spelled; the numbers are part of the format."""

    NONE = 0
    TEXT = 1
    WHOLE = 2  # a whole number
    ISO = 3  # Python's isoformat: six digits of a fraction or none
    ISO_MS = 4
    ISO_US = 5  # six digits, also of nought
    SPACED = 6  # Python's str
    SPACED_MS = 7


STYLES = {
    Kind.ISO: (b"T", None),
    Kind.ISO_MS: (b"T", 3),
    Kind.ISO_US: (b"T", 6),
    Kind.SPACED: (b" ", None),
    Kind.SPACED_MS: (b" ", 3),
}


class Sent:
    """A timestamp, or none, for each reading.

    Attributes:
        kinds: A `Kind` each.
        numbers: The whole number; of a naive time, how many microseconds it is ahead of the instant; else 0.
        coded: The text of those that are kept as text; None where none is.
    """

    __slots__ = ("coded", "kinds", "numbers")

    def __init__(self, kinds: Kinds, numbers: Integers, coded: Coded | None = None) -> None:
        self.kinds = kinds
        self.numbers = numbers
        self.coded = coded

    @classmethod
    def of(cls, texts: Sequence[str | None], time_us: Integers) -> Self:
        """Find what each text follows from.

        >>> Sent.of(["2026-06-01T14:00:00"], np.array([1_780_315_200_000_000])).numbers.tolist()
        [7200000000]
        """
        if texts.count(None) == len(texts):
            return cls.none(len(time_us))
        found = _Finding(texts, time_us)
        for style in STYLES:
            if found.is_all(style):
                return cls(all_same(style, len(texts)), found.numbers)
        found.whole_numbers()
        found.naive_times()
        left = found.kinds == Kind.TEXT
        words = [text if is_left else None for text, is_left in zip(texts, left.tolist(), strict=True)]
        return cls(found.kinds, found.numbers, Coded.of(words) if left.any() else None)

    @classmethod
    def none(cls, n: int) -> Self:
        """Of readings whose time says it all."""
        return cls(all_same(Kind.NONE, n), np.zeros(n, np.int64))

    def take(self, index: Index) -> Self:
        """Those at the index."""
        coded = None if self.coded is None else self.coded.take(index)
        return type(self)(taken_kinds(self.kinds, index), self.numbers[index], coded)

    def texts(self, time_us: Integers) -> list[str | None]:
        """The timestamps, as sent, of readings of these instants."""
        is_none = self.kinds == Kind.NONE
        if is_none.all():
            return [None] * len(is_none)
        spelled = self.spelled(time_us).tolist()
        return [None if none else text.decode() for text, none in zip(spelled, is_none.tolist(), strict=True)]

    def spelled(self, time_us: Integers) -> Texts:
        """The same as bytes, empty where there is none."""
        only = the_same(self.kinds)
        if only in STYLES:
            return _spelled(time_us + self.numbers, Kind(only))
        texts = np.full(len(time_us), b"", object)
        for kind in np.unique(self.kinds).tolist():
            here = self.kinds == kind
            if kind == Kind.WHOLE:
                texts[here] = number.spelled_whole(self.numbers[here])
            elif kind in STYLES:
                texts[here] = _spelled(time_us[here] + self.numbers[here], Kind(kind))
            elif kind == Kind.TEXT and self.coded is not None:
                words = np.array([*(word.encode() for word in self.coded.words), b""], object)
                texts[here] = words[self.coded.code[here]]
        return texts


def joined(parts: Sequence[Sent]) -> Sent:
    """Timestamps one after the other."""
    return Sent(
        joined_kinds([part.kinds for part in parts]),
        np.concatenate([part.numbers for part in parts]),
        joined_texts([part.coded for part in parts], [len(part.kinds) for part in parts]),
    )


class _Finding:
    """Texts that are still to be explained have the kind TEXT."""

    def __init__(self, texts: Sequence[str | None], time_us: Integers) -> None:
        self._texts = [None if text is None else text.encode() for text in texts]
        self._time_us = time_us
        self.kinds = np.array([Kind.NONE if text is None else Kind.TEXT for text in texts], np.uint8)
        self.numbers = np.zeros(len(texts), np.int64)

    def is_all(self, style: Kind) -> bool:
        """Whether all of them are of one style, at one distance, as those of most devices are."""
        offset_us = self._offset_us(0)
        if offset_us is None or _spelled(self._time_us + offset_us, style).tolist() != self._texts:
            return False
        self.numbers[:] = offset_us
        return True

    def whole_numbers(self) -> None:
        for place, text in enumerate(self._texts):
            if text and text[-1:].isdigit() and len(text) <= _DIGITS and _is_whole(text):
                self.kinds[place] = Kind.WHOLE
                self.numbers[place] = int(text)

    def naive_times(self) -> None:
        for style in STYLES:
            passed = np.zeros(len(self._texts), bool)
            for _ in range(MOST_OFFSETS):
                left = np.flatnonzero((self.kinds == Kind.TEXT) & ~passed)
                if not len(left):
                    return
                offset_us = self._offset_us(int(left[0]))
                if offset_us is None or not self._explain(left, style, offset_us):
                    passed[left[0]] = True

    def _offset_us(self, place: int) -> int | None:
        """How far a naive time is ahead of its instant; None where the text is none."""
        text = (self._texts[place] or b"").decode()
        if len(text) < _SHORTEST or text[10] not in "T ":
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        if moment.tzinfo is not None:
            return None
        return _microseconds(moment.replace(tzinfo=UTC)) - int(self._time_us[place])

    def _explain(self, left: Integers, style: Kind, offset_us: int) -> bool:
        spelled = _spelled(self._time_us[left] + offset_us, style).tolist()
        pairs = zip(spelled, left.tolist(), strict=True)
        same = np.fromiter((text == self._texts[place] for text, place in pairs), bool)
        self.kinds[left[same]] = style
        self.numbers[left[same]] = offset_us
        return bool(same.any())


def _spelled(local_us: Integers, style: Kind) -> Texts:
    separator, digits = STYLES[style]
    return instant.spelled(local_us, separator=separator, digits=digits)


def _is_whole(text: bytes) -> bool:
    digits = text.removeprefix(b"-")
    return digits.isdigit() and (digits[:1] != b"0" or text == b"0") and int(digits) < _WHOLE_LIMIT


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _microseconds(moment: datetime) -> int:
    elapsed = moment - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds
