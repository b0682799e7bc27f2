"""What a chart is asked for: channels, a span, and what becomes of the readings in it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Self
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from releve.protocol.problem import BadRequest
from releve.protocol.reading import NAME_LIMIT
from releve.query.instant import instant_us

POINTS, FEWEST_POINTS, MOST_POINTS = 2_000, 10, 10_000
MOST_CHANNELS, MOST_DEVICES = 32, 20
MOST_NUMBERS = 1_000_000  # in one answer: some 20 MB of JSON
OF_STATES = 8  # numbers that a bucket's durations are reckoned as
FORMATS = ("json", "csv")
# As `history` has them, which is not loaded before somebody asks for a chart; a test holds both together.
BUCKETS: Mapping[str, int] = {
    "5s": 5, "1m": 60, "1h": 3_600, "1d": 82_800, "1w": 601_200, "1month": 2_415_600,
}  # fmt: skip
FUNCTIONS = (
    "n", "mean", "low", "high", "first", "last", "total", "deviation", "p50", "p95", "p99",
    "time_weighted_mean", "rate", "duration",
)  # fmt: skip
SHAPE = ("n", "first", "low", "high", "last", "mean")  # what draws the line that all readings draw
ALONG = ("n", "mean", "low", "high", "first", "last", "total", "deviation")  # of these no time is needed
_EACH = ("channel", "points", "bucket", "zone", "fn", "from", "to", "part", "format")
OF_DEVICE, OF_DEVICES, OF_RUN = _EACH, ("device", *_EACH), (*[name for name in _EACH if name != "part"], "by")
_SEVERAL = frozenset({"channel", "device", "fn"})
_MOST_FIELDS = 100
_LARGEST_ID = 2**31 - 1


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for.

    Attributes:
        channels: Their names, at least one.
        devices: Their numbers, where the address names none.
        from_us: The first instant, microseconds since 1970; None for the first reading.
        to_us: The instant behind the last; None for behind the last reading.
        points: How many buckets of one width there are at most.
        bucket: A calendar's bucket in their place, one of `BUCKETS`; empty for none.
        zone: Whose calendar.
        functions: What is computed of each bucket; none for `SHAPE`, or for the readings themselves where they are few.
        part: Whose readings, such as `machine_id=4`; empty for all of the device's.
        by: Along which channel, empty for the time.
        format: One of `FORMATS`.
    """

    channels: Sequence[str]
    devices: Sequence[int] = ()
    from_us: int | None = None
    to_us: int | None = None
    points: int = POINTS
    bucket: str = ""
    zone: str = "UTC"
    functions: Sequence[str] = ()
    part: str = ""
    by: str = ""
    format: str = "json"

    @classmethod
    def of(cls, query: bytes, *, known: Collection[str], accept: str) -> Self:
        """Read the query string.

        Args:
            query: As it was sent.
            known: The parameters that this address has.
            accept: The header; the parameter `format` wins over it.

        Raises:
            BadRequest: A parameter is missing, unknown or wrong; it is named.
        """
        asked_for = given(query, known)
        once = {name: values[0] for name, values in asked_for.items()}
        asked = cls(
            channels=channels_of(asked_for.get("channel", [])),
            devices=devices_of(asked_for.get("device", [])) if "device" in known else (),
            from_us=instant_of(once, "from"),
            to_us=instant_of(once, "to"),
            points=_whole(once, "points", POINTS, low=FEWEST_POINTS, high=MOST_POINTS),
            bucket=_choice(once, "bucket", BUCKETS),
            zone=zone_of(once),
            functions=_functions(asked_for.get("fn", [])),
            part=_part(once.get("part", "")),
            by=_name(once["by"], "by") if "by" in once else "",
            format=_choice(once, "format", FORMATS) or _accepted(accept),
        )
        asked._refuse_contradictions(once)
        return asked

    @property
    def shape(self) -> Sequence[str]:
        """What is computed of each bucket."""
        return self.functions or SHAPE

    @property
    def may_be_raw(self) -> bool:
        """Whether the readings themselves are the answer where they are few."""
        return not self.bucket and not self.functions

    def refuse_too_much(self, span_us: int) -> None:
        """See to it that the answer has an end.

        Args:
            span_us: From the first reading to the last.

        Raises:
            BadRequest: It could hold more than `MOST_NUMBERS`.
        """
        width_us = BUCKETS[self.bucket] * 1_000_000 if self.bucket else 0
        buckets = span_us // width_us + 1 if self.bucket else self.points
        series = len(self.channels) * max(1, len(self.devices))
        each = 1 + sum(OF_STATES if name == "duration" else 1 for name in self.shape)
        numbers = buckets * series * each
        if numbers > MOST_NUMBERS:
            raise BadRequest(
                f"{buckets} buckets of {series} channels with {each} numbers each are {numbers};"
                f" at most {MOST_NUMBERS}: ask for a shorter span, wider buckets or fewer channels",
                field="bucket" if self.bucket else "points",
            )

    def _refuse_contradictions(self, once: Mapping[str, str]) -> None:
        if self.from_us is not None and self.to_us is not None and self.from_us >= self.to_us:
            raise BadRequest("must be later than `from`", field="to")
        if self.bucket and "points" in once:
            raise BadRequest("stands beside `bucket`, which has its own width; take one of them", field="points")
        if "zone" in once and not self.bucket:
            raise BadRequest("says whose calendar the buckets follow, so it takes `bucket`", field="zone")
        if self.by and self.bucket:
            raise BadRequest("buckets of a calendar are cut out of time; `by` takes `points`", field="bucket")
        if self.by and (other := [name for name in self.functions if name not in ALONG]):
            raise BadRequest(f"{other[0]} is of time; along a channel there are {', '.join(ALONG)}", field="fn")


def given(query: bytes, known: Collection[str], *, most: int = _MOST_FIELDS) -> dict[str, list[str]]:
    """The parameters of a query string, at most so many.

    Raises:
        BadRequest: One is unknown, stands more than once or cannot be read.
    """
    try:
        found = parse_qs(query.decode("ascii"), keep_blank_values=True, max_num_fields=most, errors="strict")
    except ValueError as error:
        raise BadRequest(f"the query string cannot be read: {error}") from error
    for name, values in found.items():
        if name not in known:
            raise BadRequest(f"is not a parameter; there are {', '.join(sorted(known))}", field=name[:NAME_LIMIT])
        if len(values) > 1 and name not in _SEVERAL:
            raise BadRequest("stands more than once", field=name)
        if any("\0" in value for value in values):
            raise BadRequest("text with a NUL character", field=name)
    return found


def channels_of(names: Sequence[str]) -> list[str]:
    """Names of channels, each once.

    Raises:
        BadRequest: There is none, or there are too many, or one is too long.
    """
    found = list(dict.fromkeys(_name(name, "channel") for name in names))
    if not 1 <= len(found) <= MOST_CHANNELS:
        raise BadRequest(f"must name 1 to {MOST_CHANNELS} channels: channel=a&channel=b", field="channel")
    return found


def devices_of(texts: Sequence[str], *, most: int = MOST_DEVICES) -> list[int]:
    """Numbers of devices, each once.

    Raises:
        BadRequest: There is none, or there are too many, or one is no number.
    """
    found = list(dict.fromkeys(int(text) if _is_id(text) else 0 for text in texts))
    if not 1 <= len(found) <= most or 0 in found:
        raise BadRequest(f"must name 1 to {most:,} devices by their numbers: device=1&device=2", field="device")
    return found


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text[:20]) <= _LARGEST_ID


def _functions(texts: Sequence[str]) -> list[str]:
    found = list(dict.fromkeys(name.strip() for text in texts for name in text.split(",")))
    for name in found:
        if name not in FUNCTIONS:
            raise BadRequest(f"must be of {', '.join(FUNCTIONS)}", field="fn")
    return found


def _name(text: str, field: str) -> str:
    if not 0 < len(text) <= NAME_LIMIT:
        raise BadRequest(f"must have 1 to {NAME_LIMIT} characters", field=field)
    return text


def _part(text: str) -> str:
    name, sign, value = text.partition("=")
    if text and not (0 < len(name) <= NAME_LIMIT and sign and 0 < len(value) <= NAME_LIMIT):
        raise BadRequest("must be a channel and its value, such as machine_id=4", field="part")
    return text


def _choice(once: Mapping[str, str], name: str, choices: Collection[str]) -> str:
    if name in once and once[name] not in choices:
        raise BadRequest(f"must be one of {', '.join(choices)}", field=name)
    return once.get(name, "")


def _whole(once: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = once.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or not low <= int(text[:20]) <= high:
        raise BadRequest(f"must be a whole number from {low} to {high}", field=name)
    return int(text)


def zone_of(once: Mapping[str, str]) -> str:
    """The name of a time zone, UTC without one.

    Raises:
        BadRequest: There is none of that name.
    """
    name = once.get("zone", "UTC")
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # the last two: no name, a folder, or too long
        raise BadRequest("must be a time zone such as Europe/Paris", field="zone") from error
    return name


def instant_of(once: Mapping[str, str], name: str) -> int | None:
    """An instant, None without one.

    Raises:
        BadRequest: It is none.
    """
    return instant_us(once[name], field=name) if name in once else None


def _accepted(accept: str) -> str:
    for wanted in accept.lower().split(","):
        media = wanted.partition(";")[0].strip()
        if media == "text/csv":
            return "csv"
        if media in ("application/json", "*/*", "application/*"):
            return "json"
    return "json"
