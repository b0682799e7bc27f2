"""Clients that mean harm: each is closed in bounded time, memory stays flat, and a good device notices nothing."""

import contextlib
import os
import resource
import select
import signal
import socket
import time
from pathlib import Path

import pytest
from tests.journey.conftest import end, start
from tests.journey.mqtt_client import V3, V5, Raw, port_of, signed_in

from releve.protocol.mqtt.encode import encode
from releve.protocol.mqtt.packet import Connect, Puback, Publish, Subscribe, SubscriptionRequest

CONNECT_TIMEOUT_S = 3
IDLE_SOCKETS = 5_000
FLAT_BYTES = 150 * 2**20


@pytest.fixture(scope="module")
def strict(installation):
    """A server that waits 3 s for a CONNECT."""
    settings = {"RELEVE_MQTT_CONNECT_TIMEOUT_S": str(CONNECT_TIMEOUT_S), "RELEVE_MQTT_PACKET_LIMIT_BYTES": "65536"}
    running = start(installation(), "--workers", "1", **settings)
    yield running
    end(running)


@pytest.fixture(scope="module")
def device(strict):
    return strict.add_device()


def own(device):
    return f"releve/{device['name']}/readings"


def memory_of_workers(server):
    pages = [
        int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        for name, pid in server.document["processes"].items()
        if name.startswith("worker")
    ]
    return sum(pages) * resource.getpagesize()


@pytest.mark.parametrize(
    "first",
    [
        b"\x30\x05\x00\x01t{}",  # PUBLISH
        b"\xc0\x00",  # PINGREQ
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00",  # TLS
        b"\x00" * 64,
        b"\x10\xff\xff\xff\xff\x01",  # a length of five bytes
        b"\x10\xff\xff\xff\x7f",  # 256 MB
    ],
)
def test_what_does_not_start_with_a_connect_is_closed_at_once(strict, first):
    with Raw(strict) as client:
        client.send_bytes(first)

        assert client.closes_within(2) < 2


def test_a_packet_of_256_mb_is_refused_by_its_header(strict, device):
    with signed_in(strict, device, V5) as client:
        client.send_bytes(b"\x32\xff\xff\xff\x7f")

        assert client.receive(2).reason == 0x95
        assert client.closes_within(2) < 2


def test_a_connect_that_trickles_is_closed_in_time(strict):
    packet = encode(Connect("slow", V3, username="x", password=b"y"), V3)
    began_s = time.monotonic()
    with Raw(strict) as client, contextlib.suppress(OSError):
        client.socket.settimeout(1)
        for byte in packet:
            client.send_bytes(bytes([byte]))
            if select.select([client.socket], [], [], 1)[0]:
                break

    assert time.monotonic() - began_s < CONNECT_TIMEOUT_S + 3


def test_too_many_subscriptions_are_refused(strict, device):
    with signed_in(strict, device, V5) as client:
        filters = tuple(SubscriptionRequest(f"releve/{device['name']}/+", 1) for _ in range(1_000))
        client.send(Subscribe(1, filters))

        assert client.receive().reasons[0] == 1


@pytest.mark.alone
def test_five_thousand_idle_sockets_are_closed_and_a_good_device_notices_nothing(strict, device):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, IDLE_SOCKETS + 500)), hard))
    before = memory_of_workers(strict)
    address = ("127.0.0.1", port_of(strict))
    with signed_in(strict, device) as good, contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(address, timeout=10)) for _ in range(IDLE_SOCKETS)]
        waits = []
        for number in range(20):
            began_s = time.monotonic()
            assert good.publish(own(device), {"n": number}) is not None
            waits.append(time.monotonic() - began_s)
        grown = memory_of_workers(strict) - before
        deadline_s = time.monotonic() + CONNECT_TIMEOUT_S + 15
        for each in idle:
            each.settimeout(max(0.01, deadline_s - time.monotonic()))
            assert each.recv(1) == b""

    assert sorted(waits)[len(waits) // 2] < 2
    assert grown < FLAT_BYTES


def test_with_the_database_down_memory_stays_flat_and_nothing_is_acknowledged_until_it_is_back(strict, device):
    postgres = strict.document["processes"]["postgres"]
    payload = b'{"text": "' + b"x" * 900 + b'", "n": %d}'
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(signed_in(strict, device)) for _ in range(8)]
        before = memory_of_workers(strict)
        children = Path(f"/proc/{postgres}/task/{postgres}/children").read_text().split()
        stopped = [postgres, *map(int, children)]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            sent = [flood(client, own(device), payload, for_s=1.0) for client in clients]
            grown = memory_of_workers(strict) - before
            assert all(client.is_silent(0.1) for client in clients)
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        answers = [client.receive(60) for client in clients]

    assert all(isinstance(answer, Puback) for answer in answers)
    assert sum(sent) > 8
    assert grown < FLAT_BYTES


def flood(client, topic, payload, *, for_s):
    """Publish until the server reads no more, or for so long; how many went out whole."""
    client.socket.settimeout(0.2)
    sent, until_s = 0, time.monotonic() + for_s
    with contextlib.suppress(TimeoutError):
        while time.monotonic() < until_s:
            client.send(Publish(topic, payload % sent, 1, packet_id=sent % 65_535 + 1))
            sent += 1
    return sent
