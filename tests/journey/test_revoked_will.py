"""What a revoked device left to be published is never published (promise P5), whoever else's is."""

import httpx
import pytest
from tests.journey.mqtt_client import V5, Raw, eventually

from releve.protocol.mqtt.packet import Will
from releve.protocol.mqtt.property import Properties


@pytest.fixture
def admin(server):
    return server.bearer(server.add_account("admin"))


@pytest.fixture
def disable(server, admin):
    def post(device):
        httpx.post(f"{server.url}/api/v1/devices/{device['id']}/disable", headers=admin).raise_for_status()

    return post


def leaving(server, device, *, delay_s, **credential):
    """A connection that leaves a will for some seconds after its end."""
    link = Raw(server, V5)
    will = Will(f"releve/{device['name']}/readings", b'{"gone": 1}', properties=Properties(will_delay_interval=delay_s))
    credential = credential or {"username": device["name"], "password": device["secret"].encode()}
    lasting = Properties(session_expiry_interval=300)
    assert link.connect(f"c-{device['name']}", will=will, properties=lasting, **credential).reason == 0
    return link


def stored(server, device):
    ((count,),) = server.query("SELECT count(*) FROM fresh_reading WHERE device_id = %s", device["id"])
    return count


def test_a_will_that_waits_is_forgotten_when_its_device_is_disabled(server, disable):
    revoked, other = server.add_device(), server.add_device()
    leaving(server, revoked, delay_s=10).socket.close()
    disable(revoked)
    leaving(server, other, delay_s=10).socket.close()

    assert eventually(lambda: stored(server, other), within_s=40)
    assert stored(server, revoked) == 0


def test_the_will_of_a_link_that_a_revocation_cuts_is_not_taken(server, disable):
    revoked, other = server.add_device(), server.add_device()
    link = leaving(server, revoked, delay_s=0)
    disable(revoked)
    assert link.closes_within(5) < 5
    link.socket.close()
    leaving(server, other, delay_s=1).socket.close()

    assert eventually(lambda: stored(server, other), within_s=40)
    assert stored(server, revoked) == 0


def test_a_will_ends_with_the_sign_in_of_its_token(server):
    ended, other = server.add_device(), server.add_device()
    token = server.tokens(ended)["access"].encode()
    leaving(server, ended, delay_s=10, username="any", password=token).socket.close()
    server.query(
        "UPDATE accounts_signin SET revoked_at = now(), revoked_reason = 'test' WHERE device_id = %s RETURNING 1",
        ended["id"],
    )
    leaving(server, other, delay_s=10).socket.close()

    assert eventually(lambda: stored(server, other), within_s=40)
    assert stored(server, ended) == 0
