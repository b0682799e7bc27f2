"""Turns readings that are rows into a block of columns, and notes which of them are spelled in another way."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from releve.history.array import Integers
from releve.history.block import Block, Row
from releve.history.coded import Coded
from releve.history.column import ABSENT_VALUE, Column
from releve.history.identity import recognise
from releve.history.sent import Sent
from releve.protocol.identity import canonical

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder(order="sorted")


def block_of(rows: Sequence[Row]) -> Block:
    """The readings of one device as a block, which gives back every one of them to the byte.

    Args:
        rows: In the order of time and id, which they are stored under, so that no two have both in common.

    Raises:
        ValueError: They are in another order.
    """
    times, ids, received, channels, sent = map(list, zip(*rows, strict=True)) if rows else ([], [], [], [], [])
    time_us, own_ids = np.array(times, np.int64), np.array(ids, np.int64)
    if not _is_in_order(time_us, own_ids):
        raise ValueError("readings come in the order of their time and id, each once")
    documents, odd = _documents(channels)
    names = sorted(set().union(*documents))
    return Block(
        time_us,
        {name: Column.of([document.get(name, ABSENT_VALUE) for document in documents]) for name in names},
        received_us=np.array(received, np.int64),
        identities=recognise(own_ids, channels, sent),
        sent=Sent.of(sent, time_us),
        odd=odd,
        is_whole=True,
    )


def _is_in_order(time_us: Integers, ids: Integers) -> bool:
    later = time_us[1:] > time_us[:-1]
    return bool((later | ((time_us[1:] == time_us[:-1]) & (ids[1:] > ids[:-1]))).all())


def _documents(channels: Sequence[bytes]) -> tuple[list[dict[str, Any]], Coded | None]:
    """Each reading's channels, and the JSON of those that canonical spelling would not give back.

    All of them are read and written at once: the writer puts a line break after each and nowhere else, so that texts
    without one which come out as they went in are canonical one by one.
    """
    lines = b"\n".join(channels) + b"\n" if channels else b""
    if lines.count(b"\n") == len(channels):
        try:
            documents = _decoder.decode_lines(lines)
        except (msgspec.DecodeError, ValueError, RecursionError):
            documents = []
        if set(map(type, documents)) == {dict} and _encoder.encode_lines(documents) == lines:
            return documents, None
    found = [_document(text) for text in channels]
    odd = [
        None if canonical(document) == text else text.decode()
        for document, text in zip(found, channels, strict=True)
    ]  # fmt: skip
    return found, Coded.of(odd) if any(text is not None for text in odd) else None


def _document(text: bytes) -> dict[str, Any]:
    """The channels that a text holds; none where it is no object."""
    try:
        document = _decoder.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {}
    return document if type(document) is dict else {}
