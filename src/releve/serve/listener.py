"""What every listening process starts with: its sockets, uvicorn's configuration, and a word when it is ready."""

import gc
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from releve.http.direct import Direct, directly
from releve.http.protocol import WRITE_S, bounded
from releve.http.websocket_protocol import RefusingProtocol
from releve.settings import Settings

BACKLOG = 2048
DRAIN_S = 10


class Server(uvicorn.Server):
    """uvicorn, telling the supervisor when it listens.

    Attributes:
        ready_file: Where it tells.
        stopping: Called when it stops, before it waits for the answers that are under way.
    """

    ready_file: Path
    stopping: Callable[[], None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell."""
        await super().startup(sockets)
        if self.started:
            _spare_the_collector()
            draft = self.ready_file.with_suffix(".draft")
            draft.write_text(json.dumps({"pid": os.getpid()}), encoding="utf-8")
            draft.replace(self.ready_file)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what has no end of its own, then wait for the rest."""
        if self.stopping is not None:
            self.stopping()
        await super().shutdown(sockets)


def on_port(host: str, port: int) -> socket.socket:
    """A socket of this process alone on a port that all workers share.

    With one socket shared by all, one worker can take every kept-alive connection.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    listener.setblocking(False)
    return listener


def configuration(
    settings: Settings,
    application: Any,
    *,
    is_public: bool,
    write_s: float = WRITE_S,
    keep_alive_s: int = 5,
    direct: Direct | None = None,
) -> uvicorn.Config:
    """Uvicorn's configuration.

    Args:
        settings: What the operator chose.
        application: The ASGI application.
        is_public: Whether clients reach it, perhaps by way of proxies that they trust.
        write_s: How long somebody may take nothing of an answer.
        keep_alive_s: How long a quiet connection is kept.
        direct: Answers usual requests below ASGI, None where nobody does.
    """
    deadlines = {"header_s": settings.header_timeout_s, "body_s": settings.body_timeout_s, "write_s": write_s}
    return uvicorn.Config(
        application,
        loop="uvloop",
        http=bounded(**deadlines) if direct is None else directly(direct, **deadlines),
        ws=RefusingProtocol,
        ws_max_size=settings.mqtt_packet_limit_bytes,
        ws_per_message_deflate=False,  # a few bytes could claim as much memory as the largest message
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=is_public,
        backlog=BACKLOG,
        timeout_keep_alive=keep_alive_s,
        proxy_headers=is_public and bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=DRAIN_S,
    )


def _spare_the_collector() -> None:
    """Keep what lives as long as the process out of every collection; the ingest path makes hardly any cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
