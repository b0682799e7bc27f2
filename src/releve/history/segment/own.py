"""The columns of a segment that hold what every reading has: time, time of receipt, identity, timestamp as sent.

time        n whole
received    n how whole      how: 0 after the time, in microseconds; 1 itself, which readings of one batch share
identities  n rules kept     whole each; the identities of those whose rule is to keep it
sent        n kinds scale numbers texts
whole each; an uptime as how far it is from the instant, if it counts in units of so many
microseconds, 0 for as it is; of the readings that have one
"""

import numpy as np

from releve.history import sent
from releve.history.array import Integers, Kinds, all_same, the_same
from releve.history.block import Identities
from releve.history.coded import NONE, Coded
from releve.history.identity import Rule
from releve.history.segment import stream
from releve.history.segment.frame import Holds, unwrapped, varint, wrapped
from releve.history.sent import Sent

_AFTER, _ITSELF = 0, 1
_UNITS_US = (1_000, 1_000_000, 1)
_FITS = 2**62


def encode_time(time_us: Integers) -> bytes:
    """The column of instants."""
    return wrapped(Holds.TIME, varint(len(time_us)) + stream.whole(time_us))


def decode_time(blob: bytes) -> Integers:
    """The instants.

    Raises:
        Damaged: The bytes are not those of such a column.
    """
    reader = unwrapped(Holds.TIME, blob)
    return stream.read_whole(reader, reader.varint())


def encode_received(received_us: Integers, time_us: Integers) -> bytes:
    """The column of times of receipt."""
    shared = np.count_nonzero(received_us[1:] == received_us[:-1])
    how, numbers = (_ITSELF, received_us) if 2 * shared > len(time_us) else (_AFTER, received_us - time_us)
    return wrapped(Holds.RECEIVED, varint(len(time_us)) + bytes([how]) + stream.whole(numbers))


def decode_received(blob: bytes, time_us: Integers) -> Integers:
    """The times of receipt of readings of these instants.

    Raises:
        Damaged: The bytes are not those of such a column.
    """
    reader = unwrapped(Holds.RECEIVED, blob)
    n, how = reader.varint(), reader.byte()
    numbers = stream.read_whole(reader, n)
    return numbers + time_us if how == _AFTER else numbers


def encode_identities(known: Identities) -> bytes:
    """The column of identities."""
    kept = known.own[known.rules == Rule.KEPT]
    content = varint(len(known.rules)) + stream.whole(known.rules.astype(np.int64)) + stream.whole(kept)
    return wrapped(Holds.IDENTITIES, content)


def decode_identities(blob: bytes) -> Identities:
    """How the identities are known.

    Raises:
        Damaged: The bytes are not those of such a column.
    """
    reader = unwrapped(Holds.IDENTITIES, blob)
    n = reader.varint()
    rules = _tight(stream.read_whole(reader, n))
    is_kept = rules == Rule.KEPT
    own = np.zeros(n, np.int64)
    own[is_kept] = stream.read_whole(reader, int(np.count_nonzero(is_kept)))
    return Identities(rules, own)


def encode_sent(found: Sent, time_us: Integers) -> bytes:
    """The column of timestamps as sent."""
    has_number = found.kinds >= sent.Kind.WHOLE
    is_count = found.kinds == sent.Kind.WHOLE
    unit_us = _unit_us(found.numbers[is_count], time_us[is_count])
    numbers = found.numbers.copy()
    if unit_us:
        numbers[is_count] = time_us[is_count] - numbers[is_count] * unit_us
    content = varint(len(time_us)) + stream.whole(found.kinds.astype(np.int64)) + varint(unit_us)
    content += stream.whole(numbers[has_number])
    is_text = found.kinds == sent.Kind.TEXT
    if found.coded is not None and is_text.any():
        content += stream.texts(found.coded.take(is_text))
    return wrapped(Holds.SENT, content)


def decode_sent(blob: bytes, time_us: Integers) -> Sent:
    """The timestamps as sent of readings of these instants.

    Raises:
        Damaged: The bytes are not those of such a column.
    """
    reader = unwrapped(Holds.SENT, blob)
    n = reader.varint()
    kinds = _tight(stream.read_whole(reader, n))
    unit_us = reader.varint()
    has_number = kinds >= sent.Kind.WHOLE
    numbers = np.zeros(n, np.int64)
    numbers[has_number] = stream.read_whole(reader, int(np.count_nonzero(has_number)))
    is_count = kinds == sent.Kind.WHOLE
    if unit_us:
        numbers[is_count] = (time_us[is_count] - numbers[is_count]) // unit_us
    is_text = kinds == sent.Kind.TEXT
    if not is_text.any():
        return Sent(kinds, numbers)
    dense = stream.read_texts(reader, int(np.count_nonzero(is_text)))
    code = np.full(n, NONE, np.int32)
    code[is_text] = dense.code
    return Sent(kinds, numbers, Coded(code, dense.words))


def _unit_us(counts: Integers, time_us: Integers) -> int:
    """The unit in which counts since boot keep most of the same distance to the instant; 0 where none does."""
    if len(counts) < 2 or int(np.abs(counts).max()) >= _FITS // _UNITS_US[1]:  # noqa: PLR2004 - one has no distance to another
        return 0
    changes = {unit_us: int(np.count_nonzero(np.diff(time_us - counts * unit_us))) for unit_us in _UNITS_US}
    best = min(_UNITS_US, key=lambda unit_us: changes[unit_us])
    return best if changes[best] < np.count_nonzero(np.diff(counts)) else 0


def _tight(numbers: Integers) -> Kinds:
    kinds = numbers.astype(np.uint8)
    only = the_same(kinds)
    return kinds if only is None else all_same(only, len(kinds))
