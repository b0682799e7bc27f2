"""Random histories of runs beside a model in memory: after every step the database says what the model says."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from releve.control.fleet.models import Device
from releve.control.runs import queries
from releve.control.runs.cut import infer
from releve.control.runs.edit import services
from releve.control.runs.models import Change, Exclusion, Run
from releve.control.runs.problem import Overlaps
from releve.control.teams.models import Team
from releve.protocol.run import completeness
from releve.protocol.run.cut import Point, SeriesRule
from releve.protocol.run.statistic import statistic_of

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = 80  # seconds that a history plays in
ONE_US = timedelta(microseconds=1)
_numbers = count()

bounded = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
half_seconds = st.integers(0, LONG * 2).map(lambda half: START + timedelta(seconds=half / 2))
choice = st.integers(0, 9)


def new_device(contract):
    team = Team.objects.create(name=f"truth {next(_numbers)}")
    return Device.objects.create(team=team, name=f"truth-{next(_numbers)}", contract=contract)


def store(device, time, identity, channels):
    with connection.cursor() as cursor:
        cursor.execute("SELECT releve_ensure_partition(%s)", [time])
        cursor.execute(
            "INSERT INTO reading VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [device.pk, time, identity, timezone.now(), json.dumps(channels)],
        )


@dataclass
class Model:
    """What should be true, in memory."""

    readings: dict = field(default_factory=dict)  # (time, id) -> value
    runs: dict = field(default_factory=dict)  # id -> (start, end or None)
    exclusions: dict = field(default_factory=dict)  # id -> (since, until)
    history: list = field(default_factory=list)  # (change, runs before it)

    def values(self, run, since=None, until=None):
        start, end = self.runs[run]
        return [
            (time, value)
            for (time, _), value in sorted(self.readings.items())
            if start <= time
            and (end is None or time < end)
            and not any(first <= time < last for first, last in self.exclusions.values())
            and (since is None or since <= time < until)
        ]

    def overlaps(self, start, end, besides=()):
        far = START + timedelta(days=999)
        return any(
            max(start, other_start) < min(end or far, other_end or far)
            for run, (other_start, other_end) in self.runs.items()
            if run not in besides
        )


class History:
    """Does to the database and to the model the same."""

    def __init__(self):
        self.device = new_device("racing")
        self.model = Model()

    def send(self, time, value):
        self.store(time, hash(value) % 1000, value)

    def send_again(self, which):
        if self.model.readings:
            (time, identity), value = sorted(self.model.readings.items())[which % len(self.model.readings)]
            self.store(time, identity, value)

    def store(self, time, identity, value):
        store(self.device, time, identity, {"v": value, "text": "x"})
        self.model.readings.setdefault((time, identity), value)

    def open(self, start, end):
        end = None if end is not None and end < start else end
        self.change(
            lambda: services.open_run(
                team=self.device.team, device=self.device, asset=None, kind="race", started_at=start, ended_at=end
            ),
            refused=self.model.overlaps(start, end),
            becomes=lambda run: {run.pk: (start, end)},
        )

    def move(self, which, start, end):
        if (run := self.run(which)) and (end is None or start <= end):
            self.change(
                lambda: services.move_boundary(run, started_at=start, ended_at=end),
                refused=self.model.overlaps(start, end, besides=[run.pk]),
                becomes=lambda _: {run.pk: (start, end)},
            )

    def split(self, which, at):
        if run := self.run(which):
            start, end = self.model.runs[run.pk]
            if start < at and (end is None or at < end):
                self.change(
                    lambda: services.split(run, at=at)[1],
                    refused=False,
                    becomes=lambda second: {run.pk: (start, at), second.pk: (at, end)},
                )

    def merge(self, which, other):
        first, second = self.run(which), self.run(other)
        if first and second and first.pk != second.pk:
            (start, end), (other_start, other_end) = self.model.runs[first.pk], self.model.runs[second.pk]
            start, end = min(start, other_start), None if None in (end, other_end) else max(end, other_end)
            self.change(
                lambda: services.merge(first, second),
                refused=self.model.overlaps(start, end, besides=[first.pk, second.pk]),
                becomes=lambda _: {first.pk: (start, end), second.pk: None},
            )

    def delete(self, which):
        if run := self.run(which):
            self.change(lambda: services.delete(run), refused=False, becomes=lambda _: {run.pk: None})

    def undo(self):
        if self.model.history:
            change, before = self.model.history.pop()
            services.undo(Change.objects.get(pk=change))
            self.model.runs = before

    def exclude(self, which, since, until):
        if (run := self.run(which)) and since < until:
            exclusion = services.exclude(run, since=since, until=until, reason="wrong")
            self.model.exclusions[exclusion.pk] = since, until

    def include(self, which):
        if self.model.exclusions:
            number = sorted(self.model.exclusions)[which % len(self.model.exclusions)]
            services.include(Exclusion.objects.get(pk=number))
            del self.model.exclusions[number]

    def run(self, which):
        live = sorted(self.model.runs)
        return Run.objects.get(pk=live[which % len(live)]) if live else None

    def change(self, act, *, refused, becomes):
        before = dict(self.model.runs)
        if refused:
            with pytest.raises(Overlaps), transaction.atomic():
                act()
            return
        done = act()
        for run, bounds in becomes(done).items():
            self.model.runs.pop(run, None)
            if bounds is not None:
                self.model.runs[run] = bounds
        self.model.history.append((Change.objects.latest("id").pk, before))

    def check(self):
        shown = queries.runs_of_team(self.device.team)
        assert {run.pk: (run.started_at, run.ended_at) for run in shown} == self.model.runs
        for run in shown:
            self.check_run(run)

    def check_run(self, run):
        values = self.model.values(run.pk)
        summary = queries.summary(run)
        self.check_statistic(summary.channels.get("v"), [value for _, value in values])
        assert summary.extent.received == len(values)
        for width_s in (5, 10, 7):
            buckets = queries.buckets(run, width_s, ["n", "mean", "high"])
            assert sum(bucket["channels"]["v"]["n"] for bucket in buckets) == len(values)
            for bucket in buckets:
                until = bucket["start"] + timedelta(seconds=width_s)
                inside = [value for _, value in self.model.values(run.pk, bucket["start"], until)]
                assert bucket["channels"]["v"]["high"] == max(inside)
                assert bucket["channels"]["v"]["mean"] == pytest.approx(sum(inside) / len(inside))
        self.check_gaps(run, summary.completeness, [time for time, _ in values])

    def check_statistic(self, found, values):
        wanted = statistic_of(values)
        assert (found is None) == (wanted is None)
        if wanted is not None:
            assert found.shown() == pytest.approx(wanted.shown(), abs=1e-6)

    def check_gaps(self, run, found, times):
        rhythm_s = completeness.rhythm_s(times)
        assert found.rhythm_s == rhythm_s
        if rhythm_s:
            end = max(times[-1], run.ended_at - ONE_US) if run.ended_at else times[-1]
            assert found.gaps == completeness.longest(
                completeness.gaps_of([run.started_at, *times, end], longer_than_s=completeness.PATIENCE * rhythm_s)
            )


maybe_half_seconds = st.none() | half_seconds
steps = st.one_of(
    st.tuples(st.just("send"), half_seconds, st.floats(-1e6, 1e6, width=32)),
    st.tuples(st.just("send"), half_seconds, st.integers(-5, 5).map(float)),
    st.tuples(st.just("send_again"), choice),
    st.tuples(st.just("open"), half_seconds, maybe_half_seconds),
    st.tuples(st.just("move"), choice, half_seconds, maybe_half_seconds),
    st.tuples(st.just("split"), choice, half_seconds),
    st.tuples(st.just("merge"), choice, choice),
    st.tuples(st.just("delete"), choice),
    st.tuples(st.just("undo")),
    st.tuples(st.just("exclude"), choice, half_seconds, half_seconds),
    st.tuples(st.just("include"), choice),
)


@bounded
@given(first=st.lists(half_seconds, max_size=20), then=st.lists(steps, min_size=3, max_size=14))
def test_summaries_equal_the_model_after_every_step(db, first, then):
    history = History()
    for number, time in enumerate(first):
        history.send(time, float(number))
    history.open(START + timedelta(seconds=10), START + timedelta(seconds=60))

    for name, *values in then:
        getattr(history, name)(*values)
        history.check()


machine_readings = st.lists(
    st.tuples(st.integers(0, 120).map(lambda fives: fives * 5), st.integers(0, 4)),
    max_size=24,
    unique_by=lambda it: it[0],
)


@bounded
@example(arrivals=[[(485, 0)], [(480, 1), (600, 0)]])  # rest after a series, then a late start of it
@given(arrivals=st.lists(machine_readings, min_size=1, max_size=4))
def test_late_readings_cut_series_as_if_they_had_come_in_order(db, arrivals):
    device = new_device("gym")
    sent = {}

    for batch in arrivals:
        for second, repetitions in batch:
            sent.setdefault(second, repetitions)
            channels = {"machine_id": 7, "repetitions": sent[second]}
            store(device, START + timedelta(seconds=second), 1, channels)
        infer.infer(device)

        points = (Point(START + timedelta(seconds=second), float(sent[second])) for second in sorted(sent))
        wanted = [(stretch.start, stretch.last + ONE_US) for stretch in SeriesRule().cut(points)]
        found = queries.runs_of_team(device.team).order_by("started_at")
        assert [(run.started_at, run.ended_at) for run in found] == wanted
