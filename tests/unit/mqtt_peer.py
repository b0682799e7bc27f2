"""A session with the client at its other end, both in memory, and an application that says yes."""

from releve.protocol.mqtt.encode import encode
from releve.protocol.mqtt.event import Authenticate, Close, Incoming, Subscribing, WillDue
from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.packet import Connect, Disconnect, Pingreq, Publish, Subscribe, SubscriptionRequest
from releve.protocol.mqtt.property import Properties
from releve.protocol.mqtt.session import Phase, Session
from releve.protocol.mqtt.stream import Decoder

V3, V5 = Version.V3_1_1, Version.V5


class Peer:
    """What a test does as the client; `events` are what the application was told and did not answer."""

    def __init__(self, version=V5, limits=None, *, now=0.0):
        self.version = version
        self.session = Session(limits or Limits(), now)
        self.now = now
        self.decoder = Decoder(version=version)
        self.events = []
        self.raw = b""

    def send(self, *packets):
        """Send packets; the server's answers."""
        return self.send_bytes(b"".join(encode(packet, self.version) for packet in packets))

    def send_bytes(self, data):
        self.session.receive(data, self.now)
        return self.answers()

    def answers(self):
        """What the server sent since the last time."""
        self.events += self.session.take_events()
        data = self.session.take_output()
        self.raw += data
        self.decoder.feed(data)
        packets = []
        while (packet := self.decoder.next_packet()) is not None:
            packets.append(packet)
        return packets

    def take(self, kind):
        """The events of one kind, which are then forgotten."""
        found = [event for event in self.events if isinstance(event, kind)]
        self.events = [event for event in self.events if not isinstance(event, kind)]
        return found

    def publishes(self):
        return self.take(Incoming)

    def at(self, now):
        """Let time pass; what the server sends."""
        self.now = now
        self.session.tick(now)
        return self.answers()

    def lose(self, now=None):
        """The network connection breaks; the wills that are due."""
        self.now = self.now if now is None else now
        self.session.lost(self.now)
        self.answers()
        return self.wills()

    def wills(self):
        return [event.will for event in self.take(WillDue)]

    def closed(self):
        """Why the server closed; None when it did not."""
        return next((event.reason for event in self.events if isinstance(event, Close)), None)

    def subscribe(self, *filters, qos=1, packet_id=900, **options):
        """Subscribe and be granted; the SUBACK."""
        requests = tuple(SubscriptionRequest(each, qos, **options) for each in filters)
        self.send(Subscribe(packet_id, requests))
        (event,) = self.take(Subscribing)
        self.session.subscribed(event, [qos] * len(event.requests))
        return self.answers()


def connected(version=V5, limits=None, *, stored=None, **connect):
    """A client that is in; its CONNACK was read."""
    peer, _ = greeted(version, limits, stored=stored, **connect)
    return peer


def greeted(version=V5, limits=None, *, stored=None, **connect):
    """A client that is in, and what it was sent so far."""
    peer = Peer(version, limits)
    connect = {"client_id": "pi"} | connect
    assert peer.send(Connect(version=version, **connect)) == []
    assert peer.take(Authenticate)
    assigned = None if connect["client_id"] else "assigned"
    peer.session.accept(peer.now, stored=stored, assigned_client_id=assigned)
    return peer, peer.answers()


def publish(packet_id=1, qos=1, topic="t", payload=b"{}", **fields):
    return Publish(topic, payload, qos, packet_id=packet_id if qos else 0, **fields)


def lasting(**fields):
    """What CONNECT says to have a session that outlives the connection, in either version."""
    return {"clean_start": False, "properties": Properties(session_expiry_interval=300, **fields)}


def assert_ended(peer, answers, reason):
    """The connection ended, MQTT 5 was told why, and nothing that comes now is looked at."""
    assert peer.session.phase is Phase.CLOSED
    assert peer.closed() is reason
    said = [(type(packet), packet.reason) for packet in answers]
    assert said == ([(Disconnect, reason)] if peer.version is V5 else [])
    assert peer.send(Pingreq()) == []
