"""Checks of the data directory: where it is, who may read it, its keys and the room on its disk."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from releve.cli.check.finding import Finding, fail, ok, warn
from releve.storage import budget
from releve.storage.embedded.location import cluster_of
from releve.storage.keys import OTHERS

FLEETING = frozenset({"tmpfs", "ramfs", "devtmpfs"})
REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"})
GIB = 1024**3
FORESEEN_DAYS = 3650  # beyond, a number of days would be precision for nothing
LOW_GIB, VERY_LOW_GIB = 5.0, 1.0


def directory(data_dir: Path) -> Iterator[Finding]:
    """Where it is and on what kind of file system."""
    if not data_dir.exists():
        yield warn(
            "data directory", f"{data_dir} does not exist", "`releve up` makes it; or name yours with --data-dir"
        )
        return
    cluster = cluster_of(data_dir)
    place = str(data_dir) if cluster.parent == data_dir else f"{data_dir}, its database in {cluster}"
    kind = file_system(cluster if cluster.exists() else data_dir)
    if kind in FLEETING:
        yield fail("data directory", f"{place} is in memory ({kind})", "move it to a disk: stop, move it, --data-dir")
    elif kind in REMOTE:
        yield warn("data directory", f"{place} is on a network ({kind})", "a local disk: PostgreSQL trusts its fsync")
    elif kind == "overlay":
        yield warn(
            "data directory", f"{place} goes away with its container ({kind})", "mount a volume and name it --data-dir"
        )
    else:
        yield ok("data directory", f"{place} ({kind or 'unknown file system'})")


def keys(data_dir: Path) -> Iterator[Finding]:
    """Nobody else may read the keys, and none is lost."""
    folder = data_dir / "keys"
    if not folder.exists():
        yield warn("keys", "there are none yet", "`releve up` makes them")
        return
    opened = [path for path in (folder, *sorted(folder.iterdir())) if path.stat().st_mode & OTHERS]
    strangers = [path for path in (folder, *sorted(folder.iterdir())) if path.stat().st_uid != os.geteuid()]
    for path in opened:
        mode = stat.S_IMODE(path.stat().st_mode)
        right = "700" if path.is_dir() else "600"
        yield fail("keys", f"{path} is open to others ({mode:o})", f"chmod {right} {path}; new keys if it was read")
    for path in strangers:
        yield fail(
            "keys", f"{path} belongs to another user", "run Relevé, and this, as the user that the keys belong to"
        )
    empty = [path for path in folder.iterdir() if path.is_file() and not path.stat().st_size]
    for path in empty:
        yield fail("keys", f"{path} is empty", "restore it from a backup, or remove it to have a new one made")
    if not (opened or strangers or empty):
        yield ok("keys", f"{len(list(folder.iterdir()))} files for this user's eyes only")


def is_there(place: Path) -> bool:
    """Whether it is on this machine; what may not be entered is."""
    try:
        return place.exists()
    except PermissionError:
        return True


def room(place: Path, bytes_a_day: float | None) -> Iterator[Finding]:
    """How much fits on a folder's disk, and how long at the rate of now."""
    while not _can_be_measured(place):
        place = place.parent
    free = shutil.disk_usage(place).free
    free_gib = free / GIB
    days = budget.days_left(free, bytes_a_day or 0.0)
    detail = f"{free_gib:.1f} GiB free at {place}{_days_left(free_gib, bytes_a_day)}"
    mend = "make room, `releve retention --help`, or a larger disk; a full disk stops every acknowledgement"
    if free_gib < VERY_LOW_GIB:
        yield fail("disk", detail, mend)
    elif free_gib < LOW_GIB or (days is not None and days < budget.AHEAD_DAYS):
        yield warn("disk", detail, mend)
    else:
        yield ok("disk", detail)


def _can_be_measured(place: Path) -> bool:
    try:
        return place.exists()
    except PermissionError:
        return False


def file_system(place: Path) -> str:
    """The type of the file system that a path is on."""
    found = ("", "")
    for line in _mounts():
        point, kind = line.split(" ")[1:3]
        point = point.encode().decode("unicode_escape")  # a space is \040 [proc(5)]
        if place.is_relative_to(point) and len(point) >= len(found[0]):
            found = (point, kind)
    return found[1]


def _mounts() -> list[str]:
    try:
        return Path("/proc/self/mounts").read_text("utf-8").splitlines()
    except OSError:
        return []


def _days_left(free_gib: float, bytes_a_day: float | None) -> str:
    if not bytes_a_day:
        return ""
    days = free_gib * GIB / bytes_a_day
    about = f"about {days:,.0f} days" if days < FORESEEN_DAYS else "more than ten years"
    return f", {about} at this month's {bytes_a_day / GIB:.3f} GiB a day"
