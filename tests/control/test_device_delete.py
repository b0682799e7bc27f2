"""A device that is deleted: hidden and refused at once, brought back within a day, and then gone with all it sent."""

import json
import re
from datetime import timedelta
from importlib import resources

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone
from psycopg import sql

from releve.control.accounts.models import AuditEvent, SignIn
from releve.control.fleet.models import Asset, ChannelDescription, Device, Mount
from releve.control.fleet.services import DeviceProblem, NameTaken, own_device, register_device
from releve.control.runs.cut import keep
from releve.control.runs.edit import deleting, services
from releve.control.runs.edit.deleting import (
    NotDeletable,
    OthersReadings,
    bring_back,
    delete_device,
    forget_deleted,
    lost_with,
)
from releve.control.runs.edit.moving import move_device
from releve.control.runs.models import Change, Exclusion, Run
from releve.control.teams.models import Team
from releve.storage import queries

DEVICES = "/api/v1/devices"
LATER = timedelta(days=1, minutes=1)


@pytest.fixture
def machine(team):
    return register_device(team=team, name="press-pi", contract="gym")[0]


@pytest.fixture
def other(team):
    return register_device(team=team, name="row-pi", contract="gym")[0]


def send(device, *, of=5, machine_id=7):
    now = timezone.now()
    with connection.cursor() as cursor:
        for number in range(of):
            time = now - timedelta(seconds=60 - number)
            channels = json.dumps({"machine_id": machine_id, "repetitions": number + 1, "acceleration_x": 0.5})
            cursor.execute(
                "INSERT INTO fresh_reading (device_id, time, id, received, channels) VALUES (%s, %s, %s, %s, %s)",
                [device.pk, time, number, time, channels],
            )
        cursor.execute("INSERT INTO device_seen VALUES (%s, %s, %s)", [device.pk, now, now])
        cursor.execute("INSERT INTO channel_name VALUES (%s, 'repetitions')", [device.pk])
        cursor.execute(
            "INSERT INTO quarantine (device_id, received, contract, transport, field, reason, digest, payload)"
            " VALUES (%s, now(), 'gym', 'http', 'timestamp', 'before 2000', %s, 'x')",
            [device.pk, str(device.pk).encode()],
        )
        cursor.execute("INSERT INTO receipt VALUES (%s, 1, now(), now())", [device.pk])


def sealed(device):
    """A segment with a column, as sealing leaves it; nobody reads it here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO segment (device_id, id, first, last, n, bytes, sealed)"
            " SELECT %s, count(*) + 1, now(), now(), 3, 3, now() FROM segment RETURNING id",
            [device.pk],
        )
        cursor.execute(
            "INSERT INTO segment_column (device_id, segment_id, holds, name, content) VALUES (%s, %s, 'c', 'x', 'x')",
            [device.pk, cursor.fetchone()[0]],
        )


def tables_of_devices():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT table_name FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name) WHERE table_schema = 'public' AND column_name = 'device_id'"
            " AND table_type = 'BASE TABLE'"
        )
        return {name for (name,) in cursor.fetchall()}


def tables_with(device):
    """The tables that hold anything of the device."""
    found = set()
    with connection.cursor() as cursor:
        for name in tables_of_devices():
            cursor.execute(
                sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE device_id = %s)").format(sql.Identifier(name)), [device.pk]
            )
            if cursor.fetchone()[0]:
                found.add(name)
    return found


def test_a_deleted_device_is_hidden_refused_and_its_name_is_free(alice, signed_in, machine, team):
    secret = SignIn.objects.create(
        device=machine, started_at=timezone.now(), refreshed_at=timezone.now(), rotated_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip

    assert signed_in(alice).delete(f"{DEVICES}/{machine.pk}").status_code == 204

    assert signed_in(alice).get(f"{DEVICES}/{machine.pk}").status_code == 404
    assert signed_in(alice).get(DEVICES).json()["data"] == []
    secret.refresh_from_db()
    assert secret.revoked_at is not None
    assert register_device(team=team, name="press-pi")[0].pk != machine.pk


def test_a_deleted_device_comes_back_with_all_that_it_sent(alice, signed_in, machine):
    send(machine)
    keep.cut()
    run = Run.objects.get(device=machine)
    api = signed_in(alice)
    api.delete(f"{DEVICES}/{machine.pk}")
    assert api.get(f"/api/v1/runs/{run.pk}").status_code == 404

    back = api.post(f"{DEVICES}/{machine.pk}/restore")

    assert (back.status_code, back.json()["name"], back.json()["is_enabled"]) == (200, "press-pi", True)
    assert api.get(f"/api/v1/runs/{run.pk}").status_code == 200
    assert set(AuditEvent.objects.filter(device=machine).values_list("kind", flat=True)) >= {
        "device-deleted",
        "device-brought-back",
    }


def test_a_name_that_was_given_away_keeps_the_device_from_coming_back_until_it_is_free(alice, signed_in, machine, team):
    delete_device(machine)
    taken = register_device(team=team, name="press-pi")[0]

    refused = signed_in(alice).post(f"{DEVICES}/{machine.pk}/restore")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "name")

    delete_device(taken)
    assert bring_back(machine).name == "press-pi"


def test_after_a_day_everything_of_the_device_is_gone_and_of_its_neighbour_nothing(machine, other, team, alice):
    send(machine)
    send(other, machine_id=8)
    keep.cut()
    for device in (machine, other):
        asset = Asset.objects.create(team=team, kind="rig", key=device.name, name=device.name)
        Mount.objects.get_or_create(asset=asset, device=device)
        ChannelDescription.objects.create(team=team, device=device, channel="repetitions", unit="")
        run = Run.objects.get(device=device)
        services.rename(run, name="Sunday", by=alice)
        now = timezone.now()
        Exclusion.objects.create(device=device, since=now - timedelta(hours=2), until=now, reason="a test")
        sealed(device)
    before = tables_with(other)
    delete_device(machine, by=alice)

    assert forget_deleted(timezone.now()) == {}
    assert tables_with(machine) >= {"fresh_reading", "segment", "segment_column", "runs_run", "quarantine"}

    counts = forget_deleted(timezone.now() + LATER)

    assert counts["devices"] == 1
    assert tables_with(machine) == set()
    assert not Device.with_deleted.filter(pk=machine.pk).exists()
    assert Change.objects.filter(runs=None).count() == 0
    assert tables_with(other) == before
    assert Asset.objects.filter(name="press-pi").exists()
    assert AuditEvent.objects.get(kind="device-deleted").detail["name"] == "press-pi"


def test_every_table_that_names_a_device_is_emptied_of_a_deleted_one(db):
    folder = resources.files(queries)
    files = [file for file in folder.iterdir() if file.name.startswith("forget_")]
    emptied = {name for file in files for name in re.findall(r"DELETE FROM (\w+)", file.read_text("utf-8"))}
    of_django = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}  # with the device's row
    by_trigger = {"device_ownership"}
    of_a_month = {name for name in tables_of_devices() if re.fullmatch(r"reading_\w+", name)}

    assert tables_of_devices() - emptied - of_django - by_trigger - of_a_month == set()


def test_a_device_with_very_many_readings_goes_in_small_steps(machine, monkeypatch):
    monkeypatch.setattr(
        "releve.control.runs.edit.deleting._STEPS", (("forget_fresh", 2), ("forget_segments", 1), *deleting._STEPS)
    )
    send(machine, of=5)
    for _ in range(3):
        sealed(machine)
    delete_device(machine)

    counts = forget_deleted(timezone.now() + LATER)

    assert (counts["forget_fresh"], counts["forget_segments"]) == (5, 3)


def test_what_goes_is_counted_before(machine):
    send(machine, of=5)
    keep.cut()
    sealed(machine)

    lost = lost_with(machine)

    assert (lost.readings, lost.runs, lost.quarantined) == (8, 1, 1)


def test_a_device_that_another_team_had_cannot_be_deleted(alice, signed_in, machine):
    elsewhere = Team.objects.create(name="Elsewhere")
    move_device(machine, team=elsewhere)
    move_device(machine, team=alice.memberships.get().team)

    refused = signed_in(alice).delete(f"{DEVICES}/{machine.pk}")

    assert refused.status_code == 400
    assert "another team" in refused.json()["detail"].lower()
    with pytest.raises(OthersReadings):
        delete_device(machine)


def test_a_persons_own_device_cannot_be_deleted(alice, team):
    with pytest.raises(NotDeletable):
        delete_device(own_device(alice, team))


def test_a_viewer_deletes_nothing_and_an_outsider_finds_nothing(bob, charlie, signed_in, machine):
    assert signed_in(bob).delete(f"{DEVICES}/{machine.pk}").status_code == 403
    assert signed_in(charlie).delete(f"{DEVICES}/{machine.pk}").status_code == 404
    delete_device(machine)
    assert signed_in(bob).post(f"{DEVICES}/{machine.pk}/restore").status_code == 404
    assert signed_in(charlie).post(f"{DEVICES}/{machine.pk}/restore").status_code == 404


def test_no_device_may_be_called_as_deleted_ones_are(team):
    with pytest.raises(DeviceProblem):
        register_device(team=team, name="deleted:5")


def test_a_name_may_be_used_again_and_deleted_again(team, machine):
    delete_device(machine)
    second = register_device(team=team, name="press-pi")[0]
    delete_device(second)

    bring_back(second)
    with pytest.raises(NameTaken):
        bring_back(machine)
