"""The list of devices: its states by the one rule, what is wrong, search and order, and that it is quick."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from releve.control.fleet.heard import heard_of
from releve.control.fleet.models import Device
from releve.control.fleet.queries import last_heard, state
from releve.control.fleet.services import disable_device, register_device
from releve.control.pages.device import today
from releve.control.runs.models import Run

PASSWORD = "correct horse battery staple"
FIRST_BYTE_S = 0.1


@pytest.fixture
def browser(alice):
    cache.clear()
    client = Client(headers={"accept": "text/html"})
    assert client.post("/account/login/", {"login": alice.email, "password": PASSWORD}).status_code == 302
    return client


@pytest.fixture
def send():
    def put(device, seconds_ago, *, value=1.0, late_s=0.0):
        now = datetime.now(UTC)
        with connection.cursor() as cursor:
            for number, ago_s in enumerate(seconds_ago):
                taken = now - timedelta(seconds=ago_s)
                cursor.execute(
                    "INSERT INTO fresh_reading (device_id, time, id, received, channels) VALUES (%s, %s, %s, %s, %s)",
                    [
                        device.pk,
                        taken,
                        number,
                        taken + timedelta(seconds=late_s),
                        json.dumps({"level": value + number}),
                    ],
                )
            latest = now - timedelta(seconds=min(seconds_ago))
            cursor.execute("INSERT INTO device_seen VALUES (%s, %s, %s)", [device.pk, latest, latest])

    return put


def cards(browser, query=""):
    return browser.get(f"/fleet/cards/{query}").content.decode()


def test_the_list_and_the_api_judge_every_rhythm_alike(team, send, browser):
    rhythms = {
        "quick": [100, 101, 102],
        "slow": [480, 1080, 1680, 2280],
        "once": [200],
        "old-once": [400],
        "now": [1, 2],
    }
    devices = {name: register_device(team=team, name=name)[0] for name in rhythms}
    for name, ages in rhythms.items():
        send(devices[name], ages)
    now = datetime.now(UTC)
    seen = last_heard(devices.values())

    listed = heard_of({number: heard.last_seen for number, heard in seen.items()}, now)

    judged = {name: state(device, seen[device.pk], now) == "active" for name, device in devices.items()}
    assert {name: listed[device.pk] for name, device in devices.items()} == judged
    assert judged == {"quick": False, "slow": True, "once": True, "old-once": False, "now": True}


def test_the_list_is_searched_filtered_and_sorted_by_its_address(team, send, browser):
    names = {"press": "gym", "row": "gym", "car": "racing"}
    devices = {name: register_device(team=team, name=name, contract=kind)[0] for name, kind in names.items()}
    send(devices["row"], [1, 2, 3])
    send(devices["car"], [300, 301, 302])
    disable_device(devices["press"])

    def order(query):
        page = cards(browser, query)
        return sorted((name for name in names if f">{name}</a>" in page), key=lambda name: page.index(f">{name}</a>"))

    assert order("") == ["car", "press", "row"]
    assert order("?q=RO") == ["row"]
    assert order("?state=silent") == ["car"]
    assert order("?state=disabled") == ["press"]
    assert order("?kind=gym") == ["press", "row"]
    assert order("?sort=state") == ["car", "row", "press"]
    assert order("?sort=heard") == ["row", "car", "press"]
    assert order("?state=nonsense&page=99") == ["car", "press", "row"]
    assert "No device of your teams is like that" in cards(browser, "?q=nobody")


def test_a_card_says_what_is_wrong_and_what_to_do(team, send, browser):
    device = register_device(team=team, name="press", contract="gym")[0]
    send(device, [300, 301, 302], late_s=-200)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO quarantine (device_id, received, contract, transport, field, reason, digest, payload)"
            " VALUES (%s, now(), 'gym', 'http', 'timestamp', 'before 2000', 'x', 'x')",
            [device.pk],
        )

    page = cards(browser)

    assert "look at its power and its network" in page
    assert "1 message waits in quarantine" in page
    assert "Its clock is ahead" in page


def test_a_card_draws_the_last_hour_and_nothing_older(team, send, browser):
    device = register_device(team=team, name="press")[0]
    send(device, [1, 60, 120, 180, 7200])

    drawn = today.courses(device, ["level"], datetime.now(UTC))["level"]

    assert len(drawn.split()) == 4
    assert "<polyline" in cards(browser)


def test_completeness_of_today_is_what_came_of_what_the_rhythm_promises(team, send):
    device = register_device(team=team, name="press")[0]
    send(device, [second for second in range(1, 101) if second not in range(40, 65)])
    times = [datetime.now(UTC) - timedelta(seconds=number) for number in range(5)]

    share = today.completeness(device, times, datetime.now(UTC))

    assert share == pytest.approx(0.75, abs=0.02) or datetime.now(UTC).hour == 0  # midnight cuts the hundred seconds


def test_nothing_of_another_team_is_in_the_list(team, charlie, send, browser):
    theirs = register_device(team=charlie.memberships.get().team, name="theirs")[0]
    send(theirs, [1, 2])

    assert "theirs" not in cards(browser)


@pytest.mark.alone
def test_two_thousand_devices_and_ten_thousand_runs_answer_at_once_and_small(team, browser):
    made = Device.objects.bulk_create(Device(team=team, name=f"pi-{number:04}") for number in range(2000))
    now = datetime.now(UTC)
    Run.objects.bulk_create(
        Run(team=team, device=made[number % 2000], kind="race", started_at=now - timedelta(days=number), ended_at=now
            - timedelta(days=number, seconds=-5)) for number in range(10_000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO device_seen SELECT id, now(), now() FROM fleet_device")
        cursor.execute(
            "INSERT INTO fresh_reading (device_id, time, id, received, channels)"
            " SELECT id, now() - n * interval '20 seconds', n, now() - n * interval '20 seconds', '{\"level\": 1.5}'"
            " FROM fleet_device, generate_series(1, 20) AS n"
        )
        cursor.execute("ANALYZE")
    browser.get("/")  # what is loaded at the first look alone
    spans_s = []
    for _ in range(5):
        began_s = time.process_time()  # a busy machine is not the page's fault
        page = browser.get("/")
        spans_s.append(time.process_time() - began_s)
    listed = browser.get("/fleet/cards/?sort=state&page=3")

    assert page.status_code == listed.status_code == 200
    assert min(spans_s) <= FIRST_BYTE_S
    assert len(page.content) + len(listed.content) <= 60 * 1024 * 4  # what gzip makes a quarter of, at least
    assert listed.content.count(b'<li class="device"') == 24
    assert b"2000" in listed.content
