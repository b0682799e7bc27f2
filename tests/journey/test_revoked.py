"""Promise P5: what is revoked is refused on every worker within five seconds, and after a restart."""

import time

import httpx
import pytest

WITHIN_S = 5.0
READINGS = "/api/v1/readings"


def statuses(server, headers, count=16):
    """What new connections get, so that the kernel spreads them over the workers."""
    return {httpx.post(f"{server.url}{READINGS}", json={"speed": 1}, headers=headers).status_code for _ in range(count)}


def refused_within(server, headers):
    """Seconds until every worker refuses."""
    began_s = time.monotonic()
    while statuses(server, headers) != {401}:
        assert time.monotonic() - began_s < WITHIN_S
    return time.monotonic() - began_s


@pytest.fixture
def device(server):
    return server.add_device()


def test_a_disabled_device_is_refused_on_every_worker(server, device):
    headers = server.bearer(device)
    assert statuses(server, headers) == {200}

    server.json("device", "disable", device["name"])

    assert refused_within(server, headers) < WITHIN_S


def test_a_device_with_a_new_secret_must_sign_in_again(server, device):
    headers = server.bearer(device)
    assert statuses(server, headers) == {200}

    renewed = server.json("device", "new-secret", device["name"])

    assert refused_within(server, headers) < WITHIN_S
    assert statuses(server, server.bearer({**device, "secret": renewed["secret"]})) == {200}


def test_a_person_who_signs_out_is_refused(server):
    headers = server.bearer(server.add_account("editor"))
    assert statuses(server, headers) == {200}

    assert httpx.post(f"{server.url}/api/auth/sign-out/", headers=headers).status_code in (200, 204)

    assert refused_within(server, headers) < WITHIN_S


def test_a_changed_password_ends_every_sign_in(server):
    account = server.add_account("editor")
    headers = server.bearer(account)
    assert statuses(server, headers) == {200}

    server.json("account", "set-password", account["email"], "--password-stdin", stdin="another long passphrase\n")

    assert refused_within(server, headers) < WITHIN_S


def test_a_change_made_by_hand_in_the_database_revokes_as_well(server, device):
    headers = server.bearer(device)
    assert statuses(server, headers) == {200}

    server.query("UPDATE fleet_device SET is_enabled = false WHERE name = %s RETURNING id", device["name"])

    assert refused_within(server, headers) < WITHIN_S


def test_what_was_revoked_stays_refused_after_a_restart(start_server):
    server = start_server()
    device = server.add_device()
    headers = server.bearer(device)
    server.json("device", "disable", device["name"])
    server.stop()

    again = start_server(data_dir=server.data_dir)

    assert statuses(again, headers) == {401}


def test_a_device_token_outlives_a_restart(start_server):
    server = start_server()
    headers = server.bearer(server.add_device())
    server.stop()

    again = start_server(data_dir=server.data_dir)

    assert statuses(again, headers) == {200}
