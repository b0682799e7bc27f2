"""A look changes nothing: runs are cut in the background, and whoever changes something finds them as they are."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.control.conftest import PASSWORD

from releve.control.runs.cut import keep
from releve.control.runs.models import Run

WRITES = ("INSERT", "UPDATE", "DELETE")
OF_RUNS = ("runs_run", "runs_inference")


@pytest.fixture
def sets(device):
    """Three sets of repetitions on a machine, which nobody has cut yet."""
    start = timezone.now() - timedelta(hours=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT releve_ensure_partition(%s)", [start])
        for number in range(3):
            for second in range(20):
                time = start + timedelta(minutes=5 * number, seconds=second)
                channels = f'{{"machine_id":7,"repetitions":{second // 4}}}'
                cursor.execute(
                    "INSERT INTO reading (device_id, time, id, received, channels) VALUES (%s, %s, %s, now(), %s)",
                    [device.pk, time, number * 100 + second, channels],
                )
    return device


@pytest.fixture
def browser(alice):
    client = Client()
    client.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    return client


@pytest.mark.parametrize("path", ["/runs/", "/devices/{device}/", "/api/v1/runs", "/races", "/vehicles"])
def test_a_look_writes_nothing_about_runs(sets, browser, alice, signed_in, looks_only, path):
    client = browser if not path.startswith(("/api", "/races", "/vehicles")) else signed_in(alice)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path.format(device=sets.pk))

    assert answer.status_code == 200
    statements = [query["sql"].lstrip() for query in captured.captured_queries]
    assert [sql for sql in statements if sql.startswith(WRITES) and any(table in sql for table in OF_RUNS)] == []
    assert Run.objects.count() == 0


def test_the_background_finds_what_nobody_looked_at(sets, alice, signed_in, looks_only):
    keep.cut()

    listed = signed_in(alice).get("/api/v1/runs").json()["data"]
    assert [run["kind"] for run in listed] == ["series"] * 3


def test_who_changes_a_run_changes_what_there_is_now(sets, alice, signed_in, looks_only):
    keep.cut()
    run = Run.objects.order_by("started_at").last()
    ended = run.ended_at
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO reading (device_id, time, id, received, channels) VALUES (%s, %s, 999, now(), %s)",
            [sets.pk, ended + timedelta(seconds=1), '{"machine_id":7,"repetitions":6}'],
        )

    signed_in(alice).patch(f"/api/v1/runs/{run.pk}", {"name": "the last"}, **{"If-Match": "*"})

    assert Run.objects.get(pk=run.pk).ended_at != ended
