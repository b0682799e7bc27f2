"""Files of readings that a rule deletes: on the disk and read back before anything goes; needs pyarrow."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from releve.history import spelling
from releve.history.block import Block, Row

EXTRA = "an archive needs the extra: pip install 'releve[parquet]' on the server"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = "%Y%m%dT%H%M%S.%fZ"
_SUFFIX = ".parquet"


class NotTheSame(Exception):
    """A file that was just written does not give the readings back; nothing was deleted."""


class Unreadable(Exception):
    """A file is no archive of ours, or is damaged; the message names it."""


class Archived(NamedTuple):
    """One file.

    Attributes:
        device_id: Whose readings.
        first_us: The earliest instant, microseconds since 1970.
        last_us: The latest.
        path: Where it is.
        size: Its bytes.
    """

    device_id: int
    first_us: int
    last_us: int
    path: Path
    size: int


def is_possible() -> bool:
    """Whether pyarrow is there."""
    return find_spec("pyarrow") is not None


def write(folder: Path, device_id: int, blocks: Sequence[Block]) -> int:
    """Write readings of a device to a file of their own, unless they are in one; how many bytes it has.

    Args:
        folder: The archive.
        device_id: Whose readings.
        blocks: Whole, in the order of time.

    Raises:
        NotTheSame: The file does not give them back.
        OSError: The disk does not take it.
    """
    place = folder / str(device_id)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{_written(int(blocks[0].time_us[0]))}_{_written(max(int(block.time_us[-1]) for block in blocks))}"
    path, again = place / f"{name}{_SUFFIX}", 1
    while path.exists():
        if _holds(path, blocks):  # written before, by somebody who was killed before the deletion
            return path.stat().st_size
        again += 1
        path = place / f"{name}_{again}{_SUFFIX}"
    draft = place / f".{path.name}.part"
    try:
        _write(draft, blocks)
        if not _holds(draft, blocks):
            raise NotTheSame(f"{path} would not give the readings back; nothing was deleted")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    for each in (place, folder):
        _sync(each)
    return path.stat().st_size


def files(folder: Path, device_id: int | None = None) -> list[Archived]:
    """What the archive has, of one device or of all, in the order of devices and times."""
    found = []
    for path in folder.glob(f"{'*' if device_id is None else device_id}/*{_SUFFIX}"):
        first, last, *_ = path.name.removesuffix(_SUFFIX).split("_")
        found.append(Archived(int(path.parent.name), _read(first), _read(last), path, path.stat().st_size))
    return sorted(found)


def count(path: Path) -> int:
    """How many readings a file has.

    Raises:
        Unreadable: It cannot be read.
    """
    from pyarrow import parquet  # noqa: PLC0415 - an extra

    with _naming(path):
        return int(parquet.read_metadata(path).num_rows)


def groups(path: Path) -> Iterator[list[Row]]:
    """The readings of a file, as many at a time as were a segment.

    Raises:
        Unreadable: It cannot be read.
    """
    from pyarrow import parquet  # noqa: PLC0415 - an extra

    from releve.history.table import rows_of  # noqa: PLC0415 - with pyarrow

    with _naming(path):
        file = parquet.ParquetFile(path)
    with file:
        for place in range(file.num_row_groups):
            with _naming(path):
                rows = rows_of(file.read_row_group(place))
            yield rows


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    from pyarrow import ArrowException  # noqa: PLC0415 - an extra

    try:
        yield
    except (ArrowException, OSError, KeyError, ValueError) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from error


def _write(path: Path, blocks: Sequence[Block]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import parquet  # noqa: PLC0415 - an extra

    from releve.history.table import WHOLE, kinds_of, schema_of, table_of, with_spellings  # noqa: PLC0415 - with pyarrow

    channels = kinds_of(blocks)
    schema = schema_of(channels)
    whole = schema.append(pa.field(WHOLE, pa.string()))
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        with parquet.ParquetWriter(file, whole, compression="zstd") as writer:
            for block in blocks:
                table = with_spellings(table_of(block, channels, schema), block)
                writer.write_table(table, row_group_size=len(block))
        file.flush()
        os.fsync(file.fileno())


def _holds(path: Path, blocks: Sequence[Block]) -> bool:
    """Whether a file gives exactly these readings."""
    found = groups(path)
    try:
        is_same = all(spelling.rows(block) == next(found, None) for block in blocks)
        return is_same and next(found, None) is None
    except Unreadable:
        return False


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _written(time_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=time_us)).strftime(_NAME)


def _read(text: str) -> int:
    return (datetime.strptime(text, _NAME).replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
