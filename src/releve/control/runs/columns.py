"""A run's readings as columns: those of its part, in the order of time, and which of them count."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import accumulate, groupby
from operator import attrgetter

from django.db import connection

from releve.control.runs.models import Exclusion, Run
from releve.history import exclusion, spelling
from releve.history.array import Mask
from releve.history.block import Block
from releve.history.exclusion import counting, named_channels, of_part
from releve.storage import retention, scan, segments
from releve.storage.reader import ConnectionReader, each, now
from releve.storage.scan import Span

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR = datetime(9999, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NEAR_US = 3_600_000_000  # between runs of a device: reading on is sooner done than beginning again
Left = exclusion.Exclusion


def us(instant: datetime) -> int:
    """An instant in microseconds since 1970."""
    return (instant - EPOCH) // MICROSECOND


def instant(time_us: int) -> datetime:
    """An instant of microseconds since 1970."""
    return EPOCH + time_us * MICROSECOND


def span_of(run: Run) -> Span:
    """From the run's start to its end, for ever while it is open."""
    return Span(us(run.started_at), us(run.ended_at or FAR))


def names_of(run: Run, span: Span) -> list[str]:
    """The channels that the run's readings of a span have, and perhaps a few more."""
    with reader() as own:
        return now(scan.channels(own, run.device_id or 0, span))


def counted(run: Run, names: Sequence[str], span: Span | None = None) -> Iterator[Block]:
    """The run's readings that count; blocks may have the channels that parts name as well.

    Args:
        run: Whose.
        names: Which channels.
        span: Which stretch; None for all of the run.
    """
    for block, counts in judged(run, names, span):
        found = block if counts is None else block.take(counts)
        if len(found):
            yield found


def judged(run: Run, names: Sequence[str], span: Span | None = None) -> Iterator[tuple[Block, Mask | None]]:
    """The run's readings, those that are left out too, and which of them count; None for all."""
    for _, block, counts in judged_of([run], names, span):
        yield block, counts


def judged_of(
    runs: Sequence[Run], names: Sequence[str], span: Span | None = None
) -> Iterator[tuple[Run, Block, Mask | None]]:
    """The same of many runs; those of one device that lie near each other are read in one go."""
    known = sorted((run for run in runs if run.device_id is not None), key=attrgetter("device_id", "started_at"))
    exclusions: dict[int, list[Exclusion]] = {}
    for found in Exclusion.objects.filter(device__in={run.device_id for run in known}, undone_at=None):
        exclusions.setdefault(found.device_id, []).append(found)
    for device_id, of_device in groupby(known, attrgetter("device_id")):
        left_out = [_left(found) for found in exclusions.get(device_id, ())]
        for near in _near(device_id, list(of_device)):
            yield from _judged(near, names, left_out, span)


def last_of(run: Run, before: datetime = FAR) -> datetime | None:
    """The instant of the run's last reading before then that counts."""
    standing = Exclusion.objects.filter(device=run.device_id, undone_at=None, until__gt=run.started_at)
    return _last(run, before, _about([_left(found) for found in standing], run))


def last_left_out_too(run: Run) -> datetime | None:
    """The instant of the run's last reading, whether it counts or is left out."""
    return _last(run, FAR, [])


def deleted_of(runs: Sequence[Run]) -> dict[int, list[tuple[str, Span]]]:
    """By the number of the run, where readings of it were deleted: the channel, empty for all, and the stretch."""
    found: dict[int, list[tuple[str, Span]]] = {}
    known = sorted((run for run in runs if run.device_id is not None), key=attrgetter("device_id"))
    for device_id, of_device in groupby(known, attrgetter("device_id")):
        spans = {run.pk: span_of(run) for run in of_device}
        hull = Span(min(span.from_us for span in spans.values()), max(span.to_us for span in spans.values()))
        with reader() as own:
            gone = now(retention.expired(own, device_id, hull))
        for number, span in spans.items():
            own_gone = [(channel, _meet(span, each)) for channel, each in gone]
            if touched := [(channel, each) for channel, each in own_gone if each.from_us < each.to_us]:
                found[number] = touched
    return found


def _last(run: Run, before: datetime, left_out: Sequence[Left]) -> datetime | None:
    whole = span_of(run)
    span = Span(whole.from_us, min(whole.to_us, us(before)))
    names = _asked((), run, left_out)
    with reader() as own:
        for block in each(scan.blocks_backwards(own, run.device_id or 0, names, span)):
            counts = counting(block, part=run.part, exclusions=left_out, ids=partial(spelling.ids, block))
            time_us = block.time_us if counts is None else block.time_us[counts]
            if len(time_us):
                return instant(int(time_us[-1]))
    return None


def _judged(
    runs: Sequence[Run], names: Sequence[str], left_out: Sequence[Left], wanted: Span | None
) -> Iterator[tuple[Run, Block, Mask | None]]:
    spans = [_meet(span_of(run), wanted) for run in runs]
    hull = Span(min(span.from_us for span in spans), max(span.to_us for span in spans))
    touching = [left for left in left_out if left.from_us < hull.to_us and left.to_us > hull.from_us]
    asked = sorted({name for run in runs for name in _asked(names, run, touching)})
    with reader() as own:
        for stretch, is_single in scan.stretches(hull, touching):
            channels = scan.WHOLE if is_single else asked
            for whole in each(scan.blocks(own, runs[0].device_id or 0, channels, stretch)):
                first_us, last_us = int(whole.time_us[0]), int(whole.time_us[-1])
                for run, span in zip(runs, spans, strict=True):
                    if span.from_us > last_us or span.to_us <= first_us:
                        continue
                    block = _of_part(whole.within(*span), run.part)
                    if len(block):
                        counts = counting(block, exclusions=_about(touching, run), ids=partial(spelling.ids, block))
                        is_all = counts is None or bool(counts.all())
                        yield run, _only(block, asked) if is_single else block, None if is_all else counts


def _near(device_id: int, runs: Sequence[Run]) -> Iterator[list[Run]]:
    """Runs of one device, in order of their start, with those together that lie near each other or in one segment."""
    if len(runs) == 1:
        yield list(runs)
        return
    spans = [span_of(run) for run in runs]
    with reader() as own:
        sealed = now(segments.of_span(own, device_id, spans[0].from_us, max(span.to_us for span in spans)))
    firsts_us = [each.first_us for each in sealed]
    reach_us = list(accumulate((each.last_us for each in sealed), max))  # of the segments up to each
    found: list[Run] = []
    until_us = 0
    for run, span in zip(runs, spans, strict=True):
        begun = bisect_right(firsts_us, until_us)
        is_in_one = begun > 0 and reach_us[begun - 1] >= span.from_us
        if found and not is_in_one and span.from_us - until_us > NEAR_US:
            yield found
            found, until_us = [], 0
        found.append(run)
        until_us = max(until_us, span.to_us)
    yield found


def _of_part(block: Block, part: str) -> Block:
    if not part or not len(block):
        return block
    is_own = of_part(block, part)
    return block if is_own.all() else block.take(is_own)


def _asked(names: Sequence[str], run: Run, left_out: Sequence[Left]) -> list[str]:
    return [*names, *named_channels(run.part, left_out)]


def _only(block: Block, names: Sequence[str]) -> Block:
    return Block(block.time_us, {name: block.channels[name] for name in names if name in block.channels})


def _about(left_out: Sequence[Left], run: Run) -> Sequence[Left]:
    return [left for left in left_out if left.part in {"", run.part}] if run.part else left_out


def _left(found: Exclusion) -> Left:
    return Left(us(found.since), us(found.until), found.reading_id, found.part)


def _meet(span: Span, other: Span | None) -> Span:
    if other is None:
        return span
    from_us = max(span.from_us, other.from_us)
    return Span(from_us, max(from_us, min(span.to_us, other.to_us)))


@contextmanager
def reader() -> Iterator[ConnectionReader]:
    """Django's own connection, within whatever transaction it is in."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        yield ConnectionReader(connection.connection)
