"""How the workers of one server tell each other the news: datagrams between sockets in the run folder.

A worker asks for it by a file beside its socket, which names the devices that somebody watches there; so what nobody
watches is not sent. A datagram that does not fit into a busy sibling's socket is sent again soon; of many the oldest
are left out.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from releve.live.heard import Heard, News

DATAGRAM_READINGS = 64
DATAGRAM_BYTES = 200_000
LONGEST_CHARACTER = 4  # bytes in UTF-8
NOTHING = b"\x90"  # no news: only so that a sibling looks up at once who asks
AGAIN_S = 0.005
MOST_LATE = 256  # datagrams that wait for one sibling
ALL = "*"
MOST_NAMED = 2_000  # devices that are asked for by their numbers; of more, everything is
Wanted = Collection[int] | None
NOBODYS: frozenset[int] = frozenset()
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[News]).decode
_log = structlog.get_logger()


class Feed:
    """This worker's socket, and those of the siblings that ask.

    Args:
        folder: Where the sockets of all workers are.
        index: This worker's number.

    Attributes:
        wanted_elsewhere: The devices whose news any sibling asks for; None for all.
    """

    def __init__(self, folder: Path, *, index: int) -> None:
        self._folder = folder
        self._path = folder / f"live-{index}.sock"
        self._wanted = folder / f"live-{index}.wanted"
        self._socket: socket.socket | None = None
        self._siblings: list[str] = []
        self._late: dict[str, deque[bytes]] = {}  # what did not fit, by the sibling's path
        self._again: asyncio.TimerHandle | None = None
        self._asks: Wanted = NOBODYS
        self.wanted_elsewhere: Wanted = NOBODYS

    @property
    def is_wanted_elsewhere(self) -> bool:
        """Whether a sibling asks for the news of every device."""
        return self.wanted_elsewhere is None

    @property
    def has_siblings(self) -> bool:
        """Whether there are other processes that take readings."""
        return any(path != self._path for path in self._folder.glob("live-*.sock"))

    def open(self, heard: Callable[[list[News]], None]) -> None:
        """Listen; without a socket this worker still tells its own people of its own commits."""
        own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._path.unlink(missing_ok=True)
        try:
            own.bind(str(self._path))
        except OSError as error:
            _log.warning("live readings of other workers are not heard", error=str(error))
            own.close()
            return
        self._path.chmod(0o600)
        self._socket = own

        def receive() -> None:
            with suppress(BlockingIOError):
                heard(_decode(own.recv(DATAGRAM_BYTES)))

        asyncio.get_running_loop().add_reader(own, receive)

    def announce(self, wanted: Wanted) -> None:
        """Ask the siblings, or no longer, and see what they ask for.

        Args:
            wanted: The devices that somebody watches here; None for all.
        """
        asks = None if wanted is None or len(wanted) > MOST_NAMED else frozenset(wanted)
        if asks != self._asks:
            self._ask(asks)
            self._asks = asks
        asking = [path for path in self._folder.glob("live-*.wanted") if path != self._wanted]
        self._siblings = [str(path.with_suffix(".sock")) for path in asking]
        self.wanted_elsewhere = _together([_read(path) for path in asking])

    def _ask(self, wanted: Wanted) -> None:
        """Write down what is asked for, and have the siblings read it now, not within the second."""
        if self._socket is None or (wanted is not None and not wanted):
            self._wanted.unlink(missing_ok=True)
            return
        draft = self._wanted.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(ALL if wanted is None else " ".join(map(str, wanted)), encoding="ascii")
        draft.replace(self._wanted)
        self._send(NOTHING, [str(path) for path in self._folder.glob("live-*.sock") if path != self._path])

    def tell(self, heard: Sequence[News]) -> None:
        """Tell the siblings that ask."""
        if self._socket is None or not self._siblings:
            return
        for part in _parts(heard):
            self._send(_encode(part), self._siblings)

    def _send(self, datagram: bytes, paths: Sequence[str]) -> None:
        for path in paths:
            if path not in self._late and self._is_sent(datagram, path):
                continue
            self._late.setdefault(path, deque(maxlen=MOST_LATE)).append(datagram)
            self._send_late_soon()

    def _is_sent(self, datagram: bytes, path: str) -> bool:
        """Whether it need not be sent again: the sibling has it, is gone, or could never take it."""
        try:
            if self._socket is not None:
                self._socket.sendto(datagram, path)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def _send_late_soon(self) -> None:
        if self._again is None:
            self._again = asyncio.get_running_loop().call_later(AGAIN_S, self._send_late)

    def _send_late(self) -> None:
        self._again = None
        for path, late in list(self._late.items()):
            while late and self._is_sent(late[0], path):
                late.popleft()
            if not late:
                del self._late[path]
        if self._late:
            self._send_late_soon()

    def close(self) -> None:
        """Listen no more."""
        self._late.clear()
        if self._again is not None:
            self._again.cancel()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        self._path.unlink(missing_ok=True)
        self._wanted.unlink(missing_ok=True)


def _parts(heard: Sequence[News]) -> Iterator[list[News]]:
    """What fits into a datagram, one after the other: many wide readings of a group do not fit into one."""
    part: list[News] = []
    size = 0
    for news in heard:
        length = len(news.channels) if isinstance(news, Heard) else len(news.text) * LONGEST_CHARACTER
        if part and (len(part) == DATAGRAM_READINGS or size + length > DATAGRAM_BYTES // 2):
            yield part
            part, size = [], 0
        part.append(news)
        size += length
    if part:
        yield part


def _read(path: Path) -> Wanted:
    """What a sibling asks for; an earlier release's file is empty and asks for everything."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:  # it asks no longer
        return NOBODYS
    return None if text in ("", ALL) else frozenset(map(int, text.split()))


def _together(wishes: Sequence[Wanted]) -> Wanted:
    if None in wishes:
        return None
    return NOBODYS.union(*[wish for wish in wishes if wish is not None])
