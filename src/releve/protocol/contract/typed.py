"""What most readings are made of, as types: the decoder holds a payload to them while it reads it.

A contract's `read` says what is wrong with a payload, field by field. Most payloads have nothing wrong with them, and
for those its types are the shorter way: what they take, `read` takes too, and makes the same of it. What they do not
take goes to `read`, for its words or for what it makes of it after all.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from releve.protocol.reading import INTEGER_LIMIT, NAME_LIMIT, NUMBER_LIMIT

Fields = TypeVar("Fields")
Whole = Annotated[int, Meta(ge=-INTEGER_LIMIT, le=INTEGER_LIMIT)]
Count = Annotated[int, Meta(ge=0, le=INTEGER_LIMIT)]
Real = Annotated[float, Meta(gt=-NUMBER_LIMIT, lt=NUMBER_LIMIT)]
Number = Whole | Real  # a whole number stays one: 5 and 5.0 are spelt differently
Elapsed = Count | Annotated[float, Meta(ge=0, lt=NUMBER_LIMIT)]
Name = Annotated[str, Meta(min_length=1, max_length=NAME_LIMIT)]
Channels = dict[Name, Whole | Real | bool | str]
Timestamp = str | int | float

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode


def decoder(kind: type[Fields]) -> Callable[[bytes], Fields | None]:
    """Reads payloads that are of a type, and says None of all others.

    >>> decoder(Number)(b"12"), decoder(Number)(b"12.5"), decoder(Number)(b"true"), decoder(Number)(b"{")
    (12, 12.5, None, None)
    """
    decode = msgspec.json.Decoder(kind).decode

    def decoded(payload: bytes) -> Fields | None:
        try:
            return decode(payload)
        except (ValueError, RecursionError):  # as msgspec's own errors are
            return None

    return decoded
