"""What a link knows of the endpoint around it."""

import asyncio
from typing import TYPE_CHECKING, Protocol

from releve.ingest.mqtt.burst import Burst
from releve.ingest.mqtt.sign_in import SignIn
from releve.ingest.path import Path
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.state import SessionState
from releve.protocol.sender import Sender
from releve.storage.link_store import LinkStore

if TYPE_CHECKING:
    from releve.ingest.mqtt.link import Link


class Surroundings(Protocol):
    """The endpoint, as its links see it."""

    judging: asyncio.Semaphore
    limits: Limits
    path: Path
    sign_in: SignIn
    store: LinkStore

    def has_room(self, sender: Sender, client_id: str) -> bool:
        """Whether the principal may have one more link, of this client id, at this worker."""

    async def claim(self, link: "Link", sender: Sender, client_id: str, *, is_clean: bool) -> SessionState:
        """Take the client id for the link of this principal; the session that it takes up."""

    async def keep(self, burst: Burst, sender: Sender) -> None:
        """Take a burst to the disk."""

    def new_burst(self) -> Burst:
        """An empty burst."""

    def entered(self, link: "Link") -> None:
        """The link is in."""

    def watches(self, link: "Link") -> None:
        """The link's client subscribed to live readings."""

    def left(self, link: "Link") -> None:
        """The link is over."""

    def forget(self, link: "Link") -> None:
        """Nothing is left to be done for a link that is over."""

    async def is_still_in(self, link: "Link") -> bool:
        """Whether the link's client would still be let in; waits for a database that is away."""

    def look_again(self, link: "Link") -> None:
        """Ask again who the link's principal is."""
