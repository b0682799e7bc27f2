"""A device that moves to another team while it is connected, over HTTP and MQTT: each team meets its own side only."""

import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest
import requests
from tests.journey.mqtt_client import V5, Raw, eventually, signed_in

from releve.protocol.mqtt.packet import Puback, Publish

# ruff: noqa: S113 - the published clients give no timeout either


@pytest.fixture
def teams():
    return f"Old {secrets.token_hex(4)}", f"New {secrets.token_hex(4)}"


@pytest.fixture
def cast(server, teams):
    """The owner edits both teams; a mate of each views; the outsider is of neither."""
    owner = server.add_account("editor", team=teams[0])
    people = {
        "owner": server.bearer(owner),
        "old mate": server.bearer(server.add_account("viewer", team=teams[0])),
        "new mate": server.bearer(server.add_account("viewer", team=teams[1])),
        "outsider": server.bearer(server.add_account("admin", team=f"Else {secrets.token_hex(4)}")),
    }
    server.query(
        "INSERT INTO teams_membership (team_id, account_id, role) SELECT team.id, account.id, 'editor' "
        "FROM teams_team AS team, accounts_account AS account WHERE team.name = %s AND account.email = %s RETURNING id",
        teams[1],
        owner["email"],
    )
    return people


@pytest.fixture
def device(server, teams):
    added = server.add_device("generic", team=teams[0])
    return {**added, "id": server.query("SELECT id FROM fleet_device WHERE name = %s", added["name"])[0][0]}


@pytest.fixture
def url(server, device):
    return f"{server.url}/api/v1/devices/{device['id']}"


@pytest.fixture
def moved(server, cast, teams, url):
    def move():
        (team,) = server.query("SELECT id FROM teams_team WHERE name = %s", teams[1])[0]
        answer = requests.patch(url, json={"team": team}, headers=cast["owner"])
        assert answer.status_code == 200, answer.text
        assert answer.json()["team"] == {"id": team, "name": teams[1]}

    return move


def values(url, headers, **query):
    found = requests.get(f"{url}/readings", params=query, headers=headers)
    return [row["channels"]["n"] for row in found.json()["readings"]] if found.status_code == 200 else found.status_code


def exported(url, headers):
    found = requests.get(f"{url}/export", params={"format": "ndjson"}, headers=headers)
    lines = found.text.splitlines()
    return [json.loads(line)["channels"]["n"] for line in lines] if found.status_code == 200 else found.status_code


def test_each_team_reads_its_own_side_of_a_move_however_it_asks(server, cast, device, url, moved):
    send = {"url": f"{server.url}/api/v1/readings", "headers": server.bearer(device)}
    now = datetime.now(UTC)
    before = [{"time": (now - timedelta(seconds=second)).isoformat(), "n": second} for second in (3, 2, 1)]
    requests.post(json=before, **send)
    requests.post(json={"time": "1999-01-01T00:00:00Z", "n": 0}, **send)

    moved()
    assert requests.post(json={"n": 100}, **send).status_code == 200
    requests.post(json={"time": (now - timedelta(seconds=4)).isoformat(), "n": 4}, **send)  # late, of the old side
    requests.post(json={"time": "1999-01-01T00:00:00Z", "n": 101}, **send)

    for order in ("asc", "desc"):
        assert sorted(values(url, cast["old mate"], order=order)) == [1, 2, 3, 4]
        assert values(url, cast["new mate"], order=order) == [100]
    page = requests.get(f"{url}/readings", params={"limit": 1, "order": "desc"}, headers=cast["old mate"]).json()
    assert values(url, cast["old mate"], order="desc", cursor=page["next"]) == [2, 3, 4]
    assert sorted(values(url, cast["owner"])) == [1, 2, 3, 4, 100]  # of both teams
    assert values(url, cast["outsider"]) == exported(url, cast["outsider"]) == 404
    assert (exported(url, cast["old mate"]), exported(url, cast["new mate"])) == ([4, 3, 2, 1], [100])
    assert exported(url, cast["owner"]) == [4, 3, 2, 1, 100]

    def kept(who):
        return [row["payload"] for row in requests.get(f"{url}/quarantine", headers=cast[who]).json()["quarantine"]]

    assert [len(kept(who)) for who in ("old mate", "new mate", "owner")] == [1, 1, 2]
    assert '"n":101' in kept("new mate")[0].replace(" ", "")
    assert requests.get(f"{url}/config", headers=cast["old mate"]).status_code == 404
    assert requests.get(url, headers=cast["old mate"]).status_code == 404


def test_an_open_run_of_the_old_team_shows_and_exports_nothing_of_the_new_one(server, cast, device, url, moved):
    send = {"url": f"{server.url}/api/v1/readings", "headers": server.bearer(device)}
    start = datetime.now(UTC) - timedelta(seconds=10)
    body = {"device": device["id"], "kind": "capture", "started_at": start.isoformat()}
    run = requests.post(f"{server.url}/api/v1/runs", json=body, headers=cast["owner"]).json()
    requests.post(json={"n": 1}, **send)

    moved()
    requests.post(json={"n": 100}, **send)

    shown = f"{server.url}/api/v1/runs/{run['id']}"
    found = requests.get(shown, headers=cast["old mate"]).json()
    assert not found["is_open"]
    assert found["summary"]["channels"]["n"]["high"] == 1
    assert len(requests.get(f"{shown}/export?format=ndjson", headers=cast["old mate"]).text.splitlines()) == 1
    assert requests.get(shown, headers=cast["new mate"]).status_code == 404


def test_a_connected_device_goes_on_and_hears_nothing_that_the_old_team_told_it(server, cast, device, url, moved):
    topic = f"releve/{device['name']}"
    with signed_in(server, device, V5) as client:
        client.post(f"{topic}/readings", {"n": 1})
        assert isinstance(client.receive(), Puback)
        requests.post(f"{url}/commands", json={"command": "stop"}, headers=cast["owner"])
        requests.put(f"{url}/config", json={"rate": 1}, headers=cast["owner"])

        moved()

        assert client.subscribe(f"{topic}/commands", f"{topic}/config") == [1, 1]
        assert client.is_silent(1)
        client.post(f"{topic}/readings", {"n": 100})
        assert isinstance(client.receive(), Puback)
        assert eventually(lambda: values(url, cast["new mate"]) == [100])
        assert values(url, cast["old mate"]) == [1]
        requests.post(f"{url}/commands", json={"command": "go"}, headers=cast["owner"])
        assert b'"go"' in client.receive().payload
    states = requests.get(f"{url}/commands", headers=cast["old mate"]).json()["data"]
    assert [(row["command"], row["state"]) for row in states] == [("stop", "expired")]


def test_who_watches_the_old_team_hears_nothing_live_after_the_move(server, cast, device, moved):
    topic = f"releve/{device['name']}"
    with Raw(server, V5) as old, Raw(server, V5) as new, signed_in(server, device, V5) as client:
        for watcher, who in ((old, "old mate"), (new, "new mate")):
            mqtt = requests.post(f"{server.url}/api/v1/mqtt/token", headers=cast[who]).json()
            watcher.connect(username=mqtt["username"], password=mqtt["token"].encode())
            watcher.subscribe("releve/+/live/#")
        client.post(f"{topic}/readings", {"n": 1})
        assert isinstance(client.receive(), Puback)
        assert isinstance(old.receive(), Publish)

        moved()
        client.post(f"{topic}/readings", {"n": 100})

        assert b"100" in new.receive().payload
        assert old.is_silent(1)
