"""One device or one person opens so many MQTT links and no more, and what is in use is known to be."""

import contextlib

import pytest
from tests.journey.mqtt_client import V3, V5, Raw, eventually, signed_in

from releve.ingest.mqtt.endpoint import LINKS_OF_ONE
from releve.protocol.mqtt.packet import Puback


@pytest.fixture(scope="module")
def alone(module_start, installation):
    """A server with one worker, which is what links are counted at."""
    return module_start(installation(), "--workers", "1")


def crowd(stack, server, **credential):
    """As many links as one may have, each under a made-up name."""
    for number in range(LINKS_OF_ONE):
        link = stack.enter_context(Raw(server, V5))
        assert link.connect(f"made-up-{number}", **credential).reason == 0


def credential_of(server, who):
    if who == "device":
        device = server.add_device()
        return {"username": device["name"], "password": device["secret"].encode()}
    return {"username": "page", "password": server.mqtt_token(server.add_account("viewer"))}


@pytest.mark.parametrize("who", ["device", "person"])
def test_one_more_link_than_one_may_have_is_refused_and_everybody_else_goes_on(alone, who):
    credential, other = credential_of(alone, who), alone.add_device()
    with contextlib.ExitStack() as stack:
        crowd(stack, alone, **credential)

        with Raw(alone, V5) as further:
            assert further.connect("one-more", **credential).reason == 0x97
        with Raw(alone, V3) as further:
            assert further.connect("one-more", **credential).reason == 3
        with Raw(alone, V5) as back:  # takes its own place
            assert back.connect("made-up-7", **credential).reason == 0
        with signed_in(alone, other, V3) as link:
            assert isinstance(link.publish(f"releve/{other['name']}/readings", {"x": 1}), Puback)

    def is_let_in():
        with Raw(alone, V5) as again:
            return again.connect("one-more", **credential).reason == 0

    assert eventually(is_let_in)


def test_a_token_that_is_used_is_noted_so_that_it_outlives_newer_ones_that_are_not(alone):
    device = alone.add_device()
    token = alone.tokens(device)["access"]
    assert alone.query("SELECT used_at FROM accounts_signin WHERE device_id = %s", device["id"]) == [(None,)]

    with Raw(alone, V3) as link:
        assert link.connect("pi", username="pi", password=token.encode()).reason == 0

        used = "SELECT 1 FROM accounts_signin WHERE device_id = %s AND used_at > now() - interval '1 minute'"
        assert eventually(lambda: alone.query(used, device["id"]))
