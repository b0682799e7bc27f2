"""Commits groups of readings: COPY first, duplicates told apart only when there are some, poison isolated."""

from collections.abc import Sequence

import psycopg
from psycopg import AsyncConnection, errors

from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import BadReading
from releve.protocol.reading import Quarantined, Reading, Source, quarantine
from releve.protocol.stretch import Stretch
from releve.storage import bulk, same_key, staged, stretch
from releve.storage.copy_format import TYPES, encode, values
from releve.storage.copy_in import copy_in, insert_one
from releve.storage.kinds import Kinds
from releve.storage.queries import query
from releve.storage.session import Horizon, Session

Entry = Reading | Quarantined
Entries = Sequence[Entry] | Stretch
_STORED = Outcome.STORED
_COPY = query("copy_reading").encode()
_INSERT = query("insert_reading").encode()
_DATABASE = Source(contract="generic", transport="database")


class Writer:
    """Takes groups of entries to the disk, one group at a time, over one session.

    Args:
        session: Its connection.
        device_channels: How many names the channels of one device may have.
    """

    def __init__(self, session: Session, *, device_channels: int) -> None:
        self._session = session
        self._machines: set[tuple[int, str]] = set()
        self._kinds = Kinds(most_names=device_channels)

    async def commit(self, entries: Entries) -> list[Receipt]:
        """Commit a group; one receipt per entry, in order. Everything it returns is durable.

        Raises:
            psycopg.OperationalError: The connection broke; whether the group was committed is unknown.
            NotDurable: The commit cannot be relied on.
        """
        connection = await self._session.connection()
        if isinstance(entries, Stretch):
            receipts = await self._commit_stretch(connection, entries)
        else:
            receipts = await self._commit(connection, entries)
        self._session.confirm()
        return receipts

    def forget_machines_of(self, principal: str | None) -> None:
        """Look again whether machines are known, after an asset was removed or a revocation may have been missed."""
        if principal is None or principal.startswith("asset:"):
            self._machines.clear()

    async def _commit(self, connection: AsyncConnection, entries: Sequence[Entry]) -> list[Receipt]:
        horizon = self._session.horizon
        entries = await self._look_up(connection, entries, horizon)
        late_us = horizon.late_us
        if all(self._is_plain(entry, late_us) for entry in entries):
            try:
                return await self._copy(connection, entries)  # type: ignore[arg-type]
            except errors.UniqueViolation:
                pass  # some of it is there already: the staged way tells which
            except (errors.DataError, errors.IntegrityError):
                pass  # a row is poisonous: the staged way isolates it
        return await self._staged(connection, entries)

    async def _commit_stretch(self, connection: AsyncConnection, readings: Stretch) -> list[Receipt]:
        """Into columns at once, unless some of them are of now, have a channel too many or may have been deleted."""
        is_past = readings.last_us < self._session.horizon.sealable_us and len(readings) >= bulk.LEAST
        if is_past and (self._kinds.is_settled(readings[0]) or not await self._kinds.settle(connection, [readings[0]])):
            receipts = await stretch.store(connection, readings)
            if receipts is not None:
                return receipts
        return await self._commit(connection, list(readings))

    async def _look_up(
        self, connection: AsyncConnection, entries: Sequence[Entry], horizon: Horizon
    ) -> Sequence[Entry]:
        """Ask what must be known before a reading has its identity; for most nothing is asked.

        Returns:
            The entries; in place of a reading that has a name too many, what is kept of it.
        """
        unknown = [entry for entry in entries if isinstance(entry, Reading) and not self._kinds.is_settled(entry)]
        if unknown:
            aside = await self._kinds.settle(connection, unknown)
            if aside:
                entries = [aside.get(id(entry), entry) for entry in entries]
        keyed = [
            entry
            for entry in entries
            if isinstance(entry, Reading) and same_key.names_one(entry) and not horizon.is_late(entry)
        ]
        if keyed:
            await same_key.look(connection, keyed)
        return entries

    def _is_plain(self, entry: Entry, late_us: int) -> bool:
        return (
            isinstance(entry, Reading)
            and entry.instant.time_us >= late_us
            and not entry.needs_receipt
            and (entry.machine is None or (entry.device_id, entry.machine) in self._machines)
        )

    async def _copy(self, connection: AsyncConnection, readings: Sequence[Reading]) -> list[Receipt]:
        if len(readings) == 1:
            await insert_one(connection, _INSERT, values(readings[0]), TYPES)
        else:
            await copy_in(connection, _COPY, encode(sorted(readings, key=staged.key)))
        return [
            Receipt(_STORED, reading.instant.time_us, reading.instant.rule, None, None, reading.notices)
            for reading in readings
        ]

    async def _staged(self, connection: AsyncConnection, entries: Sequence[Entry]) -> list[Receipt]:
        try:
            receipts = await self._staged_once(connection, entries)
        except (errors.DataError, errors.IntegrityError, errors.ProgramLimitExceeded) as error:
            if len(entries) == 1:
                return [await self._quarantine(connection, entries[0], error)]
            middle = len(entries) // 2
            return await self._staged(connection, entries[:middle]) + await self._staged(connection, entries[middle:])
        self._machines.update(
            (entry.device_id, entry.machine) for entry in entries if isinstance(entry, Reading) and entry.machine
        )
        return receipts

    async def _staged_once(self, connection: AsyncConnection, entries: Sequence[Entry]) -> list[Receipt]:
        machines = {
            (entry.device_id, entry.machine) for entry in entries if isinstance(entry, Reading) and entry.machine
        } - self._machines
        return await staged.store(connection, entries, machines=machines, horizon=self._session.horizon)

    async def _quarantine(self, connection: AsyncConnection, entry: Entry, error: psycopg.Error) -> Receipt:
        if not isinstance(entry, Reading):
            raise error  # not a reading's fault, so ours
        reason = error.diag.message_primary or "PostgreSQL refused the row"
        poison = quarantine(
            b'{"time":%d,"channels":%b}' % (entry.instant.time_us, entry.channels),
            device_id=entry.device_id,
            received_us=entry.received_us,
            source=_DATABASE,
            problem=BadReading(reason, field="channels"),
        )
        return (await staged.store(connection, [poison], machines=set(), horizon=Horizon(0, 0)))[0]
