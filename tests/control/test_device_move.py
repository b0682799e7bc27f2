"""A device that moves to another team: each team reads its own side, and nothing of the old one's goes along."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from releve.control.accounts.models import AuditEvent
from releve.control.fleet.models import Asset, Device, Mount
from releve.control.fleet.services import register_device
from releve.control.runs.cut import keep
from releve.control.runs.edit import services
from releve.control.runs.edit.moving import NotMovable, move_device
from releve.control.runs.models import Exclusion, Run
from releve.control.runs.problem import NotOwned
from releve.control.teams.models import Role, Team
from releve.control.teams.services import give_role

RUNS = "/api/v1/runs"


@pytest.fixture
def other(db):
    return Team.objects.create(name="Charlie's other")


@pytest.fixture
def alice(alice, other):
    """Alice owns the device's team, and edits the one that it goes to as well."""
    give_role(account=alice, team=other, role=Role.EDITOR)
    return alice


@pytest.fixture
def charlie(person, other):
    return person("charlie@example.com", other, Role.EDITOR)


@pytest.fixture
def machine(team):
    return register_device(team=team, name="press-pi", contract="gym")[0]


def send(device, *, ago_s=0.0, **channels):
    now = timezone.now()
    time = now - timedelta(seconds=ago_s)
    with connection.cursor() as cursor:
        cursor.execute("SELECT releve_ensure_partition(%s)", [time])
        cursor.execute(
            "INSERT INTO reading VALUES (%s, %s, %s, %s, %s)",
            [device.pk, time, hash(json.dumps(channels)) % 2**31, now, json.dumps(channels)],
        )


def works_out(device, *, ago_s, of=3, late_by=0):
    for second in range(of):
        send(device, ago_s=ago_s - second, machine_id=7, repetitions=second + 1, secret=late_by)


def move(api, device, team):
    return api.patch(f"/api/v1/devices/{device.pk}", {"team": team.pk})


def page_of(account, address):
    client = Client(headers={"accept": "text/html"})
    client.force_login(account)
    return client.get(address)


def test_the_old_teams_run_ends_at_the_move_and_the_new_team_gets_one_of_its_own(
    alice, bob, charlie, signed_in, machine, other
):
    works_out(machine, ago_s=20)
    keep.cut()

    assert move(signed_in(alice), machine, other).json()["team"] == {"id": other.pk, "name": other.name}
    works_out(machine, ago_s=0)  # in its machine's rhythm, as if nothing had happened: the count goes on
    keep.cut()

    (old,) = signed_in(bob).get(RUNS).json()["data"]
    (new,) = signed_in(charlie).get(RUNS).json()["data"]
    assert not old["is_open"]
    assert signed_in(bob).get(f"{RUNS}/{old['id']}").json()["summary"]["completeness"]["received"] == 3
    assert signed_in(charlie).get(f"{RUNS}/{new['id']}").json()["summary"]["channels"]["repetitions"]["n"] == 3
    assert signed_in(charlie).get(f"{RUNS}/{old['id']}").status_code == 404
    assert signed_in(bob).get(f"{RUNS}/{new['id']}").status_code == 404


def test_a_run_that_was_opened_by_hand_ends_at_the_move_and_nothing_lets_it_go_on(alice, bob, charlie, machine, other):
    run = services.open_run(
        team=machine.team, device=machine, asset=None, kind="capture", started_at=timezone.now() - timedelta(hours=1)
    )

    move_device(machine, team=other, by=alice)

    run.refresh_from_db()
    assert run.ended_at <= timezone.now()
    for reach in (
        lambda: services.reopen(run),
        lambda: services.move_boundary(run, ended_at=timezone.now() + timedelta(hours=1)),
        lambda: services.undo(run.changes.get(kind="leave")),
        lambda: services.stretch(run, timezone.now() + timedelta(hours=1)),
    ):
        with pytest.raises(NotOwned):
            reach()


def test_the_new_team_opens_no_run_on_the_old_teams_past(alice, charlie, signed_in, machine, other):
    move_device(machine, team=other, by=alice)
    body = {"device": machine.pk, "kind": "capture", "started_at": (timezone.now() - timedelta(hours=1)).isoformat()}

    refused = signed_in(charlie).post(RUNS, body)

    assert refused.status_code == 409
    assert "Another team owned the device" in refused.json()["detail"]


def test_a_late_reading_of_before_the_move_joins_the_old_teams_run_only(alice, bob, charlie, signed_in, machine, other):
    works_out(machine, ago_s=100, of=2)
    keep.cut()
    move_device(machine, team=other, by=alice)
    works_out(machine, ago_s=0)
    send(machine, ago_s=60, machine_id=7, repetitions=3)
    keep.cut()

    (old,) = signed_in(bob).get(RUNS).json()["data"]
    (new,) = signed_in(charlie).get(RUNS).json()["data"]

    assert signed_in(bob).get(f"{RUNS}/{old['id']}").json()["summary"]["completeness"]["received"] == 3
    assert signed_in(charlie).get(f"{RUNS}/{new['id']}").json()["summary"]["completeness"]["received"] == 3


def test_a_car_that_goes_on_with_its_race_drives_another_one_for_the_new_team(
    alice, bob, charlie, signed_in, team, other
):
    car = register_device(team=team, name="esp32bis", contract="racing")[0]
    send(car, ago_s=5, race=12, speed=3.0)
    keep.cut()
    move_device(car, team=other, by=alice)
    send(car, race=12, speed=9.0)
    keep.cut()

    (old,) = signed_in(bob).get(RUNS).json()["data"]
    (new,) = signed_in(charlie).get(RUNS).json()["data"]

    assert not old["is_open"]
    assert signed_in(bob).get(f"{RUNS}/{old['id']}").json()["summary"]["channels"]["speed"]["high"] == 3
    assert signed_in(charlie).get(f"{RUNS}/{new['id']}").json()["summary"]["channels"]["speed"]["low"] == 9
    assert Asset.objects.get(runs=new["id"]).team == other


def test_what_was_left_out_reaches_neither_beyond_the_move_nor_before_it(alice, charlie, machine, other):
    works_out(machine, ago_s=20)
    keep.cut()
    old, now = Run.objects.get(), timezone.now()
    left_out = services.exclude(old, since=now - timedelta(minutes=1), until=now + timedelta(hours=1), reason="bump")

    move_device(machine, team=other, by=alice)
    works_out(machine, ago_s=0)
    keep.cut()

    new = Run.objects.get(team=other)
    left_out.refresh_from_db()
    assert left_out.until <= new.started_at
    later = services.exclude(old, since=now - timedelta(minutes=1), until=now + timedelta(hours=1), reason="more")
    assert later.until == left_out.until
    with pytest.raises(NotOwned):
        services.exclude(new, since=now - timedelta(minutes=2), until=now - timedelta(minutes=1), reason="theirs")
    services.include(left_out, by=alice)
    assert AuditEvent.objects.filter(kind="run-changed", detail__change="include").get().team == old.team


def test_commands_and_configuration_and_last_words_stay_behind(alice, machine, other):
    asset = Asset.objects.create(team=machine.team, kind="machine", key="7", name="Press")
    Mount.objects.create(asset=asset, device=machine)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO device_command (device_id, body, created_by, expires) VALUES (%s, '1', 'a', now() + '1 day')",
            [machine.pk],
        )
        cursor.execute("INSERT INTO device_config VALUES (%s, '{}', now(), 'a')", [machine.pk])
        cursor.execute("INSERT INTO topic_value VALUES (%s, 'esp32bis/race', '1', now())", [machine.pk])

        move_device(machine, team=other, by=alice)

        cursor.execute("SELECT count(*) FROM device_command WHERE expires > now()")
        assert cursor.fetchone() == (0,)
        for table in ("device_config", "topic_value", "device_seen", "fleet_mount"):
            cursor.execute(f"SELECT count(*) FROM {table} WHERE device_id = %s", [machine.pk])  # noqa: S608 - our own
            assert cursor.fetchone() == (0,), table


def test_the_pages_of_the_new_team_show_its_own_side(alice, bob, charlie, machine, other):
    send(machine, ago_s=60, machine_id=7, repetitions=1, theirs=4711)
    move_device(machine, team=other, by=alice)

    assert "4711" not in page_of(charlie, f"/devices/{machine.pk}/").content.decode()
    assert "4711" not in page_of(charlie, "/").content.decode()
    send(machine, machine_id=7, repetitions=1, ours=1234)

    assert "1234" in page_of(charlie, f"/devices/{machine.pk}/").content.decode()
    assert page_of(bob, f"/devices/{machine.pk}/").status_code == 404
    assert machine.name not in page_of(bob, "/").content.decode()


def test_the_page_of_the_old_teams_run_says_that_its_device_moved(alice, bob, machine, other):
    run = services.open_run(
        team=machine.team, device=machine, asset=None, kind="capture", started_at=timezone.now() - timedelta(hours=1)
    )
    move_device(machine, team=other, by=alice)

    page = page_of(bob, f"/runs/{run.pk}/").content.decode()

    assert "Ended: its device moved to another team" in page
    assert f"/devices/{machine.pk}/" not in page  # which is not bob's to see any more


def test_the_move_is_in_the_history_of_both_teams(alice, signed_in, machine, team, other):
    move(signed_in(alice), machine, other)

    events = AuditEvent.objects.filter(kind="device-changed")
    assert {event.team for event in events} == {team, other}
    assert {(event.detail["from"], event.detail["to"], event.detail["by"]) for event in events} == {
        (team.name, other.name, alice.email)
    }


def test_who_does_not_edit_both_teams_moves_nothing(bob, erin, charlie, signed_in, machine, other):
    assert move(signed_in(bob), machine, other).status_code in {403, 404}
    assert move(signed_in(erin), machine, other).status_code == 404  # an editor here, and a stranger there
    assert move(signed_in(charlie), machine, machine.team).status_code == 404

    assert Device.objects.get().team == machine.team


def test_a_device_that_comes_back_brings_its_team_both_of_its_times(alice, bob, machine, team, other):
    send(machine, ago_s=60, machine_id=7, repetitions=1, ours=1111)
    move_device(machine, team=other, by=alice)
    send(machine, machine_id=7, repetitions=1, theirs=2222)
    move_device(machine, team=team, by=alice)
    send(machine, machine_id=7, repetitions=1, ours=3333)

    page = page_of(bob, f"/devices/{machine.pk}/").content.decode()

    assert "1111" in page
    assert "3333" in page
    assert "2222" not in page


def test_a_vehicles_own_device_stays(alice, team, other):
    own = register_device(team=team, name="vehicle:7", contract="racing")[0]

    with pytest.raises(NotMovable):
        move_device(own, team=other, by=alice)


def test_an_exclusion_that_begins_after_the_move_is_gone(alice, machine, other):
    run = services.open_run(team=machine.team, device=machine, asset=None, kind="capture", started_at=timezone.now())
    later = timezone.now() + timedelta(hours=1)
    services.exclude(run, since=later, until=later + timedelta(hours=1), reason="planned")

    move_device(machine, team=other, by=alice)

    assert not Exclusion.objects.filter(undone_at=None).exists()


def test_the_page_of_a_device_moves_it_for_who_edits_both_teams(alice, charlie, machine, other):
    client = Client(headers={"accept": "text/html"})
    client.force_login(alice)
    assert other.name in page_of(alice, f"/devices/{machine.pk}/").content.decode().replace("&#x27;", "'")

    answer = client.post(f"/devices/{machine.pk}/move/", {"team": other.pk})

    assert answer.status_code == 302
    machine.refresh_from_db()
    assert machine.team == other
    stranger = Client(headers={"accept": "text/html"})
    stranger.force_login(charlie)
    assert (
        stranger.post(f"/devices/{machine.pk}/move/", {"team": Team.objects.exclude(pk=other.pk).get().pk}).status_code
        == 404
    )
