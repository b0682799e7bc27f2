"""Where the control process listens: a unix socket in the run folder, or an address of another machine."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

SOCKET = "control.sock"
PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path, less its final NUL [unix(7)]
HTTP_PORT = 80


@dataclass(frozen=True)
class Address:
    """Exactly one of the two is set.

    Attributes:
        path: The unix socket's file.
        host: The other machine, with its port.
        port: See there.
    """

    path: Path | None = None
    host: str = ""
    port: int = 0

    @classmethod
    def chosen(cls, control_url: str, data_dir: Path) -> "Address":
        """The operator's, else the unix socket of the data directory."""
        if not control_url:
            return cls(path=data_dir / "run" / SOCKET)
        parts = urlsplit(control_url)
        return cls(host=parts.hostname or "", port=parts.port or HTTP_PORT)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.path is None else str(self.path)


def listening(path: Path) -> socket.socket:
    """A unix socket that only our own user may connect to; what a killed process left there is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        with _short(draft) as name:
            listener.bind(name)
    finally:
        os.umask(before)
    draft.replace(path)
    listener.setblocking(False)
    return listener


def connecting(path: Path) -> socket.socket:
    """A socket that is connected to it; that never blocks for longer than a full backlog lasts.

    Raises:
        OSError: Nobody listens there.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        with _short(path) as name:
            connection.connect(name)
    except OSError:
        connection.close()
        raise
    return connection


class _short:  # noqa: N801 - used like a function
    """A name of the path that fits into a socket's address, by way of the folder's descriptor where it must be."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder: int | None = None

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) <= PATH_LIMIT:
            return str(self._path)
        self._folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._folder}/{self._path.name}"

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            os.close(self._folder)
