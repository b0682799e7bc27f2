"""Lets a client in: its credential, its will, its client id, and what is known of it from before."""

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from releve.ingest.mqtt.sign_in import Refused
from releve.ingest.mqtt.surroundings import Surroundings
from releve.protocol.mqtt.packet import Connect, Will
from releve.protocol.mqtt.reason import Reason
from releve.protocol.problem import BadReading, Unavailable

if TYPE_CHECKING:
    from releve.ingest.mqtt.link import Link


async def judge(link: "Link", surroundings: Surroundings, connect: Connect) -> None:
    """Let the client in, or tell it why not."""
    try:
        async with surroundings.judging:
            if not link.is_lost:
                await _let_in(link, surroundings, connect)
    except Refused as refused:
        surroundings.path.counters.refused("mqtt", refused.reason.name.lower().replace("_", "-"))
        link.session.refuse(refused.reason, str(refused))
    except Unavailable:
        link.session.refuse(Reason.SERVER_UNAVAILABLE, "the database does not answer; try again")


async def _let_in(link: "Link", surroundings: Surroundings, connect: Connect) -> None:
    """Check everything that CONNECT says, then accept.

    Raises:
        Refused: With the reason for CONNACK.
        Unavailable: The database does not answer.
    """
    with surroundings.path.timed("authenticate"):
        sender, link.proof = await surroundings.sign_in.check(connect, link.peer)
    link.became(sender)
    link.intake.version = connect.version
    await _judge_will(link, connect.will)
    assigned = None if connect.client_id else f"releve-{uuid4().hex}"
    client_id = connect.client_id or assigned or ""
    if not surroundings.has_room(sender, client_id):
        raise Refused(Reason.QUOTA_EXCEEDED, "you have as many connections as one device or person may have")
    claim = await surroundings.claim(link, sender, client_id, is_clean=connect.clean_start)
    state = await link.outbox.still_allowed(claim)
    await _recall_race(link, surroundings)
    if link.is_lost:
        surroundings.left(link)
        return
    link.session.accept(link.now(), stored=state, assigned_client_id=assigned)
    surroundings.entered(link)
    link.pump()
    link.start(link.outbox.resume())


async def _judge_will(link: "Link", will: Will | None) -> None:
    if will is not None and link.route(will.topic) is None:
        await link.note_refusal("will", will.topic)
        raise Refused(Reason.NOT_AUTHORIZED, "the will's topic is not yours to publish to")


async def _recall_race(link: "Link", surroundings: Surroundings) -> None:
    """Let a car that says `race` only once go on with it after its connection broke."""
    sender = link.sender
    if sender is None or sender.contract != "racing" or sender.device_id is None:
        return
    race = await surroundings.store.last_race(sender.device_id)
    if race is not None:
        with suppress(BadReading):
            link.intake.assembler.take("race", race)
