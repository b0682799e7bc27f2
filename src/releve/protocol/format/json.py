"""JSON: one object, or an array of them."""

from collections.abc import Callable
from functools import cache
from itertools import islice

import msgspec

from releve.protocol.format.scan import elements
from releve.protocol.format.shape import BYTE_ORDER_MARK, Shape
from releve.protocol.problem import BadJSON, TooLarge
from releve.protocol.strict_json import DEPTH_LIMIT, refusal

BEGINNING = 262_144  # bytes, read in a third of a millisecond
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
        return _sound(payload, limit)
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


def _sound(payload: bytes, limit: int) -> list[bytes]:
    """The elements of a sound array, counted while they are cut: two million numbers are not held to be refused.

    Raises:
        TooLarge: There are more than so many.
        msgspec.DecodeError, ValueError: It is not sound.
    """
    if payload.count(b",") < limit:
        return [bytes(element) for element in _split(payload)]
    if _begins_with_too_many(payload, limit):
        raise TooLarge(f"more than {limit} readings at once")
    elements = [bytes(element) for element in first(limit + 1)(payload) if element is not msgspec.UNSET]
    if len(elements) > limit:
        raise TooLarge(f"more than {limit} readings at once")
    return elements


def _begins_with_too_many(payload: bytes, limit: int) -> bool:
    """Whether the beginning alone holds too many elements: two million numbers are not even read to be refused.

    It is cut behind an element, which may be guessed wrong, as the comma may be within one; then the whole tells.
    """
    head = payload[:BEGINNING]
    for end in (head.rfind(b","), head.rfind(b"},") + 1):
        try:
            if end > 0 and first(limit + 1)(head[:end] + b"]")[limit] is not msgspec.UNSET:
                return True
        except (msgspec.DecodeError, ValueError, RecursionError):
            continue
    return False


@cache
def first(count: int) -> Callable[[bytes], tuple[msgspec.Raw | msgspec.UnsetType, ...]]:
    """Reads the first so many elements of an array: the decoder passes over what is behind an array-like's last field.

    It takes a quarter of a second to make, so whoever is not to wait makes it beforehand.
    """
    fields = [(f"e{number}", msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for number in range(count)]
    decode = msgspec.json.Decoder(msgspec.defstruct("First", fields, array_like=True)).decode
    return lambda payload: msgspec.structs.astuple(decode(payload))
