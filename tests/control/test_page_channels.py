"""Channels on a device's page: named, converted and hidden in place, and taken back from the list of changes."""

import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from releve.control.fleet import channels
from releve.control.fleet.services import register_device

PASSWORD = "correct horse battery staple"


@pytest.fixture
def browse():
    cache.clear()

    def make(account) -> Client:
        client = Client(headers={"accept": "text/html", "accept-language": "en"})
        assert client.post("/account/login/", {"login": account.email, "password": PASSWORD}).status_code == 302
        return client

    return make


@pytest.fixture
def car(team):
    made = register_device(team=team, name="car", contract="racing")[0]
    with connection.cursor() as cursor:
        for name in ("battery", "<b>x</b>"):
            cursor.execute("INSERT INTO channel_name VALUES (%s, %s)", [made.pk, name])
    return made


def say(client, car, **fields):
    return client.post(f"/devices/{car.pk}/channels/", {"channel": "battery", **fields}, follow=True).content.decode()


def test_a_channel_is_named_and_converted_in_place_and_that_is_undone(browse, erin, car):
    client = browse(erin)

    page = say(client, car, name_en="Pack", unit="V", scale="0.001", decimals="2", is_hidden="False")

    battery = channels.describe(car, ["battery"])["battery"]
    assert (battery.name_en, battery.name_fr, battery.unit, battery.shown(3704)) == ("Pack", "Batterie", "V", 3.7)
    assert "battery.unit: — → V" in page
    undo = re.search(r'action="(/devices/\d+/changes/\d+/undo/)"', page)[1]
    client.post(undo)
    assert channels.describe(car, ["battery"])["battery"].unit == ""


def test_what_is_left_empty_is_as_the_contract_proposes(browse, erin, car):
    client = browse(erin)
    say(client, car, name_fr="Accu", unit="V")

    say(client, car, name_fr="", unit="V")

    assert channels.describe(car, ["battery"])["battery"].name_fr == "Batterie"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"scale": "0"}, "Multiplied by: A number other than nought"),
        ({"offset": "1e99"}, "Then added: A number up to"),
        ({"decimals": "99"}, "Decimals: "),
        ({"kind": "nonsense"}, "Read as: "),
        ({"channel": "never"}, "The device never sent such a channel"),
    ],
)
def test_what_cannot_be_said_is_refused_at_its_field(browse, erin, car, fields, says):
    page = say(browse(erin), car, **fields)

    assert says in page
    assert not car.channel_descriptions.exists()


def test_a_viewer_sees_no_form_and_changes_no_channel(browse, bob, car):
    client = browse(bob)

    assert client.post(f"/devices/{car.pk}/channels/", {"channel": "battery", "unit": "V"}).status_code == 403
    assert 'name="channel"' not in client.get(f"/devices/{car.pk}/").content.decode()


def test_names_of_channels_never_become_markup(browse, erin, car):
    page = say(browse(erin), car, name_en="<script>alert(1)</script>")

    assert "<b>x</b>" not in page
    assert "<script>alert" not in page
