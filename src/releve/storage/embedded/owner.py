"""The operating system user that PostgreSQL runs as: our own, or `releve` when we are root."""

import grp
import os
import pwd
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypedDict

from .problem import NoUserForPostgres

SYSTEM_USER = "releve"
# Nothing of our environment reaches PostgreSQL: no secret of ours, no PGDATA or locale of the operator's.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class Identity(TypedDict, total=False):
    """The arguments of `subprocess.Popen` that make a child another user's; none for our own."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Owner:
    """A user who owns a cluster's files and runs its processes."""

    uid: int
    gid: int

    @classmethod
    def current(cls) -> Self:
        """The owner for this process: the same user, or `releve` (made when missing) for root.

        Raises:
            NoUserForPostgres: The user `releve` is missing and cannot be made.
        """
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        account = _system_account()
        return cls(account.pw_uid, account.pw_gid)

    @property
    def is_ourselves(self) -> bool:
        """Whether it is the user that this process runs as already."""
        return self.uid == os.geteuid()

    def run(self, command: list[str], *, text: str = "", timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, `text` on its standard input, and wait for it."""
        return subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
            cwd="/",
            env=ENVIRONMENT,
            **self.identity,
        )

    @property
    def identity(self) -> Identity:
        """What makes a child this user's."""
        if self.is_ourselves:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_run(self, program: Path) -> bool:
        """Really try it: modes, mounts and mandatory access control all have a say."""
        try:
            return self.run([str(program), "--version"]).returncode == 0
        except OSError:  # also a parent directory that this user may not enter
            return False

    def can_enter(self, directory: Path) -> bool:
        """Whether this user reaches what lies in the directory."""
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(directory)]).returncode == 0

    def write(self, path: Path, text: str) -> None:
        """Write a file as this user, so that root never writes where somebody else may place links."""
        script = 'umask 077 && cat > "$1"'
        self.run(["/bin/sh", "-c", script, "sh", str(path)], text=text).check_returncode()

    def append(self, path: Path, text: str) -> None:
        """Append to a file as this user; see `write`."""
        self.run(["/bin/sh", "-c", 'cat >> "$1"', "sh", str(path)], text=text).check_returncode()


def _system_account() -> pwd.struct_passwd:
    """The account `releve`; another Relevé may be making it at the same time."""
    refusal = ""
    for _ in range(5):
        try:
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            refusal = _make_system_account()
        time.sleep(0.2 if refusal else 0)
    raise NoUserForPostgres(
        f"PostgreSQL does not run as root, and the system user {SYSTEM_USER!r} for it cannot be made"
        f" ({refusal}); make it with `useradd --system {SYSTEM_USER}`, start Relevé as another user,"
        " or set DATABASE_URL"
    )


def _make_system_account() -> str:
    """Run useradd; returns why it failed, or nothing."""
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return "there is no useradd, of the package passwd"
    result = subprocess.run(
        [
            *(useradd, "--system", "--no-create-home", "--home-dir", "/var/lib/releve"),
            *("--shell", "/usr/sbin/nologin", *_group_choice(), SYSTEM_USER),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stderr.strip() if result.returncode else ""


def _group_choice() -> tuple[str, ...]:
    try:
        grp.getgrnam(SYSTEM_USER)
    except KeyError:
        return ("--user-group",)
    return ("--gid", SYSTEM_USER)
