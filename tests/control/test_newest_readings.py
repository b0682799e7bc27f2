"""What pages and lists say of a device's newest readings is the same, wherever these lie."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from tests.homes import HOMES, row, spread

from releve.control.fleet import queries
from releve.control.fleet.queries import Heard
from releve.control.pages.device.received import last_readings
from releve.control.readings.newest import newest
from releve.protocol.instant import us_of

pytestmark = pytest.mark.django_db

START_US = 1_780_315_200_000_000
SECOND_US = 1_000_000


@pytest.fixture(params=HOMES)
def where(request):
    return request.param


def keep(device, rows, where):
    connection.ensure_connection()
    spread(connection.connection, device.pk, rows, where)
    return sorted(rows, reverse=True)


def test_a_devices_page_pages_through_every_reading_once(device, where):
    rows = [
        row(START_US + place // 3 * SECOND_US, {"n": place}, sent="12" if place % 2 else None) for place in range(40)
    ]
    expected = keep(device, rows, where)

    found, before = [], None
    while page := last_readings(device, limit=7, before=before):
        found += page
        before = page[-1].time, page[-1].id

    assert [(us_of(each.time), each.id, us_of(each.received), each.channels, each.sent) for each in found] == [
        (each.time_us, each.id, each.received_us, json.loads(each.channels), each.sent) for each in expected
    ]


def test_only_what_was_measured_while_the_device_was_the_teams_is_shown(device, where):
    keep(device, [row(START_US + place * SECOND_US, {"n": place}) for place in range(9)], where)

    assert len(newest(device.pk, limit=100, team=device.team_id)) == 9
    assert newest(device.pk, limit=100, team=device.team_id + 1_000) == []


def test_a_device_that_reports_once_an_hour_is_active_for_three(device, where):
    now = timezone.now().astimezone(UTC)
    at = [now - timedelta(hours=place, minutes=30) for place in range(30)]
    keep(device, [row(us_of(each), {"n": place}) for place, each in enumerate(at)], where)
    heard = Heard(last_seen=at[0], last_time=at[0])

    assert queries.state(device, heard, now) == "active"
    assert queries.state(device, heard, now + timedelta(hours=2, minutes=20)) == "active"
    assert queries.state(device, heard, now + timedelta(hours=2, minutes=40)) == "silent"
    assert datetime.fromtimestamp(newest(device.pk, limit=1)[0].time_us / 1e6, UTC) == at[0]
