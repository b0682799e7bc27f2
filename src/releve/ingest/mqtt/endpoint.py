"""The MQTT endpoint of one worker: what its links ask of it, and what is asked of all of them."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from uuid import UUID

import msgspec
import structlog

from releve.access.authenticate import Authenticator
from releve.ingest.mqtt.burst import Answer, Burst, Clock
from releve.ingest.mqtt.client import Client
from releve.ingest.mqtt.link import Link
from releve.ingest.mqtt.links import Links
from releve.ingest.mqtt.presence import Presence
from releve.ingest.mqtt.sign_in import Peer, SignIn
from releve.ingest.mqtt.wire import Wire
from releve.ingest.path import Path
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.reason import Reason
from releve.protocol.mqtt.state import SessionState
from releve.protocol.problem import Unavailable
from releve.protocol.sender import Sender
from releve.storage.link_store import LinkStore

LOOKING_AT_ONCE = 4
RETRY_S = 1.0
STOP_S = 1.0
LINKS_OF_ONE = 100  # device or person, at one worker; as many as live pages
JUDGING_AT_ONCE = 2  # so that a flood of sign-ins leaves connections to everybody else
_log = structlog.get_logger()


class Endpoint:
    """Every link of this worker.

    Args:
        authenticator: Knows tokens, and hears of revocations.
        path: Takes the readings to the disk, with those of all other transports.
        store: The endpoint's own statements.
        sign_in: Checks credentials.
        limits: What a session may take.
        batch_limit: Most readings in one publish.
        most_links: Connections above which further ones are closed at once.

    Attributes:
        on_watched: Called when somebody has begun to watch live readings.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        path: Path,
        store: LinkStore,
        sign_in: SignIn,
        *,
        limits: Limits,
        batch_limit: int,
        most_links: int,
    ) -> None:
        self.path = path
        self.limits = limits
        self.store = store
        self.sign_in = sign_in
        self.presence = Presence(store)
        self._authenticator = authenticator
        self._batch_limit = batch_limit
        self._most_links = most_links
        self.on_watched: Callable[[], object] | None = None
        self._clock = Clock()
        self._links = Links()
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking = asyncio.Semaphore(LOOKING_AT_ONCE)
        self.judging = asyncio.Semaphore(JUDGING_AT_ONCE)
        self._is_stopping = False
        authenticator.on_revoked(self.heard)

    # What transports call

    def connected(self, wire: Wire, peer: Peer) -> Link | None:
        """A connection was opened; None when there are too many."""
        if self._is_stopping or len(self._links) >= self._most_links:
            self.path.counters.refused("mqtt", "too-many-links")
            return None
        link = Link(self, wire, peer)
        self._links.connected(link)
        return link

    # What links call

    def has_room(self, sender: Sender, client_id: str) -> bool:
        """Whether the principal may have one more link, of this client id, at this worker.

        A link that was lost counts while it leaves a will that waits.
        """
        links = self._links.named(sender.principal)
        return len(links) < LINKS_OF_ONE or any(link.client.name == client_id for link in links)

    async def claim(self, client: Client, sender: Sender, client_id: str, *, is_clean: bool) -> SessionState:
        """Take the client id for this client of the principal; the session that it takes up.

        Raises:
            Unavailable: The database does not answer.
        """
        claim = await self.store.claim(
            client_id,
            principal=sender.principal,
            device_id=sender.device_id if sender.is_device else None,
            link=client.id,
            address=client.peer.address,
            is_clean=is_clean,
        )
        self._links.claim(client)
        before = self._links.claimed(claim.old_link) if claim.old_link is not None else None
        state = before.taken_over() if before is not None else None
        if state is None and claim.old_state is not None:
            with suppress(msgspec.ValidationError):  # another version of the program wrote it: a new session
                state = SessionState.from_dict(claim.old_state)
        return state if state is not None and not is_clean else SessionState(client_id)

    async def keep(self, burst: Burst, sender: Sender) -> None:
        """Take a burst to the disk.

        Raises:
            Problem: Nothing is to be acknowledged now; trying again is safe.
        """
        if self._authenticator.feed.is_cut:
            raise Unavailable
        await self.path.keep(burst.submission)
        for answer in burst.answers:
            await self._keep_answer(answer, sender)

    def new_burst(self) -> Burst:
        """An empty burst."""
        return Burst(self._clock, self.path.counters, batch_limit=self._batch_limit)

    def entered(self, client: Client) -> None:
        """The client is in."""
        self._links.entered(client)
        self._links.of(client).end_with_its_token()

    def watches(self, client: Client) -> None:
        """The client subscribed to live readings."""
        self._links.watch(client)
        if not client.is_lost and self.on_watched is not None:
            self.on_watched()

    def left(self, client: Client) -> None:
        """The client is gone."""
        link = self._links.left(client)
        if self._links.claimed(client.id) is not None:
            self.presence.ended(link.ended())
        if not link.has_will_waiting:  # one that waits is found by the same client's return, and by a revocation
            self._links.forget(client)

    def forget(self, client: Client) -> None:
        """Nothing is left to be done for a client that is gone."""
        self._links.forget(client)

    async def is_still_in(self, client: Client) -> bool:
        """Whether the client would still be let in, as it is now; waits for a database that is away."""
        while (before := client.sender) is not None:
            try:
                async with self._looking:
                    sender = await self.sign_in.again(client.proof, before.device_id)
            except Unavailable:
                await asyncio.sleep(RETRY_S)
                continue
            if sender is None or sender.principal != before.principal:
                return False
            self._links.of(client).became(sender)
            return True
        return False

    def look_again(self, client: Client) -> None:
        """Ask again who the client is, and close its link if it is nobody any more."""
        self._start(self._look_again(self._links.of(client)))

    # What the revocation feed calls

    def heard(self, what: str | None) -> None:
        """Something was revoked, changed or put into a queue; None when anything may have been."""
        if what is None:
            for link in self._links.all:
                self.look_again(link.client)
            return
        kind, _, name = what.partition(":")
        if kind == "link":
            self._leave_to_successor(UUID(name))
        elif kind in {"command", "config"}:
            for link in self._links.named(f"device:{name}"):
                self._start(link.outbox.send_commands() if kind == "command" else link.outbox.config_changed())
        else:
            for link in self._links.named(what.replace("-", "")):
                self.look_again(link.client)

    # What the hub calls

    @property
    def has_live_subscribers(self) -> bool:
        """Whether anybody would hear a committed reading."""
        return bool(self._links.watching)

    def deliver_live(self, *, device_id: int, device: str, team_id: int, payload: bytes) -> None:
        """Send a committed reading to the people who listen."""
        for link in self._links.watching:
            link.outbox.deliver_live(device_id=device_id, device=device, team_id=team_id, payload=payload)
            link.client.pump()

    # Start and stop

    def background(self) -> tuple[tuple[str, Callable[[], Coroutine[None, None, None]]], ...]:
        """What runs as long as the worker."""
        return (("mqtt presence", self.presence.run),)

    def refuse_new(self) -> None:
        """Let nobody in any more."""
        self._is_stopping = True

    async def stop(self) -> None:
        """Acknowledge what is committed, say good-bye, and write down that all links are over."""
        self._is_stopping = True
        links = self._links.open
        await self.path.values.flush()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await asyncio.gather(*(link.settled() for link in links), return_exceptions=True)
        for link in links:
            link.close(Reason.SERVER_SHUTTING_DOWN, "the server is stopping")
        await asyncio.sleep(0)
        for link in links:
            link.lost()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await asyncio.gather(*(link.wound_up() for link in links))
        await self.path.values.flush()
        await self.presence.flush()

    # Helpers

    async def _keep_answer(self, answer: Answer, sender: Sender) -> None:
        if sender.device_id is not None:
            await self.store.keep_answer(sender.device_id, answer.command_id, answer.text)

    def _leave_to_successor(self, link_id: UUID) -> None:
        link = self._links.claimed(link_id)
        if link is not None:
            link.taken_over()
            if link.is_lost:
                self._links.forget(link.client)

    async def _look_again(self, link: Link) -> None:
        if link.is_lost and not link.has_will_waiting:
            return
        if not await self.is_still_in(link.client):
            link.revoked()
            if link.is_lost:
                self._links.forget(link.client)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("mqtt endpoint failed", error=repr(error))
