"""How arrays are packed: whole numbers, doubles, and texts with few or many different ones.

whole     0 the number                    all the same
1 section                       pcodec, of 32 or 64 bits
doubles   0 8 bytes                       all the same, to the bit
1 digits strange whole [whole doubles]   decimals: whole numbers and how many digits stand after the point; then how
many are strange, their places and themselves
2 section                       pcodec, of doubles
texts     whole section sizes             which word each is; the words behind one another, by zstandard if that is
smaller; their lengths in bytes
"""

from struct import Struct
from typing import Any

import numpy as np
import zstandard
from pcodec import ChunkConfig, standalone

from releve.history import number
from releve.history.array import Integers, Reals
from releve.history.coded import Coded, compact
from releve.history.segment.frame import Damaged, Reader, section, signed, varint

_SAME, _PACKED, _RUNS = 0, 1, 2
_DECIMAL, _DOUBLES = 1, 2
_PLAIN, _ZSTANDARD = 0, 1
_LEVEL = 9
_MOST_RUNS = 64  # so many take about the room of what pcodec writes about itself
_SURE_DIGITS = 4  # with more, it may be a single-precision number written out, which pcodec packs smaller
_MOST_WORD_BYTES = 2**31 - 1
_INT32 = np.iinfo(np.int32)
_double = Struct("<d")
_config = ChunkConfig()


def whole(numbers: Integers) -> bytes:
    """Pack whole numbers."""
    if not len(numbers):
        return bytes([_SAME]) + signed(0)
    low, high = int(numbers.min()), int(numbers.max())
    if low == high:
        return bytes([_SAME]) + signed(low)
    begins = np.flatnonzero(np.diff(numbers)) + 1
    if len(begins) < min(_MOST_RUNS, len(numbers) // 2):
        return bytes([_RUNS]) + _runs(numbers, np.concatenate([[0], begins]))
    is_small = _INT32.min <= low and high <= _INT32.max
    return bytes([_PACKED]) + section(_pack(numbers.astype(np.int32) if is_small else numbers))


def read_whole(reader: Reader, n: int) -> Integers:
    """Unpack so many whole numbers."""
    how = reader.byte()
    if how == _SAME:
        return np.full(n, reader.signed(), np.int64)
    if how == _PACKED:
        found: Integers = _unpack(reader.section(), n).astype(np.int64)
        return found
    if how == _RUNS:
        runs = [(reader.signed(), reader.varint()) for _ in range(reader.varint())]
        rises, lengths = np.array(runs, np.int64).T
        if lengths.sum() != n:
            raise Damaged(f"{lengths.sum()} numbers instead of {n}")
        return np.repeat(np.cumsum(rises), lengths)
    raise Damaged(f"whole numbers packed in way {how}")


def doubles(numbers: Reals) -> bytes:
    """Pack doubles, to the bit."""
    bits = numbers.view(np.int64)
    if not len(numbers) or bool((bits == bits[0]).all()):
        return bytes([_SAME]) + _double.pack(numbers[0] if len(numbers) else 0.0)
    found = number.decimal(numbers)
    packed = None if found is None else _decimals(numbers, found)
    if packed is not None and found is not None and found.digits <= _SURE_DIGITS:
        return packed
    direct = bytes([_DOUBLES]) + section(_pack(numbers))
    return direct if packed is None or len(direct) <= len(packed) else packed


def read_doubles(reader: Reader, n: int) -> Reals:
    """Unpack so many doubles."""
    how = reader.byte()
    if how == _SAME:
        return np.full(n, _double.unpack(reader.take(_double.size))[0])
    if how == _DECIMAL:
        digits, strange = reader.byte(), reader.varint()
        numbers = number.reals(read_whole(reader, n), digits)
        if strange:
            places = np.cumsum(read_whole(reader, strange))
            numbers[places] = np.frombuffer(reader.section(), "<f8")
        return numbers
    if how == _DOUBLES:
        found: Reals = _unpack(reader.section(), n)
        return found
    raise Damaged(f"doubles packed in way {how}")


def texts(coded: Coded) -> bytes:
    """Pack texts."""
    tidy = compact(coded)
    words = [word.encode() for word in tidy.words]
    sizes = np.array(list(map(len, words)), np.int64)
    plain = b"".join(words)
    small = zstandard.ZstdCompressor(level=_LEVEL).compress(plain)
    held = bytes([_ZSTANDARD]) + small if len(small) < len(plain) else bytes([_PLAIN]) + plain
    return whole(tidy.code.astype(np.int64)) + varint(len(words)) + section(held) + whole(sizes)


def read_texts(reader: Reader, n: int) -> Coded:
    """Unpack so many texts."""
    code, count = read_whole(reader, n).astype(np.int32), reader.varint()
    held = reader.section()
    plain = held[1:]
    if held[0] == _ZSTANDARD:
        plain = zstandard.ZstdDecompressor().decompress(plain, max_output_size=_MOST_WORD_BYTES)
    ends = np.cumsum(read_whole(reader, count)).tolist()
    return Coded(code, [plain[start:end].decode() for start, end in zip([0, *ends], ends, strict=False)])


def _runs(numbers: Integers, begins: Integers) -> bytes:
    rises = np.diff(numbers[begins], prepend=0).tolist()
    lengths = np.diff(begins, append=len(numbers)).tolist()
    return varint(len(rises)) + b"".join(signed(rise) + varint(n) for rise, n in zip(rises, lengths, strict=True))


def _decimals(numbers: Reals, found: number.Decimal) -> bytes:
    places = np.flatnonzero(found.strange) if found.strange is not None else np.zeros(0, np.int64)
    head = bytes([_DECIMAL, found.digits]) + varint(len(places)) + whole(found.whole)
    if not len(places):
        return head
    return head + whole(np.diff(places, prepend=0)) + section(numbers[places].astype("<f8").tobytes())


def _pack(numbers: Any) -> bytes:
    packed: bytes = standalone.simple_compress(np.ascontiguousarray(numbers), _config)
    return packed


def _unpack(packed: bytes, n: int) -> Any:
    found = standalone.simple_decompress(packed)
    if found is None or len(found) != n:
        raise Damaged(f"{0 if found is None else len(found)} numbers instead of {n}")
    return found
