"""The journal of revocations: a file beside the keys that only grows, so that a restored database can be told.

A header of fixed length names the history that the journal belongs to and the instant up to which it is known to be
complete; each line after it is one revocation behind its checksum. Only the last line can be torn: it is written again
from the database.
"""

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

PREFIX = "revocations-"
_MAGIC = "releve revocations 1"
_INSTANT_LENGTH = 32  # 2026-11-27T21:09:51.123456+00:00
_HEADER_LENGTH = len(_MAGIC) + 1 + 36 + 1 + _INSTANT_LENGTH + 1
_NEVER = datetime.min.replace(tzinfo=UTC)


class ForeignJournal(Exception):
    """The file is no journal of this database's; the message says whose it is."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One revocation.

    Attributes:
        key: Its name, the same in the database.
        at: When it was made.
        principal: What was ended or changed: `device:<id>`, `account:<id>`, `signin:<uuid>`, `factor:<id>`,
            `share:<id>` or `certificate:<fingerprint>`.
        born: When the row of that number was made.
        until: From when on it is over by itself; None where it never is.
        state: What was left standing when it was written down; None where the row is gone.
    """

    key: UUID
    at: datetime
    principal: str
    born: datetime | None = None
    until: datetime | None = None
    state: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a journal says.

    Attributes:
        entries: In the order in which they were written.
        complete_to: Everything committed before this instant, by the database's clock, is in it.
        damaged: How many lines in its middle cannot be read; a torn last line does not count.
    """

    entries: Sequence[Entry]
    complete_to: datetime
    damaged: int


class Journal:
    """One database's journal on this machine.

    Args:
        folder: That of the keys.
        lineage: Names the history of the database.
    """

    def __init__(self, folder: Path, lineage: UUID) -> None:
        self.path = folder / f"{PREFIX}{lineage}"
        self._lineage = lineage
        self._whole: int | None = None  # how much of the file is whole lines

    def exists(self) -> bool:
        """Whether this machine has one."""
        return self.path.exists()

    def begin(self) -> None:
        """Make it, with no entry; an existing one is left alone."""
        if self.exists():
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(self._header(_NEVER))
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self.path)
        _sync_folder(self.path.parent)

    def read(self) -> Contents:
        """All of it.

        Raises:
            ForeignJournal: It is another history's, or no journal.
            OSError: It cannot be read.
        """
        header, _, body = self.path.read_bytes().partition(b"\n")
        complete_to = self._complete_to(header)
        lines = body.splitlines(keepends=True)
        entries = [_entry(line) for line in lines]
        if lines and entries[-1] is None:  # torn, while it was written
            entries.pop()
            body = body.removesuffix(lines.pop())
        self._whole = _HEADER_LENGTH + len(body)
        return Contents(
            entries=[entry for entry in entries if entry is not None],
            complete_to=complete_to,
            damaged=entries.count(None),
        )

    def append(self, entries: Sequence[Entry]) -> None:
        """Write further entries behind the last whole one; they are on the disk when this returns.

        Raises:
            OSError: They are not.
        """
        if not entries:
            return
        if self._whole is None:
            self.read()
        with self.path.open("rb+") as file:
            file.truncate(self._whole)
            file.seek(0, os.SEEK_END)
            file.write(b"".join(map(_line, entries)))
            file.flush()
            os.fsync(file.fileno())
            self._whole = file.tell()

    def note_complete(self, instant: datetime) -> None:
        """Say that everything committed before `instant` is in it; written in place, within one sector."""
        with self.path.open("rb+") as file:
            file.write(self._header(instant))
            file.flush()
            os.fsync(file.fileno())

    def forget_if_empty(self) -> None:
        """Take away what holds nothing: the journal of a database that another one was restored over."""
        if self.exists() and self.path.stat().st_size == _HEADER_LENGTH:
            self.path.unlink()

    def _header(self, instant: datetime) -> bytes:
        text = instant.astimezone(UTC).isoformat(timespec="microseconds") if instant > _NEVER else "never"
        return f"{_MAGIC} {self._lineage} {text:<{_INSTANT_LENGTH}}\n".encode()

    def _complete_to(self, header: bytes) -> datetime:
        text = header.decode("utf-8", "replace")
        if not text.startswith(f"{_MAGIC} "):
            raise ForeignJournal(f"{self.path} is not a journal of revocations that this version can read")
        lineage, _, instant = text.removeprefix(f"{_MAGIC} ").partition(" ")
        if lineage != str(self._lineage):
            raise ForeignJournal(f"{self.path} belongs to another installation ({lineage}); it is not applied")
        return _instant(instant.strip()) or _NEVER


def _line(entry: Entry) -> bytes:
    text = json.dumps(
        {
            "key": str(entry.key),
            "at": entry.at.astimezone(UTC).isoformat(),
            "principal": entry.principal,
            "born": entry.born and entry.born.astimezone(UTC).isoformat(),
            "until": entry.until and entry.until.astimezone(UTC).isoformat(),
            "state": entry.state,
        },
        separators=(",", ":"),
    ).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _entry(line: bytes) -> Entry | None:
    """The entry of a line; None where it is not what was written."""
    checksum, _, rest = line.partition(b" ")
    text = rest.removesuffix(b"\n")
    if text == rest or checksum != b"%08x" % zlib.crc32(text):
        return None
    fields = json.loads(text)
    return Entry(
        key=UUID(fields["key"]),
        at=datetime.fromisoformat(fields["at"]),
        principal=fields["principal"],
        born=_instant(fields["born"]),
        until=_instant(fields["until"]),
        state=fields["state"],
    )


def _instant(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
