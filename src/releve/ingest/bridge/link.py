"""One connection to a broker: paho-mqtt in a thread of its own, its events handed to the asyncio loop.

A link is used once. Acknowledgements are sent in the order in which they are asked for [MQTT-4.6.0-2], by hand, and die
with their link: nothing is ever acknowledged across a reconnect.
"""

import asyncio
import contextlib
import ssl
import threading
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from releve.ingest.bridge.config import Broker

CONNECT_S = 15.0
LOOP_S = 1.0
FULL_POLL_S = 0.5
LARGEST_BACKLOG_BYTES = 64 * 2**20
_V5 = "5"


class LinkEnded(Exception):
    """The connection could not be made, or is over; the message says why."""


class Message(msgspec.Struct, frozen=True):
    """One PUBLISH that arrived; `mid` is 0 at QoS 0, which nobody acknowledges."""

    topic: str
    payload: bytes
    qos: int
    mid: int
    is_repeat: bool


class Link:
    """One connection, from CONNECT to its end.

    Args:
        broker: Where to, and how much may be under way: beyond it the socket is not read.
        password: The broker's password.
        tls: What TLS is spoken with.

    Attributes:
        ended: Why it is over, once it is.
    """

    def __init__(self, broker: Broker, *, password: str | None, tls: ssl.SSLContext | None) -> None:
        self._broker = broker
        self._loop = asyncio.get_running_loop()
        self._connected: asyncio.Future[bool] = self._loop.create_future()
        self._subscribed: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
        self.ended: asyncio.Future[str] = self._loop.create_future()
        self._arrived = asyncio.Event()
        self._inbox: deque[Message] = deque()
        self._burst: list[Message] = []  # what the thread has read and not handed over
        self._room = threading.Condition()
        self._held = 0
        self._held_bytes = 0
        self._is_closing = False
        self._reason = ""
        self._client = self._make_client(password, tls)
        self._thread = threading.Thread(target=self._run, name=f"bridge {broker.name}", daemon=True)

    async def open(self) -> bool:
        """Connect; whether the broker still has our session.

        Raises:
            LinkEnded: The broker cannot be reached, or does not let us in.
        """
        self._thread.start()
        return bool(await self._until(self._connected, within_s=2 * CONNECT_S))

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe at QoS 1.

        Raises:
            LinkEnded: The broker refused a filter, or the connection broke.
        """
        # MQTT 5: retained messages come with a new subscription only, not again with every connection.
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        if self._broker.version == _V5:
            self._client.subscribe([(each, options) for each in filters])
        else:
            self._client.subscribe([(each, 1) for each in filters])
        answers = await self._until(self._subscribed, within_s=CONNECT_S)
        for each, answer in zip(filters, answers, strict=False):
            if answer.is_failure:
                raise LinkEnded(f"the broker refused the subscription {each!r}: {answer}")

    async def messages(self) -> AsyncIterator[Message]:
        """Every message in the order of its arrival, until the link is over.

        Raises:
            LinkEnded: It is; the message says why.
        """
        while True:
            while self._inbox:
                yield self._inbox.popleft()
                if self.ended.done():
                    raise LinkEnded(self.ended.result())
            self._arrived.clear()
            if self.ended.done():
                raise LinkEnded(self.ended.result())
            await self._arrived.wait()

    def acknowledge(self, message: Message) -> None:
        """Send the PUBACK, unless the link is over, and make room for another message."""
        if message.qos and not self.ended.done():
            self._client.ack(message.mid, message.qos)
        with self._room:
            self._held -= 1
            self._held_bytes -= len(message.payload)
            self._room.notify()

    async def close(self) -> None:
        """Send what is to be sent, say DISCONNECT, and end the thread."""
        with self._room:
            self._is_closing = True
            self._room.notify()
        if self._thread.is_alive():
            with contextlib.suppress(ValueError):
                self._client.disconnect()
            await self.ended

    async def _until(self, future: "asyncio.Future[Any]", *, within_s: float) -> Any:
        await asyncio.wait((future, self.ended), timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        if self.ended.done():
            raise LinkEnded(self.ended.result())
        if not future.done():
            raise LinkEnded(f"the broker did not answer within {within_s:g} s")
        return future.result()

    def _make_client(self, password: str | None, tls: ssl.SSLContext | None) -> mqtt.Client:
        broker = self._broker
        is_v5 = broker.version == _V5
        is_websocket = broker.address.scheme in ("ws", "wss")
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.session,
            clean_session=None if is_v5 else False,
            protocol=mqtt.MQTTv5 if is_v5 else mqtt.MQTTv311,
            transport="websockets" if is_websocket else "tcp",
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_S
        if broker.username is not None:
            client.username_pw_set(broker.username, password)
        if tls is not None:
            client.tls_set_context(tls)
        if is_websocket:
            client.ws_set_options(path=broker.address.path or "/mqtt")
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        # While this is set paho only queues what other threads send, and this link's thread alone uses the socket.
        client.on_socket_register_write = lambda *_: None
        return client

    def _run(self) -> None:
        """The thread: connect, then read and write until the connection is over."""
        broker = self._broker
        try:
            self._client.connect(str(broker.address.hostname), broker.port, broker.keep_alive_s, **self._connect_with())
            code = MQTTErrorCode.MQTT_ERR_SUCCESS
            while code == MQTTErrorCode.MQTT_ERR_SUCCESS and not self._may_leave():
                code = self._read_burst() if self._has_room() else self._write_only()
            reason = self._reason or mqtt.error_string(code)
        except Exception as error:  # noqa: BLE001 - whatever ends the thread ends the link, and is logged with it
            reason = f"{type(error).__name__}: {error}"
        finally:
            self._leave()
        with contextlib.suppress(RuntimeError):  # the loop may be gone
            self._loop.call_soon_threadsafe(self._end, reason)

    def _read_burst(self) -> MQTTErrorCode:
        """Read and write once, and read on while there is more: what comes together is committed together."""
        code = self._client.loop(LOOP_S)
        count = 0
        while code == MQTTErrorCode.MQTT_ERR_SUCCESS and len(self._burst) > count and not self._is_full():
            count = len(self._burst)
            code = self._client.loop_read()  # nothing more is there when it brings no message
        if self._burst:
            burst, self._burst = self._burst, []
            self._loop.call_soon_threadsafe(self._receive, burst)
        return code

    def _may_leave(self) -> bool:
        """Whether we are asked to go, and everything that was to be sent is sent."""
        return self._is_closing and not self._client.want_write()

    def _leave(self) -> None:
        socket = self._client.socket()
        if socket is not None:
            self._client.disconnect()
            self._client.loop_write()
            socket.close()

    def _connect_with(self) -> dict[str, Any]:
        if self._broker.version != _V5:
            return {}
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._broker.session_expiry_s
        properties.ReceiveMaximum = self._broker.window
        properties.MaximumPacketSize = self._broker.largest_packet_bytes
        return {"clean_start": False, "properties": properties}

    def _end(self, reason: str) -> None:
        self.ended.set_result(reason)
        self._arrived.set()

    def _tell(self, future: "asyncio.Future[Any]", value: Any) -> None:
        def tell() -> None:
            if not future.done():
                future.set_result(value)

        self._loop.call_soon_threadsafe(tell)

    def _on_connect(self, _client: Any, _data: Any, flags: Any, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            self._reason = f"the broker does not let us in: {code}"
        else:
            self._tell(self._connected, bool(flags.session_present))

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Any) -> None:
        self._tell(self._subscribed, codes)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        self._reason = self._reason or f"disconnected: {code}"

    def _on_message(self, _client: Any, _data: Any, arrived: mqtt.MQTTMessage) -> None:
        message = Message(_topic(arrived), bytes(arrived.payload), arrived.qos, arrived.mid, bool(arrived.dup))
        with self._room:
            self._held += 1
            self._held_bytes += len(message.payload)
        self._burst.append(message)

    def _receive(self, burst: list[Message]) -> None:
        self._inbox.extend(burst)
        self._arrived.set()

    def _has_room(self) -> bool:
        """Whether to read the socket, after a moment of waiting for it."""
        with self._room:
            if self._is_full() and not self._is_closing:
                self._room.wait(FULL_POLL_S)
            return not self._is_full()

    def _is_full(self) -> bool:
        return self._held > self._broker.window or self._held_bytes > LARGEST_BACKLOG_BYTES

    def _write_only(self) -> MQTTErrorCode:
        """Send acknowledgements and PINGREQ, and leave what arrives to the broker.

        MQTT 5 keeps a broker within the window, so this is for the others. As PINGRESP is not read either, paho gives
        the link up after two keep-alives, and it is made anew.
        """
        return self._client.loop_write() or self._client.loop_misc()


def _topic(arrived: mqtt.MQTTMessage) -> str:
    try:
        return arrived.topic
    except UnicodeDecodeError:
        return ""  # matches no template, so it is kept aside like every message that does not
