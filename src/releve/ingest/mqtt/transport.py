"""MQTT over TCP and TLS: asyncio's protocol around a link, and the listening sockets of one worker."""

import asyncio
import hashlib
import select
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, cast

from releve.ingest.mqtt.endpoint import Endpoint
from releve.ingest.mqtt.sign_in import Peer

if TYPE_CHECKING:
    from releve.ingest.mqtt.link import Link

BACKLOG = 2048
LONGEST_SUBJECT = 200
HANDSHAKE_S = 10.0
WRITE_HIGH_BYTES = 262_144
KEEPALIVE_IDLE_S = 60  # a client without keep alive whose power failed is noticed by TCP's own probes
KEEPALIVE_EVERY_S = 15
KEEPALIVE_PROBES = 4
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class TcpWire(asyncio.Protocol):
    """One connection."""

    __slots__ = ("_endpoint", "_link", "_transport")

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._link: Link | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open, its TLS handshake done."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_HIGH_BYTES)
        _probe(self._transport)
        self._link = self._endpoint.connected(self, _peer(self._transport))
        if self._link is None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._link is not None:
            self._link.received(data)

    def pause_writing(self) -> None:
        """The client does not read."""
        if self._link is not None:
            self._link.write_paused()

    def resume_writing(self) -> None:
        """The client reads again."""
        if self._link is not None:
            self._link.write_resumed()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whoever closed it, it is over
        """The connection is gone."""
        if self._link is not None:
            self._link.lost()

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def pause(self) -> None:
        """Stop reading."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """Close once everything is sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close now."""
        if self._transport is not None:
            self._transport.abort()

    def is_gone(self) -> bool:
        """Whether the other side closed although nothing is read."""
        if self._transport is None or self._transport.is_closing():
            return True
        peer = self._transport.get_extra_info("socket")
        if peer is None or peer.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(peer.fileno(), select.POLLRDHUP)
        return any(what & _GONE for _, what in poll.poll(0))


def listening(host: str, port: int) -> socket.socket:
    """A socket of this worker alone on a port that all workers share."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    listener.setblocking(False)
    return listener


def tls_context(certificate: Path, key: Path, *, client_ca: Path | None) -> ssl.SSLContext:
    """TLS by certificate files; with the clients' authority a client may show its certificate instead of a secret."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


async def serve(
    endpoint: Endpoint, listener: socket.socket, *, context: ssl.SSLContext | None = None
) -> asyncio.AbstractServer:
    """Take connections on a socket."""
    return await asyncio.get_running_loop().create_server(
        lambda: TcpWire(endpoint),
        sock=listener,
        backlog=BACKLOG,
        ssl=context,
        ssl_handshake_timeout=HANDSHAKE_S if context is not None else None,
    )


def _peer(transport: asyncio.Transport) -> Peer:
    name = transport.get_extra_info("peername")
    secured = transport.get_extra_info("ssl_object")
    certificate = secured.getpeercert(binary_form=True) if secured is not None else None
    address = str(name[0]) if name else ""
    if not certificate:
        return Peer(address=address)
    subject = secured.getpeercert().get("subject", ())
    return Peer(address, hashlib.sha256(certificate).hexdigest(), subject=_written(subject))


def _written(subject: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    """Whose a certificate says it is; it counts for nothing, and helps people to tell one from the other."""
    text = ", ".join(f"{name}={value}" for part in subject for name, value in part)
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text[:LONGEST_SUBJECT])


def _probe(transport: asyncio.Transport) -> None:
    peer = transport.get_extra_info("socket")
    if peer is None:
        return
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_EVERY_S)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
