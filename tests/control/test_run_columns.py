"""What is computed from columns equals a plain sum in memory, whatever channels the readings have."""

import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from releve.control.fleet.models import Device
from releve.control.runs import queries, several
from releve.control.runs.columns import us
from releve.control.runs.edit import services
from releve.control.runs.models import Run
from releve.control.teams.models import Team
from releve.history.block import Row
from releve.history.pivot import block_of
from releve.protocol.identity import canonical
from releve.protocol.run.statistic import statistic_of
from releve.storage import segments
from releve.storage.reader import ConnectionReader, now

START = datetime(2026, 3, 1, 12, 0, 2, tzinfo=UTC)
WIDTHS_S = (5, 7)
HOMES = ("reading", "segment", "fresh_reading")
names = st.sampled_from(
    ["v", "speed", "acceleration_x", "acceleration_y", "acceleration_z", "acceleration_total", "%s"]
)
numbers = st.one_of(st.floats(-1e6, 1e6, width=32), st.integers(-5, 5), st.sampled_from([1e149, -1e151, 1e200]))
values = st.one_of(numbers, st.booleans(), st.sampled_from(["12", "text", ""]))
readings = st.lists(st.dictionaries(names, values, max_size=4), min_size=1, max_size=30)


def new_run(kind, sent, *, every_s=1.0, homes=("reading",)):
    """A run whose readings lie in turn in each of the homes, a third in each of three."""
    team = Team.objects.create(name="columns")
    device = Device.objects.create(team=team, name="columns", contract="generic")
    times = [START + timedelta(seconds=place * every_s) for place in range(len(sent))]
    for number, home in enumerate(homes):
        share = slice(len(sent) * number // len(homes), len(sent) * (number + 1) // len(homes))
        store(device, home, list(zip(times, sent, strict=True))[share])
    return services.open_run(team=team, device=device, asset=None, kind=kind, started_at=START)


def store(device, home, readings):
    with connection.cursor() as cursor:
        if home == "segment":
            rows = [Row(us(time), 1, us(START), canonical(channels)) for time, channels in readings]
            if rows:
                now(segments.add(ConnectionReader(connection.connection), device.pk, block_of(rows)))
            return
        cursor.execute("SELECT releve_ensure_partition(%s)", [START])
        rows = [(device.pk, time, 1, START, json.dumps(channels)) for time, channels in readings]
        cursor.executemany(
            f"INSERT INTO {home} (device_id, time, id, received, channels) VALUES (%s, %s, %s, %s, %s)",  # noqa: S608 - ours
            rows,
        )


def measured(channels, kind):
    found = {
        name: float(value)
        for name, value in channels.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e150
    }
    axes = [found.get(f"acceleration_{axis}") for axis in "xyz"]
    if kind == "series" and "acceleration_total" not in channels and None not in axes:
        found["acceleration_total"] = math.sqrt(sum(axis * axis for axis in axes))
    return found


def wanted(sent, kind):
    told = [measured(channels, kind) for channels in sent]
    by_channel = {name: [one[name] for one in told if name in one] for name in {name for one in told for name in one}}
    return {name: statistic_of(values) for name, values in by_channel.items()}


def assert_sums(run, sent):
    found = queries.summary(run)
    assert_same(found.channels, wanted(sent, run.kind))
    assert found.extent.received == len(sent)
    for width_s in WIDTHS_S:
        buckets = queries.buckets(run, width_s, ["n", "low"])
        for name, statistic in found.channels.items():
            inside = [bucket["channels"][name] for bucket in buckets if name in bucket["channels"]]
            assert sum(one["n"] for one in inside) == statistic.n
            assert min(one["low"] for one in inside) == statistic.low


def assert_same(found, wanted):
    assert set(found) == set(wanted)
    for name, statistic in wanted.items():
        said, meant = found[name].shown(), statistic.shown()
        scale = max(abs(statistic.low), abs(statistic.high))
        assert said == {key: pytest.approx(value, rel=1e-6, abs=1e-6 * scale) for key, value in meant.items()}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=readings, kind=st.sampled_from(["race", "series"]), homes=st.permutations(HOMES))
def test_sums_of_any_readings_equal_a_sum_in_memory_wherever_they_lie(db, sent, kind, homes):
    run = new_run(kind, sent, homes=homes)
    try:
        assert_sums(run, sent)
    finally:
        forget(run)


def test_channels_that_appear_late_are_summed_like_the_others(db):
    sent = [{"speed": float(place), f"late{place // 100}": 1.0} for place in range(600)]

    run = new_run("race", sent, every_s=0.1)

    assert_sums(run, sent)


def test_readings_with_many_channels_are_summed(db):
    sent = [{f"c{place}": float(place + number) for place in range(40)} for number in range(20)]

    run = new_run("capture", sent)

    assert_sums(run, sent)


@pytest.fixture
def impatient(db):
    """What takes minutes when every pair of blocks and channels is looked at takes a tenth of a second here."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '15s'")


@pytest.mark.parametrize(("readings_of", "width"), [(8, 256), (32, 64)])
def test_a_summary_of_thousands_of_channels_takes_no_look_at_every_pair(impatient, readings_of, width):
    sent = [{f"c{place}_{number}": float(number) for number in range(width)} for place in range(readings_of)]
    run = new_run("capture", sent, every_s=5.0)

    found = queries.summary(run)

    assert len(found.channels) == readings_of * width
    assert {channel.n for channel in found.channels.values()} == {1}
    assert len(queries.buckets(run, 10)) == readings_of // 2


def test_a_list_of_runs_with_thousands_of_channels_takes_no_look_at_every_pair(impatient):
    sent = [{"speed": 2.0, **{f"c{place}_{number}": 1.0 for number in range(255)}} for place in range(8)]
    run = new_run("race", sent, every_s=5.0)

    assert several.totals_of([run], ["speed"])[run.pk].channels["speed"].mean == 2.0


def forget(run):
    Run.objects.all().delete()
    with connection.cursor() as cursor:
        for table in (*HOMES, "segment_column", "ladder"):
            cursor.execute(f"DELETE FROM {table} WHERE device_id = %s", [run.device_id])  # noqa: S608 - ours
    Device.objects.all().delete()
    Team.objects.all().delete()
