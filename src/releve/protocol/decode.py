"""Second step of the path: items to readings, each with its instant and identity. Pure; the present is passed in."""

from collections.abc import Iterator
from typing import Any

import msgspec

from releve.protocol import clock, identity, strict_json
from releve.protocol.clock import BadTimestamp, Instant, Rule
from releve.protocol.contract import Contract
from releve.protocol.format.shape import Shape
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import BadReading
from releve.protocol.reading import Draft, Quarantined, Reading, Source, quarantine, type_names
from releve.protocol.sender import Sender

Item = Reading | Quarantined | Receipt


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """How and when a submission came.

    Attributes:
        received_us: Microseconds since 1970 UTC.
        transport: `http`, `mqtt` or `bridge`.
        key: The sender's message id for the whole submission, None for none.
    """

    received_us: int
    transport: str
    key: str | None = None


def decode(shape: Shape, *, contract: Contract, sender: Sender, arrival: Arrival) -> list[Item]:
    """Read every reading of a submission; each becomes what to store, what to keep aside, or why it is refused.

    Raises:
        BadReading: A submission of one reading is refused as a whole.
    """
    if not shape.is_batch:
        return [read_one(shape.payloads[0], contract=contract, sender=sender, arrival=arrival, key=arrival.key)]
    return list(read_each(shape, contract=contract, sender=sender, arrival=arrival))


def read_one(payload: bytes, *, contract: Contract, sender: Sender, arrival: Arrival, key: str | None) -> Item:
    """Read one reading from its bytes.

    Raises:
        BadReading: A field is wrong.
    """
    fields = strict_json.decode_syntax(payload)
    if type(fields) is not dict:
        raise BadReading(f"a reading is a JSON object, not {type_names[type(fields)]}")
    draft = contract.read(fields, b"\\u0000" in payload)
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
        raise BadReading(str(error), field="timestamp") from error
    reading = _identify(draft, instant, sender=sender, arrival=arrival, key=draft.key or key)
    reason = (
        None if instant.uptime_ms is not None else clock.implausible(instant.time_us, received_us=arrival.received_us)
    )
    if reason is None:
        return reading
    return quarantine(
        payload,
        device_id=reading.device_id,
        received_us=arrival.received_us,
        source=Source(contract.name, arrival.transport),
        problem=BadReading(reason, field="timestamp"),
    )


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
    channels = identity.canonical(draft.channels)
    sent = _as_text(draft.sent) if instant.rule in _KEPT_AS_SENT or instant.uptime_ms is not None else None
    if key is not None:
        own_id = identity.of_key(key)
    elif instant.uptime_ms is None and instant.other_us is None:
        own_id = identity.of_content(channels)
    else:
        own_id = identity.of_content(channels, uptime_ms=instant.uptime_ms, sent=sent)
    return Reading(
        device_id=sender.device_id,
        instant=instant,
        id=own_id,
        received_us=arrival.received_us,
        channels=channels,
        sent=draft.first_sent or sent,
        machine=draft.machine,
        keyed=key is not None,
    )


_KEPT_AS_SENT = frozenset({Rule.NAIVE, Rule.UPTIME})


def _as_text(sent: Any) -> str | None:
    return sent if sent is None or type(sent) is str else str(sent)


def _refuse_foreign(draft: Draft, sender: Sender) -> None:
    """A sign-in writes its own device's readings, and says so if it names the device at all."""
    if draft.device is not None and draft.device not in (sender.name, sender.device_id):
        raise BadReading("a sign-in sends its own device's readings only", field="device")
