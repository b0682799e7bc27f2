"""What readings take, device by device and day by day, and when the disk is full."""

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.homes import row

from releve.cli.check import place
from releve.control.fleet.services import register_device
from releve.control.keeping import storage
from releve.control.runs.columns import reader, us
from releve.control.teams.models import Team
from releve.history.pivot import block_of
from releve.storage import budget, segments
from releve.storage.reader import now
from releve.storage.room import Room

HOUR_US = 3_600_000_000


def fill(device, days, *, until=None):
    end_us = us(until or timezone.now())
    rows = [row(end_us - hour * HOUR_US, {"a": hour * 7 % 13 / 8}) for hour in range(days * 24, 0, -1)]
    with reader() as own:
        now(segments.add(own, device.pk, block_of(rows)))


@pytest.fixture
def two(team, device):
    other = register_device(team=team, name="pi2")[0]
    fill(device, 10)
    fill(other, 5, until=timezone.now() - timedelta(days=40))
    return device, other


def test_a_team_is_told_what_its_devices_take_in_all_and_a_day(bob, two, signed_in):
    device, other = two

    found = signed_in(bob).get("/api/v1/storage").json()

    taken = {each["device"]: each for each in found["devices"]}
    assert {number: each["readings"] for number, each in taken.items()} == {device.pk: 240, other.pk: 120}
    assert found["bytes"] == sum(each["bytes"] for each in found["devices"]) > 0
    assert taken[device.pk]["bytes_a_day"] > 0
    assert taken[other.pk]["bytes_a_day"] == 0
    days = [each for each in found["days"] if each["device"] == device.pk]
    assert 10 <= len(days) <= 11
    assert sum(each["bytes"] for each in days) == pytest.approx(taken[device.pk]["bytes"], rel=0.02)
    assert not [each for each in found["days"] if each["device"] == other.pk]


def test_what_other_teams_take_is_not_told(charlie, two, signed_in):
    found = signed_in(charlie).get("/api/v1/storage").json()

    assert (found["bytes"], found["devices"], found["days"]) == (0, [], [])


def test_a_disk_that_is_full_within_a_month_is_said_on_every_way(bob, two, signed_in, monkeypatch, tmp_path):
    growth = sum(each["bytes_a_day"] for each in signed_in(bob).get("/api/v1/storage").json()["devices"])
    monkeypatch.setattr(storage, "cluster_of", lambda _: tmp_path)
    monkeypatch.setattr(storage.Room, "at", lambda place: Room(str(place), growth * 10, growth * 1000))

    disk = signed_in(bob).get("/api/v1/storage").json()["disk"]

    assert disk["is_soon"]
    assert disk["full_on"] == f"{timezone.now() + timedelta(days=10):%Y-%m-%d}"
    assert "full in about 10 days" in budget.warning("/data", growth * 10, growth)
    assert budget.warning("/data", growth * 31, growth) is None
    (finding,) = place.room(tmp_path, 2.0**60)
    assert (finding.check, finding.state.value) == ("disk", "warn")
    assert "releve retention" in finding.mend


def test_what_is_deleted_by_a_rule_is_not_counted(bob, two, device, signed_in):
    with reader() as own:
        before = now(budget.taken(own, [device.pk]))
        sealed = now(segments.of_span(own, device.pk, 0, 2**60))
        assert now(segments.replace(own, device.pk, [each.id for each in sealed])) == len(sealed)
        after = now(budget.taken(own, [device.pk]))

    assert before[0].readings == 240
    assert after == []


def test_a_device_that_another_team_has_now_counts_there(charlie, two, device, signed_in):
    device.team = Team.objects.get(memberships__account=charlie)
    device.save()

    assert [each["device"] for each in signed_in(charlie).get("/api/v1/storage").json()["devices"]] == [device.pk]
