"""From the publishes of one read to a submission, and from what became of it back to a verdict for each publish.

A payload that is permanently bad is told to an MQTT 5
client; 3.1.1 and QoS 0 have no word for it, so there it is kept in quarantine with its raw bytes (promise P3).
"""

import time

import msgspec

from releve.ingest.aside import aside, clean
from releve.ingest.counters import Counters
from releve.ingest.submission import Submission
from releve.protocol.contract import CONTRACTS, GENERIC, GYM, Contract
from releve.protocol.contract.racing import Assembler
from releve.protocol.decode import Arrival, decode, read_one
from releve.protocol.format import split
from releve.protocol.mqtt.event import Incoming
from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.packet import Publish
from releve.protocol.mqtt.property import NO_PROPERTIES
from releve.protocol.mqtt.reason import Reason
from releve.protocol.mqtt.session import Session
from releve.protocol.outcome import Receipt
from releve.protocol.problem import PAYLOAD_FORMAT_INVALID, BadReading, Problem
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
    """What some publishes of one link come to: a submission, and a verdict for each publish once it is kept.

    Attributes:
        submission: What is to be kept.
        answers: What is to be noted at commands.
    """

    def __init__(self, clock: Clock, counters: Counters, *, batch_limit: int) -> None:
        self.submission = Submission(TRANSPORT)
        self.answers: list[Answer] = []
        clock.now_us()
        self._clock = clock
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
                self.submission.items.append(item)
            elif is_told:
                self._take_told(packet.payload, contract, sender=sender, arrival=arrival)
            else:
                self._take_untold(packet.payload, contract, sender=sender, arrival=arrival)
        except Problem as problem:
            if is_told:
                self._problems[len(self._taken) - 1] = problem
            else:
                kept = aside(packet.payload, contract=contract, sender=sender, arrival=arrival, problem=problem)
                self.submission.items.append(kept)

    def tell(self, session: Session) -> None:
        """Give the session its verdicts, now that everything is kept."""
        if not self._problems:
            session.committed_all(self._taken)
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

    def _take_told(self, payload: bytes, contract: Contract, *, sender: Sender, arrival: Arrival) -> None:
        """Take the readings of one payload.

        Raises:
            Problem: Some are refused; the others are taken.
        """
        shape = split(payload, limit=self._batch_limit)
        items = decode(shape, contract=contract, sender=sender, arrival=arrival)
        self.submission.items += items
        refused = [
            f"reading {index}: {BadReading(item.reason or '', field=item.field)}"
            for index, item in enumerate(items)
            if isinstance(item, Receipt)
        ]
        if refused:
            more = f"; and {len(refused) - MOST_TOLD} more" if len(refused) > MOST_TOLD else ""
            raise BadReading("; ".join(refused[:MOST_TOLD]) + more + "; the others are stored")

    def _take_untold(self, payload: bytes, contract: Contract, *, sender: Sender, arrival: Arrival) -> None:
        self.submission.read_untold(
            payload, contract=contract, sender=sender, arrival=arrival, batch_limit=self._batch_limit
        )

    def _take_value(
        self, packet: Publish, quantity: str, *, sender: Sender, arrival: Arrival, assembler: Assembler
    ) -> None:
        channels = assembler.take(quantity, packet.payload)
        text = packet.payload.decode("utf-8").strip()
        self.submission.values.append((sender.device_id or 0, packet.topic, text, arrival.received_us))
        if packet.qos > 0:
            self.submission.awaits_values = True
        if channels is not None:
            self.submission.races[channels["race"]] = sender
            self._take_untold(_encode(channels), _RACING, sender=sender, arrival=arrival)


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
