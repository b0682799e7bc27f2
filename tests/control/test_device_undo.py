"""What people change of a device is kept, and undone as long as nothing else was changed since."""

import pytest
from django.db import connection

from releve.control.fleet.models import Asset
from releve.control.fleet.services import register_device
from releve.control.teams.models import Role, Team

DEVICES = "/api/v1/devices"


@pytest.fixture
def machine(team):
    made = register_device(team=team, name="press-pi", contract="gym", timezone="UTC")[0]
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO channel_name VALUES (%s, 'battery')", [made.pk])
    return made


@pytest.fixture
def api(alice, signed_in):
    return signed_in(alice)


def changes(api, device):
    return api.get(f"{DEVICES}/{device.pk}/changes").json()["data"]


def undo(api, device, change):
    return api.post(f"{DEVICES}/{device.pk}/changes/{change['id']}/undo")


@pytest.mark.parametrize(
    ("field", "value", "before"),
    [("name", "leg-press", "press-pi"), ("contract", "generic", "gym"), ("timezone", "Europe/Paris", "UTC")],
)
def test_a_change_of_a_device_is_undone(api, machine, field, value, before):
    api.patch(f"{DEVICES}/{machine.pk}", {field: value})
    (change,) = changes(api, machine)

    answer = undo(api, machine, change)

    assert (change["before"], change["after"]) == ({field: before}, {field: value})
    assert change["by"] == "alice@example.com"
    assert answer.json()[field] == before
    assert changes(api, machine)[0]["undone_at"] is not None


def test_a_change_is_undone_once(api, machine):
    api.patch(f"{DEVICES}/{machine.pk}", {"name": "leg-press"})
    (change,) = changes(api, machine)
    undo(api, machine, change)

    again = undo(api, machine, change)

    assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "change")


def test_what_was_changed_again_since_is_not_undone(api, machine):
    api.patch(f"{DEVICES}/{machine.pk}", {"name": "leg-press"})
    api.patch(f"{DEVICES}/{machine.pk}", {"name": "chest-press"})
    newest, first = changes(api, machine)

    assert undo(api, machine, first).status_code == 409
    assert undo(api, machine, newest).json()["name"] == "leg-press"
    assert undo(api, machine, first).json()["name"] == "press-pi"


def test_a_name_that_somebody_else_has_by_now_is_not_taken_back(api, machine, team):
    api.patch(f"{DEVICES}/{machine.pk}", {"name": "leg-press"})
    register_device(team=team, name="press-pi")

    refused = undo(api, machine, changes(api, machine)[0])

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "name")
    assert changes(api, machine)[0]["undone_at"] is None


def test_what_is_said_of_channels_is_undone_with_what_was_said_before(api, machine):
    address = f"{DEVICES}/{machine.pk}/channels"
    api.patch(address, {"battery": {"unit": "mV", "decimals": 0}})
    api.patch(address, {"battery": {"unit": "V", "scale": 0.001}})

    undo(api, machine, changes(api, machine)[0])

    (battery,) = api.get(address).json()["data"]
    assert (battery["unit"], battery["scale"], battery["decimals"]) == ("mV", 1.0, 0)
    undo(api, machine, changes(api, machine)[1])
    assert api.get(address).json()["data"][0]["unit"] == ""


def test_a_device_is_mounted_on_an_asset_and_the_mounting_is_undone(api, machine, team):
    press = Asset.objects.create(team=team, kind="machine", key="7", name="Leg press")

    api.patch(f"{DEVICES}/{machine.pk}", {"asset": press.pk})
    assert list(machine.mounts.values_list("asset", flat=True)) == [press.pk]

    undo(api, machine, changes(api, machine)[0])
    assert not machine.mounts.exists()


def test_a_device_is_not_mounted_on_another_teams_asset(api, alice, machine):
    elsewhere = Team.objects.create(name="Elsewhere")
    strange = Asset.objects.create(team=elsewhere, kind="machine", key="7", name="Theirs")
    assert api.patch(f"{DEVICES}/{machine.pk}", {"asset": strange.pk}).status_code == 404

    elsewhere.memberships.create(account=alice, role=Role.EDITOR)
    refused = api.patch(f"{DEVICES}/{machine.pk}", {"asset": strange.pk})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "asset")


def test_a_viewer_undoes_nothing_and_an_outsider_sees_no_change(api, bob, charlie, signed_in, machine):
    api.patch(f"{DEVICES}/{machine.pk}", {"name": "leg-press"})
    (change,) = changes(api, machine)

    assert undo(signed_in(bob), machine, change).status_code == 403
    assert undo(signed_in(charlie), machine, change).status_code == 404
    assert signed_in(charlie).get(f"{DEVICES}/{machine.pk}/changes").status_code == 404
