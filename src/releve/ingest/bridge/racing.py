"""The cars behind one broker: each device's plain-text values put together by an assembler of its own."""

import msgspec

from releve.ingest.bridge.intake import TRANSPORT, Intake, Letter, encode
from releve.ingest.submission import Submission
from releve.protocol.contract.racing import Assembler
from releve.protocol.sender import Sender

RACE = "race"


class Cars:
    """The assemblers of one broker, one per device, so that two cars never mix."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._assemblers: dict[int, Assembler] = {}

    async def take(self, letter: Letter, sender: Sender, *, quantity: str) -> Submission:
        """Take one value; the submission holds a reading when it was the last that was missing.

        Raises:
            BadReading: The value is not what its quantity takes.
            Unavailable: The race under way cannot be looked up just now.
        """
        device_id = sender.device_id or 0
        assembler = self._assemblers.get(device_id)
        if assembler is None:
            assembler = await self._recalled(device_id, f"{letter.topic.rpartition('/')[0]}/{RACE}")
        channels = assembler.take(quantity, letter.payload)
        text = letter.payload.decode("utf-8").strip()
        submission = Submission(TRANSPORT)
        submission.values.append((device_id, letter.topic, text, letter.arrival.received_us))
        submission.awaits_values = True
        if channels is not None:
            submission.races[channels["race"]] = sender
            sample = msgspec.structs.replace(letter, payload=encode(channels), contract="racing")
            self._intake.add_of(submission, sample, sender)
        return submission

    async def _recalled(self, device_id: int, topic: str) -> Assembler:
        """A new assembler that knows the race under way: some cars say it only once, perhaps before we started."""
        assembler = Assembler()
        race = await self._intake.last_value(device_id, topic)
        if race is not None:
            assembler.take(RACE, race.encode())
        self._assemblers[device_id] = assembler
        return assembler
