"""What is wrong with a text that is no JSON, and in which field, in words that its sender can act on.

Only a bounded part of the text is looked at again, around the byte that the decoder names.
"""

import re

_BYTE = re.compile(r" \(byte (\d+)\)\Z")
_NO_NUMBER = re.compile(rb"-?(?:NaN|Infinity)", re.IGNORECASE)
_HALF = rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
_PAIR = rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
# Escape by escape: one pattern for all that may stand in front of it finds nothing by the `re` of Python 3.11.2.
_ESCAPE = re.compile(_PAIR + rb"|(" + _HALF + rb")|\\.", re.DOTALL)
_TOO_LARGE = re.compile(rb"\d{309}|[0-9.][eE]\+?\d{3}")
_BLANK = b" \t\r\n"
_MOST_COLONS = 16  # that are looked at, backwards, for the one behind a name
_AROUND_BYTES = 256
_LONGEST_BYTES = 4_096  # of a text that is searched for a fault whose place is not told


def fault(payload: bytes, said: str) -> tuple[str, str | None]:
    """The reason, and the field where it can be told.

    Args:
        payload: What could not be decoded.
        said: What the decoder says of it.

    >>> fault(b'{"a": 1, "speed": NaN}', "JSON is malformed: invalid character (byte 19)")
    ('NaN is no number in JSON; leave the field out or send null (byte 18)', 'speed')
    >>> fault(b'{"speed": 1e999}', "Number out of range - at `$[...]`")
    ('a number too large', 'speed')
    """
    if "out of range" in said:
        found = _TOO_LARGE.search(payload, 0, _LONGEST_BYTES)
        return "a number too large", None if found is None else _field(payload, found.start())
    if "truncated" in said or "surrogate" in said:
        escapes = _ESCAPE.finditer(payload, 0, _LONGEST_BYTES)
        found = next((each for each in escapes if each[1] is not None), None)
        if found is not None:
            return f"text with half a UTF-16 pair, {found[1].decode()}", _field(payload, found.start(1))
        return "the JSON text ends too early", None
    place = _BYTE.search(said)
    if place is None:
        return said.removeprefix("JSON is malformed: ").lower(), None
    at = int(place[1])
    for word in _NO_NUMBER.finditer(payload, max(0, at - 9), at + 9):
        if word.start() <= at <= word.end() + 1:
            name = word[0].decode()
            return f"{name} is no number in JSON; leave the field out or send null (byte {word.start()})", _field(
                payload, word.start()
            )
    return said.removeprefix("JSON is malformed: ").lower(), _field(payload, at)


def _field(payload: bytes, at: int) -> str | None:
    """The last member that begins before a byte."""
    least = max(0, at - _AROUND_BYTES)
    colon = at
    for _ in range(_MOST_COLONS):
        colon = payload.rfind(b":", least, colon)
        if colon < 0:
            return None
        name = payload[least:colon].rstrip(_BLANK)
        quote = name.rfind(b'"', 0, -1)
        before = name[:quote].rstrip(_BLANK)
        if quote >= 0 and name.endswith(b'"') and before[-1:] in (b"{", b","):
            text = name[quote + 1 : -1].decode("utf-8", "replace")
            return text if text.isprintable() and text else None
    return None
