"""A raw MQTT client for the journeys: our own codec over a plain socket, so that a test sees every packet."""

import contextlib
import itertools
import json
import socket
import time

from releve.protocol.mqtt.encode import encode
from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.packet import Connack, Connect, Publish, Suback, Subscribe, SubscriptionRequest
from releve.protocol.mqtt.stream import Decoder

V3, V5 = Version.V3_1_1, Version.V5


def port_of(server):
    """The plain MQTT port of a running server."""
    return int(server.document["mqtt_urls"][0].rpartition(":")[2])


class Raw:
    """One connection."""

    def __init__(self, server, version=V3, *, timeout_s=20):
        self.version = version
        self.socket = socket.create_connection(("127.0.0.1", port_of(server)), timeout=timeout_s)
        self.decoder = Decoder(version=version)
        self.ids = itertools.count(1)
        self.last_id = 0  # of the latest publish

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *packets):
        self.send_bytes(b"".join(encode(packet, self.version) for packet in packets))

    def send_bytes(self, data):
        self.socket.sendall(data)

    def receive(self, timeout_s=20):
        """The next packet; None when the server closed."""
        deadline_s = time.monotonic() + timeout_s
        while (packet := self.decoder.next_packet()) is None:
            self.socket.settimeout(max(0.01, deadline_s - time.monotonic()))
            try:
                data = self.socket.recv(65_536)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self.decoder.feed(data)
        return packet

    def is_silent(self, for_s):
        """Whether nothing comes for so long."""
        try:
            self.receive(for_s)
        except TimeoutError:
            return True
        return False

    def sign_in(self, device, **fields):
        """CONNECT as a device; the CONNACK."""
        return self.connect(username=device["name"], password=device["secret"].encode(), **fields)

    def connect(self, client_id="", **fields):
        self.send(Connect(client_id, self.version, **fields))
        answer = self.receive()
        assert answer is None or isinstance(answer, Connack)
        return answer

    def publish(self, topic, payload, *, qos=1, **fields):
        """Publish and wait for the answer; None when the server closed."""
        self.post(topic, payload, qos=qos, **fields)
        return self.receive() if qos else None

    def post(self, topic, payload, *, qos=1, **fields):
        """Publish without waiting."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.last_id = next(self.ids) if qos else 0
        self.send(Publish(topic, data, qos, packet_id=self.last_id, **fields))

    def subscribe(self, *filters, qos=1):
        """The reasons of the SUBACK."""
        self.send(Subscribe(next(self.ids), tuple(SubscriptionRequest(each, qos) for each in filters)))
        answer = self.receive()
        assert isinstance(answer, Suback)
        return list(answer.reasons)

    def closes_within(self, seconds):
        """How long until the server closes; fails when it does not."""
        began_s = time.monotonic()
        while self.receive(seconds) is not None:
            pass
        return time.monotonic() - began_s


@contextlib.contextmanager
def signed_in(server, device, version=V3, **fields):
    """A connection that is in."""
    with Raw(server, version) as raw:
        answer = raw.sign_in(device, **fields)
        assert answer is not None
        assert answer.reason == 0
        yield raw


def eventually(look, *, within_s=15):
    """Look again until what is there is true; what it was at last."""
    deadline_s = time.monotonic() + within_s
    while not (found := look()) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return found
