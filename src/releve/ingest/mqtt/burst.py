"""From the publishes of one read to entries for one commit, and from its receipts back to a verdict for each publish.

The steps are those of every transport: `split` and `decode`. A payload that is permanently bad is told to an MQTT 5
client; 3.1.1 and QoS 0 have no word for it, so there it is kept in quarantine with its raw bytes (promise P3).
"""

import time
from collections.abc import Sequence

import msgspec

from releve.ingest.contract import CONTRACTS, GENERIC, GYM, PROFILOMETRE, Contract
from releve.ingest.contract.racing import Assembler
from releve.ingest.counters import Counters
from releve.ingest.decode import Arrival, Shape, decode, split
from releve.ingest.mqtt.values import LastValues
from releve.protocol.mqtt.event import Incoming
from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.reason import Reason
from releve.protocol.mqtt.session import Session
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import PAYLOAD_FORMAT_INVALID, BadReading, Problem
from releve.protocol.reading import Quarantined, Reading, Source, quarantine
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


class Answer(msgspec.Struct, frozen=True):
    """What a device says became of a command."""

    command_id: int
    text: str


class _Judged(msgspec.Struct, gc=False):
    incoming: Incoming
    count: int
    problem: Problem | None = None


class Burst:
    """What some publishes of one link come to.

    Attributes:
        entries: What is to be committed.
        answers: What is to be noted at commands.
        has_values: Whether last values were heard, which are kept before they are acknowledged.
    """

    def __init__(self, clock: Clock, values: LastValues, counters: Counters, *, batch_limit: int) -> None:
        self.entries: list[Reading | Quarantined] = []
        self.answers: list[Answer] = []
        self.has_values = False
        self._clock = clock
        self._values = values
        self._counters = counters
        self._batch_limit = batch_limit
        self._judged: list[_Judged] = []

    def take(self, incoming: Incoming, route: Route, *, sender: Sender, version: Version, assembler: Assembler) -> None:
        """Decode one publish."""
        packet = incoming.packet
        is_told = version is Version.V5 and packet.qos > 0
        arrival = Arrival(self._clock.now_us(), TRANSPORT, None if version is Version.V3_1_1 else _key(incoming))
        first = len(self.entries)
        contract = _contract(route, sender)
        problem: Problem | None = None
        try:
            if route.purpose is Purpose.ANSWERS:
                self.answers.append(_answer(incoming))
            elif route.purpose is Purpose.RACING:
                self._take_value(incoming, route.quantity, sender=sender, arrival=arrival, assembler=assembler)
            else:
                shape = split(packet.payload, is_lines=False, limit=self._batch_limit)
                problem = self._take_shape(shape, contract, sender=sender, arrival=arrival, is_told=is_told)
        except Problem as refusal:
            problem = refusal if is_told else None
            if not is_told:
                self._keep_aside(packet.payload, contract, sender=sender, arrival=arrival, problem=refusal)
        self._judged.append(_Judged(incoming, len(self.entries) - first, problem))

    def tell(self, session: Session, receipts: Sequence[Receipt]) -> None:
        """Give the session its verdicts, now that all entries are committed."""
        counters = self._counters
        for receipt in receipts:
            counters.ended(TRANSPORT, receipt.outcome)
        for judged in self._judged:
            if judged.problem is None:
                session.committed(judged.incoming)
            else:
                counters.refused(TRANSPORT, judged.problem.slug())
                reason = Reason(judged.problem.puback or PAYLOAD_FORMAT_INVALID)
                session.refused(judged.incoming, reason, clean(str(judged.problem))[:1000])

    def fail(self, session: Session) -> None:
        """Nothing could be committed and the link is over: silence."""
        for judged in self._judged:
            session.failed(judged.incoming)

    def _take_shape(
        self, shape: Shape, contract: Contract, *, sender: Sender, arrival: Arrival, is_told: bool
    ) -> Problem | None:
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
        if not refused:
            return None
        more = f"; and {len(refused) - MOST_TOLD} more" if len(refused) > MOST_TOLD else ""
        return BadReading("; ".join(refused[:MOST_TOLD]) + more + "; the others are stored")

    def _take_value(
        self, incoming: Incoming, quantity: str, *, sender: Sender, arrival: Arrival, assembler: Assembler
    ) -> None:
        packet = incoming.packet
        channels = assembler.take(quantity, packet.payload)
        text = packet.payload.decode("utf-8").strip()
        self._values.keep(sender.device_id or 0, packet.topic, text, arrival.received_us)
        self.has_values = self.has_values or packet.qos > 0
        if channels is not None:
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
    if route.purpose is Purpose.GYM:
        return GYM
    if route.purpose is Purpose.READINGS and sender.contract in (GYM.name, PROFILOMETRE.name):
        return CONTRACTS[sender.contract]
    return _RACING if route.purpose is Purpose.RACING else GENERIC


def _key(incoming: Incoming) -> str | None:
    """The sender's message id: the user property that is named like the HTTP header."""
    for name, value in incoming.packet.properties.user_property:
        if name.lower() == KEY and 0 < len(value) <= KEY_LIMIT:
            return value
    return None


def _answer(incoming: Incoming) -> Answer:
    packet = incoming.packet
    try:
        text = packet.payload.decode("utf-8")
        named = packet.properties.correlation_data or b""
        command_id = int(named) if named.isdigit() else msgspec.json.decode(packet.payload)["id"]
    except (UnicodeDecodeError, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise BadReading("an answer names its command: `id`, or MQTT 5's correlation data", field="id") from error
    if type(command_id) is not int or not 0 < command_id < 2**63:
        raise BadReading("must be the id of a command", field="id")
    return Answer(command_id, clean(text)[:65_536])
