"""Each account looks on its own clock and in its own numbers: pages, forms, and what scripts are told."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from releve.control.fleet.services import register_device
from releve.control.runs.models import Run

PASSWORD = "correct horse battery staple"
SUMMER = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def browse():
    cache.clear()

    def make(account) -> Client:
        client = Client(headers={"accept": "text/html", "accept-language": "en"})
        assert client.post("/account/login/", {"login": account.email, "password": PASSWORD}).status_code == 302
        return client

    return make


@pytest.fixture
def machine(team):
    made = register_device(team=team, name="press-pi", timezone="America/New_York")[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO fresh_reading (device_id, time, id, received, channels) VALUES (%s, %s, 1, %s, %s)",
            [made.pk, SUMMER, SUMMER, '{"level": 1.5}'],
        )
        cursor.execute("INSERT INTO device_seen VALUES (%s, %s, %s)", [made.pk, SUMMER, SUMMER])
    return made


def page(client, path):
    return client.get(path).content.decode()


def test_two_people_see_one_instant_each_on_their_own_clock(browse, alice, bob, machine):
    browse(alice).post("/account/settings/", {"timezone": "Asia/Tokyo", "numbers": ""})

    hers, his = (page(browse(who), f"/devices/{machine.pk}/") for who in (alice, bob))

    assert "1 Jul 2026, 21:00:00 JST" in hers
    assert "1 Jul 2026, 12:00:00 UTC" in his
    assert 'data-zone="Asia/Tokyo"' in hers
    assert 'data-zone="UTC"' in his


def test_one_request_leaves_no_clock_behind_for_the_next(browse, alice, bob, machine):
    first, second = browse(alice), browse(bob)
    first.post("/account/settings/", {"timezone": "Asia/Tokyo", "numbers": "fr"})

    page(first, f"/devices/{machine.pk}/")

    assert "JST" not in page(second, f"/devices/{machine.pk}/")
    assert "JST" not in page(Client(), "/account/login/")


def test_numbers_are_written_as_the_account_wants_them_whatever_the_language(browse, alice, machine):
    client = browse(alice)
    client.post("/account/settings/", {"timezone": "", "numbers": "fr"})

    shown = page(client, f"/devices/{machine.pk}/")

    assert "<span>1,5</span>" in shown
    assert 'data-locale="fr"' in shown
    assert '<html lang="en">' in shown


def test_an_instant_that_is_typed_is_read_on_the_accounts_clock(browse, alice, machine):
    run = Run.objects.create(
        team=machine.team, device=machine, kind="race", started_at=SUMMER, ended_at=SUMMER + timedelta(hours=1)
    )
    client = browse(alice)
    client.post("/account/settings/", {"timezone": "Asia/Tokyo", "numbers": ""})

    assert 'value="2026-07-01T21:00:00.000"' in page(client, f"/runs/{run.pk}/")


def test_a_run_shows_its_devices_clock_where_it_is_another(browse, alice, machine):
    run = Run.objects.create(
        team=machine.team, device=machine, kind="race", started_at=SUMMER, ended_at=SUMMER + timedelta(hours=1)
    )
    client = browse(alice)

    assert "1 Jul 2026, 08:00:00 EDT" in page(client, f"/runs/{run.pk}/")

    client.post("/account/settings/", {"timezone": "America/New_York", "numbers": ""})
    assert "On the device" not in page(client, f"/runs/{run.pk}/")


@pytest.mark.parametrize("name", ["Europe/Nowhere", "../etc/passwd", "x" * 65])
def test_a_zone_that_there_is_not_is_refused_at_its_field(browse, alice, name):
    answer = browse(alice).post("/account/settings/", {"timezone": name, "numbers": ""})

    assert answer.status_code == 422
    assert 'id="id_timezone_error"' in answer.content.decode()
    alice.refresh_from_db()
    assert alice.timezone == ""


def test_a_zone_that_the_system_has_lost_is_the_installations(browse, alice, machine):
    type(alice).objects.filter(pk=alice.pk).update(timezone="Europe/Lost")

    assert "12:00:00 UTC" in page(browse(alice), f"/devices/{machine.pk}/")


def test_the_offer_leads_back_to_its_page_and_to_no_other_site(browse, alice):
    client = browse(alice)

    ours = client.post("/account/settings/", {"timezone": "Asia/Tokyo", "next": "/runs/?state=open"})
    theirs = client.post("/account/settings/", {"timezone": "Asia/Tokyo", "next": "//elsewhere.example/"})

    assert ours.headers["Location"] == "/runs/?state=open"
    assert theirs.headers["Location"] == "/account/settings/"


def test_the_browsers_zone_is_offered_until_one_is_chosen_and_never_beside_a_secret(browse, alice, machine):
    client = browse(alice)

    assert 'id="zone-offer"' in page(client, "/runs/")
    assert 'id="zone-offer"' not in page(client, "/account/settings/")
    assert 'id="zone-offer"' not in client.post(f"/devices/{machine.pk}/secret/").content.decode()

    client.post("/account/settings/", {"timezone": "UTC", "numbers": ""})
    assert 'id="zone-offer"' not in page(client, "/runs/")
