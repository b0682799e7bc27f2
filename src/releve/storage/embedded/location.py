"""Where a data directory's cluster, its socket and its passwords are."""

import hashlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

import structlog

from .binaries import STATE
from .owner import Owner

SOCKET_PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path, less its final NUL [unix(7)]
PORT = 5432  # only a part of the socket's name where no port is opened
_log = structlog.get_logger(__name__)


def cluster_of(directory: Path) -> Path:
    """The cluster of a data directory, wherever it was placed; it may not exist yet."""
    return (directory / "postgres").resolve()


def choose_cluster(directory: Path, owner: Owner) -> Path:
    """Decide where the cluster shall be: in the data directory, or where its owner can reach it.

    The choice is kept as the symbolic link `postgres` in the data directory. A cluster whose data
    directory was deleted is never taken over: its data would come back without its keys.
    """
    wished = directory / "postgres"
    if not os.path.lexists(wished) and not owner.can_enter(directory):
        _make_state_folder(STATE / "clusters")
        wished.symlink_to(_unused(STATE / "clusters" / _short_hash(wished)))
    return wished.resolve()


def make_data_directory(directory: Path) -> None:
    """Make the data directory: ours alone, but a root's lets the owner of the cluster pass through."""
    directory.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    for name in ("keys", "run", "log"):
        (directory / name).mkdir(mode=0o700, exist_ok=True)


def socket_directory(cluster: Path, owner: Owner) -> Path:
    """The cluster itself, as nobody else may enter it; a private folder in /tmp when its path is too long."""
    if len(os.fsencode(cluster / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT:
        return cluster
    folder = Path("/tmp", f"releve-{owner.uid}-{_short_hash(cluster)}")  # noqa: S108 - checked below
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, owner.uid, owner.gid, follow_symlinks=False)
    except FileExistsError:
        if not _is_private(folder, owner):
            folder = Path(tempfile.mkdtemp(prefix="releve-", dir="/tmp"))
            os.chown(folder, owner.uid, owner.gid)
    return folder


def password(directory: Path, name: str) -> str:
    """The password kept in a file of the keys, made (for this user's eyes only) when missing."""
    path = directory / "keys" / name
    if not path.exists():
        fresh = path.with_name(f".{name}.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(32) + "\n", "ascii")
        fresh.rename(path)
    return path.read_text("ascii").strip()


def _is_private(folder: Path, owner: Owner) -> bool:
    status = folder.lstat()
    return (status.st_uid, stat.S_IMODE(status.st_mode)) == (owner.uid, 0o700) and stat.S_ISDIR(status.st_mode)


def _make_state_folder(folder: Path) -> None:
    for part in (STATE, folder):
        part.mkdir(mode=0o755, parents=True, exist_ok=True)


def _unused(folder: Path) -> Path:
    number = 1
    chosen = folder
    while chosen.exists():
        _log.warning("older_postgres_data_left_alone", folder=str(chosen), reason="its data directory was deleted")
        number += 1
        chosen = folder.with_name(f"{folder.name}-{number}")
    return chosen


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:16]
