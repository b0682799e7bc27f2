"""What a session asks of the application, and what it tells it."""

import msgspec

from releve.protocol.mqtt.packet import Connect, Publish, SubscriptionRequest, Will
from releve.protocol.mqtt.reason import Reason


class Authenticate(msgspec.Struct, frozen=True):
    """A client wants in; answer with `Session.accept` or `Session.refuse`."""

    connect: Connect


class Incoming(msgspec.Struct, gc=False, eq=False):
    """A publish arrived; answer with `Session.committed`, `refused` or `failed`.

    At QoS 0 the answer goes nowhere, but may be given all the same.

    Attributes:
        packet: The publish, its topic alias resolved.
        answer: The session's own: the bytes that wait for their turn [MQTT-4.6.0-2], empty for silence.
        is_released_by_answer: The session's own: whether the answer ends the exchange.
    """

    packet: Publish
    answer: bytes | None = None
    is_released_by_answer: bool = True


class Subscribing(msgspec.Struct, frozen=True, eq=False):
    """A client wants to hear; answer with `Session.subscribed`, one reason per request.

    Attributes:
        packet_id: The identifier of the SUBSCRIBE.
        requests: Those that are well formed and can be had; the others are answered by the session.
        identifier: The subscription identifier that goes with each message.
        verdicts: The session's own: the reasons already clear, None where the application decides.
    """

    packet_id: int
    requests: tuple[SubscriptionRequest, ...]
    identifier: int | None
    verdicts: tuple[int | None, ...]


class Unsubscribed(msgspec.Struct, frozen=True):
    """A client no longer wants to hear; it has its answer."""

    topic_filters: tuple[str, ...]


class Acknowledged(msgspec.Struct, frozen=True):
    """A QoS 1 message reached the client; with a reason of 0x80 or above it did not want it."""

    reference: str | None
    reason: int


class Discarded(msgspec.Struct, frozen=True):
    """A message will not reach the client: it expired, or is larger than the client takes."""

    reference: str | None


class WillDue(msgspec.Struct, frozen=True):
    """The will is to be published now."""

    will: Will


class Close(msgspec.Struct, frozen=True):
    """The connection is over: write what there is to write, then close it, then call `Session.lost`.

    Attributes:
        reason: Why; SUCCESS when the client said good-bye.
        detail: The same in words, for the log.
    """

    reason: Reason
    detail: str = ""


Event = Authenticate | Incoming | Subscribing | Unsubscribed | Acknowledged | Discarded | WillDue | Close
