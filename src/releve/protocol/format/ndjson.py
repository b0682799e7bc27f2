"""NDJSON: one object per line, blank lines aside."""

import re
from itertools import islice

from releve.protocol.format.shape import BYTE_ORDER_MARK, Shape

_LINE = re.compile(rb"\S[^\n]*")


def cut(payload: bytes, limit: int) -> Shape:
    r"""Cut at the ends of lines, the only place where NDJSON has a raw one.

    >>> cut(b'{"a": 1}\r\n\n{"a": NaN}', 10).payloads
    [b'{"a": 1}\r', b'{"a": NaN}']
    """
    lines = _LINE.finditer(payload.removeprefix(BYTE_ORDER_MARK))
    return Shape([line[0] for line in islice(lines, limit + 1)], is_batch=True)
