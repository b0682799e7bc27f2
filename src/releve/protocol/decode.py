"""Second step of the path: items to readings, each with its instant and identity. Pure; the present is passed in."""

from collections.abc import Iterator
from typing import Any

import msgspec

from releve.protocol import clock, identity, strict_json, twice
from releve.protocol.channel import Run
from releve.protocol.clock import BadTimestamp, Instant, Rule
from releve.protocol.contract import Contract
from releve.protocol.format.shape import Shape
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import BadReading
from releve.protocol.reading import Draft, Key, Original, Quarantined, Reading, type_names
from releve.protocol.sender import Sender
from releve.protocol.waveform import Waveform

Kept = Reading | Quarantined | Waveform
Item = Kept | Receipt


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """How and when a submission came.

    Attributes:
        received_us: Microseconds since 1970 UTC.
        transport: `http`, `mqtt`, `bridge` or `replay`.
        key: The sender's message id for the whole submission, None for none.
        is_imported: Whether it is history, which may be from long before the device was added here.
    """

    received_us: int
    transport: str
    key: str | None = None
    is_imported: bool = False


def decode(shape: Shape, *, contract: Contract, sender: Sender, arrival: Arrival) -> list[Item]:
    """Read every reading of a submission; each becomes what to store, what to keep aside, or why it is refused.

    Raises:
        BadReading: A submission of one reading is refused as a whole.
    """
    if not shape.is_batch:
        return [read_one(shape.payloads[0], contract=contract, sender=sender, arrival=arrival, key=arrival.key)]
    return in_order(list(read_each(shape, contract=contract, sender=sender, arrival=arrival)))


def in_order(items: list[Item]) -> list[Item]:
    """The items of a batch, once what only their order tells is settled: the hour that clocks repeat."""
    twice.settle([item for item in items if isinstance(item, Reading)])
    return items


def read_one(payload: bytes, *, contract: Contract, sender: Sender, arrival: Arrival, key: str | None) -> Item:
    """Read one reading from its bytes.

    Raises:
        BadReading: A field is wrong.
    """
    draft = contract.read_typed(payload)
    if draft is None:
        draft = _carefully(payload, contract)
        _refuse_foreign(draft, sender)
    try:
        instant = clock.resolve(
            draft.sent,
            zone=contract.zone or sender.zone,
            received_us=arrival.received_us,
            counts_uptime=sender.counts_uptime,
            may_count_uptime=contract.may_count_uptime,
        )
    except BadTimestamp as error:
        raise BadReading(str(error), field=draft.time_field) from error
    reading = _identify(draft, instant, sender=sender, arrival=arrival, key=key)
    added_us = 0 if arrival.is_imported else sender.added_us
    reading.original = Original(payload, contract.name, arrival.transport, draft.time_field, added_us)
    if draft.run is not None:
        return _waveform(reading, draft, draft.run, key=key)
    if instant.count is not None:
        return reading
    reason = clock.implausible(instant.time_us, received_us=arrival.received_us, added_us=added_us)
    if reason is None:
        return reading
    return reading.aside(reason)


def _carefully(payload: bytes, contract: Contract) -> Draft:
    """Read one reading field by field.

    Raises:
        BadReading: A field is wrong.
    """
    fields = strict_json.decode_syntax(payload)
    if type(fields) is not dict:
        raise BadReading(f"a reading is a JSON object, not {type_names[type(fields)]}")
    return contract.read(fields, b"\\u0000" in payload)


def _waveform(first: Reading, draft: Draft, run: Run, *, key: str | None) -> Waveform | Quarantined:
    """The readings of an object with arrays, kept aside together when any of their times cannot be right.

    Raises:
        BadReading: It has no time of its own.
    """
    if first.instant.follows_server:
        raise BadReading(
            "a waveform needs the time of its first reading: ISO 8601 (with its zone in the hour that clocks repeat) or"
            " an epoch number",
            field=draft.time_field,
        )
    whole = Waveform(first, run, draft.key or key, "Idempotency-Key" if draft.key is None else "id")
    added_us = 0 if first.original is None else first.original.added_us
    for time_us in (first.instant.time_us, whole.last_us):
        reason = clock.implausible(time_us, received_us=first.received_us, added_us=added_us)
        if reason is not None:
            return first.aside(reason)
    return whole


def read_each(shape: Shape, *, contract: Contract, sender: Sender, arrival: Arrival) -> Iterator[Item]:
    """The readings of a batch, one by one, so that a long one can be interrupted."""
    for index, payload in enumerate(shape.payloads):
        key = None if arrival.key is None else f"{arrival.key}\0{index}"
        try:
            yield read_one(payload, contract=contract, sender=sender, arrival=arrival, key=key)
        except BadReading as problem:
            yield Receipt(Outcome.REFUSED, field=problem.field, reason=problem.detail)


def _identify(draft: Draft, instant: Instant, *, sender: Sender, arrival: Arrival, key: str | None) -> Reading:
    if sender.device_id is None:
        raise BadReading("the sender has no device")
    channels = identity.canonical(draft.channels) if draft.content is None else draft.content
    sent = _as_text(draft.sent) if instant.rule in _KEPT_AS_SENT or instant.count is not None else None
    reading = Reading(
        device_id=sender.device_id,
        instant=instant,
        id=0,
        received_us=arrival.received_us,
        channels=channels,
        sent=draft.first_sent or sent,
        machine=draft.machine,
        layout=draft.layout,
    )
    if draft.key is None and key is None:
        if instant.count is None and instant.other_us is None:
            reading.id = identity.of_content(channels)
        else:
            reading.identify()
        return reading
    _identify_by_key(reading, draft.key or key or "", field="Idempotency-Key" if draft.key is None else "id")
    return reading


def _identify_by_key(reading: Reading, key: str, *, field: str) -> None:
    reading.keyed = True
    exact = identity.exact(key)
    if exact is None:
        reading.key = Key(identity.key_hash(key), field)
        reading.identify()
    else:
        reading.id = exact


_KEPT_AS_SENT = frozenset({Rule.NAIVE, Rule.NAIVE_FIRST, Rule.NAIVE_SECOND, Rule.UPTIME})


def _as_text(sent: Any) -> str | None:
    return sent if sent is None or type(sent) is str else str(sent)


def _refuse_foreign(draft: Draft, sender: Sender) -> None:
    """A sign-in writes its own device's readings, and says so if it names the device at all."""
    if draft.device is not None and draft.device not in (sender.name, sender.device_id):
        raise BadReading("a sign-in sends its own device's readings only", field="device")
