"""What many devices said last, and the least and the greatest of the day, over real HTTP."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

NOW = datetime.now(UTC)


def us(when):
    return int(when.timestamp() * 1_000_000)


class Team:
    """A team of devices that sent readings of the last minutes and of two days ago."""

    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.viewer = server.bearer(server.add_account("viewer", team=name))
        self.devices = []

    def device(self, *levels):
        """A device that sent these, a second apart, the last one now; and the greatest of all two days ago."""
        secret = self.server.add_device("profilometre", team=self.name)
        sent = [(NOW - timedelta(days=2), 99.0)]
        sent += [(NOW - timedelta(seconds=len(levels) - place), level) for place, level in enumerate(levels)]
        lines = [json.dumps({"time": when.isoformat(), "temperature": level, "mode": "on"}) for when, level in sent]
        headers = {**self.server.bearer(secret), "Content-Type": "application/x-ndjson"}
        httpx.post(
            f"{self.server.url}/api/v1/readings", content="\n".join(lines), headers=headers, timeout=60
        ).raise_for_status()
        [(number,)] = self.server.query("SELECT id FROM fleet_device WHERE name = %s", secret["name"])
        self.devices.append(number)
        return number

    def get(self, headers=None, **asked):
        url = f"{self.server.url}/api/v1/latest"
        return httpx.get(url, params=asked, headers=self.viewer if headers is None else headers, timeout=60)

    def seen(self, **asked):
        answer = self.get(**asked)
        assert answer.status_code == 200, answer.text
        return {each["device"]: each["channels"] for each in answer.json()["devices"]}


@pytest.fixture(scope="module")
def team(server):
    team = Team(server, "Lookers")
    team.device(20.5, 18.0, 21.0)
    team.device(3.0)
    team.server.add_device("generic", team="Lookers")  # it sent nothing
    return team


def test_all_devices_of_a_team_are_seen_at_once_with_the_day_s_least_and_greatest(team):
    since = (NOW - timedelta(minutes=5)).isoformat()
    first, second = team.devices

    found = team.seen(channel=["temperature", "mode", "none"], **{"from": since})

    assert len(found) >= 3
    assert found[first] == {"temperature": {"unit": "°C", "last": 21.0, "low": 18.0, "high": 21.0}}
    assert found[second] == {"temperature": {"unit": "°C", "last": 3.0, "low": 3.0, "high": 3.0}}
    assert list(team.seen(channel="temperature", device=second)) == [second]


def test_the_day_begins_at_midnight_of_the_zone(team):
    found = team.get(channel="temperature", zone="Europe/Paris").json()

    local = datetime.now(ZoneInfo("Europe/Paris"))
    assert found["from"] == us(local.replace(hour=0, minute=0, second=0, microsecond=0))


def test_a_stranger_s_device_is_not_seen_and_a_device_does_not_look(server, team):
    stranger = server.bearer(server.add_account("admin", team="Not lookers"))
    device = server.bearer(server.add_device("generic", team="Lookers"))

    assert team.get(stranger, channel="temperature").json()["devices"] == []
    assert team.get(stranger, channel="temperature", device=team.devices[0]).status_code == 404
    assert team.get(device, channel="temperature").status_code == 403
    assert team.get({}, channel="temperature").status_code == 401


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "channel"),
        ({"channel": "a", "device": list(range(1, 1_002))}, "device"),
        ({"channel": "a", "zone": "Mars"}, "zone"),
        ({"channel": "a", "zone": "UTC", "from": "2026-01-01"}, "zone"),
        ({"channel": "a", "points": "7"}, "points"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(team, asked, field):
    answer = team.get(**asked)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
