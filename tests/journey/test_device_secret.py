"""One line is enough to send: a device's own secret in place of a token, on every route that takes readings."""

import secrets
import shlex
import subprocess
import time

import httpx
import pytest

GYM = {
    "machine_id": 7, "timestamp": "2026-06-01T12:00:00", "acceleration_x": 0.1, "acceleration_y": 0.2,
    "acceleration_z": 9.8, "repetitions": 1, "series_time": 1.0, "rest_time": 0.0,
}  # fmt: skip
PROFILE = {"temperature": 20.5, "humidite": 40, "accelerometre": 0.1, "timestamp": "2026-06-01T12:00:00"}
ROUTES = {"/api/v1/readings": {"speed": 12.5}, "/data": GYM, "/api/send/data/": PROFILE}


@pytest.fixture
def device(server):
    return server.add_device()


def send(server, device, path="/api/v1/readings", body=None, *, secret=None, basic=False):
    secret = secret or device["secret"]
    how = {"auth": (device["name"], secret)} if basic else {"headers": {"Authorization": f"Bearer {secret}"}}
    return httpx.post(f"{server.url}{path}", json=body or {"speed": 1}, **how)


@pytest.mark.parametrize("basic", [False, True])
@pytest.mark.parametrize("path", ROUTES)
def test_a_secret_sends_on_every_route_of_readings(server, device, path, basic):
    answer = send(server, device, path, ROUTES[path], basic=basic)

    assert (answer.status_code, answer.json()["outcome"]) == (200, "stored"), answer.text


def test_a_secret_sends_a_sample_of_a_race(server):
    car, editor = server.add_device("racing"), server.bearer(server.add_account("editor"))
    vehicle = httpx.post(f"{server.url}/vehicle", json={"name": "Car"}, headers=editor).json()["data"]["id"]
    body = {"vehicle_id": vehicle, "name": "Race"}
    race = httpx.post(f"{server.url}/race", json=body, headers=editor).json()["data"]["id"]

    answer = send(server, car, "/sensor_data", {"race_id": race, "distance": 1, "speed": 2, "battery": 98})

    assert answer.status_code == 201, answer.text


def test_the_tutorials_one_line_of_curl_sends(server, device):
    line = f"curl -sd '{{\"speed\": 12.5}}' {server.url}/api/v1/readings -H 'Authorization: Bearer {device['secret']}'"

    done = subprocess.run(shlex.split(line), capture_output=True, text=True, check=True)

    assert '"outcome":"stored"' in done.stdout


@pytest.mark.parametrize("basic", [False, True])
def test_a_replaced_secret_and_a_disabled_device_are_refused_within_five_seconds(server, device, basic):
    editor = server.bearer(server.add_account("editor"))
    assert send(server, device, basic=basic).status_code == 200
    httpx.post(f"{server.url}/api/v1/devices/{device['id']}/new-secret", headers=editor).raise_for_status()

    deadline_s = time.monotonic() + 5
    while send(server, device, basic=basic).status_code != 401:
        assert time.monotonic() < deadline_s


def test_a_secret_opens_nothing_but_the_routes_of_readings(server, device):
    for path in ("/api/auth/profile/", "/api/v1/devices", f"/api/v1/devices/{device['id']}/readings"):
        for headers in ({"Authorization": f"Bearer {device['secret']}"}, {"token": device["secret"]}):
            assert httpx.get(f"{server.url}{path}", headers=headers).status_code == 401


def test_a_secret_that_two_devices_share_is_sent_with_a_name(server):
    shared = secrets.token_urlsafe(12)
    names = [f"twin-{secrets.token_hex(3)}" for _ in range(2)]
    for name in names:
        assert server.command("device", "add", name, "--secret-stdin", stdin=f"{shared}\n").returncode == 0
    twin = {"name": names[0], "secret": shared}

    alone, named = send(server, twin), send(server, twin, basic=True)

    assert alone.status_code == 401
    assert "HTTP Basic" in alone.json()["detail"]
    assert named.status_code == 200


def test_guesses_are_limited_and_a_device_that_repeats_its_old_secret_locks_nobody_out(start_server):
    server = start_server(RELEVE_FAILURES_ALLOWED="2")
    device, neighbour = server.add_device(), server.add_device()

    repeated = [send(server, device, secret="an old secret").status_code for _ in range(30)]
    assert repeated == [401] * 30
    assert send(server, neighbour).status_code == 200  # 30 repeats are one guess

    guesses = [send(server, device, secret=f"guess {n}").status_code for n in range(25)]
    named = [send(server, device, secret=f"guess {n}", basic=True).status_code for n in range(4)]

    assert guesses[-1] == 429
    assert guesses[:19] == [401] * 19
    assert named == [401, 401, 429, 429]
    assert send(server, neighbour).status_code == 200  # remembered
    assert send(server, device, basic=True).status_code == 429
    audits = server.query(
        "SELECT count(*) FROM accounts_auditevent WHERE kind = 'locked-out' AND device_id = %s", device["id"]
    )
    assert audits == [(1,)]


def test_no_secret_is_in_the_log(start_server):
    server = start_server(RELEVE_LOG_LEVEL="debug")
    device = server.add_device()
    for basic in (False, True):
        send(server, device, basic=basic)
        send(server, device, secret="a-wrong-secret-of-mine", basic=basic)

    server.stop()

    log = server.errors.read_text()
    assert device["secret"] not in log
    assert "a-wrong-secret-of-mine" not in log
