"""Promise P4: an outsider gets 404 for another team's ids on every route that the API document has."""

import json
import re
import time
from datetime import UTC, datetime

import httpx
import pytest

READING = {
    "machine_id": 4711,
    "timestamp": "2026-06-01T12:00:00",
    "acceleration_x": 0.1,
    "acceleration_y": 0.2,
    "acceleration_z": 9.8,
    "repetitions": 1,
    "series_time": 1.0,
    "rest_time": 1.0,
}
METHODS = ("get", "post", "put", "patch", "delete")
# How one signs in; whatever else answers a stranger is a mistake.
OPEN = {
    "/auth/login",
    "/api/token/",
    "/api/token/refresh/",
    "/api/token/verify/",
    "/api/auth/sign-out/",
    "/api/schema/",  # open on loopback
}


@pytest.fixture(scope="module")
def document(server):
    return httpx.get(f"{server.url}/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()


@pytest.fixture(scope="module")
def alices(server):
    """What Alice's team owns, by the words that routes use."""
    alice = server.add_account("admin", team="Alice's team")
    device = server.add_device("gym", team="Alice's team")
    httpx.post(f"{server.url}/data", json=READING, headers=server.bearer(device)).raise_for_status()
    implausible = {"time": "1970-01-01T00:00:00Z", "speed": 1}
    httpx.post(f"{server.url}/api/v1/readings", json=implausible, headers=server.bearer(device)).raise_for_status()
    [(device_id,)] = server.query("SELECT id FROM fleet_device WHERE name = %s", device["name"])
    [(asset_id,)] = server.query("SELECT asset_id FROM fleet_mount WHERE device_id = %s", device_id)
    [(quarantine_id,)] = server.query("SELECT id FROM quarantine WHERE device_id = %s", device_id)
    bearer = server.bearer(alice)
    [(sign_in,)] = server.query(
        "SELECT accounts_signin.id::text FROM accounts_signin JOIN accounts_account ON account_id = accounts_account.id"
        " WHERE email = %s",
        alice["email"],
    )
    return {
        "bearer": bearer,
        "sign_in": sign_in,
        "device": device_id,
        "asset": asset_id,
        "quarantine": quarantine_id,
        "machine": READING["machine_id"],
        "values": [device["name"], alice["email"], "4711"],
    }


@pytest.fixture(scope="module")
def charlie(server):
    return server.bearer(server.add_account("admin", team="Charlie's team"))


def filled(path, alices):
    """The path with Alice's ids in it."""

    def value(match):
        name, before = match[1], path[: match.start()]
        if "sign_in" in name:
            return alices["sign_in"]
        if "quarantine" in before and name == "id":
            return str(alices["quarantine"])
        if "machine" in name:
            return str(alices["machine"])
        kind = "asset" if "asset" in before else "device"
        return str(alices[kind])

    return re.sub(r"\{(\w+)\}", value, path)


def body_of(operation):
    return {} if "requestBody" in operation else None


def test_every_route_with_an_id_is_404_for_an_outsider(server, document, alices, charlie):
    asked = []
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and "{" in path:
                answer = httpx.request(
                    method, server.url + filled(path, alices), headers=charlie, json=body_of(item[method])
                )
                asked.append((method, path))
                assert answer.status_code == 404, (method, path, answer.text)
                assert not any(value in answer.text for value in alices["values"][:2])

    assert ("get", "/api/v1/devices/{device}/readings") in asked
    assert len(asked) >= 10


def test_every_list_leaves_another_teams_rows_out(server, document, alices, charlie):
    for path, item in document["paths"].items():
        if "get" in item and "{" not in path and path != "/api/schema/":
            status, text = begun(server.url + path, charlie)

            # 504 is contract B's own word for a broker that never spoke.
            assert status < 500 or (path, status) == ("/get_broker_data", 504), text
            for value in alices["values"][:2]:
                assert value not in text, path


def begun(url, headers):
    """Status and text of an answer; of a stream without an end what comes in its first second."""
    parts = []
    with httpx.stream("GET", url, headers=headers, follow_redirects=False, timeout=20) as answer:
        is_endless = answer.headers.get("content-type", "").startswith("text/event-stream")
        began_s = time.monotonic()
        try:
            for part in answer.iter_text():
                parts.append(part)
                if is_endless and time.monotonic() - began_s > 1:
                    break
        except httpx.ReadTimeout:
            assert is_endless
    return answer.status_code, "".join(parts)


def test_the_owner_gets_what_the_outsider_does_not(server, document, alices):
    for path in ("/api/v1/devices/{device}/readings", "/api/v1/devices/{device}/quarantine", "/status/{machine_id}"):
        answer = httpx.get(server.url + filled(path, alices), headers=alices["bearer"])

        assert answer.status_code == 200, (path, answer.text)


def test_nothing_answers_without_a_sign_in_but_what_is_meant_to(server, document, alices):
    for path, item in document["paths"].items():
        for method in METHODS:
            operation = item.get(method)
            if operation is None or path in OPEN:
                continue
            answer = httpx.request(method, server.url + filled(path, alices), json=body_of(operation), timeout=20)

            assert answer.status_code in (401, 403), (method, path, answer.status_code, answer.text)


def test_a_device_may_only_write_its_own_readings(server, document, alices):
    device = server.bearer(server.add_device(team="Alice's team"))
    for path, item in document["paths"].items():
        if "get" in item and "{" in path and "status" not in path:
            answer = httpx.get(server.url + filled(path, alices), headers=device)

            assert answer.status_code in (403, 404), (path, answer.text)


def test_a_machine_number_is_each_teams_own(server, alices):
    other = server.bearer(server.add_device("gym", team="Charlie's team"))
    now = datetime.now(UTC).replace(tzinfo=None).isoformat()
    httpx.post(f"{server.url}/data", json={**READING, "battery": 5, "timestamp": now}, headers=other).raise_for_status()

    theirs = httpx.get(f"{server.url}/status/4711", headers=other).json()
    ours = httpx.get(f"{server.url}/status/4711", headers=alices["bearer"]).json()

    assert (theirs["battery"], ours["battery"]) == ("5%", None)
    assert json.dumps(ours) != json.dumps(theirs)
