"""What a link knows of the endpoint around it."""

import asyncio
from typing import Protocol

from releve.ingest.mqtt.burst import Burst
from releve.ingest.mqtt.client import Client
from releve.ingest.mqtt.sign_in import SignIn
from releve.ingest.path import Path
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.state import SessionState
from releve.protocol.sender import Sender
from releve.storage.link_store import LinkStore


class Surroundings(Protocol):
    """The endpoint, as its links see it."""

    judging: asyncio.Semaphore
    limits: Limits
    path: Path
    sign_in: SignIn
    store: LinkStore

    def has_room(self, sender: Sender, client_id: str) -> bool:
        """Whether the principal may have one more link, of this client id, at this worker."""

    async def claim(self, client: Client, sender: Sender, client_id: str, *, is_clean: bool) -> SessionState:
        """Take the client id for this client of the principal; the session that it takes up."""

    async def keep(self, burst: Burst, sender: Sender) -> None:
        """Take a burst to the disk."""

    def new_burst(self) -> Burst:
        """An empty burst."""

    def entered(self, client: Client) -> None:
        """The client is in."""

    def watches(self, client: Client) -> None:
        """The client subscribed to live readings."""

    def left(self, client: Client) -> None:
        """The client is gone."""

    def forget(self, client: Client) -> None:
        """Nothing is left to be done for a client that is gone."""

    async def is_still_in(self, client: Client) -> bool:
        """Whether the client would still be let in; waits for a database that is away."""

    def look_again(self, client: Client) -> None:
        """Ask again who the client is."""
