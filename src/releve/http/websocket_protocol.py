"""uvicorn's WebSocket protocol, which ends a page that takes nothing, and knows a refused handshake for complete."""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from releve.http.protocol import WRITE_S


class RefusingProtocol(WebSocketsSansIOProtocol):
    """Takes a refusal with a body of its own for the end of the handshake; uvicorn logs such a one as an error."""

    _draining: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """The page does not keep up: it has so long to take something."""
        super().pause_writing()
        if self._draining is None:
            self._draining = self.loop.call_later(WRITE_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken something."""
        self._drained()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._drained()
        super().connection_lost(exc)

    def _drained(self) -> None:
        if self._draining is not None:
            self._draining.cancel()
            self._draining = None

    async def send(self, message: Any) -> None:
        """Send one ASGI message."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True
