"""Numbers as decimals, as sensors and people write them: smaller to keep and quicker to spell than doubles."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from releve.history.array import Integers, Mask, Reals

MOST_DIGITS = 9  # after the point
MOST_STRANGE = 1 / 16  # of the numbers; each is kept beside the decimals
_SAMPLE = 256
_LARGEST = 2.0**53
_WIDEST = 4  # times as many spellings as numbers: a longer table of them costs more than it saves
_json = msgspec.json.encode


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


def spelled(numbers: Reals) -> list[bytes]:
    """Doubles as JSON spells them.

    >>> spelled(np.array([12.0, 0.25]))
    [b'12.0', b'0.25']
    """
    found = decimal(numbers)
    if found is None:
        return _each(numbers.tolist())
    table = _table(found)
    if table is None:
        return _each(numbers.tolist())
    if found.strange is not None:
        table[found.strange] = np.array(_each(numbers[found.strange].tolist()), object)
    texts: list[bytes] = table.tolist()
    return texts


def spelled_whole(numbers: Integers) -> list[bytes]:
    """Whole numbers as JSON spells them.

    >>> spelled_whole(np.array([12, -3]))
    [b'12', b'-3']
    """
    table = _table(Decimal(numbers, -1, None))
    texts: list[bytes] = _each(numbers.tolist()) if table is None else table.tolist()
    return texts


def _scaled(numbers: Reals, digits: int) -> Decimal:
    whole = np.rint(numbers * 10.0**digits)
    if len(whole) and (whole.max() > _LARGEST or whole.min() < -_LARGEST):
        whole[np.abs(whole) > _LARGEST] = 0
    integers = whole.astype(np.int64)
    differs = reals(integers, digits).view(np.int64) != numbers.view(np.int64)
    return Decimal(integers, digits, differs if differs.any() else None)


def _table(found: Decimal) -> Any:
    """The spelling of each, from a table of all between the least and the greatest; None where it would be too long."""
    if not len(found.whole):
        return None
    low, high = int(found.whole.min()), int(found.whole.max())
    if high - low >= _WIDEST * len(found.whole):
        return None
    every = low + np.arange(high - low + 1)
    spelled = _each((every if found.digits < 0 else reals(every, found.digits)).tolist())
    return np.array(spelled, object)[found.whole - low]


def _each(numbers: Sequence[float]) -> list[bytes]:
    return _json(numbers)[1:-1].split(b",") if len(numbers) else []
