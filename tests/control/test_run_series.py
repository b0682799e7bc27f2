"""Series and captures as inference cuts them from what machines sent, whenever it arrives."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from releve.control.fleet.models import Asset
from releve.control.fleet.services import register_device
from releve.control.runs import queries
from releve.control.runs.cut import infer, keep
from releve.control.runs.edit import services
from releve.control.runs.models import Change, Run

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETS = 3
REPETITIONS = 8


def put(device, second, channels):
    time = START + timedelta(seconds=second)
    with connection.cursor() as cursor:
        cursor.execute("SELECT releve_ensure_partition(%s)", [time])
        cursor.execute(
            "INSERT INTO reading VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [device.pk, time, len(json.dumps(channels)), timezone.now(), json.dumps(channels)],
        )


def reading(repetitions, machine=7, **more):
    return {
        "machine_id": machine,
        "repetitions": repetitions,
        "acceleration_x": 2.0,
        "acceleration_y": 3.0,
        "acceleration_z": 6.0,
        "series_time": 0,
        "rest_time": 0,
        **more,
    }


def recorded(rest_s=90):
    """Three sets of eight repetitions, two seconds each, with a rest in which the count goes back to zero."""
    second = 0
    for _ in range(SETS):
        for count in range(1, REPETITIONS + 1):
            yield second, reading(count)
            second += 2
        for step in range(0, rest_s, 5):
            yield second + step, reading(0)
        second += rest_s


def series(device):
    infer.infer(device)
    return list(Run.objects.filter(device=device, deleted_at=None).order_by("started_at"))


def test_a_recorded_session_is_cut_into_its_three_series(device):
    for second, channels in recorded():
        put(device, second, channels)

    found = series(device)

    assert len(found) == SETS
    assert [queries.summary(run).statistics["repetitions"] for run in found] == [REPETITIONS] * SETS
    assert not any(run.is_open for run in found)


def test_readings_that_arrive_in_any_order_are_cut_the_same(device):
    readings = list(recorded())
    for number in (2, 0, 1):
        for second, channels in readings[number::3]:
            put(device, second, channels)
        series(device)

    found = series(device)

    assert found[0].started_at == START
    assert [queries.summary(run).channels["repetitions"].high for run in found] == [REPETITIONS] * SETS


def test_a_late_reading_in_the_middle_changes_the_right_series(device):
    for second, channels in recorded():
        put(device, second, channels)
    before = [(run.pk, queries.summary(run).channels["acceleration_x"].n) for run in series(device)]

    put(device, 106 + 3, reading(2, acceleration_x=40.0))

    after = [(run.pk, queries.summary(run).channels["acceleration_x"].n) for run in series(device)]
    assert [number for number, _ in after] == [number for number, _ in before]
    assert [n for _, n in after] == [before[0][1], before[1][1] + 1, before[2][1]]
    assert queries.summary(series(device)[1]).statistics["acceleration_peak"] > 40


def test_a_rest_shorter_than_the_timeout_does_not_cut(device):
    for count in range(1, 6):
        put(device, count * 2, reading(count))
    for count in range(6, 10):
        put(device, 50 + count * 2, reading(count))

    assert len(series(device)) == 1


def test_a_pause_longer_than_the_timeout_cuts(device):
    for count in range(1, 6):
        put(device, count * 2, reading(count))
    for count in range(6, 10):
        put(device, 80 + count * 2, reading(count))

    assert len(series(device)) == 2


def test_the_rest_before_a_series_lasts_from_the_last_reading_of_the_one_before(device):
    for second, count in ((0, 1), (2, 2), (4, 3), (46, 1), (48, 2)):
        put(device, second, reading(count))

    _, second_series = series(device)

    assert queries.summary(second_series).statistics["rest_before_s"] == 42.0


def test_a_rest_of_next_to_nothing_makes_no_ratio(device):
    for second, count in ((0, 1), (2, 2), (4, 3), (4.000002, 1), (6, 2)):
        put(device, second, reading(count))

    _, second_series = series(device)

    shown = queries.summary(second_series).statistics
    assert shown["rest_before_s"] == pytest.approx(2e-6)
    assert shown["work_rest_ratio"] is None


def test_asymmetry_that_was_measured_for_next_to_no_time_has_no_trend(device):
    for second, asymmetry in ((0, 1.0), (0.000002, 2.0)):
        put(device, second, reading(1, asymmetry=asymmetry))

    (found,) = series(device)

    assert queries.summary(found).statistics["asymmetry_trend_per_min"] is None


def test_a_late_reading_that_bridges_a_pause_makes_one_series_of_two(device):
    put(device, 0, reading(1))
    put(device, 100, reading(3))
    first, _ = series(device)

    put(device, 50, reading(2))

    (found,) = series(device)
    assert found.pk == first.pk
    assert queries.summary(found).extent.received == 3


def test_two_machines_of_one_pi_never_mix(device, team):
    for count in range(1, 6):
        put(device, count * 2, reading(count, machine=7))
        put(device, count * 2 + 1, reading(count * 2, machine=8))
    asset = Asset.objects.create(team=team, kind="machine", key="8", name="Machine 8")

    found = {run.part: run for run in series(device)}

    assert set(found) == {"machine_id=7", "machine_id=8"}
    assert queries.summary(found["machine_id=7"]).channels["repetitions"].high == 5
    assert queries.summary(found["machine_id=8"]).channels["repetitions"].high == 10
    assert found["machine_id=8"].asset == asset


def test_inferring_twice_changes_nothing(device):
    for second, channels in recorded():
        put(device, second, channels)
    before = [(run.pk, run.started_at, run.ended_at) for run in series(device)]

    assert [(run.pk, run.started_at, run.ended_at) for run in series(device)] == before


def test_a_series_is_open_until_its_machine_rests(device):
    now = timezone.now()
    offset = (now - START).total_seconds()
    for count in range(1, 5):
        put(device, offset - 20 + count, reading(count))

    assert [run.is_open for run in series(device)] == [True]

    infer.infer(device, now + timedelta(minutes=5))

    assert [run.is_open for run in Run.objects.filter(device=device)] == [False]


def test_a_series_that_a_person_split_stays_split(device):
    for second, channels in recorded():
        put(device, second, channels)
    first = series(device)[0]

    services.split(first, at=START + timedelta(seconds=7))
    put(device, 8.5, reading(5))

    assert len(series(device)) == SETS + 1


def test_the_second_half_of_a_series_that_goes_on_still_ends_by_itself(device):
    now = timezone.now()
    offset = (now - START).total_seconds() - 20
    for count in range(1, 5):
        put(device, offset + count, reading(count))
    (whole,) = series(device)
    second = services.split(whole, at=START + timedelta(seconds=offset + 2.5))[1]
    put(device, offset + 5, reading(5))

    infer.infer(device, now + timedelta(minutes=5))

    found = list(queries.runs_of_team(device.team))
    assert [run.pk for run in found] == [whole.pk, second.pk]
    assert [queries.summary(run).channels["repetitions"].last for run in found] == [2, 5]
    assert not any(run.is_open for run in found)


def test_undoing_a_split_gives_the_series_back_to_inference(device):
    for second, channels in recorded():
        put(device, second, channels)
    first = series(device)[0]
    pair = services.split(first, at=START + timedelta(seconds=7))

    services.undo(Change.objects.get(pk=pair[0].revision))
    put(device, 8.5, reading(5))

    found = series(device)
    assert len(found) == SETS
    assert found[0].pk == first.pk
    assert not found[0].is_hand_cut


def test_a_deleted_series_is_not_cut_again(device):
    for second, channels in recorded():
        put(device, second, channels)
    services.delete(series(device)[1])

    put(device, 110.5, reading(4))

    assert len(series(device)) == SETS - 1


def test_a_renamed_series_is_still_cut_and_keeps_its_name(device):
    put(device, 0, reading(1))
    services.rename(series(device)[0], name="Bench press")

    put(device, 10, reading(2))

    (found,) = series(device)
    assert found.name == "Bench press"
    assert queries.summary(found).extent.received == 2


def test_an_excluded_wrong_count_no_longer_cuts(device):
    for count in range(1, 9):
        put(device, count * 2, reading(count if count != 4 else 0))
    assert len(series(device)) == 2

    wrong = START + timedelta(seconds=8)
    services.exclude(series(device)[0], since=wrong, until=wrong + timedelta(seconds=1), reason="bounced")

    assert len(series(device)) == 1


def test_moving_a_boundary_leaves_the_rest_to_inference(device):
    for second, channels in recorded():
        put(device, second, channels)
    run = series(device)[0]

    services.move_boundary(run, ended_at=START + timedelta(seconds=9))

    found = series(device)
    assert len(found) == SETS + 1
    assert [queries.summary(each).channels["repetitions"].high for each in found] == [5, 8, 8, 8]

    services.undo(Change.objects.get(pk=Run.objects.get(pk=run.pk).revision))

    assert len(series(device)) == SETS


def test_a_series_shows_work_rest_and_acceleration(device):
    for second, channels in recorded():
        put(device, second, channels)

    shown = queries.summary(series(device)[1]).statistics

    assert shown["acceleration_peak"] == 7
    assert shown["acceleration_rms"] == pytest.approx(7)
    assert shown["work_rest_ratio"] is None or shown["work_rest_ratio"] > 0
    assert shown["fatigue_within_s"] == pytest.approx(0)


def test_the_machine_s_own_watch_wins(device):
    for count in range(1, 5):
        put(device, count * 2, reading(count, series_time=count * 3.0, rest_time=24.0, asymmetry=count * 0.5))

    shown = queries.summary(series(device)[0]).statistics

    assert shown["series_time_s"] == 12
    assert shown["tempo_s"] == 3
    assert shown["rest_before_s"] == 24
    assert shown["work_rest_ratio"] == 0.5
    assert shown["asymmetry_trend_per_min"] == pytest.approx(15)


def test_a_capture_is_cut_by_a_gap(team):
    profilometre = register_device(team=team, name="pi", contract="profilometre")[0]
    for second in (0, 10, 20, 1000, 1010):
        put(
            profilometre,
            second,
            {"temperature": 20 + second / 100, "humidite": 40, "accelerometre": (-1) ** second * 2.0},
        )

    found = series(profilometre)

    assert [(run.ended_at - run.started_at).total_seconds() for run in found] == pytest.approx([20, 10], abs=1e-3)
    assert queries.summary(found[0]).statistics == pytest.approx(
        {
            "profile_rms": 2,
            "profile_peak": 2,
            "temperature_low": 20,
            "temperature_high": 20.2,
            "humidity_low": 40,
            "humidity_high": 40,
        }
    )


def test_runs_are_kept_up_to_date_in_the_background(device):
    for second, channels in recorded():
        put(device, second, channels)

    done = keep.cut()

    assert (done, Run.objects.count()) == (1, SETS)


def test_a_series_of_which_everything_is_left_out_comes_back_by_its_history(device):
    for second in range(0, 10, 2):
        put(device, second, reading(second + 1))
    (found,) = series(device)
    services.exclude(found, since=found.started_at, until=found.ended_at, reason="a test of the machine")
    assert series(device) == []

    services.undo(Run.objects.get(pk=found.pk).changes.get())

    (again,) = series(device)
    assert (again.started_at, again.ended_at) == (found.started_at, found.ended_at)
