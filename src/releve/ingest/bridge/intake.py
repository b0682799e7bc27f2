"""From one message of a broker to a submission: nobody can be told that it is wrong, so it is kept aside.

What is permanently bad, and what is of a device that does not stand, is quarantined with its bytes (promise P3),
because the broker would send it for ever.
"""

import base64
from collections.abc import Callable

import msgspec

from releve.access.revocation import RevocationFeed
from releve.ingest.aside import clean
from releve.ingest.bridge.device import Devices, Stranger
from releve.ingest.path import Path
from releve.ingest.submission import Submission
from releve.protocol import strict_json
from releve.protocol.contract import CONTRACTS
from releve.protocol.decode import Arrival
from releve.protocol.format import split
from releve.protocol.problem import BadReading, Problem, Unavailable
from releve.protocol.reading import Quarantined, Source, quarantine
from releve.protocol.sender import Sender

TRANSPORT = "bridge"
NAME_LIMIT = 128
TOPIC_LIMIT = 1_024
REASON_LIMIT = 1_024
encode = msgspec.json.Encoder().encode


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
        path: Where its submissions are kept.
        batch_limit: Most readings in one message.
    """

    def __init__(self, devices: Devices, feed: RevocationFeed, path: Path, *, batch_limit: int) -> None:
        self.devices = devices
        self.path = path
        self._feed = feed
        self._batch_limit = batch_limit

    async def find(self, device: str) -> Sender | Stranger:
        """The device as it is now.

        Raises:
            Unavailable: That cannot be known just now.
        """
        if self._feed.is_cut:
            raise Unavailable("revocations cannot be checked; nothing is accepted until the database answers again")
        return await self.devices.find(device)

    async def read(self, letter: Letter, *, device: str) -> Submission:
        """Read a message of one device.

        Raises:
            Unavailable: Its device cannot be looked up just now.
        """
        submission = Submission(TRANSPORT)
        await self.add(submission, letter, device=device)
        return submission

    async def read_named(self, letter: Letter, *, field: str) -> Submission:
        """Read a message in which each reading names its device.

        Raises:
            Unavailable: A device cannot be looked up just now.
        """
        return await self.read_each(letter, lambda one: _named(one, field))

    async def read_each(self, letter: Letter, named: Callable[[Letter], tuple[Letter, str]]) -> Submission:
        """Read a message whose readings are of several devices.

        Args:
            letter: The message.
            named: A reading without what it says beside itself, and the device that it names; raises `BadReading`.

        Raises:
            Unavailable: A device cannot be looked up just now.
        """
        submission = Submission(TRANSPORT)
        try:
            shape = split(letter.payload, limit=self._batch_limit)
        except Problem as problem:
            submission.items.append(self.stray(letter, device="", reason=str(problem)))
            return submission
        for payload in shape.payloads:
            one = msgspec.structs.replace(letter, payload=payload)
            try:
                own, device = named(one)
            except BadReading as problem:
                submission.items.append(self.stray(one, device="", reason=str(problem)))
            else:
                await self.add(submission, own, device=device)
        return submission

    async def add(self, submission: Submission, letter: Letter, *, device: str) -> None:
        """Read a message of one device into a submission.

        Raises:
            Unavailable: Its device cannot be looked up just now.
        """
        sender = await self.find(device)
        if isinstance(sender, Stranger):
            submission.items.append(self.stray(letter, device=device, reason=sender.reason))
        else:
            self.add_of(submission, letter, sender)

    def add_of(self, submission: Submission, letter: Letter, sender: Sender) -> None:
        """Read a message of a device that stands; what is wrong with it is kept in the device's quarantine."""
        submission.read_untold(
            letter.payload,
            contract=CONTRACTS[letter.contract or sender.contract],
            sender=sender,
            arrival=letter.arrival,
            batch_limit=self._batch_limit,
        )

    def stray(self, letter: Letter, *, device: str, reason: str) -> Quarantined:
        """Keep a message that is of no device in the quarantine of the bridge's own, with its topic.

        The envelope is no reading of any contract, so that a replay cannot make it one of the bridge's own device.
        """
        self.path.counters.refused(TRANSPORT, "stray-message")
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


def _named(letter: Letter, field: str) -> tuple[Letter, str]:
    """A reading without the device that it names, and that device."""
    fields = strict_json.decode(letter.payload)
    if type(fields) is not dict:
        raise BadReading("a reading is a JSON object")
    name = fields.get(field)
    if type(name) is int:
        name = str(name)
    if type(name) is not str or not 0 < len(name) <= NAME_LIMIT:
        raise BadReading("names no device", field=field)
    rest = encode({key: value for key, value in fields.items() if key != field})
    return msgspec.structs.replace(letter, payload=rest), name


def _as_text(payload: bytes) -> dict[str, str]:
    try:
        return {"payload": payload.decode("utf-8")}
    except UnicodeDecodeError:
        return {"payload_base64": base64.b64encode(payload).decode("ascii")}
