"""uvicorn's WebSocket protocol, which knows that a refused handshake is a complete one."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class RefusingProtocol(WebSocketsSansIOProtocol):
    """Takes a refusal with a body of its own for the end of the handshake; uvicorn logs such a one as an error."""

    async def send(self, message: Any) -> None:
        """Send one ASGI message."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True
