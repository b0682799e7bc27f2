"""Calendar buckets are true to the wall clock of their zone, also on the days on which clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releve.history.grid import Even, Unit, calendar, cut

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago", "UTC"]
ONE_US = timedelta(microseconds=1)
YEAR_US = 366 * 86_400 * 10**6
spans = st.builds(
    lambda start_us, after_us: sorted(start_us + each for each in after_us),
    st.integers(30 * YEAR_US, 65 * YEAR_US),
    st.lists(st.integers(0, YEAR_US), min_size=1, max_size=8),
)


def us(moment):
    return (moment - EPOCH) // ONE_US


def moment(time_us):
    return EPOCH + timedelta(microseconds=int(time_us))


def starts(grid, *moments):
    found = grid.starts_us(np.array([us(each) for each in moments]))
    return [moment(each) for each in found]


def bounds(grid, at):
    start_us = grid.starts_us(np.array([us(at)]))
    return moment(start_us[0]), moment(grid.ends_us(start_us)[0])


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25), ("2026-10-26", 24)]
)
def test_a_day_in_paris_has_as_many_hours_as_its_clocks_show(day, hours):
    noon = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=PARIS)

    start, end = bounds(calendar(Unit.DAY, PARIS), noon)

    assert start.astimezone(PARIS).isoformat()[:16] == f"{day}T00:00"
    assert end - start == timedelta(hours=hours)


def test_the_hour_that_clocks_repeat_is_two_buckets():
    grid = calendar(Unit.HOUR, PARIS)
    half_past = [datetime(2026, 10, 24, 22, 30, tzinfo=UTC) + timedelta(hours=each) for each in range(5)]

    found = starts(grid, *half_past)

    assert found == [each - timedelta(minutes=30) for each in half_past]
    assert [each.astimezone(PARIS).hour for each in found] == [0, 1, 2, 2, 3]


def test_the_hour_that_clocks_skip_is_no_bucket():
    grid = calendar(Unit.HOUR, PARIS)
    times = np.arange(us(datetime(2026, 3, 28, 23, tzinfo=UTC)), us(datetime(2026, 3, 29, 4, tzinfo=UTC)), 60_000_000)

    found = [moment(each).astimezone(PARIS).hour for each in cut(times, grid).starts_us]

    assert found == [0, 1, 3, 4, 5]


def test_an_hour_of_which_clocks_take_half_lasts_half_as_long():
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    grid = calendar(Unit.HOUR, lord_howe)

    longer = bounds(grid, datetime(2026, 4, 5, 1, 45, tzinfo=lord_howe))
    shorter = bounds(grid, datetime(2026, 10, 4, 2, 45, tzinfo=lord_howe))

    assert longer[1] - longer[0] == timedelta(minutes=90)
    assert shorter[1] - shorter[0] == timedelta(minutes=30)


def test_a_day_that_begins_without_midnight_begins_when_clocks_change():
    santiago = ZoneInfo("America/Santiago")

    start, end = bounds(calendar(Unit.DAY, santiago), datetime(2026, 9, 6, 12, tzinfo=santiago))

    assert start.astimezone(santiago).isoformat() == "2026-09-06T01:00:00-03:00"
    assert end - start == timedelta(hours=23)


def test_weeks_begin_on_monday_and_months_on_their_first():
    at = datetime(2026, 3, 29, 12, tzinfo=PARIS)

    week, month = bounds(calendar(Unit.WEEK, PARIS), at), bounds(calendar(Unit.MONTH, PARIS), at)

    assert [each.astimezone(PARIS).isoformat()[:16] for each in week] == ["2026-03-23T00:00", "2026-03-30T00:00"]
    assert [each.astimezone(PARIS).isoformat()[:16] for each in month] == ["2026-03-01T00:00", "2026-04-01T00:00"]
    assert week[1] - week[0] == timedelta(hours=167)


@pytest.mark.parametrize("unit", list(Unit))
@settings(max_examples=60, deadline=None)
@given(spans, st.sampled_from(ZONES))
def test_every_instant_lies_in_its_bucket_and_buckets_follow_each_other(unit, times, zone):
    grid = calendar(unit, ZoneInfo(zone))
    times = np.array(times)

    found = grid.starts_us(times)
    ends = grid.ends_us(found)

    assert (found <= times).all()
    assert (times < ends).all()
    assert grid.starts_us(found).tolist() == found.tolist()
    assert grid.starts_us(ends).tolist() == ends.tolist()
    assert grid.starts_us(ends - 1).tolist() == found.tolist()


@settings(max_examples=60, deadline=None)
@given(spans, st.sampled_from(ZONES))
def test_a_day_holds_the_instants_of_its_date(times, zone):
    found = calendar(Unit.DAY, ZoneInfo(zone)).starts_us(np.array(times))

    dates = [moment(each).astimezone(ZoneInfo(zone)).date() for each in times]
    assert [moment(each).astimezone(ZoneInfo(zone)).date() for each in found] == dates


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=400), st.integers(1, 3_000), st.integers(-500, 500))
def test_instants_are_cut_alike_by_the_edges_and_one_by_one(times, width, origin):
    grid = Even(width, origin)
    time_us = np.array(sorted(times))
    alone = grid.starts_us(time_us)

    found = cut(time_us, grid)

    assert found.starts_us.tolist() == sorted(set(alone.tolist()))
    assert alone[found.places].tolist() == found.starts_us.tolist()
    assert (time_us[np.maximum(found.places, 1) - 1] < found.starts_us).tolist()[1:] == [True] * (len(found.places) - 1)
