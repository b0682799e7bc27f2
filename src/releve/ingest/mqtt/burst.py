"""From the publishes of one read to entries for one commit, and from its receipts back to a verdict for each publish.

The steps are those of every transport: `split` and `decode`. A payload that is permanently bad is told to an MQTT 5
client; 3.1.1 and QoS 0 have no word for it, so there it is kept in quarantine with its raw bytes (promise P3).
"""

import time
from collections.abc import Sequence

import msgspec

from releve.ingest.counters import Counters
from releve.ingest.mqtt.values import LastValues
from releve.protocol.contract import CONTRACTS, GENERIC, GYM, Contract
from releve.protocol.contract.racing import Assembler
from releve.protocol.decode import Arrival, Kept, decode, read_one
from releve.protocol.format import Shape, split
from releve.protocol.mqtt.event import Incoming
from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.packet import Publish
from releve.protocol.mqtt.property import NO_PROPERTIES
from releve.protocol.mqtt.reason import Reason
from releve.protocol.mqtt.session import Session
from releve.protocol.outcome import Outcome, Receipt, counted
from releve.protocol.problem import PAYLOAD_FORMAT_INVALID, BadReading, Problem
from releve.protocol.reading import Source, quarantine
from releve.protocol.sender import Sender
from releve.protocol.topic import Purpose, Route

TRANSPORT = "mqtt"
KEY = "idempotency-key"
KEY_LIMIT = 256
MOST_TOLD = 5
_RACING = CONTRACTS["racing"]
_encode = msgspec.json.Encoder().encode


class Clock:
    """Microseconds since 1970, never the same twice: two publishes of one read are two readings."""

    def __init__(self) -> None:
        self._last_us = 0

    def now_us(self) -> int:
        """The present, or a moment later."""
        self._last_us = max(time.time_ns() // 1000, self._last_us + 1)
        return self._last_us

    def next_us(self) -> int:
        """A moment after the last one: to ask for the present each time would cost as much as reading the timestamp."""
        self._last_us += 1
        return self._last_us


class Answer(msgspec.Struct, frozen=True):
    """What a device says became of a command."""

    command_id: int
    text: str


class Burst:
    """What some publishes of one link come to.

    Attributes:
        entries: What is to be committed.
        answers: What is to be noted at commands.
        races: The races that a car's complete samples name, in order.
        has_values: Whether last values were heard, which are kept before they are acknowledged.
    """

    def __init__(self, clock: Clock, values: LastValues, counters: Counters, *, batch_limit: int) -> None:
        self.entries: list[Kept] = []
        self.answers: list[Answer] = []
        self.races: dict[int | float, None] = {}
        self.has_values = False
        clock.now_us()
        self._clock = clock
        self._values = values
        self._counters = counters
        self._batch_limit = batch_limit
        self._taken: list[Incoming] = []
        self._problems: dict[int, Problem] = {}  # by the place in what was taken

    def take(self, incoming: Incoming, route: Route, *, sender: Sender, version: Version, assembler: Assembler) -> None:
        """Decode one publish."""
        packet = incoming.packet
        key = _key(packet) if packet.properties is not NO_PROPERTIES else None
        arrival = Arrival(self._clock.next_us(), TRANSPORT, key)
        contract = _contract(route, sender)
        is_told = packet.qos > 0 and version is Version.V5
        self._taken.append(incoming)
        try:
            if route.purpose is Purpose.ANSWERS:
                self.answers.append(_answer(packet))
            elif route.purpose is Purpose.RACING:
                self._take_value(packet, route.quantity, sender=sender, arrival=arrival, assembler=assembler)
            elif packet.payload[:1] == b"{":  # by far the most: one reading, without a list around it
                item = read_one(packet.payload, contract=contract, sender=sender, arrival=arrival, key=key)
                self.entries.append(item)  # type: ignore[arg-type] # a receipt stands for an element of a batch only
            else:
                shape = split(packet.payload, limit=self._batch_limit)
                self._take_shape(shape, contract, sender=sender, arrival=arrival, is_told=is_told)
        except Problem as problem:
            if is_told:
                self._problems[len(self._taken) - 1] = problem
            else:
                self._keep_aside(packet.payload, contract, sender=sender, arrival=arrival, problem=problem)

    def tell(self, session: Session, receipts: Sequence[Receipt]) -> None:
        """Give the session its verdicts, now that all entries are committed."""
        for outcome, count in counted(receipts).items():
            self._counters.ended(TRANSPORT, outcome, count)
        if not self._problems:
            for incoming in self._taken:
                session.committed(incoming)
            return
        for place, incoming in enumerate(self._taken):
            problem = self._problems.get(place)
            if problem is None:
                session.committed(incoming)
            else:
                self._counters.refused(TRANSPORT, problem.slug())
                reason = Reason(problem.puback or PAYLOAD_FORMAT_INVALID)
                session.refused(incoming, reason, clean(str(problem))[:1000])

    def fail(self, session: Session) -> None:
        """Nothing could be committed and the link is over: silence."""
        for incoming in self._taken:
            session.failed(incoming)

    def _take_shape(self, shape: Shape, contract: Contract, *, sender: Sender, arrival: Arrival, is_told: bool) -> None:
        """Take the readings of one payload.

        Raises:
            BadReading: Some of a batch are refused, and the client can be told; the others are taken.
        """
        refused: list[str] = []
        for index, item in enumerate(decode(shape, contract=contract, sender=sender, arrival=arrival)):
            if not isinstance(item, Receipt):
                self.entries.append(item)
                continue
            problem = BadReading(item.reason or "", field=item.field)
            if is_told:
                self._counters.ended(TRANSPORT, Outcome.REFUSED)
                refused.append(f"reading {index}: {problem}")
            else:
                self._keep_aside(shape.payloads[index], contract, sender=sender, arrival=arrival, problem=problem)
        if refused:
            more = f"; and {len(refused) - MOST_TOLD} more" if len(refused) > MOST_TOLD else ""
            raise BadReading("; ".join(refused[:MOST_TOLD]) + more + "; the others are stored")

    def _take_value(
        self, packet: Publish, quantity: str, *, sender: Sender, arrival: Arrival, assembler: Assembler
    ) -> None:
        channels = assembler.take(quantity, packet.payload)
        text = packet.payload.decode("utf-8").strip()
        self._values.keep(sender.device_id or 0, packet.topic, text, arrival.received_us)
        self.has_values = self.has_values or packet.qos > 0
        if channels is not None:
            self.races[channels["race"]] = None
            self._take_shape(
                Shape([_encode(channels)], is_batch=False), _RACING, sender=sender, arrival=arrival, is_told=False
            )

    def _keep_aside(
        self, payload: bytes, contract: Contract, *, sender: Sender, arrival: Arrival, problem: Problem
    ) -> None:
        field = None if problem.field is None else clean(problem.field)
        self.entries.append(
            quarantine(
                payload,
                device_id=sender.device_id or 0,
                received_us=arrival.received_us,
                source=Source(contract.name, TRANSPORT),
                problem=BadReading(clean(problem.detail), field=field),
            )
        )


def clean(text: str) -> str:
    """A sender's text without what neither PostgreSQL nor the wire takes: NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _contract(route: Route, sender: Sender) -> Contract:
    if route.purpose is Purpose.READINGS:
        return CONTRACTS[sender.contract]  # racing devices send our own format there
    if route.purpose is Purpose.GYM:
        return GYM
    return _RACING if route.purpose is Purpose.RACING else GENERIC


def _key(packet: Publish) -> str | None:
    """The sender's message id: the user property that is named like the HTTP header."""
    for name, value in packet.properties.user_property:
        if name.lower() == KEY and 0 < len(value) <= KEY_LIMIT:
            return value
    return None


def _answer(packet: Publish) -> Answer:
    try:
        text = packet.payload.decode("utf-8")
        named = packet.properties.correlation_data or b""
        command_id = int(named) if named.isdigit() else msgspec.json.decode(packet.payload)["id"]
    except (UnicodeDecodeError, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise BadReading("an answer names its command: `id`, or MQTT 5's correlation data", field="id") from error
    if type(command_id) is not int or not 0 < command_id < 2**63:
        raise BadReading("must be the id of a command", field="id")
    return Answer(command_id, clean(text)[:65_536])
