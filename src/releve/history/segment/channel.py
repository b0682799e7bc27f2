"""A channel's column in a segment, and the column of what readings have in an odd spelling.

n         number of readings
kinds     whole        a `column.Kind` each; 7 is a number that is whole where it can be, as JavaScript writes them
numbers   whole if no kind is real, else doubles; of the readings that have one
texts     only if a kind is text or JSON
"""

import numpy as np

from releve.history.array import Integers, Kinds, all_same, the_same
from releve.history.coded import NONE, Coded
from releve.history.column import Column, Kind
from releve.history.segment import stream
from releve.history.segment.frame import Damaged, Holds, Reader, unwrapped, varint, wrapped

_WHOLE_IF_WHOLE = 7
_NUMBERS = (Kind.REAL, Kind.INTEGER)
_REAL_TAG, _WHOLE_TAG, _NO_NUMBERS_TAG = 2, 1, 0


def encode(column: Column) -> bytes:
    """A channel's column."""
    kinds = column.kinds
    is_real, is_whole = kinds == Kind.REAL, kinds == Kind.INTEGER
    numbers = column.numbers[is_real | is_whole]
    content = varint(len(column)) + stream.whole(_kinds(column, is_real, is_whole))
    if is_real.any():
        content += bytes([_REAL_TAG]) + stream.doubles(numbers)
    elif len(numbers):
        content += bytes([_WHOLE_TAG]) + stream.whole(numbers.astype(np.int64))
    else:
        content += bytes([_NO_NUMBERS_TAG])
    if column.coded is not None and (kinds >= Kind.TEXT).any():
        content += stream.texts(column.coded.take(kinds >= Kind.TEXT))
    return wrapped(Holds.CHANNEL, content)


def decode(blob: bytes) -> Column:
    """A channel from its column.

    Raises:
        Damaged: The bytes are not those of one.
    """
    reader = unwrapped(Holds.CHANNEL, blob)
    n = reader.varint()
    kinds = stream.read_whole(reader, n).astype(np.uint8)
    if (only := the_same(kinds)) in _NUMBERS:  # as most channels are
        return Column(all_same(only, n), _numbers(reader, n))
    has_number = (kinds == Kind.REAL) | (kinds == Kind.INTEGER) | (kinds == _WHOLE_IF_WHOLE)
    count = int(np.count_nonzero(has_number))
    numbers = _numbers(reader, count)
    if count < n:
        dense, numbers = numbers, np.full(n, np.nan)
        numbers[has_number] = dense
    by_value = kinds == _WHOLE_IF_WHOLE
    if by_value.any():
        kinds[by_value] = np.where(numbers[by_value] == np.rint(numbers[by_value]), Kind.INTEGER, Kind.REAL)
    only = the_same(kinds)
    return Column(kinds if only is None else all_same(only, n), numbers, _coded(reader, kinds))


def encode_odd(odd: Coded) -> bytes:
    """The column of odd spellings."""
    return wrapped(Holds.ODD, varint(len(odd.code)) + stream.texts(odd))


def decode_odd(blob: bytes) -> Coded:
    """The odd spellings from their column.

    Raises:
        Damaged: The bytes are not those of one.
    """
    reader = unwrapped(Holds.ODD, blob)
    return stream.read_texts(reader, reader.varint())


def _kinds(column: Column, is_real: Kinds, is_whole: Kinds) -> Integers:
    kinds = column.kinds.astype(np.int64)
    if is_real.any() and is_whole.any():
        can_be_whole = column.numbers == np.rint(column.numbers)
        if not (can_be_whole & is_real).any():
            kinds[is_real | is_whole] = _WHOLE_IF_WHOLE
    return kinds


def _numbers(reader: Reader, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    tag = reader.byte()
    if tag == _REAL_TAG:
        return stream.read_doubles(reader, count)
    if tag == _WHOLE_TAG:
        return stream.read_whole(reader, count).astype(np.float64)
    if tag == _NO_NUMBERS_TAG:
        return np.zeros(0)
    raise Damaged(f"numbers of sort {tag}")


def _coded(reader: Reader, kinds: Kinds) -> Coded | None:
    has_words = kinds >= Kind.TEXT
    if not has_words.any():
        return None
    dense = stream.read_texts(reader, int(np.count_nonzero(has_words)))
    code = np.full(len(kinds), NONE, np.int32)
    code[has_words] = dense.code
    return Coded(code, dense.words)
