"""MQTT over WebSocket at `/mqtt`: binary frames, subprotocol `mqtt` (section 6 of the specifications)."""

import asyncio

from releve.http.request import Message, Receive, Scope, Send
from releve.ingest.mqtt.endpoint import Endpoint
from releve.ingest.mqtt.link import Link
from releve.ingest.mqtt.sign_in import Peer

PATH = "/mqtt"
SUBPROTOCOL = "mqtt"  # [MQTT-6.0.0-3]
TRY_AGAIN_LATER = 1013
OUTGOING_BYTES = 1_048_576  # what a client may leave unread before it is cut


class WebSocketWire:
    """One connection; what is written leaves through a task, because ASGI sends by awaiting."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._outgoing: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._unsent = 0
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._over = asyncio.Event()

    async def run(self, link: Link, receive: Receive) -> None:
        """Carry bytes both ways until one side ends."""
        tasks = [asyncio.create_task(work) for work in (self._read(link, receive), self._write(link), self._wait())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._unsent += len(data)
        if self._unsent > OUTGOING_BYTES:
            self.abort()
        else:
            self._outgoing.put_nowait(data)

    def pause(self) -> None:
        """Stop reading."""
        self._may_read.clear()

    def resume(self) -> None:
        """Read again."""
        self._may_read.set()

    def close(self) -> None:
        """Close once everything is sent."""
        self._outgoing.put_nowait(None)

    def abort(self) -> None:
        """Close now."""
        self._over.set()

    def is_gone(self) -> bool:
        """Whether the connection is over."""
        return self._over.is_set()

    async def _wait(self) -> None:
        await self._over.wait()

    async def _read(self, link: Link, receive: Receive) -> None:
        while True:
            message: Message = await receive()  # one ahead of what may be read, so that a disconnect is seen
            if message["type"] != "websocket.receive" or (data := message.get("bytes")) is None:
                return  # text frames are not MQTT [MQTT-6.0.0-1]
            await self._may_read.wait()
            link.received(data)

    async def _write(self, link: Link) -> None:
        while (data := await self._outgoing.get()) is not None:
            await self._send({"type": "websocket.send", "bytes": data})
            self._unsent -= len(data)
            if link.is_lost:
                return


async def answer(endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one WebSocket as an MQTT link."""
    await receive()
    client = scope.get("client")
    wire = WebSocketWire(send)
    link = endpoint.connected(wire, Peer(address=client[0] if client else "")) if _is_mqtt(scope) else None
    if link is None:
        await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        return
    try:
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        await wire.run(link, receive)
        await send({"type": "websocket.close", "code": 1000})
    except (OSError, RuntimeError):
        return  # the client went first; uvicorn says so in either of these ways
    finally:
        link.lost()


def _is_mqtt(scope: Scope) -> bool:
    return SUBPROTOCOL in scope.get("subprotocols", ())
