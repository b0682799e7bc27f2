"""Simulated devices over real MQTT 5: paho-mqtt on our event loop, at QoS 1, each PUBACK counted."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from releve.cli.simulation.kind import Kind, Message
from releve.cli.simulation.load import Acknowledged, NotLoggedIn, NotSent

TIMEOUT_S = 30.0
FAREWELL_S = 2.0
KEEP_ALIVE_S = 30
PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}


class MqttConnection:
    """One device. When its connection breaks it is made again, and what had no PUBACK is published again.

    Args:
        kind: What the device is.
        device: Its name and its secret.
        url: `mqtt://`, `mqtts://`, `ws://` or `wss://`.
    """

    def __init__(self, kind: Kind, device: tuple[str, str], *, url: str) -> None:
        self._kind = kind
        self._name, secret = device
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, asyncio.Future[ReasonCode]] = {}
        self._greeted: asyncio.Future[ReasonCode] = self._loop.create_future()
        self._is_up = False
        self._address = urlsplit(url)
        self._client = self._make_client(secret)

    async def open(self) -> None:
        """Connect.

        Raises:
            NotLoggedIn: Nobody answers, or the device is refused.
        """
        where = f"{self._address.hostname}:{self._port}"
        self._greeted = self._loop.create_future()
        try:
            # The one call that blocks: it resolves the name and waits for TCP and TLS.
            await asyncio.to_thread(self._client.connect, str(self._address.hostname), self._port, KEEP_ALIVE_S)
            code = await asyncio.wait_for(self._greeted, TIMEOUT_S)
        except (OSError, ValueError, TimeoutError) as error:
            raise NotLoggedIn(f"{where} does not answer over MQTT ({type(error).__name__})") from error
        if code.is_failure:
            raise NotLoggedIn(f"{self._name} could not log in at {where}: {code}")
        self._is_up = True

    async def send(self, measured: dict[str, Any]) -> Acknowledged:
        """Publish one measurement, in as many messages as the contract wants, and wait for every PUBACK.

        Raises:
            NotSent: A PUBACK says why not, or none came.
        """
        return await self._published(self._kind.messages(self._name, measured), within_s=TIMEOUT_S)

    async def keep_up(self) -> None:
        """Send PINGREQ when it is time, and connect again when the connection broke, until cancelled."""
        while True:
            await asyncio.sleep(1)
            if self._is_up:
                self._client.loop_misc()
            else:
                with contextlib.suppress(NotLoggedIn):
                    await self.open()

    async def close(self) -> None:
        """Say farewell and go."""
        if self._is_up:
            with contextlib.suppress(NotSent):
                await self._published(self._kind.farewell, within_s=FAREWELL_S)
            self._client.disconnect()
            self._client.loop_write()

    async def _published(self, messages: Sequence[Message], *, within_s: float) -> Acknowledged:
        answers = [self._publish(topic, payload) for topic, payload in messages]
        try:
            codes = await asyncio.wait_for(asyncio.gather(*answers), within_s)
        except TimeoutError as error:
            raise NotSent(f"no PUBACK within {within_s:g} s") from error
        for code in codes:
            if code.is_failure:
                raise NotSent(f"PUBACK 0x{code.value:02x} {code}")
        return Acknowledged("stored", len(codes))

    def _publish(self, topic: str, payload: str) -> "asyncio.Future[ReasonCode]":
        answer: asyncio.Future[ReasonCode] = self._loop.create_future()
        sent = self._client.publish(topic, payload, qos=1)  # without a connection paho keeps it for the next one
        if sent.rc in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            self._waiting[sent.mid] = answer
        else:
            answer.set_exception(NotSent(mqtt.error_string(sent.rc)))
        return answer

    @property
    def _port(self) -> int:
        return self._address.port or PORTS[self._address.scheme]

    def _make_client(self, secret: str) -> mqtt.Client:
        is_websocket = self._address.scheme in ("ws", "wss")
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._name,
            protocol=mqtt.MQTTv5,
            transport="websockets" if is_websocket else "tcp",
            reconnect_on_failure=False,
        )
        client.username_pw_set(self._name, secret)
        if self._address.scheme in ("mqtts", "wss"):
            client.tls_set()
        if is_websocket:
            client.ws_set_options(path=self._address.path or "/mqtt")
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        client.on_socket_open = lambda _, __, socket: self._on_loop(
            self._loop.add_reader, socket.fileno(), client.loop_read
        )
        client.on_socket_close = lambda _, __, socket: self._on_loop(self._loop.remove_reader, socket.fileno())
        client.on_socket_register_write = lambda _, __, socket: self._on_loop(
            self._loop.add_writer, socket.fileno(), client.loop_write
        )
        client.on_socket_unregister_write = lambda _, __, socket: self._on_loop(
            self._loop.remove_writer, socket.fileno()
        )
        return client

    def _on_loop(self, work: Callable[..., object], *arguments: Any) -> None:
        """At once on the loop's thread, else soon: `connect` runs in another."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._loop.call_soon_threadsafe(work, *arguments)
        else:
            work(*arguments)

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if not self._greeted.done():
            self._greeted.set_result(code)

    def _on_publish(self, _client: Any, _data: Any, mid: int, code: ReasonCode, _properties: Any) -> None:
        answer = self._waiting.pop(mid, None)
        if answer is not None and not answer.done():
            answer.set_result(code)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        self._is_up = False
        if not self._greeted.done():
            self._greeted.set_result(code)


@contextlib.asynccontextmanager
async def connections(
    kind: Kind, devices: Sequence[tuple[str, str]], *, url: str
) -> AsyncIterator[list[MqttConnection]]:
    """The devices, given as (name, secret), each connected.

    Raises:
        NotLoggedIn: A device was refused at the door.
    """
    made = [MqttConnection(kind, device, url=url) for device in devices]
    await asyncio.gather(*(each.open() for each in made))
    pinging = [asyncio.create_task(each.keep_up()) for each in made]
    try:
        yield made
    finally:
        for task in pinging:
            task.cancel()
        await asyncio.gather(*pinging, return_exceptions=True)
        await asyncio.gather(*(each.close() for each in made))
