"""What a reading is, and the rules that its channels keep on every transport."""

from hashlib import sha256
from typing import Any

import msgspec

from releve.protocol import identity
from releve.protocol.channel import Layout, Run
from releve.protocol.clock import Instant, Rule
from releve.protocol.outcome import Notice
from releve.protocol.problem import BadReading

CHANNELS_LIMIT = 256
NAME_LIMIT = 128
TEXT_LIMIT = 1_024
KEPT_BYTES = 65_536  # of a payload in quarantine that is no JSON
INTEGER_LIMIT = 2**53
NUMBER_LIMIT = 1e150  # no quantity comes near, and its square must still be a number where deviations are summed

_json = msgspec.json.Decoder(msgspec.Raw)

type_names = {
    dict: "an object",
    list: "an array",
    bool: "true or false",
    str: "text",
    int: "a number",
    float: "a number",
    type(None): "null",
}


class Draft(msgspec.Struct, gc=False):
    """A reading as its contract read it, before it has an instant and an identity.

    Attributes:
        channels: Quantity name to number, text or boolean.
        content: The same in canonical JSON, where the contract spelt them already; there are no `channels` then.
        sent: The timestamp as sent, None for none.
        key: The sender's own message id, None for none.
        machine: The number of the machine the reading is about, where one device serves several.
        device: The device that the reading says it is of, None where it says nothing.
        layout: Names and types of the channels; None where nobody asked for them.
        time_field: What the sender calls the timestamp.
        first_sent: The timestamp that a reading which comes back from an export was once sent with.
        run: Arrays of values, of which the channels hold the first; None of a single reading.
    """

    channels: dict[str, Any] = msgspec.field(default_factory=dict)
    content: bytes | None = None
    sent: Any = None
    key: str | None = None
    machine: str | None = None
    device: Any = None
    first_sent: str | None = None
    layout: Layout | None = None
    time_field: str = "timestamp"
    run: Run | None = None


class Source(msgspec.Struct, frozen=True):
    """By which contract and transport a submission came, kept with what is quarantined."""

    contract: str
    transport: str


class Key(msgspec.Struct, frozen=True, gc=False):
    """The sender's own message id.

    Attributes:
        hash: What stands for it.
        field: Where it came: `id`, or the header or property `Idempotency-Key`.
    """

    hash: int
    field: str


class Original(msgspec.Struct, frozen=True, gc=False):
    """A reading as it came, kept until it is stored: it may still turn out to be one for the quarantine.

    Attributes:
        payload: Its own bytes.
        contract: By which contract it was read.
        transport: How it came.
        time_field: What the sender calls the timestamp.
        added_us: When the device was added; 0 where that does not matter.
    """

    payload: bytes
    contract: str
    transport: str
    time_field: str
    added_us: int = 0


class Reading(msgspec.Struct, gc=False):
    """One device, one instant, its channels: what is stored.

    Attributes:
        device_id: The device that sent it.
        instant: Its instant and the rule that gave it.
        id: 64-bit identity within the device and instant.
        received_us: When it was received, microseconds since 1970 UTC.
        channels: Canonical JSON object, UTF-8.
        sent: The sender's own timestamp where ours differs from it.
        machine: The machine it is about, None for the device's own.
        keyed: Whether the identity depends on the sender's own message id.
        key: That message id; None where there is none, or where it is the very identity, as in an export.
        layout: Names and types of the channels; None where nothing is to be looked up about them.
        original: The reading as it came.
        notices: What is strange about it.
    """

    device_id: int
    instant: Instant
    id: int
    received_us: int
    channels: bytes
    sent: str | None = None
    machine: str | None = None
    keyed: bool = False
    key: Key | None = None
    layout: Layout | None = None
    original: Original | None = None
    notices: tuple[Notice, ...] = ()

    @property
    def needs_receipt(self) -> bool:
        """Whether a repeat would get another instant, so that its identity must be kept apart (promise P2)."""
        return self.instant.follows_server and (self.keyed or self.instant.rule is not Rule.SERVER)

    def identify(self) -> None:
        """Give it the identity that follows from its content and its message id."""
        may_change = self.instant.count is not None or self.instant.other_us is not None
        content = identity.of_content(self.channels, count=self.instant.count, sent=self.sent if may_change else None)
        self.id = content if self.key is None else identity.of_key(self.key.hash, content)

    def aside(self, reason: str, *, field: str | None = None) -> "Quarantined":
        """What is kept of it when it cannot be stored after all: because of its time, unless another field is named."""
        if self.original is None:
            raise ValueError("a reading that did not come as bytes cannot be kept as it came")
        return quarantine(
            self.original.payload,
            device_id=self.device_id,
            received_us=self.received_us,
            source=Source(self.original.contract, self.original.transport),
            problem=BadReading(reason, field=field or self.original.time_field),
        )


class Quarantined(msgspec.Struct, frozen=True, gc=False):
    """A reading that is kept aside with its raw bytes and a reason, and can be replayed.

    Attributes:
        device_id: The device that sent it.
        received_us: When it was received, microseconds since 1970 UTC.
        contract: The contract that reads the bytes on a replay.
        transport: How it came: `http`, `mqtt` or `bridge`.
        field: Where the trouble is.
        reason: What the trouble is.
        digest: Hash of the bytes; the same bytes again are the same quarantined reading.
        payload: The reading's own bytes.
    """

    device_id: int
    received_us: int
    contract: str
    transport: str
    field: str
    reason: str
    digest: bytes
    payload: bytes


def quarantine(payload: bytes, *, device_id: int, received_us: int, source: Source, problem: BadReading) -> Quarantined:
    """Set a reading aside because of a problem with it.

    What is JSON is kept whole, because it can be replayed; of anything else the beginning, its size and its digest.
    """
    digest = sha256(payload)
    reason = problem.detail
    if len(payload) > KEPT_BYTES and not _is_json(payload):
        reason += f" ({len(payload)} bytes, SHA-256 {digest.hexdigest()}; the first {KEPT_BYTES} are kept)"
        payload = payload[:KEPT_BYTES]
    return Quarantined(
        device_id,
        received_us,
        source.contract,
        source.transport,
        problem.field or "",
        reason,
        digest.digest(),
        payload,
    )


def _is_json(payload: bytes) -> bool:
    try:
        _json.decode(payload)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
    return True


def take_channels(fields: dict[str, Any], *, escaped_nul: bool) -> dict[str, Any]:
    """Hold the fields to the rules of channels; those that are null were not measured and are left out.

    Args:
        fields: Channel name to value; not changed.
        escaped_nul: Whether the payload holds an escaped NUL at all.

    Raises:
        BadReading: The first field that breaks a rule, and why.
    """
    if len(fields) > CHANNELS_LIMIT:
        raise BadReading(f"{len(fields)} channels in one reading; at most {CHANNELS_LIMIT}")
    absent = False
    for name, value in fields.items():
        if value is None:
            absent = True
        elif type(value) is float:
            check_real(name, value)
        else:
            _check_value(name, value)
        if not name or len(name) > NAME_LIMIT or (escaped_nul and "\0" in name):
            raise BadReading(f"a channel's name has 1 to {NAME_LIMIT} characters and no NUL", field=name[:NAME_LIMIT])
    channels = {name: value for name, value in fields.items() if value is not None} if absent else fields
    if not channels:
        raise BadReading("no channel at all; send at least one value")
    return channels


def check_real(name: str, value: float) -> None:
    """Hold a number to the range of channels.

    Raises:
        BadReading: It is beyond.
    """
    if not -NUMBER_LIMIT < value < NUMBER_LIMIT:
        raise BadReading("a number must be within ±1e150", field=name)


def _check_value(name: str, value: Any) -> None:
    kind = type(value)
    if kind is int:
        if not -INTEGER_LIMIT <= value <= INTEGER_LIMIT:
            raise BadReading("integer beyond 2⁵³; send it as text", field=name)
    elif kind is str:
        _check_text(name, value)
    elif kind is not bool:
        raise BadReading(f"must be a number, text or true/false, not {type_names[kind]}", field=name)


def _check_text(name: str, value: str) -> None:
    if len(value) > TEXT_LIMIT:
        raise BadReading(f"text of {len(value)} characters; at most {TEXT_LIMIT}", field=name)
    if "\0" in value:
        raise BadReading("text with a NUL character", field=name)


def number(fields: dict[str, Any], name: str, *, low: float | None = None) -> float:
    """A required numeric field.

    Raises:
        BadReading: It is missing, not a number, or below `low`.
    """
    value = fields.get(name)
    if type(value) is not float and type(value) is not int:
        raise BadReading(
            "is required" if value is None else f"must be a number, not {type_names[type(value)]}", field=name
        )
    if low is not None and value < low:
        raise BadReading(f"must be at least {low:g}, not {value:g}", field=name)
    return value


def integer(fields: dict[str, Any], name: str, *, low: int | None = None) -> int:
    """A required whole number; `3.0` is one.

    Raises:
        BadReading: It is missing, not whole, or below `low`.
    """
    value = number(fields, name, low=low)
    if type(value) is float and not value.is_integer():
        raise BadReading(f"must be a whole number, not {value:g}", field=name)
    return int(value)
