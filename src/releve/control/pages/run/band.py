"""A channel's buckets as a small picture drawn by the server: a band from low to high, and the line of the means."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WIDTH, HEIGHT = 600, 90
_MARGIN = 4.0
Span = tuple[datetime, datetime]


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """What the channel did in one bucket."""

    start: datetime
    low: float
    high: float
    mean: float


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Buckets without a gap between them: the points of the band and of the line."""

    band: str
    line: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A span of the picture: where it begins and how wide it is."""

    x: str
    width: str


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What the pictures of one run share: their time from left to right."""

    since: datetime
    until: datetime

    def x(self, instant: datetime) -> float:
        """How far from the left an instant lies."""
        share = (instant - self.since) / (self.until - self.since)
        return min(max(share, 0.0), 1.0) * WIDTH

    def mark(self, span: Span) -> Mark:
        """A span, as far as it lies in the picture, and wide enough to be seen."""
        left, right = self.x(span[0]), self.x(span[1])
        return Mark(x=f"{left:.1f}", width=f"{max(right - left, 1.5):.1f}")


def pieces(buckets: Sequence[Bucket], *, frame: Frame, width: timedelta, patience: timedelta) -> list[Piece]:
    """The band and the line, broken where nothing was heard for longer than the patience; none when nothing changes.

    >>> at = datetime(2026, 1, 1)
    >>> rising = [Bucket(start=at, low=0.0, high=1.0, mean=0.5)]
    >>> minute = timedelta(minutes=1)
    >>> pieces(rising, frame=Frame(since=at, until=at + minute), width=minute, patience=minute)[0].line
    '0.0,45.0 300.0,45.0 600.0,45.0'
    """
    low = min((bucket.low for bucket in buckets), default=0.0)
    high = max((bucket.high for bucket in buckets), default=0.0)
    if low == high:
        return []
    scale = _Scale(low, high)
    return [_piece(stretch, frame, width, scale) for stretch in _stretches(buckets, max(width, patience))]


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float

    def y(self, value: float) -> float:
        return HEIGHT - _MARGIN - (value - self.low) / (self.high - self.low) * (HEIGHT - 2 * _MARGIN)


def _stretches(buckets: Iterable[Bucket], longest: timedelta) -> Iterator[list[Bucket]]:
    stretch: list[Bucket] = []
    for bucket in buckets:
        if stretch and bucket.start - stretch[-1].start > longest:
            yield stretch
            stretch = []
        stretch.append(bucket)
    yield stretch


def _piece(stretch: Sequence[Bucket], frame: Frame, width: timedelta, scale: _Scale) -> Piece:
    """Points in the middle of each bucket, the ends drawn out to the edges: one bucket alone is seen too."""
    places = [frame.x(bucket.start + width / 2) for bucket in stretch]
    edges = [frame.x(stretch[0].start), *places, frame.x(stretch[-1].start + width)]
    drawn = [stretch[0], *stretch, stretch[-1]]
    upper = [_point(x, scale.y(bucket.high)) for x, bucket in zip(edges, drawn, strict=True)]
    lower = [_point(x, scale.y(bucket.low)) for x, bucket in zip(edges, drawn, strict=True)]
    line = [_point(x, scale.y(bucket.mean)) for x, bucket in zip(edges, drawn, strict=True)]
    return Piece(band=" ".join([*upper, *reversed(lower)]), line=" ".join(line))


def _point(x: float, y: float) -> str:
    return f"{x:.1f},{y:.1f}"
