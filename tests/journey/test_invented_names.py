"""A device that invents names of channels, as its team and its operator see it."""

import json

import httpx
from tests.journey.mqtt_client import V5, eventually, signed_in

READINGS = "/api/v1/readings"


def test_a_device_that_invents_names_fills_its_quarantine_until_the_operator_allows_more(start_server, own_data_dir):
    server = start_server("--workers", "1", data_dir=own_data_dir, RELEVE_DEVICE_CHANNELS="2")
    device = server.add_device(team="Inventors")
    editor = server.bearer(server.add_account("editor", team="Inventors"))
    good = {"time": "2026-06-01T12:00:00Z", "a": 1, "b": 2}
    over_http, over_mqtt = {"time": "2026-06-01T12:00:01Z", "c": 3}, {"time": "2026-06-01T12:00:02Z", "c": "four"}

    stored = httpx.post(f"{server.url}{READINGS}", json=good, headers=server.bearer(device)).json()
    refused = httpx.post(f"{server.url}{READINGS}", json=over_http, headers=server.bearer(device)).json()
    with signed_in(server, device, V5) as client:
        client.post(f"releve/{device['name']}/readings", json.dumps(over_mqtt).encode(), qos=1)
        assert client.receive().reason == 0

    assert stored["outcome"] == "stored"
    assert (refused["outcome"], refused["field"]) == ("quarantined", "c")
    assert "RELEVE_DEVICE_CHANNELS" in refused["reason"]
    address = f"/api/v1/devices/{device['id']}"
    kept = eventually(lambda: two(httpx.get(f"{server.url}{address}/quarantine", headers=editor).json()["quarantine"]))
    assert [(each["transport"], each["field"]) for each in kept] == [("http", "c"), ("mqtt", "c")]

    server.stop()
    server = start_server("--workers", "1", data_dir=own_data_dir, RELEVE_DEVICE_CHANNELS="3")
    with httpx.Client(base_url=server.url, headers=editor) as person:
        replayed = person.post(f"{address}/quarantine/replay").json()["replayed"]
        readings = person.get(f"{address}/readings").json()["readings"]

        assert [verdict["outcome"] for verdict in replayed] == ["stored", "stored"]
        assert [reading["channels"] for reading in readings] == [{"a": 1, "b": 2}, {"c": 3}, {"c": "four"}]
        assert person.get(f"{address}/quarantine").json()["quarantine"] == []


def two(rows):
    return rows if len(rows) == 2 else None
