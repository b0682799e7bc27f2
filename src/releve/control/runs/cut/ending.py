"""Where the rule of its kind ends a run that a person let go on: re-opened, or merged with one that went on."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain

from django.db.models import Q

from releve.control.runs.columns import FAR, last_of
from releve.control.runs.cut.points import points_of
from releve.control.runs.models import Run
from releve.protocol.run.cut import Point, Rule

ONE_MICROSECOND = timedelta(microseconds=1)


def end_by_rule(run: Run, rule: Rule, now: datetime) -> datetime | None:
    """The first instant after the run by its rule; None while it goes on.

    The rule judges the readings from the instant on at which the person let it go on, as if one had come right then:
    the pause before is what the person overruled. What is known of its end is judged again from there.
    """
    since = max(run.rule_since or run.started_at, run.started_at, (run.ended_at or run.started_at) - ONE_MICROSECOND)
    spoken = [Point(since)] if since == run.rule_since else []
    points = list(chain(spoken, _points(run, since)))
    stretch = next(rule.cut(points, run.started_at), None)
    last = since if stretch is None else stretch.last
    if (not points or last == points[-1].time) and now - last <= rule.gap:
        return None
    final = _last(run, last + ONE_MICROSECOND)
    return run.started_at if final is None else final + ONE_MICROSECOND


def _points(run: Run, since: datetime) -> Iterator[Point]:
    """What came since, up to where a person says that another run begins."""
    later = Run.objects.filter(device=run.device_id, is_hand_cut=True, started_at__gt=run.started_at)
    later = later.filter(Q(deleted_at=None) | Q(is_inferred=True))
    later = later.filter(part__in=["", run.part]) if run.part else later
    until = later.order_by("started_at").values_list("started_at", flat=True).first()
    about = Run(device=run.device, part=run.part, kind=run.kind, started_at=since, ended_at=until)
    return points_of(about)


def _last(run: Run, until: datetime) -> datetime | None:
    about = Run(device=run.device, part=run.part, kind=run.kind, started_at=run.started_at, ended_at=FAR)
    return last_of(about, until)
