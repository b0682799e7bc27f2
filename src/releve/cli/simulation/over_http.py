"""Simulated devices over real HTTP, each as the published client of its contract: log in once, then post."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx

from releve.cli.simulation.kind import Kind
from releve.cli.simulation.load import Acknowledged, NotLoggedIn, NotSent

TIMEOUT_S = 30.0


class HttpConnection:
    """One device, logged in."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str], route: str) -> None:
        self._client = client
        self._headers = headers
        self._route = route

    async def send(self, measured: dict[str, Any]) -> Acknowledged:
        """Post one measurement.

        Raises:
            NotSent: The answer is no success, or there is none.
        """
        reply = await posted(self._client, self._route, measured, self._headers)
        return Acknowledged(reply["outcome"])


@contextlib.asynccontextmanager
async def connections(
    kind: Kind, devices: Sequence[tuple[str, str]], *, url: str
) -> AsyncIterator[list[HttpConnection]]:
    """The devices, given as (name, secret), each logged in and with a client of its own.

    Raises:
        NotLoggedIn: A device was refused at the door.
    """
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(client(kind, url)) for _ in devices]
        headers = await asyncio.gather(
            *(log_in(kind, each, device) for each, device in zip(clients, devices, strict=True))
        )
        yield [HttpConnection(each, header, kind.route) for each, header in zip(clients, headers, strict=True)]


def client(kind: Kind, url: str) -> httpx.AsyncClient:
    """A client with one connection, or a new one for each call where the published client makes one."""
    limits = httpx.Limits(max_keepalive_connections=1 if kind.keeps_connection else 0)
    agent = {"User-Agent": f"releve simulate {kind.name}"}
    return httpx.AsyncClient(base_url=url, limits=limits, timeout=TIMEOUT_S, headers=agent, trust_env=False)


async def log_in(kind: Kind, client: httpx.AsyncClient, device: tuple[str, str]) -> dict[str, str]:
    """The header that a device's posts carry.

    Raises:
        NotLoggedIn: It was refused, or nobody answers.
    """
    name, secret = device
    try:
        reply = await client.post(kind.login, json=kind.credentials(name, secret))
    except httpx.HTTPError as error:
        raise NotLoggedIn(f"{client.base_url} does not answer ({type(error).__name__})") from error
    if reply.status_code != httpx.codes.OK:
        raise NotLoggedIn(f"{name} could not log in at {kind.login}: {reply.status_code} {reply.text[:200]}")
    header, prefix = kind.header
    return {header: prefix + reply.json()[kind.token_field]}


async def posted(
    client: httpx.AsyncClient, route: str, body: dict[str, Any], headers: dict[str, str]
) -> dict[str, Any]:
    """Post a body; the answer of a success.

    Raises:
        NotSent: The answer is no success, or there is none.
    """
    try:
        reply = await client.post(route, json=body, headers=headers)
    except httpx.HTTPError as error:
        raise NotSent(type(error).__name__) from error
    if not reply.is_success:
        raise NotSent(f"status {reply.status_code}")
    document: dict[str, Any] = reply.json()
    return document
