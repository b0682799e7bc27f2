"""NDJSON: one object per line, blank lines aside."""

from releve.protocol.format.shape import BYTE_ORDER_MARK, Shape


def cut(payload: bytes, _limit: int) -> Shape:
    r"""Cut at the ends of lines, the only place where NDJSON has a raw one.

    >>> cut(b'{"a": 1}\r\n\n{"a": NaN}', 10).payloads
    [b'{"a": 1}\r', b'{"a": NaN}']
    """
    lines = payload.removeprefix(BYTE_ORDER_MARK).split(b"\n")
    return Shape([line for line in lines if line.strip()], is_batch=True)
