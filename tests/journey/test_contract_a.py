"""Contract A over real HTTP, with the client's own library: a Raspberry Pi on a gym machine."""

from datetime import UTC, datetime

import pytest
import requests

# ruff: noqa: S113 - the published clients give no timeout either


def reading(**changes):
    """A reading as the published client sends it: naive, in UTC."""
    return {
        "machine_id": 1,
        "timestamp": datetime.now(UTC).replace(tzinfo=None).isoformat(),
        "acceleration_x": 0.12,
        "acceleration_y": -0.03,
        "acceleration_z": 9.81,
        "repetitions": 4,
        "series_time": 12.5,
        "rest_time": 30.0,
        "asymmetry": 0.02,
    } | changes


@pytest.fixture(scope="module")
def pi(server):
    """A device of a team of its own, so that its machine numbers are its own too."""
    return server.add_device("gym", team="Gym of the Pi")


@pytest.fixture(scope="module")
def token(server, pi):
    answer = requests.post(f"{server.url}/auth/login", json={"device_id": pi["name"], "password": pi["secret"]})
    assert answer.status_code == 200
    assert list(answer.json()) == ["token"]
    return answer.json()["token"]


@pytest.mark.parametrize("path", ["/data", "/data/"])
def test_a_pi_logs_in_and_posts_with_and_without_the_slash_and_is_never_redirected(server, pi, token, path):
    answer = requests.post(f"{server.url}{path}", json=reading(), headers={"token": token}, allow_redirects=False)

    assert answer.status_code == 200
    assert answer.json()["message"] == "Données reçues"
    assert answer.json()["device"] == pi["name"]
    assert answer.json()["outcome"] == "stored"


def test_what_is_acknowledged_is_queryable_at_once(server, token):
    sent = reading(timestamp="2026-06-01T12:00:00.250", left_force=12.5)

    requests.post(f"{server.url}/data", json=sent, headers={"token": token})

    rows = server.query(
        "SELECT channels::jsonb, sent FROM fresh_reading"
        " WHERE time = '2026-06-01T12:00:00.25Z' AND channels::jsonb ? 'left_force'"
    )
    assert rows == [({key: value for key, value in sent.items() if key != "timestamp"}, "2026-06-01T12:00:00.250")]


def test_the_same_reading_twice_is_two_successes_and_one_row(server, token):
    sent = reading(repetitions=77)

    answers = [requests.post(f"{server.url}/data", json=sent, headers={"token": token}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json()["duplicate"] for answer in answers] == [False, True]
    assert server.query("SELECT count(*) FROM fresh_reading WHERE channels::jsonb->>'repetitions' = '77'") == [(1,)]


@pytest.mark.parametrize("body", [{"device_id": "nobody", "password": "x"}, {"device_id": "PI", "password": "x"}])
def test_a_wrong_login_is_403_in_the_clients_language(server, pi, body):
    body = {**body, "device_id": body["device_id"].replace("PI", pi["name"])}
    answer = requests.post(f"{server.url}/auth/login", json=body)

    assert (answer.status_code, answer.json()) == (403, {"detail": "Identifiants invalides"})


@pytest.mark.parametrize("headers", [{}, {"token": "x.y.z"}, {"token": "é".encode("latin-1")}])
def test_a_missing_or_wrong_token_is_401(server, headers):
    answer = requests.post(f"{server.url}/data", json=reading(), headers=headers)

    assert (answer.status_code, answer.json()) == (401, {"detail": "Token invalide"})


def test_an_expired_token_is_401_and_says_so(start_server):
    server = start_server(RELEVE_DEVICE_TOKEN_S="1")
    pi = server.add_device("gym")
    login = {"device_id": pi["name"], "password": pi["secret"]}
    token = requests.post(f"{server.url}/auth/login", json=login).json()["token"]

    while (answer := requests.post(f"{server.url}/data", json=reading(), headers={"token": token})).ok:
        assert answer.status_code == 200

    assert (answer.status_code, answer.json()) == (401, {"detail": "Token expiré"})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"machine_id": None}, "machine_id"),
        ({"machine_id": "one"}, "machine_id"),
        ({"machine_id": 1.5}, "machine_id"),
        ({"timestamp": None}, "timestamp"),
        ({"timestamp": "hier"}, "timestamp"),
        ({"acceleration_y": "fast"}, "acceleration_y"),
        ({"repetitions": -1}, "repetitions"),
        ({"repetitions": 2.5}, "repetitions"),
        ({"series_time": -0.1}, "series_time"),
        ({"rest_time": True}, "rest_time"),
        ({"asymmetry": "left"}, "asymmetry"),
        ({"extra": {"nested": 1}}, "extra"),
    ],
)
def test_a_wrong_field_is_422_and_named(server, token, change, field):
    answer = requests.post(f"{server.url}/data", json=reading(**change), headers={"token": token})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert answer.json()["errors"][0]["reason"]
    assert field in answer.json()["detail"]


def test_an_instant_that_is_no_text_is_told_so(server, token):
    answer = requests.post(f"{server.url}/data", json=reading(timestamp=1763859600), headers={"token": token})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["reason"] == "must be ISO 8601 text, not a number"


def test_the_status_of_a_machine_is_what_was_really_received(server, token):
    for second in range(5):
        sent = reading(machine_id=42, timestamp=f"2026-06-01T12:00:0{second}", battery=80 - second)
        requests.post(f"{server.url}/data", json=sent, headers={"token": token})

    answer = requests.get(f"{server.url}/status/42", headers={"token": token})

    assert answer.status_code == 200
    assert answer.json() == {
        "machine_id": 42,
        "battery": "76%",
        "connection": "OK",
        "last_update": "2026-06-01T12:00:04Z",
    }


def test_a_machine_that_never_sent_a_battery_has_none(server, token):
    requests.post(f"{server.url}/data", json=reading(machine_id=43), headers={"token": token})

    assert requests.get(f"{server.url}/status/43/", headers={"token": token}).json()["battery"] is None


@pytest.mark.parametrize("machine", ["999999", "x", "1e3", "99999999999999999999"])
def test_an_unknown_machine_is_404(server, token, machine):
    assert requests.get(f"{server.url}/status/{machine}", headers={"token": token}).status_code == 404


def test_the_accounts_are_for_staff_and_team_admins(server, token):
    admin, viewer = server.add_account("admin", team="Users"), server.add_account("viewer", team="Users")

    listed = requests.get(f"{server.url}/users", headers=server.bearer(admin))

    assert listed.status_code == 200
    assert {account["email"] for account in listed.json()} >= {admin["email"], viewer["email"]}
    assert not any("password" in account for account in listed.json())
    assert requests.get(f"{server.url}/users", headers=server.bearer(viewer)).status_code == 403
    assert requests.get(f"{server.url}/users", headers={"token": token}).status_code == 403
    assert requests.get(f"{server.url}/users").status_code == 401
