"""Whatever the transport, a submission is timed by the steps of the path: authenticate, decode, commit, answer."""

import re

import httpx
import pytest
from tests.journey.mqtt_client import eventually, signed_in

STEPS = ("authenticate", "decode", "commit", "answer")
TEAM = "Timed"
TOKEN = "the-token-of-the-rule"


@pytest.fixture(scope="module")
def timed(installation, module_start, tmp_path_factory):
    """A server with one worker and a rule action."""
    folder = tmp_path_factory.mktemp("rule")
    (folder / "token").write_text(TOKEN)
    config = folder / "bridge.toml"
    config.write_text(f'[[rule_action]]\nname = "aws"\nteam = "{TEAM}"\ntoken_file = "token"\n')
    return module_start(installation(), "--workers", "1", RELEVE_BRIDGE_CONFIG=str(config))


def counts(server):
    """How many submissions each step has seen, by /metrics."""
    text = httpx.get(f"{server.url}/metrics", timeout=20).text
    found = re.findall(r'^releve_step_seconds_count\{step="(\w+)"\} ([\d.]+)$', text, re.MULTILINE)
    return {step: int(float(count)) for step, count in found}


def post(server, path, body, headers):
    answer = httpx.post(f"{server.url}{path}", json=body, headers=headers, timeout=20)
    assert answer.is_success, answer.text
    return answer.json()


def over_http(server):
    device = server.add_device(team=TEAM)
    post(server, "/api/v1/readings", {"n": 1}, server.bearer(device))


def over_mqtt(server):
    device = server.add_device(team=TEAM)
    with signed_in(server, device) as client:
        client.publish(f"releve/{device['name']}/readings", {"n": 1})


def by_sensor_data(server):
    editor = server.bearer(server.add_account("editor", team=TEAM))
    device = server.add_device("racing", team=TEAM)
    vehicle = post(server, "/vehicle", {"name": "Car"}, editor)["data"]["id"]
    race = post(server, "/race", {"vehicle_id": vehicle, "name": "Final"}, editor)["data"]["id"]
    sample = {"race_id": race, "distance": 1, "speed": 2, "battery": 3}
    post(server, "/sensor_data", sample, server.bearer(device))


def by_rule_action(server):
    device = server.add_device(team=TEAM)
    reading = {"device": device["name"], "n": 1}
    post(server, "/api/v1/bridge/aws-iot", reading, {"Authorization": f"Bearer {TOKEN}"})


def by_replay(server):
    device = server.add_device(team=TEAM)
    editor = server.bearer(server.add_account("editor", team=TEAM))
    post(server, "/api/v1/readings", {"time": "1970-01-01T00:00:01Z", "n": 1}, server.bearer(device))
    before = eventually(lambda: counts(server))
    path = f"/api/v1/devices/{device['id']}/quarantine/replay"
    post(server, path, {"timestamp": "2026-06-01T12:00:00Z"}, editor)
    return before


@pytest.mark.parametrize("send", [over_http, over_mqtt, by_sensor_data, by_rule_action, by_replay])
def test_each_step_of_a_submission_is_timed(timed, send):
    before = counts(timed)

    before = send(timed) or before

    assert set(before) == set(STEPS)
    grown = eventually(lambda: all(counts(timed)[step] > before[step] for step in STEPS))
    assert grown, (before, counts(timed))
