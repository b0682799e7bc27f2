"""A segment: a stretch of one device's readings in compressed columns, each readable alone; lossless to the byte."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from releve.history.block import Block
from releve.history.segment import channel, own
from releve.history.segment.frame import Damaged, Holds

__all__ = ["READINGS", "Damaged", "Holds", "Segment", "decode", "decode_some", "encode"]

READINGS = 32_768  # that a segment is merged up to: larger is hardly smaller a reading, and slower to read a part of


class Segment(NamedTuple):
    """The columns of some readings, as bytes.

    Attributes:
        n: How many readings.
        first_us: The earliest instant, microseconds since 1970.
        last_us: The latest.
        own: The columns of what every reading has, by what they hold.
        channels: A column a channel.
    """

    n: int
    first_us: int
    last_us: int
    own: Mapping[Holds, bytes]
    channels: Mapping[str, bytes]

    @property
    def size(self) -> int:
        """Bytes of all columns."""
        return sum(map(len, self.own.values())) + sum(map(len, self.channels.values()))


def encode(block: Block) -> Segment:
    """A segment of a whole block.

    Raises:
        ValueError: The block has no reading, or lacks something of its readings.
    """
    if not len(block) or not block.is_whole:
        raise ValueError("a segment holds one reading or more, with all of their channels")
    if block.received_us is None or block.identities is None or block.sent is None:
        raise ValueError("a segment holds identities, times of receipt and timestamps as sent")
    columns = {
        Holds.TIME: own.encode_time(block.time_us),
        Holds.RECEIVED: own.encode_received(block.received_us, block.time_us),
        Holds.IDENTITIES: own.encode_identities(block.identities),
        Holds.SENT: own.encode_sent(block.sent, block.time_us),
    }
    if block.odd is not None and (block.odd.code >= 0).any():
        columns[Holds.ODD] = channel.encode_odd(block.odd)
    channels = {name: channel.encode(column) for name, column in block.channels.items() if column.present.any()}
    return Segment(len(block), int(block.time_us[0]), int(block.time_us[-1]), columns, channels)


def decode(segment: Segment) -> Block:
    """The whole block of a segment.

    Raises:
        Damaged: A column is not what was written, or has another number of readings.
    """
    block = decode_some(segment, segment.channels)
    columns = segment.own
    odd = channel.decode_odd(columns[Holds.ODD]) if Holds.ODD in columns else None
    whole = Block(
        block.time_us,
        block.channels,
        received_us=own.decode_received(columns[Holds.RECEIVED], block.time_us),
        identities=own.decode_identities(columns[Holds.IDENTITIES]),
        sent=own.decode_sent(columns[Holds.SENT], block.time_us),
        odd=odd,
        is_whole=True,
    )
    _check(segment, whole)
    return whole


def decode_some(segment: Segment, names: Collection[str]) -> Block:
    """The instants and some channels of a segment, which need hold nothing else.

    Raises:
        Damaged: A column is not what was written, or has another number of readings.
    """
    time_us = own.decode_time(segment.own[Holds.TIME])
    columns = segment.channels
    block = Block(time_us, {name: channel.decode(columns[name]) for name in names if name in columns})
    _check(segment, block)
    return block


def _check(segment: Segment, block: Block) -> None:
    lengths = {len(block.time_us), *map(len, block.channels.values())}
    if block.is_whole and block.received_us is not None and block.identities is not None and block.sent is not None:
        lengths |= {len(block.received_us), len(block.identities.rules), len(block.sent.kinds)}
    if lengths != {segment.n}:
        raise Damaged(f"columns of {sorted(lengths)} readings in a segment of {segment.n}")
