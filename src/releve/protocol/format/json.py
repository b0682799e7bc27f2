"""JSON: one object, or an array of them."""

from itertools import islice

import msgspec

from releve.protocol.format.scan import elements
from releve.protocol.format.shape import BYTE_ORDER_MARK, Shape
from releve.protocol.problem import BadJSON, TooLarge
from releve.protocol.strict_json import DEPTH_LIMIT, refusal

_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


def cut(payload: bytes, limit: int) -> Shape:
    """Cut an array between its elements; anything else is one item.

    Raises:
        BadJSON: It begins like an array and holds nothing that begins like an object.
        TooLarge: It is broken, and holds more than so many elements.

    >>> cut(b'[{"a": 1}, {"a": NaN}]', 10).payloads
    [b'{"a": 1}', b'{"a": NaN}']
    """
    if payload.removeprefix(BYTE_ORDER_MARK).lstrip()[:1] != b"[":
        return Shape([payload], is_batch=False)
    return Shape(_elements(payload.removeprefix(BYTE_ORDER_MARK), limit), is_batch=True)


def _elements(payload: bytes, limit: int) -> list[bytes]:
    """A sound array is cut by the decoder, at full speed; our own scanner sees only what that cannot read."""
    try:
        return [bytes(element) for element in _split(payload)]
    except RecursionError as error:
        problem: Exception = error
        found = BadJSON(f"nested deeper than {DEPTH_LIMIT}")
    except (msgspec.DecodeError, ValueError) as error:
        problem = error
        found = refusal(payload, error)
    cut_out = list(islice(elements(payload), limit + 1))
    if not any(element.startswith(b"{") for element in cut_out):
        raise found from problem
    if len(cut_out) > limit:
        raise TooLarge(f"more than {limit} readings at once")
    return cut_out
