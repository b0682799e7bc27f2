"""Devices sign in without the control plane, in the same words, with the same traces, and fast."""

import asyncio
import json
import secrets
import time

import httpx
import pytest

NO_ACCOUNT = {"detail": "No active account found with the given credentials"}
ENDED = {"detail": "Token is invalid or expired", "code": "token_not_valid"}
AT_ONCE = 32


@pytest.fixture
def device(server):
    return server.add_device("gym")


def login(server, device, **changes):
    body = {"device_id": device["name"], "password": device["secret"]} | changes
    return httpx.post(f"{server.url}/auth/login", json=body)


def obtain(server, device, **changes):
    body = {"username": device["name"], "password": device["secret"]} | changes
    return httpx.post(f"{server.url}/api/token/", json=body, headers={"User-Agent": "ESP32HTTPClient"})


def test_both_contracts_sign_a_device_in_and_what_they_give_opens_its_routes(server, device):
    token, pair = login(server, device).json()["token"], obtain(server, device).json()

    assert set(pair) == {"access", "refresh"}
    for access in (token, pair["access"]):
        bearer = {"Authorization": f"Bearer {access}"}
        assert httpx.get(f"{server.url}/api/auth/profile/", headers=bearer).json()["email"] == device["name"]
        assert httpx.post(f"{server.url}/api/v1/readings", json={"n": 1}, headers=bearer).status_code == 200


def test_a_devices_tokens_are_verified_and_refreshed_and_a_refresh_token_stays_the_same(server, device):
    pair = obtain(server, device).json()

    answers = [httpx.post(f"{server.url}/api/token/refresh", json={"refresh": pair["refresh"]}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert {answer.json()["refresh"] for answer in answers} == {pair["refresh"]}
    for text in (*pair.values(), answers[-1].json()["access"]):
        verified = httpx.post(f"{server.url}/api/token/verify/", json={"token": text})
        assert (verified.status_code, verified.json()) == (200, {})
    server.query("UPDATE accounts_signin SET revoked_at = now() WHERE device_id = %s RETURNING id", device["id"])
    for text in pair.values():
        verified = httpx.post(f"{server.url}/api/token/verify/", json={"token": text})
        assert (verified.status_code, verified.json()) == (401, ENDED)
    refused = httpx.post(f"{server.url}/api/token/refresh/", json={"refresh": pair["refresh"]})
    assert (refused.status_code, refused.json()) == (401, ENDED)


def test_a_wrong_secret_an_unknown_and_a_disabled_device_are_refused_in_their_contracts_words(server, device):
    disabled = server.add_device("gym")
    server.query("UPDATE fleet_device SET is_enabled = false WHERE id = %s RETURNING id", disabled["id"])
    unknown = {"name": f"nobody-{secrets.token_hex(4)}", "secret": "x"}

    for each in ({**device, "secret": "wrong"}, unknown, disabled):
        refused = login(server, each)
        assert (refused.status_code, refused.json()) == (403, {"detail": "Identifiants invalides"})
        refused = obtain(server, each)
        assert (refused.status_code, refused.json()) == (401, NO_ACCOUNT)
        assert refused.headers["www-authenticate"] == 'Bearer realm="api"'


def test_failures_are_counted_and_a_success_forgives_them(server, device):
    for _ in range(9):
        assert login(server, device, password="wrong").status_code == 403
    assert login(server, device).status_code == 200
    for _ in range(10):
        assert obtain(server, device, password="wrong").status_code == 401

    refused = login(server, device)

    assert refused.status_code == 429
    assert 290 < int(refused.headers["retry-after"]) <= 300
    assert refused.json() == {"detail": "Too many failed sign-ins; wait and try again."}


def test_a_sign_in_leaves_the_traces_that_its_owners_look_for(server, device):
    obtain(server, device).raise_for_status()
    login(server, device, password="wrong")

    sign_ins = server.query("SELECT address, user_agent FROM accounts_signin WHERE device_id = %s", device["id"])
    events = server.query(
        "SELECT kind, address, team_id IS NOT NULL FROM accounts_auditevent WHERE device_id = %s AND kind LIKE %s"
        " ORDER BY id", device["id"], "sign%"
    )  # fmt: skip
    assert sign_ins == [("127.0.0.1", "ESP32HTTPClient")]
    assert events == [("signed-in", "127.0.0.1", True), ("sign-in-failed", "127.0.0.1", True)]


def test_a_device_called_like_an_e_mail_and_a_person_sign_in_at_the_same_address(server):
    name = f"iot_{secrets.token_hex(4)}@example.com"
    secret = server.json("device", "add", name)["secret"]
    person = server.add_account("viewer")

    assert obtain(server, {"name": name, "secret": secret}).status_code == 200
    assert obtain(server, {"name": name, "secret": "wrong"}).json() == NO_ACCOUNT
    assert obtain(server, {"name": person["email"], "secret": person["password"]}).status_code == 200
    kept = httpx.post(
        f"{server.url}/api/token/?cookie", json={"username": person["email"], "password": person["password"]}
    )
    assert list(kept.json()) == ["access"]


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", None),
        (b"nonsense", None),
        (b'{"password": "x"}', {"username": ["This field is required."]}),
        (b'{"username": "raspberry1"}', {"password": ["This field is required."]}),
        (b'{"username": 7, "password": "x\\u0000"}', None),
    ],
)
def test_a_body_that_is_no_sign_in_is_refused_with_its_field(server, body, refusal):
    answer = httpx.post(f"{server.url}/api/token/", content=body)

    assert answer.status_code == 400
    assert refusal is None or answer.json() == refusal


def test_a_secret_replaced_in_the_moment_of_a_sign_in_ends_that_sign_in(server, device):
    editor = server.bearer(server.add_account("editor"))

    for _ in range(5):
        replaced = httpx.post(f"{server.url}/api/v1/devices/{device['id']}/new-secret", headers=editor)
        device = {**device, "secret": replaced.raise_for_status().json()["secret"]}
        access = login(server, device).json()["token"]
        assert httpx.post(f"{server.url}/api/token/verify/", json={"token": access}).status_code == 200
    standing = server.query(
        "SELECT count(*) FROM accounts_signin WHERE device_id = %s AND revoked_at IS NULL", device["id"]
    )
    assert standing == [(1,)]


def test_a_herd_of_devices_is_let_in_by_few_commits(server):
    devices = [server.add_device() for _ in range(4)]

    answers, elapsed_s = asyncio.run(_herd(server, devices, rounds=25))

    assert answers == {200}
    rate = AT_ONCE * 25 / elapsed_s
    print(f"devices' sign-ins: {rate:.0f}/s")  # noqa: T201 - measured beside the rest of the suite, so not asserted
    rows = server.query(
        "SELECT count(*), count(DISTINCT started_at) FROM accounts_signin WHERE device_id = ANY(%s)",
        [device["id"] for device in devices],
    )
    assert rows[0][0] == AT_ONCE * 25
    assert rows[0][1] < rows[0][0]


async def _herd(server, devices, *, rounds):
    host, port = server.url.removeprefix("http://").split(":")

    async def one(number):
        device = devices[number % len(devices)]
        body = json.dumps({"device_id": device["name"], "password": device["secret"]}).encode()
        request = b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        reader, writer = await asyncio.open_connection(host, int(port))
        statuses = set()
        for _ in range(rounds):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            statuses.add(int(head.split()[1]))
        writer.close()
        return statuses

    began_s = time.perf_counter()
    statuses = set().union(*await asyncio.gather(*(one(number) for number in range(AT_ONCE))))
    return statuses, time.perf_counter() - began_s
