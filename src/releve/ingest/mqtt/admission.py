"""Lets a client in: its credential, its will, its client id, and what is known of it from before."""

from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

from releve.ingest.mqtt import refusal
from releve.ingest.mqtt.client import Client
from releve.ingest.mqtt.intake import Intake
from releve.ingest.mqtt.outbox import Outbox
from releve.ingest.mqtt.sign_in import Refused
from releve.ingest.mqtt.surroundings import Surroundings
from releve.protocol.mqtt.packet import Connect, Will
from releve.protocol.mqtt.reason import Reason
from releve.protocol.problem import BadReading, Unavailable
from releve.protocol.sender import Sender


class Admission:
    """Judges the CONNECT of one link.

    Args:
        client: Who wants to come in.
        surroundings: Knows who it is, and what it left behind.
        intake: Told what it speaks, and the race that it is in.
        outbox: Told what it subscribes to.
        became: Told who it turns out to be.
    """

    __slots__ = ("_became", "_client", "_intake", "_outbox", "_surroundings")

    def __init__(
        self,
        client: Client,
        surroundings: Surroundings,
        *,
        intake: Intake,
        outbox: Outbox,
        became: Callable[[Sender], None],
    ) -> None:
        self._client = client
        self._surroundings = surroundings
        self._intake = intake
        self._outbox = outbox
        self._became = became

    async def judge(self, connect: Connect) -> None:
        """Let the client in, or tell it why not."""
        session = self._client.session
        try:
            async with self._surroundings.judging:
                if not self._client.is_lost:
                    await self._let_in(connect)
        except Refused as refused:
            self._surroundings.path.counters.refused("mqtt", refused.reason.name.lower().replace("_", "-"))
            session.refuse(refused.reason, str(refused))
        except Unavailable:
            session.refuse(Reason.SERVER_UNAVAILABLE, "the database does not answer; try again")

    async def _let_in(self, connect: Connect) -> None:
        """Check everything that CONNECT says, then accept.

        Raises:
            Refused: With the reason for CONNACK.
            Unavailable: The database does not answer.
        """
        client, surroundings = self._client, self._surroundings
        with surroundings.path.timed("authenticate"):
            sender, client.proof = await surroundings.sign_in.check(connect, client.peer)
        self._became(sender)
        self._intake.version = connect.version
        await self._judge_will(connect.will)
        assigned = None if connect.client_id else f"releve-{uuid4().hex}"
        client_id = connect.client_id or assigned or ""
        if not surroundings.has_room(sender, client_id):
            raise Refused(Reason.QUOTA_EXCEEDED, "you have as many connections as one device or person may have")
        claim = await surroundings.claim(client, sender, client_id, is_clean=connect.clean_start)
        state = await self._outbox.still_allowed(claim)
        await self._recall_race(sender)
        if client.is_lost:
            surroundings.left(client)
            return
        client.session.accept(client.now(), stored=state, assigned_client_id=assigned)
        surroundings.entered(client)
        client.pump()
        client.start(self._outbox.resume())

    async def _judge_will(self, will: Will | None) -> None:
        if will is not None and self._intake.routes.of(will.topic, self._client.sender) is None:
            await refusal.keep(self._surroundings.store, self._client, what="will", name=will.topic)
            raise Refused(Reason.NOT_AUTHORIZED, "the will's topic is not yours to publish to")

    async def _recall_race(self, sender: Sender) -> None:
        """Let a car that says `race` only once go on with it after its connection broke."""
        if sender.contract != "racing" or sender.device_id is None:
            return
        race = await self._surroundings.store.last_race(sender.device_id)
        if race is not None:
            with suppress(BadReading):
                self._intake.assembler.take("race", race)
