"""Checks of the journal of revocations: that there is one, that it is up to date, and what a restoration made of it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg

from releve.cli.check.finding import Finding, fail, ok, warn
from releve.storage.queries import query
from releve.storage.revocation_journal import ForeignJournal, Journal

CHECK = "revocations"
_COPY = "see Restore a dump in docs/howto/backup.md: the journal is copied more often than the database"


def revocations(connection: psycopg.Connection, folder: Path) -> Iterator[Finding]:
    """The journal beside the keys, and the last restoration of the database."""
    try:
        lineage = connection.execute("SELECT id, home, seen FROM revocation_lineage").fetchone()
        restored = connection.execute(query("last_restoration")).fetchone()
    except psycopg.errors.UndefinedTable:
        return
    if lineage is not None:
        yield _journal(Journal(folder, lineage[0]), is_begun=bool(lineage[1]))
    if restored is not None:
        yield _restoration(*restored)


def _journal(journal: Journal, *, is_begun: bool) -> Finding:
    if not journal.exists():
        if not is_begun:
            return ok(CHECK, "no journal yet; `releve up` begins it")
        return warn(
            CHECK,
            "this machine has no journal of them: a restored backup would sign all people out",
            "it is begun by `releve up` where the background work runs; of a database of several machines one suffices",
        )
    try:
        contents = journal.read()
    except (ForeignJournal, OSError) as error:
        return fail(CHECK, str(error), "put the right one there from a backup, or move it away to have a new one begun")
    if contents.damaged:
        return fail(
            CHECK,
            f"{contents.damaged} lines of {journal.path} are damaged",
            "look at the disk; move the file away and restart: it is written again from the database",
        )
    return ok(
        CHECK, f"{len(contents.entries)} in the journal, complete to {contents.complete_to:%Y-%m-%d %H:%M:%S} UTC"
    )


def _restoration(age: timedelta, detail: dict[str, str]) -> Finding:
    when = f"{age.days} days ago" if age.days else "within the last day"
    applied = f"{detail.get('applied')} revocations of its journal were applied"
    if "people_signed_out" not in detail:
        return ok(CHECK, f"the database was restored {when}, and {applied}; nobody else was signed out")
    return warn(
        CHECK,
        f"the database was restored {when} without a journal newer than the backup: {applied}, all people had to sign"
        f" in again ({detail['people_signed_out']} sign-ins), devices went on",
        f"disable again what was disabled since the backup; {_COPY}",
    )
