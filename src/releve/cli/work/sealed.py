"""What the history commands do, on a connection of their own; each step is a transaction."""

from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any, Protocol, TypeVar

import psycopg

from releve.cli.option import Refusal
from releve.history.segment import Damaged
from releve.storage import sealing, segments, takeover, verifying
from releve.storage.queries import query
from releve.storage.reader import ConnectionReader, each, now
from releve.storage.scan import EVER
from releve.storage.sealing import Moved, Step

TRIES = 20  # of a step under which history moves, because the server seals too
_COUNTS = ("fresh_readings", "old_readings", "sealed_readings", "segments", "sealed_bytes", "sealed_values")
_TABLES = (
    "SELECT sum(pg_total_relation_size(name)) FROM unnest('{segment,segment_column,ladder}'::regclass[]) AS of (name)"
)


class _Done(Protocol):
    """What a step did."""

    @property
    def is_more(self) -> bool:
        """Whether there is more to do at once."""


Done = TypeVar("Done", bound=_Done)


def chosen(connection: psycopg.Connection[Any], name: str | None) -> dict[int, str]:
    """The device of a name, or for none all that may have readings, with their names.

    Raises:
        Refusal: There is no such device.
    """
    if name is None:
        rows = connection.execute(query("devices_with_history")).fetchall()
        return {number: called or f"(removed device {number})" for number, called in rows}
    row = connection.execute("SELECT id FROM fleet_device WHERE name = %s", [name]).fetchone()
    if row is None:
        raise Refusal(f"there is no device called {name}; `releve device list` lists them")
    return {row[0]: name}


def totals(connection: psycopg.Connection[Any], name: str | None) -> dict[str, Any]:
    """How many readings are in which home, in all and by device."""
    names = chosen(connection, name)
    device = None if name is None else next(iter(names))
    rows = now(ConnectionReader(connection).ask(query("history_totals"), {"device": device}))
    devices = [{"device": names[number], **dict(zip(_COUNTS, counts, strict=True))} for number, *counts in rows]
    in_all = {count: sum(device[count] for device in devices) for count in _COUNTS}
    tables = connection.execute(_TABLES).fetchone()
    return {**in_all, "table_bytes": int(tables[0]) if tables else 0, "devices": devices}


def seal(connection: psycopg.Connection[Any], device_id: int) -> int:
    """Seal what may be of a device's rows, the old table's too; how many readings."""
    reader = ConnectionReader(connection)
    readings = _steps(connection, partial(sealing.seal, reader, device_id))
    for month in now(takeover.months(reader)):
        readings += _steps(connection, partial(sealing.take_over, reader, device_id, month.span))
    _steps(connection, partial(sealing.join, reader, device_id))
    return readings


def unseal(connection: psycopg.Connection[Any], device_id: int, name: str, *, is_into_old: bool) -> int:
    """Turn a device's segments into rows, and for the release before its fresh rows into those; how many readings.

    Raises:
        Refusal: A segment cannot be read; it and those behind it stay as they are.
    """
    reader = ConnectionReader(connection)
    readings = 0
    for sealed in now(segments.of_span(reader, device_id, *EVER)):
        step = partial(sealing.unseal, reader, device_id, sealed, is_into_old=is_into_old)
        try:
            readings += _steps(connection, step)
        except Damaged as error:
            reason = f"segment {sealed.id} of {name} cannot be read ({error})"
            raise Refusal(f"{reason}; `releve history verify` names all of those") from error
    if is_into_old:
        readings += _steps(connection, partial(sealing.move_back, reader, device_id))
    return readings


def faults(connection: psycopg.Connection[Any], device_id: int) -> Iterator[tuple[int, int, list[str]]]:
    """Each segment's number and readings, and what is wrong with it."""
    for sealed, found in each(verifying.verified(ConnectionReader(connection), device_id)):
        yield sealed.id, sealed.n, found


def steps(connection: psycopg.Connection[Any], step: Callable[[], Coroutine[Any, Any, Done]]) -> Iterator[Done]:
    """A step again and again until there is no more to do, each in a transaction; one under which history moved anew.

    Raises:
        Refusal: It moves all the time.
    """
    tries = 0
    while True:
        try:
            with connection.transaction():
                done = now(step())
        except Moved as error:
            tries += 1
            if tries == TRIES:
                raise Refusal(f"the server works on the same readings just now ({error}); try again") from error
            continue
        yield done
        if not done.is_more:
            return


def _steps(connection: psycopg.Connection[Any], step: Callable[[], Coroutine[Any, Any, Step]]) -> int:
    return sum(done.readings for done in steps(connection, step))
