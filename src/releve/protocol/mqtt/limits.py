"""What a server takes from one MQTT client, in bytes, seconds and pieces."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The knobs of a session; the operator's settings become one of these.

    Attributes:
        connect_timeout_s: From the opened connection to a whole CONNECT.
        packet_timeout_s: From the first byte of a packet to its last, so that a trickle ends.
        maximum_connect_size: Bytes of a CONNECT, the fixed header included.
        maximum_packet_size: Bytes of any other packet, the fixed header included.
        pipelined_size: Bytes that may wait behind a CONNECT while it is judged.
        receive_maximum: QoS 1 and 2 publishes that MQTT 5 clients may have unacknowledged.
        topic_alias_maximum: Topic aliases an MQTT 5 client may set.
        longest_client_id: In characters.
        maximum_keep_alive_s: The longest an MQTT 5 client may be silent; 0 leaves it to the client.
        maximum_session_expiry_s: The longest a session outlives its connection.
        outgoing_window: QoS 1 publishes that wait for a client's PUBACK at once.
        outgoing_queue: Further ones that wait for their turn.
        most_subscriptions: Subscriptions of one session.
        keeps_retained: Whether clients may publish retained messages.
    """

    connect_timeout_s: float = 10.0
    packet_timeout_s: float = 60.0
    maximum_connect_size: int = 16_384
    maximum_packet_size: int = 4_194_304
    pipelined_size: int = 524_288
    receive_maximum: int = 1_024
    topic_alias_maximum: int = 16
    longest_client_id: int = 256
    maximum_keep_alive_s: int = 0
    maximum_session_expiry_s: int = 604_800
    outgoing_window: int = 32
    outgoing_queue: int = 256
    most_subscriptions: int = 64
    keeps_retained: bool = True
