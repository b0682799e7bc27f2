"""The one-time code that makes the first account, drawn at each start while there is none. Only its hash is kept."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, LiteralString, Protocol

from releve.storage.queries import query

CODE_BYTES = 15


class Cursor(Protocol):
    """Of either plane's connection."""

    def execute(self, query: LiteralString, params: Mapping[str, Any], /) -> Any:
        """Execute a statement."""

    def fetchone(self) -> tuple[Any, ...] | None:
        """Its next row."""


def draw(cursor: Cursor) -> str | None:
    """Draw a code if there is no account at all; an earlier one ends."""
    code = secrets.token_urlsafe(CODE_BYTES)
    cursor.execute(query("draw_administrator_code"), {"hash": hash_of(code)})
    return None if cursor.fetchone() is None else code


def hash_of(code: str) -> str:
    """What is kept of it; a code is random, so that a fast hash is enough."""
    return hashlib.sha256(code.encode()).hexdigest()
