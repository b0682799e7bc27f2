"""Contract C over real HTTP: the profilometre's Pi and ESP32, and a phone."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import requests

# ruff: noqa: S113 - the published clients give no timeout either

READING = {"temperature": 21.5, "humidite": 48.0, "accelerometre": 0.98}
NOT_VALID = {
    "detail": "Given token not valid for any token type",
    "code": "token_not_valid",
    "messages": [{"token_class": "AccessToken", "token_type": "access", "message": "Token is invalid"}],
}


@pytest.fixture(scope="module")
def pi(server):
    return server.add_device("profilometre", zone="Europe/Paris")


@pytest.fixture(scope="module")
def access(server, pi):
    return server.tokens(pi)["access"]


def post(server, access, body, path="/api/send/data/"):
    headers = {"Authorization": f"Bearer {access}"}
    return requests.post(f"{server.url}{path}", json=body, headers=headers, allow_redirects=False)


@pytest.mark.parametrize("path", ["/api/send/data", "/api/send/data/"])
def test_a_pi_posts_and_gets_exactly_200_for_a_reading_and_for_its_repeat(server, access, path):
    local = datetime.now(ZoneInfo("Europe/Paris")).replace(tzinfo=None)
    body = {**READING, "timestamp": local.isoformat(), "path": len(path)}

    answers = [post(server, access, body, path) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json()["outcome"] for answer in answers] == ["stored", "duplicate"]


@pytest.mark.parametrize(
    ("timestamp", "instant", "rule"),
    [
        ("2026-06-01T14:00:00", "2026-06-01T12:00:00Z", "naive"),
        ("2026-01-15T13:00:00", "2026-01-15T12:00:00Z", "naive"),
        ("2026-06-01T12:00:00Z", "2026-06-01T12:00:00Z", "zoned"),
        ("2026-06-01T05:00:00-07:00", "2026-06-01T12:00:00Z", "zoned"),
        (1_780_315_200, "2026-06-01T12:00:00Z", "epoch-s"),
        (1_780_315_200_000, "2026-06-01T12:00:00Z", "epoch-ms"),
    ],
)
def test_a_timestamp_lands_at_the_right_instant_and_the_answer_says_by_which_rule(
    server, access, timestamp, instant, rule
):
    answer = post(server, access, {**READING, "timestamp": timestamp}).json()

    assert (answer["time"], answer["clock"]) == (instant, rule)


def test_the_esp32s_uptime_is_anchored_at_its_boot(server):
    esp = server.add_device("profilometre")
    access = server.tokens(esp)["access"]

    first = post(server, access, {**READING, "timestamp": 5_000}).json()
    second = post(server, access, {**READING, "timestamp": 5_250}).json()

    first_time, second_time = (datetime.fromisoformat(answer["time"]) for answer in (first, second))
    assert first["clock"] == second["clock"] == "uptime"
    assert 0 < (second_time - first_time).total_seconds() <= 0.25
    assert abs(first_time.timestamp() - time.time()) < 60


def test_a_phone_sends_to_a_device_of_its_own_made_at_the_first_sending(server):
    person = server.add_account("viewer", team="Phones")
    access = server.tokens(person)["access"]

    answers = [post(server, access, {"temperature": value}) for value in (20, 21)]

    assert [answer.status_code for answer in answers] == [200, 200]
    rows = server.query(
        "SELECT count(*) FROM fresh_reading JOIN fleet_device ON fleet_device.id = device_id"
        " JOIN accounts_account ON accounts_account.id = owner_id WHERE email = %s",
        person["email"],
    )
    assert rows == [(2,)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**READING, "temperature": "hot"}, "temperature"),
        ({**READING, "timestamp": "yesterday"}, "timestamp"),
        ({**READING, "timestamp": [1]}, "timestamp"),
        ({**READING, "profil": {"points": [1]}}, "profil"),
    ],
)
def test_a_wrong_field_is_named(server, access, body, field):
    answer = post(server, access, body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_a_401_has_the_shape_that_the_clients_read(server):
    missing = requests.post(f"{server.url}/api/send/data/", json=READING)
    wrong = post(server, "x.y.z", READING)

    assert (missing.status_code, missing.json()) == (
        401,
        {"detail": "Authentication credentials were not provided."},
    )
    assert missing.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert (wrong.status_code, wrong.json()) == (401, NOT_VALID)


def test_the_esp32_that_adds_authorization_twice_gets_a_clear_400(server, access):
    address = urlsplit(server.url)
    body = b'{"temperature": 1}'
    request = (
        f"POST /api/send/data/ HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: Bearer old\r\nAuthorization: Bearer {access}\r\n\r\n"
    ).encode() + body
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(request)
        answer = connection.recv(65536).decode()

    assert answer.startswith("HTTP/1.1 400 ")
    assert "Authorization stands more than once" in answer


def test_profile_verify_and_refresh(server):
    person = server.add_account("editor")
    pair = server.tokens(person)
    bearer = {"Authorization": f"Bearer {pair['access']}"}

    for method in ("GET", "POST"):
        profile = requests.request(method, f"{server.url}/api/auth/profile/", headers=bearer)
        assert profile.status_code == 200
        assert set(profile.json()) == {"id", "email", "first_name", "last_name", "date_joined", "status"}
        assert (profile.json()["email"], profile.json()["status"]) == (person["email"], "utilisateur")
    verified = requests.post(f"{server.url}/api/token/verify/", json={"token": pair["access"]})
    assert (verified.status_code, verified.json()) == (200, {})
    refreshed = requests.post(f"{server.url}/api/token/refresh/", json={"refresh": pair["refresh"]})
    assert refreshed.status_code == 200
    assert set(refreshed.json()) == {"access", "refresh"}


def test_the_login_answer_fits_the_esp32s_document(server, pi):
    answer = requests.post(f"{server.url}/api/token/", json={"username": pi["name"], "password": pi["secret"]})

    assert set(answer.json()) == {"access", "refresh"}
    assert len(answer.content) < 900


def test_a_spent_refresh_token_answers_its_successor_within_the_grace_and_then_kills_the_family(start_server):
    server = start_server(RELEVE_REFRESH_GRACE_S="3")
    pair = server.tokens(server.add_account("viewer"))

    def refresh(token=pair["refresh"]):
        return requests.post(f"{server.url}/api/token/refresh/", json={"refresh": token})

    first, second = refresh(), refresh()
    assert first.json()["refresh"] == second.json()["refresh"]

    newest = refresh(first.json()["refresh"]).json()["refresh"]  # a client that stores what it is given
    deadline_s = time.monotonic() + 30
    while (late := refresh(first.json()["refresh"])).status_code == 200:
        assert time.monotonic() < deadline_s
        assert late.json()["refresh"] == newest
        time.sleep(0.2)

    assert (late.status_code, late.json()["code"]) == (401, "token_reuse")
    assert refresh(newest).status_code == 401
    bearer = {"Authorization": f"Bearer {first.json()['access']}"}
    assert requests.get(f"{server.url}/api/auth/profile/", headers=bearer).status_code == 401


def test_eight_refreshes_of_one_token_at_once_all_get_one_successor(server):
    refresh = server.tokens(server.add_account("viewer"))["refresh"]

    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(
                lambda _: requests.post(f"{server.url}/api/token/refresh/", json={"refresh": refresh}), range(8)
            )
        )

    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["refresh"] for answer in answers}) == 1


def test_a_refresh_token_opens_nothing_and_an_access_token_refreshes_nothing(server, pi):
    pair = server.tokens(pi)

    assert post(server, pair["refresh"], READING).status_code == 401
    assert requests.post(f"{server.url}/api/token/refresh/", json={"refresh": pair["access"]}).status_code == 401
