"""Brings a database that was restored up to the journal of revocations, at the start and before anybody is let in."""

from pathlib import Path

import structlog

from releve.serve.process.part import PartFailed
from releve.storage.revocation_journal import ForeignJournal
from releve.storage.revocation_keeper import Keeper

_log = structlog.get_logger("releve.up")


def bring_up_to_journal(url: str, data_dir: Path, *, is_alone: bool, writes: bool) -> None:
    """Apply what the database does not know; then write down what the journal does not.

    Args:
        url: The database's address.
        data_dir: Where the keys are.
        is_alone: Whether no other machine has this database.
        writes: Whether this machine has a journal; one that only answers has none.

    Raises:
        PartFailed: The journal is another installation's, or cannot be read: nobody knows who may come in.
        psycopg.Error: The database does not answer.
    """
    keeper = Keeper(url, data_dir / "keys", is_alone=is_alone)
    try:
        keeper.compare()
    except (ForeignJournal, OSError) as error:
        raise PartFailed(
            f"the journal of revocations cannot be used: {error}; put the right one there, or move it away"
        ) from error
    else:
        if writes:
            _write(keeper)
    finally:
        keeper.close()


def _write(keeper: Keeper) -> None:
    """Write what is missing; a folder that takes nothing keeps nobody out, and is said again by the background work."""
    try:
        keeper.beat()
    except OSError as error:
        _log.warning("the journal of revocations is not written", error=str(error))
