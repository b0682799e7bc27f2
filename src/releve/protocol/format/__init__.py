"""How readings are packed into one payload: each format cuts bytes into items, so that a broken one is broken alone.

A format knows nothing of fields; what an item means is its contract's. To add one: write `<name>.py` with a `cut`
function and add a line to `FORMATS`.
"""

from collections.abc import Callable

import msgspec

from releve.protocol.format import json, ndjson
from releve.protocol.format.shape import Shape
from releve.protocol.problem import BadReading, TooLarge

__all__ = ["FORMATS", "JSON", "NDJSON", "Format", "Shape", "format_of", "split"]


class Format(msgspec.Struct, frozen=True):
    """One way to pack readings.

    Attributes:
        name: The word in a media type that names it, such as `ndjson` in `application/x-ndjson`.
        cut: Cuts a payload into one text per item; it may stop once there are more than so many.
    """

    name: bytes
    cut: Callable[[bytes, int], Shape]


JSON = Format(b"json", json.cut)
NDJSON = Format(b"ndjson", ndjson.cut)
FORMATS = (NDJSON, JSON)


def format_of(media_type: bytes) -> Format:
    """The format that a media type names; JSON where it names none of ours, as clients often send none or a wrong one.

    >>> format_of(b"application/x-ndjson; charset=utf-8").name, format_of(b"text/plain").name
    (b'ndjson', b'json')
    """
    for known in FORMATS:
        if known.name in media_type:
            return known
    return JSON


def split(payload: bytes, form: Format = JSON, *, limit: int) -> Shape:
    """Cut a payload into one text per item.

    Args:
        payload: One object, an array of objects, or one object per line.
        form: How it is packed.
        limit: Most items.

    Raises:
        BadJSON: Nothing in it looks like a reading.
        TooLarge: It holds more items than the limit.
        BadReading: It holds none.
    """
    shape = form.cut(payload, limit)
    if len(shape.payloads) > limit:
        raise TooLarge(f"more than {limit} readings at once")
    if not shape.payloads:
        raise BadReading("holds no reading")
    return shape
