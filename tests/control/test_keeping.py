"""A team says how long its readings are kept, and is told before what that deletes."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from tests.homes import row

from releve.control.accounts.models import AuditEvent, AuditKind
from releve.control.keeping.models import Rule
from releve.control.runs.columns import reader, us
from releve.history.pivot import block_of
from releve.storage import retention, segments
from releve.storage.reader import now


@pytest.fixture
def address(device):
    return f"/api/v1/devices/{device.id}/keeping"


@pytest.fixture
def old(device):
    """A reading an hour of the last forty days, in one segment."""
    now_us = us(timezone.now())
    rows = [row(now_us - hour * 3_600_000_000, {"a": hour, "noise": hour / 2}) for hour in range(40 * 24, 0, -1)]
    with reader() as own:
        now(segments.add(own, device.id, block_of(rows)))
    return rows


def put(client, address, body):
    return client.request("PUT", address, body)


def test_without_a_rule_everything_is_kept_for_ever(bob, address, signed_in):
    found = signed_in(bob).get(address).json()

    forever = {"raw_days": None, "ladder_days": None}
    assert found == {"rules": [], "in_force": {**forever, "archive": False, "channels": {}}, "deleted": []}


def test_the_narrower_rule_counts_and_each_change_is_in_the_audit(alice, address, team, device, signed_in):
    client = signed_in(alice)
    put(client, f"/api/v1/teams/{team.id}/keeping", {"raw_days": 365, "ladder_days": 3650}).json()
    of_team = client.get(address).json()["in_force"]
    put(client, address, {"raw_days": 30})
    put(client, address, {"raw_days": 7, "channel": "noise"})
    of_device = client.get(address).json()["in_force"]
    client.delete(address)
    without = client.get(address).json()["in_force"]

    assert (of_team["raw_days"], of_team["ladder_days"]) == (365, 3650)
    assert (of_device["raw_days"], of_device["ladder_days"]) == (30, None)
    assert of_device["channels"] == {"noise": {"raw_days": 7, "ladder_days": None}}
    assert (without["raw_days"], list(without["channels"])) == (365, ["noise"])
    events = AuditEvent.objects.filter(kind=AuditKind.KEEPING_CHANGED, team=team).order_by("pk")
    assert [(event.device_id, event.detail.get("channel"), event.detail.get("raw_days")) for event in events] == [
        (None, None, "365"), (device.id, None, "30"), (device.id, "noise", "7"), (device.id, None, None),
    ]  # fmt: skip
    assert len(client.get("/api/v1/keeping").json()["data"]) == 2


def test_a_dry_run_says_what_would_go_and_changes_nothing(alice, address, team, device, old, signed_in):
    client = signed_in(alice)

    whole = put(client, f"{address}?dry_run=true", {"raw_days": 30}).json()
    channel = put(client, f"{address}?dry_run=true", {"raw_days": 30, "channel": "noise"}).json()
    of_team = put(client, f"/api/v1/teams/{team.id}/keeping?dry_run=true", {"raw_days": 3650}).json()

    (going,) = whole["would_delete"]
    assert (going["device"], going["name"], going["readings"], going["thinned"]) == (device.id, device.name, 10 * 24, 0)
    assert 0 < going["bytes"] < going["readings"] * 40
    (thinned,) = channel["would_delete"]
    assert (thinned["readings"], thinned["thinned"]) == (0, 10 * 24)
    assert thinned["thinned_bytes"] > 0
    assert of_team["would_delete"] == []
    assert not Rule.objects.exists()
    assert not AuditEvent.objects.filter(kind=AuditKind.KEEPING_CHANGED).exists()


def test_a_dry_run_says_what_is_deleted_then(alice, address, device, old, signed_in):
    client = signed_in(alice)
    (said,) = put(client, f"{address}?dry_run=true", {"raw_days": 30}).json()["would_delete"]

    put(client, address, {"raw_days": 30})
    deleted = 0
    with reader() as own:
        kept = now(retention.stretches(own))[device.id]
        now_us = now(retention.present_us(own))
        while (step := now(retention.keep(own, device.id, kept, now_us))).is_more:
            deleted += step.readings

    assert deleted == said["readings"] == 10 * 24
    (gone,) = client.get(address).json()["deleted"]
    assert (gone["channel"], gone["since"]) == ("", None)
    assert gone["until"].startswith(f"{timezone.now() - timedelta(days=30, hours=1):%Y-%m-%dT%H}")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "raw_days"),
        ({"raw_days": 0}, "raw_days"),
        ({"raw_days": "soon"}, "raw_days"),
        ({"raw_days": 30, "ladder_days": 7}, "ladder_days"),
        ({"raw_days": None, "ladder_days": 7}, "ladder_days"),
        ({"raw_days": None, "archive": True}, "archive"),
        ({"raw_days": 7, "channel": "a", "archive": True}, "archive"),
        ({"raw_days": 7, "days": 8}, "days"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field(alice, address, signed_in, body, field):
    answer = put(signed_in(alice), address, body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_without_pyarrow_a_rule_that_asks_for_an_archive_is_refused_when_it_is_made(
    alice, address, signed_in, monkeypatch
):
    monkeypatch.setattr("releve.storage.archive.is_possible", lambda: False)

    answer = put(signed_in(alice), address, {"raw_days": 30, "archive": True})

    assert answer.status_code == 400
    assert "pip install 'releve[parquet]'" in answer.json()["errors"][0]["reason"]


def test_only_administrators_of_the_team_say_how_long_and_an_outsider_sees_nothing(
    bob, erin, charlie, address, team, signed_in
):
    for address_of in (address, f"/api/v1/teams/{team.id}/keeping"):
        for account, status in ((bob, 403), (erin, 403), (charlie, 404)):
            assert put(signed_in(account), address_of, {"raw_days": 30}).status_code == status
            assert signed_in(account).delete(address_of).status_code == status
    assert signed_in(charlie).get(address).status_code == 404
    assert signed_in(charlie).get("/api/v1/keeping").json() == {"data": []}


def test_a_device_that_is_moved_keeps_what_each_team_said_of_its_own_time(alice, address, team, device, signed_in):
    put(signed_in(alice), address, {"raw_days": 30})
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO teams_team (name) VALUES ('Others') RETURNING id")
        device.team_id = cursor.fetchone()[0]
    device.save()

    with reader() as own:
        (stretch,) = now(retention.stretches(own))[device.id]

    assert stretch.keeping.days.raw == 30
    assert stretch.to_us <= us(timezone.now())
