"""Make a cluster and its configuration: all or nothing, so that an interrupted start can be repeated."""

import os
import shutil
from pathlib import Path

from .binaries import installed, major_version
from .location import PORT
from .owner import Owner
from .problem import DidNotStart, OtherMajorVersion

SUPERUSER = "postgres"
INCLUDED = "releve.conf"
_BUILTIN_LOCALE_SINCE = 17
_CONFIGURATION = {
    "listen_addresses": "''",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "password_encryption": "'scram-sha-256'",
    # Durable: an acknowledgement means committed.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # A small machine with one busy table that is only appended to.
    "max_connections": "100",
    "shared_buffers": "'128MB'",
    "wal_compression": "on",
    "max_wal_size": "'1GB'",
    "checkpoint_timeout": "'15min'",
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "logging_collector": "off",
    "log_destination": "'stderr'",
    "log_line_prefix": "'%m [%p] '",
    # Without refused statements: a repeated reading is one, and their senders are told.
    "log_min_messages": "log",
}


def make_cluster(cluster: Path, *, binaries: Path, owner: Owner, password: str) -> None:
    """Make an empty cluster at the path.

    Raises:
        DidNotStart: initdb failed; the message is its own.
    """
    staging = cluster.with_name(cluster.name + ".new")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    if not owner.is_ourselves:
        os.chown(staging, owner.uid, owner.gid)
    owner.write(staging / "password", password + "\n")
    _initdb(staging, binaries, owner)
    owner.append(staging / "data" / "postgresql.conf", f"\ninclude_if_exists = '{INCLUDED}'\n")
    try:
        (staging / "data").rename(cluster)
    except OSError as error:  # a folder with other files in it, or a mount point
        raise DidNotStart(f"{cluster} is not free for a new database: {error.strerror}") from error
    finally:
        shutil.rmtree(staging)


def configure(cluster: Path, *, socket_directory: Path, owner: Owner, overrides: dict[str, str]) -> None:
    """Write our defaults anew; what an operator set with ALTER SYSTEM stands above them."""
    quoted = str(socket_directory).replace("'", "''")
    chosen = _CONFIGURATION | {"unix_socket_directories": f"'\"{quoted}\"'"} | overrides
    lines = [f"{name} = {value}" for name, value in chosen.items()]
    heading = "# Rewritten by Relevé at each start. To change a value for good: ALTER SYSTEM SET name = value;"
    owner.write(cluster / INCLUDED, "\n".join([heading, *lines, ""]))


def refuse_other_major_version(cluster: Path, *, binaries: Path, owner: Owner) -> None:
    """Check that the programs can read the cluster.

    Raises:
        OtherMajorVersion: They cannot; the message says what to do.
    """
    written = int((cluster / "PG_VERSION").read_text("ascii"))
    ours = major_version(binaries, owner)
    if written != ours:
        raise OtherMajorVersion(
            f"the data in {cluster} is PostgreSQL {written}'s and the programs in {binaries} are {ours}'s."
            f" Nothing was changed. {_way_out(written, owner)} To move to {ours} for good, dump with"
            f" {written}'s pg_dump, move the data directory aside, start, and restore the dump."
        )


def set_superuser_password(cluster: Path, *, binaries: Path, owner: Owner, password: str) -> None:
    """Give the superuser a new password, for when its file was lost; no server may be running."""
    single_user = [str(binaries / "postgres"), "--single", "-D", str(cluster), "postgres"]
    statement = f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'\n"
    result = owner.run(single_user, text=statement)
    if result.returncode or "ERROR" in result.stderr:
        raise DidNotStart(f"the lost password of the superuser could not be replaced: {result.stderr.strip()}")


def _way_out(major: int, owner: Owner) -> str:
    for folder in installed():
        if owner.can_run(folder / "postgres") and major_version(folder, owner) == major:
            return f"Start with RELEVE_POSTGRES_BIN={folder} to use it as it is."
    return f"Set RELEVE_POSTGRES_BIN to the folder of PostgreSQL {major}'s programs to use it as it is."


def _initdb(staging: Path, binaries: Path, owner: Owner) -> None:
    major = major_version(binaries, owner)
    for locale in _locales(major):
        result = owner.run(
            [
                *(str(binaries / "initdb"), "--pgdata", str(staging / "data")),
                *("--username", SUPERUSER, "--pwfile", str(staging / "password")),
                *("--auth-local=scram-sha-256", "--auth-host=scram-sha-256"),
                *("--encoding=UTF8", "--data-checksums", "--no-instructions", *locale),
            ]
        )
        if result.returncode == 0:
            return
    raise DidNotStart(f"initdb failed: {result.stderr.strip() or result.stdout.strip()}")


def _locales(major: int) -> list[list[str]]:
    """The same order of text everywhere and for ever; older versions need the system's C.UTF-8."""
    if major >= _BUILTIN_LOCALE_SINCE:
        return [["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
    return [["--locale=C.UTF-8"], ["--locale=C"]]
