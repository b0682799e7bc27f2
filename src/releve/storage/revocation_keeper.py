"""Keeps the journal of revocations in step with its database, and brings an older database up to its journal.

The order is always the same: first the database commits a revocation, then the journal has it. So what the journal has
and the database has not was lost by the database, which is older than its journal: it was restored, or failed over.
"""

import base64
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import structlog
from cryptography.fernet import Fernet, InvalidToken
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from releve.storage.queries import query
from releve.storage.revocation_journal import Contents, Entry, Journal

SEALED = "verifier"  # of a state: the hash of a password or a secret
APPLIED = frozenset({"account", "certificate", "device", "factor", "share", "signin"})
NOBODY_SIGNS_IN = {"account": "!", "device": ""}  # hashes of no password and of no secret
REMEMBERED = 10_000
_GONE: Mapping[str, Any] = {
    "stands": False,
    "is_staff": False,
    "is_superuser": False,
    "roles": {},
    "verifier": None,
    "device": None,
}
_log = structlog.get_logger("releve.revocations")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What came of comparing a database with its journal.

    Attributes:
        applied: How many revocations of the journal the database did not know.
        signed_out: How many sign-ins of people were ended because nobody knows which of them had been; None where that
            is known.
        complete_to: Up to when the journal is known to be complete; None where there is none.
    """

    applied: int
    signed_out: int | None
    complete_to: datetime | None

    @property
    def is_noteworthy(self) -> bool:
        """Whether the database was older than its journal, or restored without it."""
        return bool(self.applied) or self.signed_out is not None


class Keeper:
    """One machine's keeper; its connection is opened at first use, and again after it broke.

    Args:
        url: The database's address.
        folder: That of the keys.
        is_alone: Whether the database is this machine's own: a journal that is missing here is then missing for good.
    """

    def __init__(self, url: str, folder: Path, *, is_alone: bool = False) -> None:
        self._url = url
        self._folder = folder
        self._is_alone = is_alone
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._journal: Journal | None = None
        self._cipher: Fernet | None = None
        self._place: tuple[Any, ...] = ()
        self._settled = "0"
        self._written: set[Any] = set()

    def compare(self) -> Comparison:
        """Bring the database up to its journal before anybody is let in; says so in the log and the audit.

        Raises:
            psycopg.Error: The database does not answer.
            ForeignJournal, OSError: The journal cannot be used.
        """
        connection = self._open()
        with connection.transaction():
            lineage = _one(connection, "journal_lineage")
            journal = Journal(self._folder, lineage["id"])
            cipher = Fernet(base64.urlsafe_b64encode(lineage["seal"]))
            home = _home(connection)
            contents = journal.read() if journal.exists() else None
            is_restored = lineage["home"] not in ("", home)
            lost = _lost(connection, contents)
            _apply(connection, lost, cipher)
            is_lacking = _is_lacking(contents, lineage, lost, is_restored=is_restored, is_alone=self._is_alone)
            comparison = Comparison(
                applied=len(lost),
                signed_out=connection.execute(query("journal_end_people")).rowcount if is_lacking else None,
                complete_to=contents.complete_to if contents else None,
            )
            _tell(connection, comparison)
            connection.execute(query("journal_arrive"), {"home": home})
            self._place = _place(connection)
        if self._journal is not None and self._journal.path != journal.path:
            self._journal.forget_if_empty()
        self._journal, self._cipher, self._settled = journal, cipher, "0"
        self._written = {entry.key for entry in contents.entries} if contents else set()
        return comparison

    def write(self) -> int:
        """Write down what was ended since the last time; how many there were.

        Raises:
            psycopg.Error: The database does not answer.
            OSError: It cannot be written.
        """
        connection = self._open()
        if self._journal is None or self._cipher is None or _place(connection) != self._place:
            self.compare()
        if self._journal is None or self._cipher is None:
            raise AssertionError("the comparison chose a journal")
        self._journal.begin()
        rows = connection.execute(
            query("journal_unwritten"), {"settled": self._settled, "written": list(self._written)}
        ).fetchall()
        entries = [_entry(row, self._cipher) for row in rows if row["key"] is not None]
        self._journal.append(entries)
        new = {entry.key for entry in entries}
        self._written = new if len(self._written) > REMEMBERED else self._written | new
        self._settled = rows[0]["settled"]
        return len(entries)

    def beat(self) -> None:
        """Write down what there is, and that it is all there is up to now.

        Raises:
            psycopg.Error: The database does not answer.
            OSError: It cannot be written.
        """
        seen = _one(self._open(), "journal_beat")["seen"]
        self.write()
        if self._journal is not None:
            self._journal.note_complete(seen)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _open(self) -> psycopg.Connection[dict[str, Any]]:
        if self._connection is None or self._connection.closed:
            self._journal = None  # a database that was away may come back older
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                row_factory=dict_row,
                connect_timeout=5,
                application_name="releve revocation journal",
            )
        return self._connection


def _lost(connection: psycopg.Connection[dict[str, Any]], contents: Contents | None) -> list[Entry]:
    """What the journal has and the database has not, in order."""
    if contents is None:
        return []
    now = datetime.now(UTC)
    entries = [entry for entry in contents.entries if entry.until is None or entry.until > now]
    rows = connection.execute(query("journal_known"), {"keys": [entry.key for entry in entries]}).fetchall()
    known = {row["key"] for row in rows}
    return list({entry.key: entry for entry in entries if entry.key not in known}.values())


def _is_lacking(
    contents: Contents | None, lineage: Mapping[str, Any], lost: Sequence[Entry], *, is_restored: bool, is_alone: bool
) -> bool:
    """Whether revocations since the backup may be missing: there is no journal, or one no newer than the backup.

    A journal that has what the database has not is newer; so is one that is complete to a later instant.
    """
    if contents is None:
        return is_restored or (is_alone and lineage["home"] != "")
    if contents.damaged and (is_restored or lost):
        return True
    return is_restored and not lost and contents.complete_to <= lineage["seen"]


def _apply(connection: psycopg.Connection[dict[str, Any]], lost: Sequence[Entry], cipher: Fernet) -> None:
    """End again what was ended; of each principal the last entry says how it was left."""
    for entry in {entry.principal: entry for entry in lost}.values():
        kind, _, name = entry.principal.partition(":")
        if kind not in APPLIED:  # of a newer version
            continue
        state = {**_GONE, **(entry.state or {})}
        if state[SEALED] is not None:
            state[SEALED] = _unsealed(state[SEALED], cipher, kind)
        values = {**state, "roles": Jsonb(state["roles"]), "name": name, "born": entry.born, "at": entry.at}
        connection.execute(query(f"journal_apply_{kind}"), values)
    for entry in lost:
        connection.execute(query("journal_keep"), vars(entry) | {"state": None})


def _unsealed(sealed: str, cipher: Fernet, kind: str) -> str:
    try:
        return cipher.decrypt(sealed.encode()).decode()
    except InvalidToken:
        return NOBODY_SIGNS_IN[kind]  # changed, and to what is not known: the old one does not count either


def _entry(row: Mapping[str, Any], cipher: Fernet) -> Entry:
    state = row["state"]
    if state is not None and SEALED in state:
        state = {**state, SEALED: cipher.encrypt(state[SEALED].encode()).decode()}
    return Entry(**{name: row[name] for name in ("key", "at", "principal", "born", "until")}, state=state)


def _tell(connection: psycopg.Connection[dict[str, Any]], comparison: Comparison) -> None:
    """Say what was noticed in the log, and as an alert in the audit."""
    if not comparison.is_noteworthy:
        return
    detail = {"applied": str(comparison.applied)}
    if comparison.complete_to is not None:
        detail["journal_complete_to"] = f"{comparison.complete_to:%Y-%m-%d %H:%M:%S} UTC"
    if comparison.signed_out is None:
        _log.warning("the database is older than its journal of revocations, which was applied", **detail)
    else:
        detail["people_signed_out"] = str(comparison.signed_out)
        missing = "the database was restored without a journal of revocations that is newer than the backup"
        _log.warning(f"{missing}: all people sign in again, devices go on", **detail)
    connection.execute(query("journal_audit"), {"detail": Jsonb(detail)})


def _place(connection: psycopg.Connection[dict[str, Any]]) -> tuple[Any, ...]:
    """What changes when a dump is restored over the database under a running server."""
    return tuple(_one(connection, "journal_place").values())


def _home(connection: psycopg.Connection[dict[str, Any]]) -> str:
    """Where this database lives; a dump that is restored lives elsewhere, a file system's copy does not."""
    system = ""
    refusals = (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)
    with contextlib.suppress(*refusals), connection.transaction():
        system = _one(connection, "journal_system")["system_identifier"]
    return f"{system}:{_one(connection, 'journal_home')['oid']}"


def _one(connection: psycopg.Connection[dict[str, Any]], name: str) -> dict[str, Any]:
    row = connection.execute(query(name)).fetchone()
    if row is None:
        raise LookupError(f"{name} answers nothing")
    return row
