"""What `releve db distribute` does."""

from typing import Any

import psycopg

from releve.cli.option import Refusal
from releve.storage.distribution import NoCitus
from releve.storage.distribution import distribute as spread


def distribute(url: str, *, shards: int) -> list[dict[str, Any]]:
    """Distribute what is not distributed yet; every table.

    Raises:
        Refusal: There is no Citus, or it refuses.
    """
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            return [each._asdict() for each in spread(connection, shards=shards)]
    except NoCitus as error:
        raise Refusal(str(error)) from error
    except psycopg.Error as error:
        raise Refusal(f"Citus refuses: {error.diag.message_primary or error}") from error
