"""`POST /sensor_data` of contract B: one sample of a race, stored under the device that drives it."""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from releve.access.authenticate import Authenticator
from releve.http.answer import answer, answer_options, answer_problem, encode
from releve.http.request import Request, Send
from releve.ingest.http import message_key
from releve.ingest.path import Path
from releve.ingest.submission import Submission
from releve.ingest.verdict import verdict
from releve.protocol import strict_json
from releve.protocol.clock import SMALLEST_EPOCH
from releve.protocol.contract import CONTRACTS, lenient
from releve.protocol.decode import Arrival, Item
from releve.protocol.instant import iso
from releve.protocol.nobody import DEFAULT_TEAM, may_change, may_look
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import BadReading, Forbidden, MethodNotAllowed, Problem, Unauthenticated
from releve.protocol.reading import Reading, number, type_names
from releve.protocol.sender import Sender
from releve.protocol.site import STRANGE
from releve.storage.race_store import Race, RaceStore, RaceTaken

PATH = "/sensor_data"
MEASURED = ("distance", "speed", "battery")
ADDED = "Sensor data successfully added"
_NOT_CHANNELS = frozenset({"race_id", "date", "id", "race"})
_RACING = CONTRACTS["racing"]


class Sample(msgspec.Struct, frozen=True):
    """One sample as it was sent, checked.

    Attributes:
        race_id: The race that it names.
        channels: What was measured, with the race and the track.
        date: When, as sent; None for the server's time.
        key: The sender's own message id, None for none.
    """

    race_id: int
    channels: dict[str, Any]
    date: Any
    key: Any

    def payload(self) -> bytes:
        """The reading as our own contract spells it, so that a quarantined one can be replayed as it is."""
        own = {"time": self.date} if self.date is not None else {}
        own |= {"id": self.key} if self.key is not None else {}
        return encode({**own, "channels": self.channels})


class SensorDataRoute:
    """Answers `/sensor_data`.

    Args:
        authenticator: Tells whose token it is, and what is revoked.
        path: Takes the reading to the disk.
        races: Knows which device drives a race.
        anonymous_role: What a caller without a token may do.
        may_change: Whether a page of that Origin may have a caller without a token change something at that Host.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        path: Path,
        races: RaceStore,
        *,
        anonymous_role: str,
        may_change: Callable[[str | None, str], bool],
    ) -> None:
        self._authenticator = authenticator
        self._path = path
        self._races = races
        self._anonymous_role = anonymous_role
        self._may_change = may_change
        self.handlers = {PATH: self.add}
        authenticator.on_revoked(races.forget)

    async def add(self, request: Request, send: Send) -> None:
        """Store one sample; every refusal is JSON with `message`."""
        if request.method == "OPTIONS":
            await answer_options(send, "POST")
            return
        try:
            document = await self._add(request)
        except Problem as problem:
            self._path.counters.refused("http", problem.slug())
            refusal = _for_wire(problem)
            await answer_problem(send, refusal, refusal.document())
        else:
            with self._path.timed("answer"):
                await answer(send, 201, {"message": ADDED, "data": document})

    async def _add(self, request: Request) -> dict[str, Any]:
        if request.method != "POST":
            raise MethodNotAllowed(f"{PATH} takes POST only")
        with self._path.timed("authenticate"):
            asking = await self._asking(request)
        sample = read(await (request.strangers_body() if asking is None else request.body()))
        race = await self._race(sample, asking)
        arrival = Arrival(received_us=time.time_ns() // 1000, transport="http", key=message_key(request))
        submission = self._read(sample, _driver(race, asking), arrival)
        if not race.is_attached and not await self._races.attach(race, _driver(race, asking)):
            race = await self._race(sample, asking)  # another device drives it since a moment ago
            submission = self._read(sample, _driver(race, asking), arrival)
        (receipt,) = await self._path.keep(submission)
        await self._widen(race, receipt)
        return _shown(sample, submission.items[0], receipt)

    def _read(self, sample: Sample, driver: Sender, arrival: Arrival) -> Submission:
        return self._path.read_one(sample.payload(), contract=_RACING, sender=driver, arrival=arrival)

    async def _asking(self, request: Request) -> Sender | None:
        """Who asks; None for a caller without a token who may do it all the same."""
        token = request.credential()
        if token is not None:
            return await self._authenticator.sender(token, address=request.address)
        if not may_look(self._anonymous_role) or b"authorization" in request.headers:
            raise Unauthenticated
        if not may_change(self._anonymous_role):
            raise Forbidden("without signing in you may look only")
        if not self._may_change(request.text(b"origin") or None, request.text(b"host")):
            raise Forbidden(STRANGE)
        return None

    async def _race(self, sample: Sample, asking: Sender | None) -> Race:
        race = await self._races.race(sample.race_id)
        if not _may_know(race, asking):
            self._races.forget(f"race:{race.id}")
            return await self._races.race(0)  # the very answer that a race which does not exist gets
        if asking is not None and not asking.is_device and not asking.may_edit(race.team_id):
            raise Forbidden("adding sensor data takes the role editor")
        return race

    async def _widen(self, race: Race, receipt: Receipt) -> None:
        is_kept = receipt.outcome in {Outcome.STORED, Outcome.DUPLICATE}
        if not is_kept or receipt.time_us is None or race.holds(receipt.time_us):
            return
        try:
            await self._races.stretch(race, receipt.time_us)
        except RaceTaken:  # the reading is stored; the run that holds its instant shows it
            return


def read(payload: bytes) -> Sample:
    """Read the body.

    Raises:
        BadReading: A field is missing or wrong.
    """
    fields = strict_json.decode_syntax(payload)
    if type(fields) is not dict:
        raise BadReading(f"sensor data is a JSON object, not {type_names[type(fields)]}")
    race_id = lenient.whole(fields.get("race_id"), "race_id")
    for name in (*MEASURED, "track"):
        if type(text := fields.get(name)) is str:
            fields[name] = lenient.number_of(text) if lenient.number_of(text) is not None else text
    for name in MEASURED:
        number(fields, name)
    if fields.get("track") is not None:
        number(fields, "track")
    extras = {name: value for name, value in fields.items() if name not in _NOT_CHANNELS}
    channels = {**extras, "race": race_id, "track": extras.get("track") or 0}
    return Sample(race_id, channels, _date(fields.get("date")), fields.get("id"))


def _date(date: Any) -> Any:
    if date is None:
        return None
    is_number = type(date) in {int, float} and date >= SMALLEST_EPOCH
    if type(date) is not str and not is_number:
        raise BadReading("must be ISO 8601, such as 2026-06-01T12:00:00Z", field="date")
    instant = lenient.instant_of(date) if type(date) is str else None
    return date if instant is None else instant.isoformat()


def _may_know(race: Race, asking: Sender | None) -> bool:
    if asking is None:
        return race.team_name == DEFAULT_TEAM
    if asking.is_device:
        return asking.team_id == race.team_id
    return asking.may_read(race.team_id)


def _driver(race: Race, asking: Sender | None) -> Sender:
    """The device that the sample is stored under; a device's sign-in writes its own readings only."""
    if asking is not None and asking.is_device:
        if race.is_attached and (race.sender is None or race.sender.device_id != asking.device_id):
            raise Forbidden("another device drives this race")
        return asking
    if race.sender is None:
        raise Forbidden("the race has no device, or it is disabled")
    return race.sender


def _shown(sample: Sample, item: Item, receipt: Receipt) -> dict[str, Any]:
    measured = {name: value for name, value in sample.channels.items() if name != "race" and value is not None}
    return {
        "id": str(item.id) if isinstance(item, Reading) else None,  # 64 bits, so text
        "race_id": sample.race_id,
        **measured,
        "date": iso(receipt.time_us) if receipt.time_us is not None else sample.date,
        **{name: value for name, value in verdict(receipt).items() if name != "time"},
    }


class BadSample(Problem):
    """A field of the sensor data is wrong."""

    title = "Sensor data refused"


def _for_wire(problem: Problem) -> Problem:
    """What is wrong with a body is 400 on this route."""
    if not isinstance(problem, BadReading):
        return problem
    field = "date" if problem.field in {"time", "timestamp"} else problem.field
    return BadSample(problem.detail, field=field, code=problem.code)
