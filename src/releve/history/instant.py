"""Many instants as ISO 8601 text at once."""

from functools import lru_cache
from typing import Any

import numpy as np

from releve.history.array import Integers
from releve.history.matrix import Texts

_SECOND_US = 1_000_000
_DAY_S = 86_400
_DATE, _TO_SECONDS = len("2026-06-01"), len("2026-06-01T12:00:00")
_POINT = ord(".")
_MICROSECONDS = 6  # digits
_DIGITS = np.frombuffer(b"".join(b"%03d" % number for number in range(1000)), np.uint8).reshape(1000, 3)


def iso(time_us: Integers) -> Texts:
    """Instants as every answer of ours spells them.

    >>> iso(np.array([1_780_315_200_000_000, 1_780_315_200_000_001])).tolist()
    [b'2026-06-01T12:00:00Z', b'2026-06-01T12:00:00.000001Z']
    """
    return spelled(time_us, suffix=b"Z")


def spelled(time_us: Integers, *, separator: bytes = b"T", digits: int | None = None, suffix: bytes = b"") -> Texts:
    """Instants as text.

    Args:
        time_us: Microseconds since 1970.
        separator: Between date and time of day.
        digits: Of the fraction, 3 or 6; None writes six where there is a fraction and none where there is not, as
            Python's `isoformat` does.
        suffix: What ends the text.
    """
    seconds = time_us // _SECOND_US  # several times as quick as `divmod`
    fraction = time_us - seconds * _SECOND_US
    shown = _MICROSECONDS if digits is None else digits
    bare = _TO_SECONDS + len(suffix)
    width = bare + 1 + shown
    text = np.zeros((len(time_us), width), np.uint8)
    days = seconds // _DAY_S
    clock_s = seconds - days * _DAY_S
    text[:, :_DATE] = _dates(days)
    text[:, _DATE] = separator[0]
    text[:, _DATE + 1 : _TO_SECONDS] = _clock()[clock_s]
    text[:, _TO_SECONDS] = _POINT
    fraction = fraction.astype(np.int32)
    thousands = fraction // 1000
    rest = fraction - thousands * 1000
    text[:, _TO_SECONDS + 1 : _TO_SECONDS + 4] = _DIGITS[thousands]
    if shown == _MICROSECONDS:
        text[:, _TO_SECONDS + 4 : _TO_SECONDS + 7] = _DIGITS[rest]
    text[:, width - len(suffix) :] = np.frombuffer(suffix, np.uint8)
    if digits is None:
        whole = fraction == 0
        text[whole, _TO_SECONDS:bare] = np.frombuffer(suffix, np.uint8)
        text[whole, bare:] = 0  # numpy's fixed-width texts end where only zeros follow
    found: Texts = text.view(f"S{width}").ravel()
    return found


def _dates(days: Integers) -> Any:
    """A row of characters each; neighbours of one day share the work."""
    is_new = np.ones(len(days), bool)
    np.not_equal(days[1:], days[:-1], out=is_new[1:])
    distinct = np.datetime_as_string(days[is_new].astype("datetime64[D]")).astype(f"S{_DATE}")
    return distinct.view(np.uint8).reshape(-1, _DATE)[np.cumsum(is_new) - 1]


@lru_cache(maxsize=1)
def _clock() -> Any:
    """A row of characters for each second of a day."""
    hours, left = np.divmod(np.arange(_DAY_S), 3_600)
    minutes, seconds = np.divmod(left, 60)
    colon = np.full((_DAY_S, 1), ord(":"), np.uint8)
    pairs = [_DIGITS[each][:, 1:] for each in (hours, minutes, seconds)]
    return np.hstack([pairs[0], colon, pairs[1], colon, pairs[2]])
