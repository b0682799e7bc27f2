"""JSON by one set of strict rules on every transport and on both planes.

RFC 8259, and beyond it: no NaN or infinity, no NUL even escaped, no lone surrogate, integers within 2⁵³ (RFC 7493,
section 2.2), nesting of at most 16. Of a repeated key the last value wins, everywhere.
"""

from typing import Any

import msgspec

from releve.protocol.json_fault import fault
from releve.protocol.problem import BadJSON

DEPTH_LIMIT = 16
INTEGER_LIMIT = 2**53
_decoder = msgspec.json.Decoder()


def decode(payload: bytes) -> Any:
    """Read one JSON text.

    Raises:
        BadJSON: It is not JSON by the rules above; the message says where and why.

    >>> decode(b'{"speed": 12.5, "speed": 13}')
    {'speed': 13}
    """
    value = decode_syntax(payload)
    check(value, escaped_nul=b"\\u0000" in payload)
    return value


def decode_syntax(payload: bytes) -> Any:
    """Read one JSON text whose values the caller checks itself, as the ingest path does field by field.

    Raises:
        BadJSON: It is not JSON.
    """
    try:
        return _decoder.decode(payload)
    except RecursionError as error:
        raise BadJSON(f"nested deeper than {DEPTH_LIMIT}") from error
    except UnicodeDecodeError as error:
        raise BadJSON(f"not UTF-8: {error.reason} at byte {error.start}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise refusal(payload, error) from error


def refusal(payload: bytes, error: Exception) -> BadJSON:
    """The problem with a payload that the decoder could not read."""
    if not payload.strip():
        return BadJSON("the body is empty; a JSON object was expected")
    if payload.startswith(b"\xef\xbb\xbf"):
        return BadJSON("starts with a byte order mark; send plain UTF-8")
    reason, field = fault(payload, str(error))
    return BadJSON(reason, field=field)


def check(value: Any, *, escaped_nul: bool = True, depth: int = 0, field: str | None = None) -> None:
    """Hold a decoded value to the rules that the syntax does not.

    Args:
        value: What was decoded.
        escaped_nul: Whether the text holds an escaped NUL at all; strings are looked through only then.
        depth: How deep the value stands.
        field: The member it stands in, for the message.

    Raises:
        BadJSON: An integer, a string or the nesting breaks a rule.
    """
    kind = type(value)
    if kind is int:
        if not -INTEGER_LIMIT <= value <= INTEGER_LIMIT:
            raise BadJSON("integer beyond 2⁵³; send it as text", field=field)
    elif kind is str:
        if escaped_nul and "\0" in value:
            raise BadJSON("text with a NUL character", field=field)
    elif kind is dict or kind is list:
        if depth >= DEPTH_LIMIT:
            raise BadJSON(f"nested deeper than {DEPTH_LIMIT}", field=field)
        _check_members(value, escaped_nul=escaped_nul, depth=depth + 1, field=field)


def _check_members(value: Any, *, escaped_nul: bool, depth: int, field: str | None) -> None:
    if type(value) is list:
        for item in value:
            check(item, escaped_nul=escaped_nul, depth=depth, field=field)
        return
    for name, item in value.items():
        if escaped_nul and "\0" in name:
            raise BadJSON("name with a NUL character", field=field)
        check(item, escaped_nul=escaped_nul, depth=depth, field=field or name)
