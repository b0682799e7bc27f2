"""The outermost of both planes: which hosts we answer for, on HTTP and WebSocket, and what browsers are told of TLS.

A page of another site can have its own name point to us (DNS rebinding); the browser then takes us for that site, and
all that our addresses protect is open to it. Such a request names that site in `Host`.
"""

import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog

from releve.http.answer import answer_problem
from releve.http.request import Message, Receive, Scope, Send
from releve.protocol.problem import StrangeHost

REMEMBERED = 1_000
HSTS = (b"strict-transport-security", b"max-age=31536000")
# What home and office networks put behind a machine's name, and nobody can register.
_LOCAL = ("local", "lan", "home", "home.arpa", "internal", "localdomain")
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
_log = structlog.get_logger()


class Hosts:
    """The names that we answer for.

    An address in numbers is always fine, and so is a name without a dot, as container networks have: no site of the
    Internet is called so.

    Args:
        names: As people write them, without a port; `*` is every name, `.example.com` that one and all below it.
        machine: What this machine is called.
    """

    def __init__(self, names: Iterable[str], *, machine: str) -> None:
        wanted = {name.strip().lower().rstrip(".") for name in names} - {""}
        short = machine.lower().partition(".")[0]
        self._is_open = "*" in wanted
        self._names = {machine.lower(), *(f"{short}.{ending}" for ending in _LOCAL)}
        self._names |= {name.removeprefix(".") for name in wanted}
        self._below = (*(name for name in wanted if name.startswith(".")), ".localhost")
        self._known: dict[bytes, bool] = {}

    def has(self, header: bytes) -> bool:
        """Whether a Host header names us.

        >>> hosts = Hosts(["board.example.com", ".example.org"], machine="pi")
        >>> [hosts.has(name) for name in (b"192.168.1.5:8000", b"[::1]:80", b"localhost", b"pi.local:8000")]
        [True, True, True, True]
        >>> [hosts.has(name) for name in (b"releve:80", b"board.example.com", b"a.example.org", b"pi.evil.example")]
        [True, True, True, False]
        """
        known = self._known.get(header)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[header] = self._is_open or self._is_ours(header)
        return known

    def _is_ours(self, header: bytes) -> bool:
        try:
            name = (urlsplit(f"//{header.decode('ascii')}").hostname or "").rstrip(".")
        except ValueError:  # no ASCII, or brackets that are none
            return False
        if not name:
            return False
        return "." not in name or name in self._names or name.endswith(self._below) or _is_address(name)


class Edge:
    """Refuses requests for other hosts, and tells browsers to stay with TLS where they came with it.

    Args:
        application: Answers the others.
        hosts: The names that we answer for.
        is_https: Whether our public address is HTTPS, whatever a proxy says.
    """

    def __init__(self, application: Application, hosts: Hosts, *, is_https: bool) -> None:
        self._application = application
        self._hosts = hosts
        self._is_https = is_https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI connection."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._application(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"host" and not self._hosts.has(value):
                await _refuse(kind, value, send)
                return
        if kind == "http" and (self._is_https or scope["scheme"] == "https"):
            send = _with_hsts(send)
        await self._application(scope, receive, send)


def hosts_of(*, allowed: str, public_url: str, listening: str) -> Hosts:
    """The hosts of this machine, with what the operator named."""
    public = urlsplit(public_url).hostname or ""
    return Hosts([*allowed.split(","), public, listening], machine=socket.gethostname())


async def _refuse(kind: str, host: bytes, send: Send) -> None:
    _log.warning("host-refused", host=host[:200].decode("latin-1"), setting="RELEVE_ALLOWED_HOSTS")
    if kind == "http":
        await answer_problem(send, StrangeHost())
    else:
        await send({"type": "websocket.close", "code": 1008})  # before the handshake: 403


def _with_hsts(send: Send) -> Send:
    async def send_with_hsts(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), HSTS]}
        await send(message)

    return send_with_hsts


def _is_address(name: str) -> bool:
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
