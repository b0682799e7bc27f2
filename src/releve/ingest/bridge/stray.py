"""Takes kept messages through once more, when the device that they are of has been added or enabled."""

import asyncio
import base64
import time
from typing import Any

import msgspec
import structlog
from psycopg.rows import dict_row

from releve.ingest.bridge.device import Stranger
from releve.ingest.bridge.intake import TRANSPORT, Intake, Letter
from releve.ingest.submission import Submission
from releve.protocol.contract import CONTRACTS
from releve.protocol.decode import Arrival
from releve.protocol.problem import Problem
from releve.storage.pool import Pool
from releve.storage.queries import query

SHORTEST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0
SHARE = 0.02  # of the time may be spent on looking, however much is kept
AT_ONCE = 500
_log = structlog.get_logger()


class Envelope(msgspec.Struct):
    """What `Intake.stray` wrote."""

    topic: str
    received_us: int
    device: str | None = None
    contract: str | None = None
    payload: str | None = None
    payload_base64: str | None = None

    @property
    def letter(self) -> Letter:
        """The message as it came."""
        text = self.payload
        payload = base64.b64decode(self.payload_base64 or "") if text is None else text.encode()
        return Letter(self.topic, payload, Arrival(self.received_us, TRANSPORT), self.contract or "")


class Strays:
    """The messages in the quarantine of one bridge's own device."""

    def __init__(self, intake: Intake, pool: Pool) -> None:
        self._intake = intake
        self._pool = pool

    async def run(self) -> None:
        """Look every few seconds, or less often when there is very much to look through, until cancelled."""
        pause_s = SHORTEST_PAUSE_S
        while True:
            await asyncio.sleep(pause_s)
            began_s = time.monotonic()
            try:
                taken = await self.take()
            except Problem as problem:
                _log.debug("kept messages wait", reason=str(problem))
            else:
                if taken:
                    _log.info("kept messages have found their devices", messages=taken)
            pause_s = min(max((time.monotonic() - began_s) / SHARE, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)

    async def take(self) -> int:
        """Take what has a device by now, a page at a time; how many messages that were.

        Raises:
            Problem: Not now; what was not taken stays where it is.
        """
        taken = after = 0
        while rows := await self._page(after):
            after = rows[-1]["id"]
            for row in rows:
                taken += await self._take(row)
        return taken

    async def _take(self, row: dict[str, Any]) -> bool:
        try:
            envelope = msgspec.json.decode(row["payload"], type=Envelope)
            letter = envelope.letter
        except (msgspec.DecodeError, ValueError):
            return False  # not ours: people see it, and say what becomes of it
        if envelope.device is None or (letter.contract and letter.contract not in CONTRACTS):
            return False
        if letter.payload.lstrip()[:1] not in (b"{", b"["):
            return False  # one plain-text value of a car is no reading without its neighbours
        sender = await self._intake.find(envelope.device)
        if isinstance(sender, Stranger):
            return False
        submission = Submission(TRANSPORT)
        self._intake.add_of(submission, letter, sender)
        await self._intake.path.keep(submission)
        values = {"device": self._intake.devices.own_id, "id": row["id"]}
        async with self._pool.connection() as connection:
            await connection.execute(query("mark_replayed"), values)
        return True

    async def _page(self, after: int) -> list[dict[str, Any]]:
        values = {
            "device": self._intake.devices.own_id,
            "teams": [self._intake.devices.team_id],
            "after": after,
            "id": None,
            "limit": AT_ONCE,
            "with_replayed": False,
        }
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query("page_quarantine"), values)
            return await cursor.fetchall()
