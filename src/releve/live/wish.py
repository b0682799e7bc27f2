"""What a live stream is asked for: `?device=7&device=8&channel=speed`, and where the last one of it broke off."""

from collections.abc import Sequence
from typing import Self
from urllib.parse import parse_qs

import msgspec

from releve.protocol.problem import BadRequest
from releve.protocol.reading import NAME_LIMIT

MOST = {"device": 100, "asset": 20, "run": 8, "channel": 32}
LAST_EVENT_ID, IN_QUERY = "Last-Event-ID", "last_event_id"
SHARE = "share"
_LARGEST_DEVICE, _LARGEST_ID = 2**31 - 1, 2**62
_LARGEST = {"device": _LARGEST_DEVICE, "asset": _LARGEST_ID, "run": _LARGEST_ID, SHARE: _LARGEST_ID}
_ONCE = (IN_QUERY, SHARE)
_LATEST_US = 253_402_300_800_000_000  # the year 10000


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be streamed.

    Attributes:
        devices: Their numbers.
        assets: Those of what devices are mounted on.
        runs: Those of runs.
        channels: The channels that are shown; readings with none of them are left out. Empty for all.
        share: The number of the shared link that it is watched by; None for whoever is signed in.
        since_us: When the last event was delivered that the viewer has seen, microseconds since 1970; None at first.
    """

    devices: Sequence[int] = ()
    assets: Sequence[int] = ()
    runs: Sequence[int] = ()
    channels: Sequence[str] = ()
    share: int | None = None
    since_us: int | None = None

    @classmethod
    def of(cls, query: bytes, *, last_event_id: str = "") -> Self:
        """Read the query string and the header.

        Raises:
            BadRequest: A parameter is unknown or wrong; it is named.
        """
        given = _given(query)
        return cls(
            devices=_numbers(given, "device"),
            assets=_numbers(given, "asset"),
            runs=_numbers(given, "run"),
            channels=_channels(given),
            share=next(iter(_numbers(given, SHARE)), None),
            since_us=_since(last_event_id or given.get(IN_QUERY, [""])[-1]),
        )

    @property
    def is_of_all(self) -> bool:
        """Whether it names nothing, and so means every device of the viewer's teams."""
        return not (self.devices or self.assets or self.runs)


def _given(query: bytes) -> dict[str, list[str]]:
    most = sum(MOST.values()) + len(_ONCE)
    try:
        given = parse_qs(query.decode("ascii"), keep_blank_values=True, max_num_fields=most, errors="strict")
    except ValueError as error:
        raise BadRequest(f"the query string cannot be read: {error}") from error
    for name, values in given.items():
        if name not in (*MOST, *_ONCE):
            known = ", ".join(sorted([*MOST, *_ONCE]))
            raise BadRequest(f"is not a parameter; there are {known}", field=name[:NAME_LIMIT])
        if any("\0" in value for value in values):
            raise BadRequest("text with a NUL character", field=name)
        if len(values) > MOST.get(name, 1):
            raise BadRequest(f"stands more than {MOST.get(name, 1)} times", field=name)
    return given


def _numbers(given: dict[str, list[str]], name: str) -> list[int]:
    texts = given.get(name, [])
    if not all(text.isascii() and text.isdigit() and 0 < int(text[:20]) <= _LARGEST[name] for text in texts):
        raise BadRequest(f"must be a number of one, as in {name}=7; it may stand several times", field=name)
    return list(dict.fromkeys(map(int, texts)))


def _channels(given: dict[str, list[str]]) -> list[str]:
    names = given.get("channel", [])
    if not all(0 < len(name) <= NAME_LIMIT for name in names):
        raise BadRequest(f"must have 1 to {NAME_LIMIT} characters", field="channel")
    return list(dict.fromkeys(names))


def _since(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > _LATEST_US:
        raise BadRequest("is not the id of an event of this stream", field=LAST_EVENT_ID)
    return int(text)
