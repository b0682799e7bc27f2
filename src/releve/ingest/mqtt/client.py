"""What the parts of one link share: who is at the other end, its session, and how to set the link going."""

import asyncio
from collections.abc import Callable, Coroutine
from uuid import UUID, uuid4

from releve.ingest.mqtt.sign_in import Peer, Proof
from releve.protocol.mqtt.session import Session
from releve.protocol.sender import Sender  # noqa: TC001 - as all of ours, it is not worth a block of its own

Work = Coroutine[None, None, None]


class Client:
    """The client of one link.

    Attributes:
        id: The link's own name.
        peer: The other end of its connection.
        session: What it and we have said.
        sender: The principal, once it is in; another value when its name, team, contract or rights change.
        proof: By what it was let in.
        is_lost: Whether its connection is gone.
        is_write_paused: Whether it does not take what is sent.
        pump: Acts on what the session says, writes what it writes, and starts or stops reading.
        start: Runs something beside the link, and keeps hold of it.
    """

    __slots__ = (
        "_loop", "id", "is_lost", "is_write_paused", "peer", "proof", "pump", "sender", "session", "start",
    )  # fmt: skip

    def __init__(
        self, peer: Peer, session: Session, *, pump: Callable[[], None], start: Callable[[Work], None]
    ) -> None:
        self.id: UUID = uuid4()
        self.peer = peer
        self.session = session
        self.sender: Sender | None = None
        self.proof = Proof()
        self.is_lost = False
        self.is_write_paused = False
        self.pump = pump
        self.start = start
        self._loop = asyncio.get_running_loop()

    def now(self) -> float:
        """The session's clock."""
        return self._loop.time()

    @property
    def name(self) -> str:
        """The client id, empty before CONNECT."""
        return self.session.connect.client_id if self.session.connect is not None else ""

    @property
    def can_write(self) -> bool:
        """Whether it takes what is sent; what is live is not worth keeping for it."""
        return not self.is_write_paused and not self.is_lost
