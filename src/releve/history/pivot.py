"""Turns readings that are rows into a block of columns, and notes which of them are spelled in another way."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from releve.history.array import Integers, all_same
from releve.history.block import Block, Identities, Row
from releve.history.coded import Coded
from releve.history.column import ABSENT_VALUE, Column
from releve.history.identity import Rule, recognise
from releve.history.sent import Sent
from releve.protocol.identity import canonical

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder(order="sorted")
_in_their_order = msgspec.json.Encoder()
_PLAIN = frozenset({int, float, bool, str})


def block_of(rows: Sequence[Row]) -> Block:
    """The readings of one device as a block, which gives back every one of them to the byte.

    Args:
        rows: In the order of time and id, which they are stored under, so that no two have both in common.

    Raises:
        ValueError: They are in another order.
    """
    time_us, own_ids, received_us = (np.array([row[place] for row in rows], np.int64) for place in range(3))
    channels, sent = [row.channels for row in rows], [row.sent for row in rows]
    if not _is_in_order(time_us, own_ids):
        raise ValueError("readings come in the order of their time and id, each once")
    values, odd = _values(channels)
    return Block(
        time_us,
        {name: Column.of(each) for name, each in values.items()},
        received_us=received_us,
        identities=recognise(own_ids, channels, sent),
        sent=Sent.of(sent, time_us),
        odd=odd,
        is_whole=True,
    )


def block_of_columns(time_us: Integers, channels: Mapping[str, Column], *, received_us: int) -> Block:
    """Readings that came as columns already, such as those of a waveform, as a block; none of them names an identity.

    Args:
        time_us: Their instants, each later than the one before.
        channels: A column each, as long; every reading has a value in one of them.
        received_us: When all of them were received.

    Raises:
        ValueError: Two of them share an instant, or one is earlier than the one before.
    """
    if not (np.diff(time_us) > 0).all():
        raise ValueError("readings of one instant are told apart by their identities, so they come as rows")
    n = len(time_us)
    return Block(
        time_us,
        dict(channels),
        received_us=np.full(n, received_us, np.int64),
        identities=Identities(all_same(Rule.CONTENT, n), np.zeros(n, np.int64)),
        sent=Sent.none(n),
        is_whole=True,
    )


def _is_in_order(time_us: Integers, ids: Integers) -> bool:
    later = time_us[1:] > time_us[:-1]
    return bool((later | ((time_us[1:] == time_us[:-1]) & (ids[1:] > ids[:-1]))).all())


def _values(channels: Sequence[bytes]) -> tuple[dict[str, list[Any]], Coded | None]:
    """The values of every channel, and the JSON of readings that canonical spelling would not give back.

    All are read and written at once: the writer puts a line break after each and nowhere else, so that texts without
    one which come out as they went in are canonical one by one.
    """
    lines = b"\n".join(channels) + b"\n" if channels else b""
    if lines.count(b"\n") == len(channels):
        values = _alike(channels, lines) or _unlike(lines)
        if values is not None:
            return values, None
    found = [_document(text) for text in channels]
    odd = [
        None if canonical(document) == text else text.decode()
        for document, text in zip(found, channels, strict=True)
    ]  # fmt: skip
    return _by_channel(found), Coded.of(odd) if any(text is not None for text in odd) else None


def _alike(channels: Sequence[bytes], lines: bytes) -> dict[str, list[Any]] | None:
    """The values where every reading has the channels of the first, of the same types; None where they have not."""
    first = _document(channels[0]) if channels else {}
    layout = tuple((name, type(value)) for name, value in first.items())
    if not layout or list(first) != sorted(first) or not _PLAIN.issuperset(kind for _, kind in layout):
        return None
    try:
        decoder, fields = _layout(layout)
        readings = decoder.decode_lines(lines)
    except (msgspec.DecodeError, ValueError):  # another layout, or a name that a struct cannot have
        return None
    if _in_their_order.encode_lines(readings) != lines:
        return None
    return {name: list(map(attrgetter(field), readings)) for name, field in fields.items()}


def _unlike(lines: bytes) -> dict[str, list[Any]] | None:
    """The values of any canonical readings; None where one of them is not."""
    try:
        documents = _decoder.decode_lines(lines)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    is_canonical = set(map(type, documents)) <= {dict} and _encoder.encode_lines(documents) == lines
    return _by_channel(documents) if is_canonical else None


def _by_channel(documents: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    names = sorted(set().union(*documents))
    return {name: [document.get(name, ABSENT_VALUE) for document in documents] for name in names}


@lru_cache(maxsize=256)
def _layout(layout: tuple[tuple[str, type], ...]) -> tuple[msgspec.json.Decoder[Any], dict[str, str]]:
    """What reads readings of these channels, twice as fast as any others, and the field that each channel gets."""
    fields = {name: f"channel_{place}" for place, (name, _) in enumerate(layout)}
    types = [(fields[name], kind) for name, kind in layout]
    reading = msgspec.defstruct("Channels", types, rename={field: name for name, field in fields.items()}, gc=False)
    return msgspec.json.Decoder(reading), fields


def _document(text: bytes) -> dict[str, Any]:
    """The channels that a text holds; none where it is no object."""
    try:
        document = _decoder.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {}
    return document if type(document) is dict else {}
