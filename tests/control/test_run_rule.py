"""What a person lets go on ends by its rule all the same, and a bound that a person set is never moved."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from releve.control.fleet.models import Device
from releve.control.runs import queries
from releve.control.runs.cut import infer
from releve.control.runs.edit import services
from releve.control.runs.models import Change, Run
from releve.control.runs.problem import OutsideRun, Overlaps
from releve.control.teams.models import Team

LATER = timedelta(hours=1)
ONE_US = timedelta(microseconds=1)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def put(device, now):
    """Store a reading of the machine, so many seconds from now; answers its instant."""

    return lambda second, repetitions: store_reading(device, now + timedelta(seconds=second), repetitions)


def store_reading(device, time, repetitions):
    channels = json.dumps({"machine_id": 7, "repetitions": repetitions})
    with connection.cursor() as cursor:
        cursor.execute("SELECT releve_ensure_partition(%s)", [time])
        cursor.execute(
            "INSERT INTO reading VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [device.pk, time, repetitions, timezone.now(), channels],
        )
    return time


@pytest.fixture
def ended(put, cut):
    """A series of eight that its rule has ended."""
    for count in range(1, 9):
        put(-400 + count, count)
    (run,) = cut()
    assert not run.is_open
    return run


@pytest.fixture
def cut(device, now):
    def again(later=timedelta()):
        infer.infer(device, now + later)
        return list(Run.objects.filter(device=device, deleted_at=None).order_by("started_at"))

    return again


def test_a_reopened_series_goes_on_and_its_rule_ends_it_again(ended, put, cut):
    services.reopen(ended)
    put(5, 9)
    last = put(10, 10)

    assert [run.is_open for run in cut(timedelta(seconds=30))] == [True]
    (found,) = cut(LATER)

    assert (found.pk, found.started_at, found.ended_at) == (ended.pk, ended.started_at, last + ONE_US)
    assert queries.summary(found).channels["repetitions"].n == 10


def test_a_reopened_series_in_which_nothing_came_is_as_it_was(ended, cut):
    services.reopen(ended)

    assert [run.is_open for run in cut(timedelta(seconds=30))] == [True]
    (found,) = cut(LATER)

    assert found.ended_at == ended.ended_at


def test_a_count_that_falls_ends_a_reopened_series_and_begins_the_next(ended, put, cut):
    services.reopen(ended)
    last, first = put(5, 9), put(10, 1)

    found = cut(LATER)

    assert [(run.started_at, run.ended_at) for run in found] == [
        (ended.started_at, last + ONE_US),
        (first, first + ONE_US),
    ]


def test_the_next_day_s_series_is_not_part_of_one_that_was_reopened(ended, put, cut):
    services.reopen(ended)
    first = put(86_400, 1)

    found = cut(timedelta(days=2))

    assert [run.started_at for run in found] == [ended.started_at, first]
    assert found[0].ended_at == ended.ended_at


def test_what_comes_late_still_belongs_to_a_reopened_series_that_its_rule_ended(ended, put, cut):
    services.reopen(ended)
    put(5, 9)
    cut(LATER)

    last = put(20, 10)

    assert [run.ended_at for run in cut(LATER)] == [last + ONE_US]


def test_a_late_reading_joins_what_its_rule_cut_apart(ended, put, cut):
    services.reopen(ended)
    put(5, 9)
    last = put(90, 11)
    assert len(cut(LATER)) == 2

    put(50, 10)

    (found,) = cut(LATER)
    assert (found.pk, found.ended_at) == (ended.pk, last + ONE_US)


def test_series_that_were_merged_while_the_last_goes_on_end_by_their_rule(ended, put, cut):
    put(-5, 1)
    first, second = cut()
    kept = services.merge(first, second)
    assert kept.is_open
    last = put(10, 2)

    (found,) = cut(LATER)

    assert (found.pk, found.started_at, found.ended_at) == (ended.pk, ended.started_at, last + ONE_US)


def test_a_start_that_was_moved_stays_and_the_end_comes_by_the_rule(put, cut, now):
    put(-10, 1)
    (run,) = cut()
    start = now - timedelta(seconds=60)
    services.move_boundary(run, started_at=start)
    last = put(5, 2)

    (found,) = cut(LATER)

    assert (found.started_at, found.ended_at) == (start, last + ONE_US)


def test_an_end_that_a_person_set_is_never_moved(ended, put, cut, now):
    services.reopen(ended)
    end = now + timedelta(seconds=7)
    services.close_run(ended, ended_at=end)
    put(5, 9)
    put(8, 10)

    found = cut(LATER)

    assert found[0].ended_at == end
    assert len(found) == 2


def test_a_run_that_a_person_opened_stays_open_until_a_person_closes_it(device, put, cut, now):
    opened = services.open_run(team=device.team, device=device, asset=None, kind="series", started_at=now - LATER)
    put(5, 1)
    services.close_run(opened, ended_at=now)
    services.reopen(opened)

    (found,) = cut(LATER)

    assert found.is_open


def test_reopening_swallows_no_later_series(ended, put, cut):
    put(-100, 1)
    _, second = cut()

    with pytest.raises(Overlaps):
        services.reopen(ended)

    assert [run.pk for run in cut()] == [ended.pk, second.pk]


def test_the_second_half_of_a_reopened_series_ends_by_the_rule_too(ended, put, cut, now):
    services.reopen(ended)
    put(5, 9)
    at = now - timedelta(seconds=396)
    first, second = services.split(ended, at=at)

    found = cut(LATER)

    assert [(run.pk, run.is_open) for run in found] == [(first.pk, False), (second.pk, False)]
    assert found[0].ended_at == at


def test_undoing_a_reopening_that_its_rule_has_ended_gives_the_series_back(ended, put, cut):
    services.reopen(ended)
    put(5, 9)
    cut(LATER)

    services.undo(Change.objects.get(pk=Run.objects.get(pk=ended.pk).revision))

    found = cut(LATER)
    assert (found[0].pk, found[0].ended_at) == (ended.pk, ended.ended_at)
    assert not found[0].is_hand_cut
    assert len(found) == 2


fives = st.integers(-60, 60).map(lambda five: five * 5)
which = st.integers(0, 5)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), fives, st.integers(0, 3)),
        st.tuples(st.just("look"), st.sampled_from([0, 30, 90])),
        st.tuples(st.just("reopen"), which),
        st.tuples(st.just("close"), which, fives),
        st.tuples(st.just("start"), which, fives),
        st.tuples(st.just("merge"), which),
    ),
    min_size=4,
    max_size=16,
)


class Machine:
    """A machine whose sets people close, re-open, merge and move while its readings come in any order."""

    def __init__(self):
        team = Team.objects.create(name=f"rule {uuid4()}")
        self.device = Device.objects.create(team=team, name=f"rule-{uuid4()}", contract="gym")
        self.now = timezone.now()
        self.counted = set()
        self.bounds = {}  # what a person said: (run, bound) -> instant

    def runs(self):
        return list(Run.objects.filter(device=self.device, deleted_at=None).order_by("started_at"))

    def send(self, second, repetitions):
        store_reading(self.device, self.now + timedelta(seconds=second), repetitions)
        if repetitions:
            self.counted.add(self.now + timedelta(seconds=second))

    def look(self, later):
        infer.infer(self.device, self.now + timedelta(seconds=later))

    def reopen(self, place):
        self.change(place, services.reopen, forgets=["ended_at"])

    def close(self, place, second):
        end = self.now + timedelta(seconds=second)
        self.change(place, lambda run: services.close_run(run, ended_at=end), sets={"ended_at": end})

    def start(self, place, second):
        start = self.now + timedelta(seconds=second)
        self.change(place, lambda run: services.move_boundary(run, started_at=start), sets={"started_at": start})

    def merge(self, place):
        runs = self.runs()
        if len(runs) > 1:
            other = runs[(place + 1) % len(runs)].pk
            self.change(
                place, lambda run: services.merge(run, Run.objects.get(pk=other)), forgets=["started_at", "ended_at"]
            )

    def change(self, place, act, *, sets=None, forgets=()):
        runs = self.runs()
        if not runs:
            return
        run = runs[place % len(runs)]
        try:
            with transaction.atomic():
                act(run)
        except (Overlaps, OutsideRun):
            return
        for bound in forgets:
            self.bounds.pop((run.pk, bound), None)
        for bound, instant in (sets or {}).items():
            self.bounds[run.pk, bound] = instant

    def check(self):
        runs = self.runs()
        standing = {run.pk: run for run in runs}
        for (number, bound), instant in self.bounds.items():
            assert number not in standing or getattr(standing[number], bound) == instant
        assert not any(run.is_open for run in runs)
        for time in self.counted:
            assert len([run for run in runs if run.started_at <= time < run.ended_at]) == 1, time - self.now
        return [(run.pk, run.started_at, run.ended_at) for run in runs]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps)
def test_whatever_people_do_every_set_ends_and_holds_its_readings_and_no_bound_of_theirs_moves(db, steps):
    machine = Machine()

    for name, *values in [("send", -200, 1), ("send", -195, 2), ("look", 0), *steps]:
        getattr(machine, name)(*values)
    machine.look(LATER.total_seconds())

    found = machine.check()
    machine.look(LATER.total_seconds())
    assert machine.check() == found
