"""From one message of a broker to entries for the commit: nobody can be told that it is wrong, so it is kept aside.

The steps are those of every transport: `split`, `decode`, group commit. What is permanently bad, and what is of a
device that does not stand, is quarantined with its bytes (promise P3), because the broker would send it for ever.
"""

import base64
from collections.abc import Iterator

import msgspec

from releve.access.revocation import RevocationFeed
from releve.ingest.bridge.device import Devices, Stranger
from releve.ingest.counters import Counters
from releve.ingest.mqtt.burst import clean
from releve.ingest.mqtt.values import LastValues
from releve.ingest.part import keep
from releve.ingest.pipeline import Pipeline
from releve.protocol import strict_json
from releve.protocol.contract import CONTRACTS, Contract
from releve.protocol.decode import Arrival, Kept, decode
from releve.protocol.format import Shape, split
from releve.protocol.outcome import Receipt, counted
from releve.protocol.problem import BadReading, Problem, Unavailable
from releve.protocol.reading import Quarantined, Source, quarantine
from releve.protocol.sender import Sender

TRANSPORT = "bridge"
NAME_LIMIT = 128
FIELD_LIMIT = 256
TOPIC_LIMIT = 1_024
REASON_LIMIT = 1_024
encode = msgspec.json.Encoder().encode


class Parcel(msgspec.Struct):
    """What one message comes to.

    Attributes:
        entries: What is to be committed.
        has_values: Whether last values were heard, which are written down before the message is acknowledged.
        named: The race that a car's sample names, and the car.
    """

    entries: list[Kept]
    has_values: bool = False
    named: tuple[int | float, Sender] | None = None


class Letter(msgspec.Struct, frozen=True):
    """One message, with what its template says of it.

    Attributes:
        topic: Where it was published.
        payload: Its bytes.
        arrival: When it came.
        contract: How to read it; empty is as its device declares.
    """

    topic: str
    payload: bytes
    arrival: Arrival
    contract: str = ""


class Intake:
    """Reads the messages that come for the devices of one team.

    Args:
        devices: Knows the team's devices.
        feed: Says whether what `devices` remembers can be relied on (promise P5).
        pipeline: Takes entries to the disk.
        values: Keeps the last text of each racing topic.
        batch_limit: Most readings in one message.
    """

    def __init__(
        self, devices: Devices, feed: RevocationFeed, pipeline: Pipeline, values: LastValues, *, batch_limit: int
    ) -> None:
        self.devices = devices
        self.values = values
        self._feed = feed
        self._pipeline = pipeline
        self._batch_limit = batch_limit

    @property
    def counters(self) -> Counters:
        """Where outcomes are counted."""
        return self._pipeline.counters

    async def find(self, device: str) -> Sender | Stranger:
        """The device as it is now.

        Raises:
            Unavailable: That cannot be known just now.
        """
        if self._feed.is_cut:
            raise Unavailable("revocations cannot be checked; nothing is accepted until the database answers again")
        return await self.devices.find(device)

    async def read(self, letter: Letter, *, device: str) -> Parcel:
        """Read a message of one device.

        Raises:
            Unavailable: Its device cannot be looked up just now.
        """
        sender = await self.find(device)
        if isinstance(sender, Stranger):
            return Parcel([self.stray(letter, device=device, reason=sender.reason)])
        return Parcel(list(self.entries(letter, sender)))

    async def read_named(self, letter: Letter, *, field: str) -> Parcel:
        """Read a message in which each reading names its device.

        Raises:
            Unavailable: A device cannot be looked up just now.
        """
        try:
            shape = split(letter.payload, limit=self._batch_limit)
        except Problem as problem:
            return Parcel([self.stray(letter, device="", reason=str(problem))])
        entries: list[Kept] = []
        for payload in shape.payloads:
            one = msgspec.structs.replace(letter, payload=payload)
            try:
                name, rest = _named(payload, field)
            except BadReading as problem:
                entries.append(self.stray(one, device="", reason=str(problem)))
            else:
                entries += (await self.read(msgspec.structs.replace(one, payload=rest), device=name)).entries
        return Parcel(entries)

    def entries(self, letter: Letter, sender: Sender) -> Iterator[Kept]:
        """Read a message of a device that stands; what is wrong with it is kept in the device's quarantine."""
        contract = CONTRACTS[letter.contract or sender.contract]
        try:
            shape = split(letter.payload, limit=self._batch_limit)
            items = decode(shape, contract=contract, sender=sender, arrival=letter.arrival)
        except Problem as problem:
            yield aside(letter.payload, contract, sender, letter.arrival, problem)
            return
        for payload, item in zip(shape.payloads, items, strict=True):
            if isinstance(item, Receipt):
                yield aside(payload, contract, sender, letter.arrival, BadReading(item.reason or "", field=item.field))
            else:
                yield item

    def whole(self, channels: dict[str, object], letter: Letter, sender: Sender) -> Iterator[Kept]:
        """A reading that was put together from plain-text values."""
        contract = CONTRACTS[letter.contract]
        items = decode(
            Shape([encode(channels)], is_batch=True), contract=contract, sender=sender, arrival=letter.arrival
        )
        for item in items:
            if isinstance(item, Receipt):
                yield aside(encode(channels), contract, sender, letter.arrival, BadReading(item.reason or ""))
            else:
                yield item

    def stray(self, letter: Letter, *, device: str, reason: str) -> Quarantined:
        """Keep a message that is of no device in the quarantine of the bridge's own, with its topic.

        The envelope is no reading of any contract, so that a replay cannot make it one of the bridge's own device.
        """
        self.counters.refused(TRANSPORT, "stray-message")
        envelope: dict[str, object] = {
            "device": clean(device)[:NAME_LIMIT] or None,
            "contract": letter.contract or None,
            "topic": clean(letter.topic)[:TOPIC_LIMIT],
            "received_us": letter.arrival.received_us,
            **_as_text(letter.payload),
            "channels": {},
        }
        return quarantine(
            encode(envelope),
            device_id=self.devices.own_id,
            received_us=letter.arrival.received_us,
            source=Source("generic", letter.arrival.transport),
            problem=BadReading(clean(reason)[:REASON_LIMIT], field="device"),
        )

    async def last_value(self, device_id: int, topic: str) -> str | None:
        """The last text of a racing topic, if it is not old.

        Raises:
            Unavailable: The database does not answer.
        """
        return await self.devices.last_value(device_id, topic)

    async def keep(self, parcel: Parcel) -> list[Receipt]:
        """Take a parcel to the disk; a receipt per entry, all durable.

        Raises:
            Problem: Not now; trying the same parcel again is always safe.
        """
        if parcel.has_values:
            await self.values.kept()
        if not parcel.entries:
            return []
        if parcel.named is not None:
            await self.devices.drivers.named(*parcel.named)
        receipts = await keep(self._pipeline.group, parcel.entries)
        for outcome, count in counted(receipts).items():
            self.counters.ended(TRANSPORT, outcome, count)
        return receipts


def aside(payload: bytes, contract: Contract, sender: Sender, arrival: Arrival, problem: Problem) -> Quarantined:
    """Keep a device's bad payload in its quarantine."""
    field = None if problem.field is None else clean(problem.field)[:FIELD_LIMIT]
    return quarantine(
        payload,
        device_id=sender.device_id or 0,
        received_us=arrival.received_us,
        source=Source(contract.name, arrival.transport),
        problem=BadReading(clean(problem.detail), field=field),
    )


def _named(payload: bytes, field: str) -> tuple[str, bytes]:
    """The device that a reading names, and the reading without that name."""
    fields = strict_json.decode(payload)
    if type(fields) is not dict:
        raise BadReading("a reading is a JSON object")
    name = fields.get(field)
    if type(name) is int:
        name = str(name)
    if type(name) is not str or not 0 < len(name) <= NAME_LIMIT:
        raise BadReading("names no device", field=field)
    return name, encode({key: value for key, value in fields.items() if key != field})


def _as_text(payload: bytes) -> dict[str, str]:
    try:
        return {"payload": payload.decode("utf-8")}
    except UnicodeDecodeError:
        return {"payload_base64": base64.b64encode(payload).decode("ascii")}
