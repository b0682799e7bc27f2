"""Simulated cars over contract B's own routes: somebody adds the vehicle and opens each race, the car posts samples."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import httpx

from releve.cli.simulation.kind import Kind
from releve.cli.simulation.load import Acknowledged, NotLoggedIn, NotSent
from releve.cli.simulation.over_http import client, log_in, posted

SAMPLE = ("distance", "speed", "battery", "track", "date")


class Marshal:
    """The person beside the track, who adds vehicles and opens races as the contract's pages do.

    Args:
        client: Talks to the server.
        token: An access token that has not ended, each time it is called.
    """

    def __init__(self, client: httpx.AsyncClient, token: Callable[[], str]) -> None:
        self._client = client
        self._token = token

    async def vehicle(self, name: str) -> int:
        """The vehicle of that name, added when there is none.

        Raises:
            NotLoggedIn: The person may not, or nobody answers.
        """
        try:
            reply = await self._client.get("/vehicles", headers=self._headers)
            for found in reply.json()["data"] if reply.is_success else ():
                if found["name"] == name:
                    return int(found["id"])
            return int((await posted(self._client, "/vehicle", {"name": name}, self._headers))["data"]["id"])
        except (httpx.HTTPError, NotSent) as error:
            raise NotLoggedIn(f"the vehicle {name} cannot be added: {error}") from error

    async def race(self, vehicle: int, name: str) -> int:
        """Open a race.

        Raises:
            NotSent: It was refused, or nothing was heard.
        """
        body = {"vehicle_id": vehicle, "name": name}
        return int((await posted(self._client, "/race", body, self._headers))["data"]["id"])

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token()}"}


class CarConnection:
    """One car, logged in; a race that its instrument begins is opened first."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str], marshal: Marshal, vehicle: int) -> None:
        self._client = client
        self._headers = headers
        self._marshal = marshal
        self._vehicle = vehicle
        self._race = 0
        self._race_id = 0

    async def send(self, measured: dict[str, Any]) -> Acknowledged:
        """Post one sample of the race under way.

        Raises:
            NotSent: The answer is no success, or there is none.
        """
        if measured["race"] != self._race:
            self._race_id = await self._marshal.race(self._vehicle, f"Race {measured['race']}")
            self._race = measured["race"]
        sample = {"race_id": self._race_id, **{name: measured[name] for name in SAMPLE}}
        reply = await posted(self._client, "/sensor_data", sample, self._headers)
        return Acknowledged(reply["data"]["outcome"])


@contextlib.asynccontextmanager
async def connections(
    kind: Kind, devices: Sequence[tuple[str, str]], *, url: str, token: Callable[[], str]
) -> AsyncIterator[list[CarConnection]]:
    """The cars, given as (name, secret), each logged in and with a vehicle.

    Raises:
        NotLoggedIn: A car, or the person, was refused at the door.
    """

    async def connected(each: httpx.AsyncClient, device: tuple[str, str]) -> CarConnection:
        marshal = Marshal(each, token)
        return CarConnection(each, await log_in(kind, each, device), marshal, await marshal.vehicle(device[0]))

    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(client(kind, url)) for _ in devices]
        yield await asyncio.gather(*(connected(each, device) for each, device in zip(clients, devices, strict=True)))
