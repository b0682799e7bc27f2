"""Connections in memory that deliver late, in pieces, and break off; and what a client reads of them."""

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any


class Wire:
    """One connection to the server: its transport, and the other end.

    Args:
        protocol: Of the server's end.
        random: Decides about pieces and delays.
        written: Told what the server writes, at the moment that it does.
        ended: Told when the connection is over.
    """

    def __init__(
        self, protocol: Any, random: Random, *, written: Callable[[bytes], None], ended: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._random = random
        self._written = written
        self._ended = ended
        self._inbox: deque[bytes] = deque()
        self._is_paused = False
        self._is_delivering = False
        self._is_closing = False
        self._is_over = False
        protocol.connection_made(self)

    # The client's end

    def send(self, data: bytes) -> None:
        """Send; it arrives in pieces, in its order."""
        while data:
            size = self._random.choice((1, 7, 64, len(data), len(data), len(data)))
            self._inbox.append(data[:size])
            data = data[size:]
        self._deliver_later()

    def cut(self) -> None:
        """Break off: what was not delivered is lost, and what the server writes from now on is nobody's."""
        self._over(ConnectionResetError())

    def _deliver_later(self) -> None:
        if not self._is_delivering and self._inbox and not self._is_paused:
            self._is_delivering = True
            self._loop.call_later(self._random.choice((0.0, 0.0, 0.0005, 0.01)), self._deliver)

    def _deliver(self) -> None:
        self._is_delivering = False
        if self._inbox and not self._is_over and not self._is_paused and not self._is_closing:
            self._protocol.data_received(self._inbox.popleft())
            self._deliver_later()

    def _over(self, error: Exception | None) -> None:
        if not self._is_over:
            self._is_over = self._is_closing = True
            self._inbox.clear()
            self._loop.call_soon(self._protocol.connection_lost, error)
            self._ended()

    # The transport, as asyncio's

    def write(self, data: bytes) -> None:
        if not self._is_over:
            self._written(bytes(data))

    def close(self) -> None:
        self._is_closing = True
        self._loop.call_soon(self._over, None)

    def abort(self) -> None:
        self._over(None)

    def is_closing(self) -> bool:
        return self._is_closing

    def pause_reading(self) -> None:
        self._is_paused = True

    def resume_reading(self) -> None:
        self._is_paused = False
        self._deliver_later()

    def is_reading(self) -> bool:
        return not self._is_paused

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol

    def get_protocol(self) -> Any:
        return self._protocol

    def set_write_buffer_limits(self, *, high: int | None = None, low: int | None = None) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("192.0.2.1", 4711), "sockname": ("192.0.2.2", 8000)}.get(name, default)


class Answers:
    """Cuts a stream of HTTP/1.1 answers with a length into status and body."""

    def __init__(self) -> None:
        self._data = b""

    def take(self, data: bytes) -> list[tuple[int, bytes]]:
        """The answers that are whole now."""
        self._data += data
        found = []
        while b"\r\n\r\n" in self._data:
            head, _, rest = self._data.partition(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            length = int(fields[b"content-length"])
            if len(rest) < length:
                break
            found.append((int(head.split(b" ", 2)[1]), rest[:length]))
            self._data = rest[length:]
        return found


class Packets:
    """Cuts a stream of MQTT packets into type and content (MQTT 3.1.1, 2.2)."""

    def __init__(self) -> None:
        self._data = b""

    def take(self, data: bytes) -> list[tuple[int, bytes]]:
        """The packets that are whole now; none of the server's is longer than 127 bytes here."""
        self._data += data
        found = []
        while len(self._data) >= 2 and len(self._data) >= 2 + self._data[1]:
            end = 2 + self._data[1]
            found.append((self._data[0] >> 4, self._data[2:end]))
            self._data = self._data[end:]
        return found


def connect(client_id: str) -> bytes:
    """A CONNECT of MQTT 3.1.1 with a name and a password."""
    body = _text("MQTT") + b"\x04\xc2\x00\x00" + _text(client_id) + _text(client_id) + _text("secret")
    return b"\x10" + _length(len(body)) + body


def publish(topic: str, payload: bytes, identifier: int, *, is_again: bool) -> bytes:
    """A PUBLISH of QoS 1."""
    body = _text(topic) + identifier.to_bytes(2, "big") + payload
    return bytes([0x32 | (8 if is_again else 0)]) + _length(len(body)) + body


def _text(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def _length(number: int) -> bytes:
    found = b""
    while True:
        number, digit = divmod(number, 128)
        found += bytes([digit | (0x80 if number else 0)])
        if not number:
            return found
