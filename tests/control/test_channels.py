"""A device's channels are described by its team; what is stored stays as it was sent."""

import pytest
from django.db import connection
from django.test import Client

from releve.control.accounts.models import AuditEvent, AuditKind
from releve.control.fleet import channels
from releve.control.teams.models import Team


@pytest.fixture
def sent(device):
    with connection.cursor() as cursor:
        for name in ("temperature", "battery", "machine_id"):
            cursor.execute("INSERT INTO channel_name (device_id, channel) VALUES (%s, %s)", [device.id, name])
    device.contract = "gym"
    device.save()
    return f"/api/v1/devices/{device.id}/channels"


def shown(client, address):
    return {row.pop("name"): row for row in client.get(address).json()["data"]}


def test_a_device_has_the_channels_it_sent_as_its_contract_proposes(bob, sent, signed_in):
    found = shown(signed_in(bob), sent)

    assert list(found) == ["battery", "machine_id", "temperature"]
    assert found["machine_id"]["hidden"]
    assert found["battery"] == {
        "display_name": {"en": "battery", "fr": "battery"},
        "unit": "",
        "scale": 1.0,
        "offset": 0.0,
        "kind": "gauge",
        "decimals": None,
        "hidden": False,
    }


def test_an_editor_says_what_a_channel_is_and_takes_it_back(erin, sent, device, signed_in):
    client = signed_in(erin)

    said = client.patch(
        sent,
        {"battery": {"display_name": {"fr": "Batterie"}, "unit": "V", "scale": 0.001, "decimals": 2}},
        content_type="application/json",
    )

    assert said.status_code == 200
    battery = shown(client, sent)["battery"]
    assert (battery["display_name"], battery["unit"]) == ({"en": "battery", "fr": "Batterie"}, "V")
    assert (battery["scale"], battery["decimals"]) == (0.001, 2)
    client.patch(sent, {"battery": {"unit": None, "scale": None}}, content_type="application/json")
    battery = shown(client, sent)["battery"]
    assert (battery["unit"], battery["scale"], battery["decimals"]) == ("", 1.0, 2)
    assert AuditEvent.objects.filter(kind=AuditKind.DEVICE_CHANGED, device=device).count() == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"speed": {"unit": "km/h"}}, "speed"),
        ({"battery": {"units": "V"}}, "battery.units"),
        ({"battery": {"scale": 0}}, "battery.scale"),
        ({"battery": {"scale": "x"}}, "battery.scale"),
        ({"battery": {"kind": "curve"}}, "battery.kind"),
        ({"battery": {"decimals": -1}}, "battery.decimals"),
        ({"battery": {"offset": 1e300}}, "battery.offset"),
        ({"battery": "V"}, "battery"),
        (["battery"], "body"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field(erin, sent, signed_in, body, field):
    answer = signed_in(erin).patch(sent, body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_a_viewer_changes_nothing_and_an_outsider_sees_nothing(bob, charlie, sent, signed_in):
    change = {"battery": {"unit": "V"}}

    assert signed_in(bob).patch(sent, change, content_type="application/json").status_code == 403
    assert signed_in(charlie).get(sent).status_code == 404
    assert signed_in(charlie).patch(sent, change, content_type="application/json").status_code == 404


def test_what_a_team_said_stays_its_own_when_the_device_is_moved(sent, device, team):
    other_team = Team.objects.create(name="Others")
    channels.change(device, {"battery": {"unit": "V"}})
    device.team = other_team
    device.save()

    assert channels.describe(device, ["battery"])["battery"].unit == ""
    assert channels.describe(device, ["battery"], team=team)["battery"].unit == "V"


def test_the_devices_page_shows_values_as_they_are_described(bob, sent, device):
    browser = Client(headers={"accept": "text/html"})
    browser.force_login(bob)
    channels.change(device, {"battery": {"unit": "V", "scale": 0.001, "decimals": 2}})
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO device_seen VALUES (%s, now(), now())", [device.id])
        cursor.execute("SELECT releve_ensure_partition(now())")
        cursor.execute(
            "INSERT INTO reading (device_id, time, id, received, channels) VALUES (%s, now(), 1, now(), %s)",
            [device.id, '{"battery": 3704}'],
        )

    page = browser.get(f"/devices/{device.id}/").content.decode()

    assert "3.7" in page
    assert "(V)" in page
    assert "3704" not in page
