"""Numbers as decimals, as sensors and people write them: smaller to keep and quicker to spell than doubles."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from releve.history.array import Integers, Mask, Reals
from releve.history.matrix import Texts

MOST_DIGITS = 9  # after the point
MOST_STRANGE = 1 / 16  # of the numbers; each is kept beside the decimals
_SAMPLE = 256
_LARGEST = 2.0**53
_WIDEST = 4  # times as many spellings as numbers: a longer table of them costs more than it saves
_json = msgspec.json.encode
_COMMA = ord(",")
LONGEST = 32  # characters, which no number has more of
_GROUP = np.uint64(10_000)
_LONG = np.uint64(10**16)  # five groups of digits, the first of which is not nought
_FOUR = np.array([b"%04d" % each for each in range(10_000)] + [b"%d" % each for each in range(10_000)])


class Decimal(NamedTuple):
    """Numbers as whole ones and how many digits of them stand after the point.

    Attributes:
        whole: The numbers times a power of ten.
        digits: Which power.
        strange: Which of them are other numbers, to the bit; None for none. Zero with a minus sign is one.
    """

    whole: Integers
    digits: int
    strange: Mask | None


def decimal(numbers: Reals) -> Decimal | None:
    """Numbers as decimals; None where too many of them are not.

    >>> decimal(np.array([21.37, -0.5])).whole.tolist()
    [2137, -50]
    """
    sample = numbers[:: max(1, len(numbers) // _SAMPLE)]
    sample = sample[sample != 0]
    for digits in range(MOST_DIGITS + 1):
        tried = _scaled(sample, digits)
        if tried.strange is None or tried.strange.mean() < MOST_STRANGE / 4:
            found = _scaled(numbers, digits)
            if found.strange is None or found.strange.mean() <= MOST_STRANGE:
                return found
    return None


def reals(whole: Integers, digits: int) -> Reals:
    """The doubles of decimals: dividing by a power of ten rounds as reading their text does.

    >>> reals(np.array([2137]), 2).tolist()
    [21.37]
    """
    scaled: Reals = whole / 10.0**digits
    return scaled


def spelled(numbers: Reals) -> Texts:
    """Doubles as JSON spells them.

    >>> spelled(np.array([12.0, 0.25])).tolist()
    [b'12.0', b'0.25']
    """
    found = decimal(numbers)
    table = None if found is None else _table(found)
    if found is None or table is None:
        return _each(numbers.tolist())
    if found.strange is not None:
        table = table.astype(f"S{LONGEST}")
        table[found.strange] = _each(numbers[found.strange].tolist())
    return table


def spelled_whole(numbers: Integers) -> Texts:
    """Whole numbers as JSON spells them.

    >>> spelled_whole(np.array([12, -3])).tolist()
    [b'12', b'-3']
    """
    table = _table(Decimal(numbers, -1, None))
    return _each(numbers.tolist()) if table is None else table


def spelled_long(numbers: Integers) -> Texts:
    """Whole numbers that are mostly long, as identities are, with NUL characters within, for lines of `matrix` only.

    Four digits are taken from a table at a time.
    """
    left = np.abs(numbers).view(np.uint64)  # -2⁶³, whose absolute value fits into no int64, is right as this one
    is_short = left < _LONG
    if is_short.mean() > MOST_STRANGE:
        return spelled_whole(numbers)
    groups = np.empty((len(numbers), 6), "S4")
    for place in range(5, 0, -1):
        rest = left // _GROUP
        groups[:, place] = _FOUR[(left - rest * _GROUP).astype(np.intp) + (0 if place > 1 else len(_FOUR) // 2)]
        left = rest
    groups[:, 0] = np.where(numbers < 0, b"-", b"")
    found: Texts = groups.view(f"S{groups.shape[1] * 4}").ravel()
    places = np.flatnonzero(is_short)
    found[places] = _each(numbers[places].tolist())
    return found


def _scaled(numbers: Reals, digits: int) -> Decimal:
    whole = np.rint(numbers * 10.0**digits)
    if len(whole) and (whole.max() > _LARGEST or whole.min() < -_LARGEST):
        whole[np.abs(whole) > _LARGEST] = 0
    integers = whole.astype(np.int64)
    differs = reals(integers, digits).view(np.int64) != numbers.view(np.int64)
    return Decimal(integers, digits, differs if differs.any() else None)


def _table(found: Decimal) -> Texts | None:
    """The spelling of each, from a table of all between the least and the greatest; None where it would be too long."""
    if not len(found.whole):
        return None
    low, high = int(found.whole.min()), int(found.whole.max())
    if high - low >= _WIDEST * len(found.whole):
        return None
    every = low + np.arange(high - low + 1)
    spelled = _each((every if found.digits < 0 else reals(every, found.digits)).tolist())
    return spelled[found.whole - low]


def _each(numbers: Sequence[float]) -> Texts:
    if not len(numbers):
        return np.zeros(0, "S1")
    text = np.frombuffer(_json(numbers) + bytes(LONGEST), np.uint8)
    commas = np.flatnonzero(text == _COMMA)
    begins = np.concatenate([[1], commas + 1])
    lengths = np.concatenate([commas, [len(text) - LONGEST - 1]]) - begins
    width = int(lengths.max())
    found = sliding_window_view(text, width)[begins]
    found *= np.arange(width) < lengths[:, None]
    texts: Texts = found.view(f"S{width}").ravel()
    return texts
