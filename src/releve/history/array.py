"""What columns are made of: arrays of numpy by the names of what they hold."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]
Codes = NDArray[np.int32]
Kinds = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Index = Any  # a mask, an array of places or a slice: whatever an array is indexed with


def all_same(value: int, n: int) -> Kinds:
    """An array of one value that takes no room.

    >>> all_same(3, 4).tolist()
    [3, 3, 3, 3]
    """
    return np.broadcast_to(np.uint8(value), n)


def the_same(kinds: Kinds) -> int | None:
    """The value that all of them are, None when they differ or there are none.

    >>> the_same(all_same(3, 4)), the_same(np.array([1, 2], np.uint8))
    (3, None)
    """
    if not len(kinds):
        return None
    first = int(kinds[0])
    return first if kinds.strides == (0,) or bool((kinds == first).all()) else None


def joined_kinds(parts: list[Kinds]) -> Kinds:
    """Arrays one after the other, which takes no room where they hold one value."""
    values = {the_same(part) for part in parts if len(part)}
    only = values.pop() if len(values) == 1 else None
    return np.concatenate(parts) if only is None else all_same(only, sum(map(len, parts)))


def taken_kinds(kinds: Kinds, index: Index) -> Kinds:
    """Those at the index, which takes no room where they hold one value.

    >>> taken_kinds(all_same(3, 4), slice(0, 2)).tolist()
    [3, 3]
    """
    taken = kinds[index]
    return all_same(int(kinds[0]), len(taken)) if len(taken) and kinds.strides == (0,) else taken
