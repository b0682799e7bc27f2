"""What a link sends to its client: commands and configuration to a device, live readings to people.

Who may hear what is decided at the subscription, and looked at again at each delivery.
"""

from contextlib import suppress

import msgspec

from releve.ingest.mqtt import refusal
from releve.ingest.mqtt.client import Client
from releve.ingest.mqtt.surroundings import Surroundings
from releve.protocol import topic as topics
from releve.protocol.mqtt.connection import Phase
from releve.protocol.mqtt.error import OutgoingFull
from releve.protocol.mqtt.event import Subscribing
from releve.protocol.mqtt.property import Properties
from releve.protocol.mqtt.reason import FIRST_FAILURE, Reason
from releve.protocol.mqtt.state import Message, SessionState, Subscription
from releve.protocol.mqtt.topic_filter import matches
from releve.protocol.sender import Sender
from releve.storage.link_store import Row

MOST_LONG = 2**31 - 1
_encode = msgspec.json.Encoder(order="deterministic").encode


class Outbox:
    """What is sent to one client."""

    __slots__ = ("_client", "_owners", "_sent", "_store", "_surroundings")

    def __init__(self, client: Client, surroundings: Surroundings) -> None:
        self._client = client
        self._surroundings = surroundings
        self._store = surroundings.store
        self._sent: set[int] = set()
        self._owners: dict[str, frozenset[tuple[str, int]]] = {}  # whose live topics, by filter

    async def subscribe(self, event: Subscribing) -> None:
        """Answer a SUBSCRIBE, then send what waits for it."""
        reasons = [await self._verdict(request.topic_filter, request.qos) for request in event.requests]
        refused = [
            request.topic_filter
            for request, reason in zip(event.requests, reasons, strict=True)
            if reason >= FIRST_FAILURE
        ]
        due = self._client.session.subscribed(event, reasons)
        self._client.pump()
        if refused:
            await refusal.keep(self._store, self._client, what="subscribe", name=refused[0])
        await self._keep_state()
        for subscription in due:
            await self._send_config(subscription)
        await self.send_commands()

    async def still_allowed(self, state: SessionState) -> SessionState | None:
        """A stored session without the subscriptions that are no longer granted; None for a new one."""
        state.subscriptions = {
            topic_filter: subscription
            for topic_filter, subscription in state.subscriptions.items()
            if await self._verdict(topic_filter, subscription.qos) < FIRST_FAILURE
        }
        self._sent = {int(each.reference) for each in (*state.outgoing.values(), *state.waiting) if each.reference}
        return state if state.expiry_s else None

    async def resume(self) -> None:
        """Send what waited for a session that was taken up."""
        if self._client.session.state is not None and self._client.session.state.subscriptions:
            await self.send_commands()

    async def send_commands(self) -> None:
        """Send the commands that wait for the device, in their order."""
        sender = self._client.sender
        if sender is None or sender.device_id is None or not self._hears():
            return
        delivered = []
        for row in await self._store.waiting_commands(sender.device_id):
            if row["id"] in self._sent:
                continue
            message = _command(row, sender.name)
            qos = self._granted(message.topic)
            if qos is None or not self._deliver(message):
                continue
            self._sent.add(row["id"])
            if not qos:
                delivered.append(row["id"])
        self._client.pump()
        if delivered:
            await self._store.commands_delivered(delivered)

    async def config_changed(self) -> None:
        """Send the device's new configuration."""
        sender = self._client.sender
        if sender is None or sender.device_id is None or self._granted(topics.config(sender.name)) is None:
            return
        body = await self._store.config_of(sender.device_id)
        self._deliver(Message(topics.config(sender.name), _encode(body), qos=1, retain=True))
        self._client.pump()

    def forget_commands(self) -> None:
        """Leave out commands that were not sent yet: the team that gave them has the device no more."""
        state = self._client.session.state
        if state is not None:
            state.waiting = [message for message in state.waiting if message.reference is None]

    def acknowledged(self, reference: str | None) -> None:
        """The client has a message."""
        if reference is not None:
            self._client.start(self._delivered(int(reference)))

    def discarded(self, reference: str | None) -> None:
        """A message did not reach the client."""
        if reference is not None:
            self._sent.discard(int(reference))

    def deliver_live(self, *, device_id: int, device: str, team_id: int, payload: bytes) -> None:
        """Send a committed reading to people who subscribed to it and may still read it; at most once."""
        sender = self._client.sender
        if sender is None or not self._client.can_write or not sender.may_read(team_id):
            return
        owners = frozenset[tuple[str, int]]().union(*self._owners.values())
        if ("all", 0) in owners or ("device", device_id) in owners:
            self._deliver(Message(topics.live_of_device(device), payload))
        if ("team", team_id) in owners:
            self._deliver(Message(topics.live_of_team(team_id, device), payload))

    async def _delivered(self, command_id: int) -> None:
        await self._store.commands_delivered([command_id])
        self._sent.discard(command_id)

    async def _verdict(self, topic_filter: str, qos: int) -> int:
        sender = self._client.sender
        if sender is None:
            return Reason.NOT_AUTHORIZED
        if sender.is_device:
            is_own = topics.is_own(topic_filter, device=sender.name, contract=sender.contract)
            return qos if is_own else Reason.NOT_AUTHORIZED
        owners = await self._live_owners(topic_filter, sender)
        if not owners:
            return Reason.NOT_AUTHORIZED
        self._owners[topic_filter] = owners
        self._surroundings.watches(self._client)
        return qos

    async def _live_owners(self, topic_filter: str, sender: Sender) -> frozenset[tuple[str, int]]:
        """Whose readings a filter asks for: a device may be called like its team's number, then it is both."""
        owner = topics.live_owner(topic_filter)
        if owner is None:
            return frozenset()
        if owner == topics.EVERYONE:
            return frozenset({("all", 0)} if sender.roles else ())
        row = await self._store.owner_of(owner)
        found = set()
        if row is not None and sender.may_read(row["team_id"]):
            found.add(("device", row["id"]))
        if owner.isascii() and owner.isdigit() and len(owner) < 10 and sender.may_read(int(owner)):  # noqa: PLR2004 - ids are int4
            found.add(("team", int(owner)))
        return frozenset(found)

    async def _send_config(self, subscription: Subscription) -> None:
        sender = self._client.sender
        if (
            sender is None
            or sender.device_id is None
            or not matches(subscription.topic_filter, topics.config(sender.name))
        ):
            return
        body = await self._store.config_of(sender.device_id)
        if body is not None:
            message = Message(topics.config(sender.name), _encode(body), qos=1, retain=True)
            with suppress(OutgoingFull):
                self._client.session.deliver_retained(message, subscription, self._now())
            self._client.pump()

    async def _keep_state(self) -> None:
        state = self._client.session.state
        if state is not None and state.expiry_s:
            await self._store.keep_state(self._client.id, state.to_dict(), expiry_s=state.expiry_s)

    def _hears(self) -> bool:
        """Whether the client subscribes to anything."""
        state = self._client.session.state
        return state is not None and bool(state.subscriptions) and self._client.session.phase is Phase.OPEN

    def _granted(self, topic: str) -> int | None:
        """The QoS at which the device hears one of its topics, None when it does not."""
        state = self._client.session.state
        if state is None or self._client.session.phase is not Phase.OPEN:
            return None
        return max(
            (each.qos for each in state.subscriptions.values() if matches(each.topic_filter, topic)), default=None
        )

    def _deliver(self, message: Message) -> bool:
        try:
            return self._client.session.deliver(message, self._now())
        except OutgoingFull:
            return False

    def _now(self) -> float:
        return self._client.now()


def _command(row: Row, device: str) -> Message:
    expiry_s = max(1, min(int(row["left_s"]), MOST_LONG))
    reference = str(row["id"])
    if row["topic"] is not None:  # plain text, as cars read it
        properties = Properties(message_expiry_interval=expiry_s, content_type="text/plain")
        return Message(row["topic"], row["body"].encode(), qos=1, properties=properties, reference=reference)
    answers = topics.answers(device)
    document = {
        "id": row["id"],
        "command": row["body"],
        "expires": row["expires"].isoformat().replace("+00:00", "Z"),
        "answer_topic": answers,
    }
    properties = Properties(
        message_expiry_interval=expiry_s,
        content_type="application/json",
        response_topic=answers,
        correlation_data=reference.encode(),
    )
    return Message(topics.commands(device), _encode(document), qos=1, properties=properties, reference=reference)
