"""What a session remembers beyond its connection, as plain data that another worker can take up."""

from typing import Any, Self

import msgspec

from releve.protocol.mqtt.property import NO_PROPERTIES, Properties


class Message(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, repr_omit_defaults=True):
    """An application message on its way to a client.

    Attributes:
        publisher: The client id it came from, for subscriptions without their own messages.
        expires_at: When it is no longer worth sending, in seconds of the caller's clock; None is never.
        reference: The application's own name for it, handed back when it is acknowledged.
    """

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    properties: Properties = NO_PROPERTIES
    publisher: str | None = None
    expires_at: float | None = None
    reference: str | None = None


class Subscription(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A granted subscription; `qos` is what was granted."""

    topic_filter: str
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    identifier: int | None = None


class SessionState(msgspec.Struct, omit_defaults=True):
    """The session state of section 4.1.

    Attributes:
        expiry_s: How long it outlives its connection; 0 ends it with the connection.
        subscriptions: By their topic filter.
        received: Packet identifiers of QoS 2 publishes that are committed and not yet released; a
            publish under one of them is the same again [MQTT-4.3.3-10].
        outgoing: QoS 1 messages sent and not acknowledged, by packet identifier, in the order sent.
        waiting: QoS 1 messages not sent yet.
    """

    client_id: str
    expiry_s: int = 0
    subscriptions: dict[str, Subscription] = {}
    received: set[int] = set()
    outgoing: dict[int, Message] = {}
    waiting: list[Message] = []

    def to_dict(self) -> dict[str, Any]:
        """Only what JSON knows; bytes are base64."""
        plain: dict[str, Any] = msgspec.to_builtins(self, str_keys=True)
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """What `to_dict` made.

        Raises:
            msgspec.ValidationError: It was made by something else.
        """
        return msgspec.convert(plain, cls, str_keys=True)
