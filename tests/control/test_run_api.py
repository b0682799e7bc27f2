"""The API of runs: who may do what, states held by ETag, and corrections seen at once."""

import json
from datetime import UTC, datetime, timedelta
from math import pi, sin, sqrt

import pytest
from django.db import connection
from django.utils import timezone

from releve.control.accounts.models import AuditEvent
from releve.control.fleet.models import Asset
from releve.control.fleet.services import register_device
from releve.control.runs.api import views
from releve.control.runs.models import Run

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUNS = "/api/v1/runs"


@pytest.fixture
def car(team):
    return register_device(team=team, name="esp32", contract="racing")[0]


def send(device, *readings, received=None):
    with connection.cursor() as cursor:
        for second, channels in readings:
            time = START + timedelta(seconds=second)
            cursor.execute("SELECT releve_ensure_partition(%s)", [time])
            cursor.execute(
                "INSERT INTO reading VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [device.pk, time, hash(json.dumps(channels)) % 2**31, received or timezone.now(), json.dumps(channels)],
            )


@pytest.fixture
def race(alice, signed_in, car):
    send(
        car,
        *(
            (second, {"speed": float(second), "distance": second * 2.0, "battery": 100 - second})
            for second in range(10)
        ),
    )
    body = {"device": car.pk, "kind": "race", "name": "Friday", "started_at": START.isoformat()}
    answer = signed_in(alice).post(RUNS, body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def tag(api, run):
    return api.get(f"{RUNS}/{run['id']}").headers["ETag"]


def change(api, run, action, body=None, method="POST"):
    address = f"{RUNS}/{run['id']}" + (f"/{action}" if action else "")
    return api.request(method, address, {} if body is None else body, **{"If-Match": tag(api, run)})


def summary(api, run):
    return api.get(f"{RUNS}/{run['id']}").json()["summary"]


def test_a_race_shows_what_it_was(alice, signed_in, race):
    shown = signed_in(alice).get(f"{RUNS}/{race['id']}").json()

    assert shown["device"]["name"] == "esp32"
    assert shown["is_open"]
    found = shown["summary"]
    assert found["channels"]["speed"] == pytest.approx(
        {"n": 10, "low": 0, "high": 9, "mean": 4.5, "deviation": 2.8722813, "first": 0, "last": 9}
    )
    assert found["completeness"] == {"received": 10, "expected": 10, "ratio": 1, "rhythm_s": 1, "gaps": []}
    assert found["statistics"]["speed_max"] == 9
    assert found["statistics"]["distance"] == 18
    assert found["statistics"]["battery_used"] == 9
    assert found["statistics"]["time"] == 9


EVERY_ROUTE = [
    ("GET", "", None),
    ("PATCH", "", {"name": "x"}),
    ("DELETE", "", None),
    ("GET", "/buckets", None),
    ("POST", "/close", {}),
    ("POST", "/reopen", {}),
    ("POST", "/merge", {"run": 1}),
    ("POST", "/split", {"at": START.isoformat()}),
    ("POST", "/undo", {}),
    ("GET", "/changes", None),
    ("GET", "/exclusions", None),
    ("POST", "/exclusions", {"since": START.isoformat(), "until": START.isoformat(), "reason": "x"}),
    ("DELETE", "/exclusions/1", None),
    ("PUT", "/statistics", {"statistics": {"time": 1}}),
    ("DELETE", "/statistics", None),
]


@pytest.mark.parametrize(("method", "action", "body"), EVERY_ROUTE)
def test_an_outsider_sees_nothing(charlie, signed_in, race, method, action, body):
    answer = signed_in(charlie).request(method, f"{RUNS}/{race['id']}{action}", body, **{"If-Match": "*"})

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "action", "body"), [route for route in EVERY_ROUTE if route[0] != "GET"])
def test_a_viewer_changes_nothing(bob, signed_in, race, method, action, body):
    before = Run.objects.values().get(pk=race["id"])

    answer = signed_in(bob).request(method, f"{RUNS}/{race['id']}{action}", body, **{"If-Match": "*"})

    assert answer.status_code == 403
    assert Run.objects.values().get(pk=race["id"]) == before


@pytest.mark.parametrize("action", ["", "/buckets", "/changes", "/exclusions"])
def test_a_viewer_reads(bob, signed_in, race, action):
    assert signed_in(bob).get(f"{RUNS}/{race['id']}{action}").status_code == 200


def test_nobody_reads_without_signing_in(api, race):
    assert api.get(RUNS).status_code == 401


def test_an_outsider_opens_no_run_on_another_team_s_device(charlie, signed_in, car):
    assert signed_in(charlie).post(RUNS, {"device": car.pk, "kind": "race"}).status_code == 404


def test_a_viewer_opens_no_run(bob, signed_in, car):
    assert signed_in(bob).post(RUNS, {"device": car.pk, "kind": "race"}).status_code == 403


def test_a_list_holds_only_your_teams_runs(alice, charlie, signed_in, race):
    assert [run["id"] for run in signed_in(alice).get(RUNS).json()["data"]] == [race["id"]]
    assert signed_in(charlie).get(RUNS).json() == {"data": [], "next": None}


def test_two_runs_of_a_device_never_overlap(alice, signed_in, race, car):
    answer = signed_in(alice).post(RUNS, {"device": car.pk, "kind": "race", "started_at": START.isoformat()})

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:releve:problem:overlaps"


def test_a_change_says_which_state_it_changes(erin, signed_in, race):
    api = signed_in(erin)

    assert api.patch(f"{RUNS}/{race['id']}", {"name": "x"}).status_code == 428
    assert api.patch(f"{RUNS}/{race['id']}", {"name": "x"}, **{"If-Match": '"old"'}).status_code == 412


def test_the_second_of_two_editors_is_told(alice, erin, signed_in, race):
    seen = tag(signed_in(erin), race)
    change(signed_in(alice), race, "", {"name": "Saturday"}, "PATCH")

    answer = signed_in(erin).patch(f"{RUNS}/{race['id']}", {"name": "Sunday"}, **{"If-Match": seen})

    assert answer.status_code == 412


def test_a_late_reading_shows_at_once(alice, signed_in, race, car):
    api = signed_in(alice)
    change(api, race, "close", {"ended_at": (START + timedelta(seconds=60)).isoformat()})
    assert summary(api, race)["channels"]["speed"]["n"] == 10

    send(car, (4.5, {"speed": 50.0}))

    assert summary(api, race)["channels"]["speed"] == pytest.approx(
        {"n": 11, "low": 0, "high": 50, "mean": 95 / 11, "deviation": 13.3643, "first": 0, "last": 9}, rel=1e-4
    )


def test_an_excluded_span_leaves_every_view_and_comes_back(erin, signed_in, race):
    api = signed_in(erin)
    body = {"since": (START + timedelta(seconds=8)).isoformat(), "until": (START + timedelta(seconds=10)).isoformat()}
    summary(api, race)

    made = api.post(f"{RUNS}/{race['id']}/exclusions", {**body, "reason": "towed"})

    assert made.status_code == 201
    assert summary(api, race)["channels"]["speed"]["high"] == 7
    assert api.get(f"{RUNS}/{race['id']}/buckets").json()["data"][-1]["channels"]["speed"]["high"] == 7
    assert [row["reason"] for row in api.get(f"{RUNS}/{race['id']}/exclusions").json()["data"]] == ["towed"]

    assert api.delete(f"{RUNS}/{race['id']}/exclusions/{made.json()['id']}").status_code == 204

    assert summary(api, race)["channels"]["speed"]["high"] == 9
    assert api.get(f"{RUNS}/{race['id']}/buckets").json()["data"][-1]["channels"]["speed"]["high"] == 9


def test_one_reading_is_left_out_by_its_identity(alice, signed_in, race, car):
    api = signed_in(alice)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM reading WHERE device_id = %s AND time = %s", [car.pk, START + timedelta(seconds=9)]
        )
        identity = cursor.fetchone()[0]
    body = {"since": (START + timedelta(seconds=9)).isoformat(), "reading": str(identity), "reason": "spike"}

    assert api.post(f"{RUNS}/{race['id']}/exclusions", body).status_code == 201

    assert summary(api, race)["channels"]["speed"]["high"] == 8


def test_split_merge_and_undo_keep_every_reading(alice, signed_in, race):
    api = signed_in(alice)
    pair = change(api, race, "split", {"at": (START + timedelta(seconds=4)).isoformat()}).json()["data"]
    assert [summary(api, run)["channels"]["speed"]["n"] for run in pair] == [4, 6]

    merged = change(api, pair[0], "merge", {"run": pair[1]["id"]})
    assert merged.status_code == 200
    assert summary(api, race)["channels"]["speed"]["n"] == 10
    assert api.get(f"{RUNS}/{pair[1]['id']}").status_code == 404

    assert api.post(f"{RUNS}/{race['id']}/undo", {}).status_code == 200
    assert [summary(api, run)["channels"]["speed"]["n"] for run in pair] == [4, 6]

    assert api.post(f"{RUNS}/{race['id']}/undo", {}).status_code == 200
    assert summary(api, race)["channels"]["speed"]["n"] == 10


def test_a_deleted_run_comes_back(alice, signed_in, race):
    api = signed_in(alice)
    assert change(api, race, "", method="DELETE").status_code == 204
    assert api.get(f"{RUNS}/{race['id']}").status_code == 404

    assert api.post(f"{RUNS}/{race['id']}/undo", {}).status_code == 200

    assert summary(api, race)["channels"]["speed"]["n"] == 10


def test_an_earlier_change_cannot_be_undone_before_the_later(alice, signed_in, race):
    api = signed_in(alice)
    first = change(api, race, "", {"name": "one"}, "PATCH").json()["change"]
    change(api, race, "", {"name": "two"}, "PATCH")

    assert api.post(f"{RUNS}/{race['id']}/undo", {"change": first}).status_code == 409


def test_every_change_is_in_the_audit_trail(alice, signed_in, race):
    api = signed_in(alice)
    change(api, race, "", {"name": "Saturday"}, "PATCH")
    change(api, race, "close", {})
    api.post(f"{RUNS}/{race['id']}/undo", {})

    events = AuditEvent.objects.filter(kind="run-changed").order_by("id")
    assert [event.detail["change"] for event in events] == ["open", "rename", "close", "undo"]
    assert {event.detail["by"] for event in events} == {"alice@example.com"}


def test_a_statistic_set_by_hand_stays_until_released(erin, signed_in, race, car):
    api = signed_in(erin)
    api.put = lambda address, body: api.request("PUT", address, body)
    corrected = api.put(f"{RUNS}/{race['id']}/statistics", {"statistics": {"speed_max": 88.0}}).json()["summary"]
    assert corrected["statistics"]["speed_max"] == 88
    assert corrected["by_hand"] == ["speed_max"]

    send(car, (20, {"speed": 300.0}))
    assert summary(api, race)["statistics"]["speed_max"] == 88

    api.delete(f"{RUNS}/{race['id']}/statistics")
    assert summary(api, race)["statistics"]["speed_max"] == 300
    assert summary(api, race)["by_hand"] == []


def test_pages_follow_each_other(alice, signed_in, car):
    api = signed_in(alice)
    for hour in range(5):
        since, until = START + timedelta(hours=hour), START + timedelta(hours=hour + 1)
        api.post(
            RUNS, {"device": car.pk, "kind": "race", "started_at": since.isoformat(), "ended_at": until.isoformat()}
        )
    seen, after = [], 0
    while after is not None:
        page = api.get(f"{RUNS}?limit=2&after={after}").json()
        seen += [run["started_at"] for run in page["data"]]
        after = page["next"]

    assert len(seen) == 5
    assert seen == sorted(seen)


def test_a_list_is_filtered(alice, signed_in, race, car):
    api = signed_in(alice)

    def found(query):
        return [run["id"] for run in api.get(f"{RUNS}?{query}").json()["data"]]

    assert found(f"device={car.pk}&kind=race&open=true") == [race["id"]]
    assert found("open=false") == []
    assert found("kind=series") == []
    assert found("to=2026-02-01T00:00:00Z") == []
    assert found("from=2026-04-01T00:00:00Z") == [race["id"]]
    assert found("device=999999") == []


@pytest.mark.parametrize("query", ["bucket=0s", "bucket=soon", "fn=median", "after=yesterday", "limit=0"])
def test_a_bad_query_names_its_field(alice, signed_in, race, query):
    answer = signed_in(alice).get(f"{RUNS}/{race['id']}/buckets?{query}")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("width", ["1s", "2s", "5s", "10s", "1m"])
def test_buckets_of_any_width_hold_every_reading(alice, signed_in, race, width):
    answer = signed_in(alice).get(f"{RUNS}/{race['id']}/buckets?bucket={width}&fn=n,mean,high").json()

    assert sum(bucket["channels"]["speed"]["n"] for bucket in answer["data"]) == 10
    assert max(bucket["channels"]["speed"]["high"] for bucket in answer["data"]) == 9
    assert answer["next"] is None


def test_a_page_of_buckets_is_not_written_by_the_framework_which_takes_long(alice, signed_in, race, monkeypatch):
    def refuse(*_):
        raise AssertionError("written by the framework")

    api = signed_in(alice)
    monkeypatch.setattr("rest_framework.renderers.JSONRenderer.render", refuse)

    answer = api.get(f"{RUNS}/{race['id']}/buckets")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["data"][0]["start"].endswith("Z")


def test_a_page_of_buckets_is_bounded_however_many_are_asked_for(alice, signed_in, race, monkeypatch):
    monkeypatch.setattr(views, "MOST_BUCKETS", 1)
    answer = signed_in(alice).get(f"{RUNS}/{race['id']}/buckets?bucket=5s&limit=100000").json()

    assert len(answer["data"]) == 1
    assert answer["next"] is not None


def test_buckets_come_in_pages(alice, signed_in, race):
    api = signed_in(alice)
    first = api.get(f"{RUNS}/{race['id']}/buckets?bucket=5s&limit=1").json()
    second = api.get(f"{RUNS}/{race['id']}/buckets?bucket=5s&limit=1&after={first['next'].replace('+', '%2B')}").json()

    assert [bucket["start"] for bucket in first["data"] + second["data"]] == [
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:05Z",
    ]
    assert second["next"] is None


def test_no_run_starts_more_than_a_day_ahead_as_no_reading_does(alice, signed_in, race, car):
    api = signed_in(alice)
    ahead = (timezone.now() + timedelta(days=2)).isoformat()
    for refused in (
        change(api, race, "", {"started_at": ahead}, "PATCH"),
        api.post(RUNS, {"device": car.pk, "kind": "race", "started_at": ahead}),
    ):
        assert refused.status_code == 400
        (error,) = refused.json()["errors"]
        assert error == {"field": "started_at", "reason": "Must not be more than a day ahead of the server's clock."}


def test_laps_are_told_by_the_track(alice, signed_in, car):
    api = signed_in(alice)
    send(car, *((second, {"track": second // 7, "distance": second * 3.0}) for second in range(21)))
    race = api.post(RUNS, {"device": car.pk, "kind": "race", "started_at": START.isoformat()}).json()

    laps = summary(api, race)["laps"]

    assert [(lap["track"], lap["time_s"], lap["distance"]) for lap in laps] == [(0, 7, 21), (1, 7, 21), (2, 6, 18)]


def leave_out(api, run, since, until):
    body = {
        "since": (START + timedelta(seconds=since)).isoformat(),
        "until": (START + timedelta(seconds=until)).isoformat(),
    }
    made = api.post(f"{RUNS}/{run['id']}/exclusions", {**body, "reason": "towed"})
    assert made.status_code == 201
    return made.json()


@pytest.fixture
def four_laps(alice, signed_in, car):
    send(car, *((second, {"track": second // 7, "distance": second * 3.0}) for second in range(28)))
    return signed_in(alice).post(RUNS, {"device": car.pk, "kind": "race", "started_at": START.isoformat()}).json()


def test_a_lap_that_is_left_out_makes_no_other_longer(alice, signed_in, four_laps):
    api = signed_in(alice)

    leave_out(api, four_laps, 14, 21)

    laps = [(lap["track"], lap["time_s"], lap["distance"]) for lap in summary(api, four_laps)["laps"]]
    assert laps == [(0, 7, 21), (1, 7, 18), (3, 6, 18)]  # the reading that told lap 1's last metres is left out


def test_the_last_lap_that_is_left_out_makes_no_other_shorter(alice, signed_in, four_laps):
    api = signed_in(alice)

    leave_out(api, four_laps, 21, 28)

    assert [(lap["track"], lap["time_s"]) for lap in summary(api, four_laps)["laps"]] == [(0, 7), (1, 7), (2, 7)]


def test_a_reading_that_is_left_out_within_a_lap_changes_no_lap(alice, signed_in, four_laps):
    api = signed_in(alice)

    leave_out(api, four_laps, 9, 11)

    laps = [(lap["track"], lap["time_s"], lap["distance"]) for lap in summary(api, four_laps)["laps"]]
    assert laps == [(0, 7, 21), (1, 7, 21), (2, 7, 21), (3, 6, 18)]


def test_a_lap_that_is_let_in_again_is_there_again(alice, signed_in, four_laps):
    api = signed_in(alice)
    made = leave_out(api, four_laps, 14, 21)

    api.delete(f"{RUNS}/{four_laps['id']}/exclusions/{made['id']}")

    assert [lap["time_s"] for lap in summary(api, four_laps)["laps"]] == [7, 7, 7, 6]


def test_no_mean_is_above_its_highest_or_below_its_lowest(alice, signed_in, car):
    api = signed_in(alice)
    send(car, *((second, {"race": 0.1, "speed": 1.1, "second": second}) for second in range(23)))
    race = api.post(RUNS, {"device": car.pk, "kind": "race", "started_at": START.isoformat()}).json()

    found = summary(api, race)
    buckets = [
        bucket["channels"]
        for width in ("1s", "3s", "5s", "10s")
        for bucket in api.get(f"{RUNS}/{race['id']}/buckets?bucket={width}&fn=low,mean,high").json()["data"]
    ]

    for channel in ("race", "speed", "second"):
        for told in (found["channels"][channel], *(each[channel] for each in buckets)):
            assert told["low"] <= told["mean"] <= told["high"]
    assert found["statistics"]["speed_average"] <= found["statistics"]["speed_max"]


def history(api, run):
    return [
        (row["kind"], row["undone_at"] is not None) for row in api.get(f"{RUNS}/{run['id']}/changes").json()["data"]
    ]


def test_what_is_left_out_is_in_the_history_and_is_taken_back_there(erin, signed_in, race):
    api = signed_in(erin)
    leave_out(api, race, 8, 10)
    (told, _) = api.get(f"{RUNS}/{race['id']}/changes").json()["data"]
    assert (told["kind"], told["by"], told["detail"]["reason"]) == ("exclude", "erin@example.com", "towed")

    assert api.post(f"{RUNS}/{race['id']}/undo", {"change": told["id"]}).status_code == 200

    assert summary(api, race)["channels"]["speed"]["high"] == 9
    assert history(api, race) == [("exclude", True), ("open", False)]
    assert api.post(f"{RUNS}/{race['id']}/undo", {"change": told["id"]}).status_code == 409


def test_what_is_let_in_again_is_taken_back_in_the_history(erin, signed_in, race):
    api = signed_in(erin)
    made = leave_out(api, race, 8, 10)

    api.delete(f"{RUNS}/{race['id']}/exclusions/{made['id']}")

    assert history(api, race) == [("exclude", True), ("open", False)]


def test_an_exclusion_stands_in_nobodys_way_who_undoes_an_earlier_change(erin, signed_in, race):
    api = signed_in(erin)
    renamed = change(api, race, "", {"name": "Saturday"}, "PATCH").json()["change"]
    leave_out(api, race, 8, 10)

    assert api.post(f"{RUNS}/{race['id']}/undo", {"change": renamed}).status_code == 200

    assert history(api, race) == [("exclude", False), ("rename", True), ("open", False)]


def test_figures_set_by_hand_are_in_the_history_and_go_back_one_by_one(erin, signed_in, race):
    api = signed_in(erin)
    for value in (88.0, 99.0):
        api.request("PUT", f"{RUNS}/{race['id']}/statistics", {"statistics": {"speed_max": value}})
    api.delete(f"{RUNS}/{race['id']}/statistics")
    assert [kind for kind, _ in history(api, race)] == ["release", "correct", "correct", "open"]
    changes = [row["id"] for row in api.get(f"{RUNS}/{race['id']}/changes").json()["data"][:3]]
    assert api.post(f"{RUNS}/{race['id']}/undo", {"change": changes[2]}).status_code == 409

    shown = []
    for number in changes:
        assert api.post(f"{RUNS}/{race['id']}/undo", {"change": number}).status_code == 200
        shown.append(summary(api, race)["statistics"]["speed_max"])

    assert shown == [99, 88, 9]


def test_missing_readings_are_counted_and_located(alice, signed_in, car):
    api = signed_in(alice)
    send(car, *((second, {"speed": 1.0}) for second in range(60) if not 20 <= second < 30))
    race = api.post(RUNS, {"device": car.pk, "kind": "race", "started_at": START.isoformat()}).json()

    found = summary(api, race)["completeness"]

    assert (found["received"], found["expected"]) == (50, 60)
    assert found["gaps"] == [{"since": "2026-03-01T12:00:19Z", "until": "2026-03-01T12:00:30Z", "length_s": 11}]


def test_a_number_beyond_measure_harms_no_statistic(alice, signed_in, race, car):
    send(car, (5.5, {"speed": 1e300, "battery": "full"}))

    assert summary(signed_in(alice), race)["channels"]["speed"]["high"] == 9


def test_a_sine_race_equals_its_closed_form(alice, signed_in, car):
    """Speed 50 + 30 sin(2π t / 20) at 10 Hz: n and mean of a 5 s bucket are sums of a geometric series."""
    rate, period_s, seconds = 10, 20, 60
    step = 2 * pi / (period_s * rate)
    with connection.cursor() as cursor:
        cursor.execute("SELECT releve_ensure_partition(%s)", [START])
        cursor.execute(
            "INSERT INTO reading SELECT %s, %s + i * interval '0.1 s', i, now(),"
            " jsonb_build_object('speed', 50 + 30 * sin(%s * i), 'distance', i / 10.0)"
            " FROM generate_series(0, %s) AS i",
            [car.pk, START, step, seconds * rate - 1],
        )
    api = signed_in(alice)
    race = api.post(RUNS, {"device": car.pk, "kind": "race", "started_at": START.isoformat()}).json()

    found = api.get(f"{RUNS}/{race['id']}/buckets?bucket=5s&fn=n,mean,last").json()["data"]

    n = 5 * rate
    shrink = sin(n * step / 2) / sin(step / 2) / n
    assert len(found) == seconds // 5
    for number, bucket in enumerate(found):
        assert bucket["channels"]["speed"]["n"] == n
        middle = step * (number * n + (n - 1) / 2)
        assert bucket["channels"]["speed"]["mean"] == pytest.approx(50 + 30 * shrink * sin(middle), abs=1e-9)
        assert bucket["channels"]["distance"]["last"] == pytest.approx((number * n + n - 1) / 10)
    whole = summary(api, race)["channels"]["speed"]
    assert whole["mean"] == pytest.approx(50, abs=1e-9)
    assert whole["deviation"] == pytest.approx(30 / sqrt(2))
    assert (whole["low"], whole["high"]) == pytest.approx((20, 80))


def test_a_race_whose_car_has_not_sent_yet_is_shown_empty(alice, signed_in, team):
    api = signed_in(alice)
    vehicle = Asset.objects.create(team=team, kind="vehicle", name="Red")
    race = api.post(RUNS, {"asset": vehicle.pk, "kind": "race"}).json()

    found = summary(api, race)

    assert race["device"] is None
    assert (found["channels"], found["first"], found["completeness"]["ratio"]) == ({}, None, 1)
    assert api.get(f"{RUNS}/{race['id']}/buckets").json() == {"data": [], "next": None}
