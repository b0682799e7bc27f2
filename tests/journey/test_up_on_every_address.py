"""`releve up --host 0.0.0.0`: what it says to whoever sits at another machine."""

import re
import socket

import httpx
import pytest

from releve.serve.address import from_elsewhere

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what these tests are about


@pytest.fixture
def addresses():
    found = from_elsewhere(EVERYWHERE)
    if not found:
        pytest.skip("this machine has no address but loopback")
    return found


def test_the_summary_names_addresses_that_other_machines_reach(start_server, addresses):
    server = start_server("--host", EVERYWHERE)

    named = re.search(r"^ +Network +(.*)$", server.summary, re.MULTILINE)[1].split()

    assert len(named) == len(addresses)
    for url in named:
        assert "127.0.0.1" not in url
        assert httpx.get(f"{url}readyz").status_code == 200


def test_it_says_that_mqtt_stays_on_loopback_and_how_to_open_it(start_server, addresses):
    server = start_server("--host", EVERYWHERE)
    port = int(server.document["mqtt_urls"][0].rpartition(":")[2])
    said = server.errors.read_text()

    assert "plain MQTT stays on 127.0.0.1" in said
    assert "RELEVE_MQTT_HOST=0.0.0.0" in said
    assert "RELEVE_MQTT_CERTIFICATE" in said
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((addresses[0], port), timeout=10)

    server.stop()
    opened = start_server("--host", EVERYWHERE, RELEVE_MQTT_HOST=EVERYWHERE)
    assert f"mqtt://{addresses[0]}:" in opened.summary
    assert "plain MQTT stays" not in opened.errors.read_text()
    port = int(opened.document["mqtt_urls"][0].rpartition(":")[2])
    socket.create_connection((addresses[0], port), timeout=10).close()


def test_on_loopback_nothing_is_said_of_a_network(server):
    assert "Network" not in server.summary
    assert "MQTT stays" not in server.errors.read_text()
