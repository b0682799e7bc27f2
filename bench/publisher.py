"""Publishes gym readings at QoS 1 over several MQTT 3.1.1 connections and counts the PUBACKs: what `wrk` is for HTTP.

A process of its own, so that its processor time is nobody else's. It writes and reads bytes by itself, because a
client library would cost more than the server that is measured.
"""

import argparse
import json
import random
import select
import socket
import sys
import time
from collections import deque
from struct import Struct

TOPIC = b"fitbuddy/sensors"
READ_BYTES = 262_144
PUBACK = 0x40
PUBACK_BYTES = 4  # of 3.1.1, where it carries nothing but its identifier
PATIENCE_S = 10.0
LAST_ID = 65_535
_short = Struct(">H").pack


class Connection:
    """One client: keeps its window full and knows when each publish was sent.

    Args:
        port: The server's, on loopback.
        login: User name and secret, None for a server that asks for none.
        number: Which of the connections it is.
        run: Which of the runs.
    """

    def __init__(self, port: int, login: tuple[str, str] | None, *, number: int, run: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.acknowledged = 0
        self.latencies_us: list[int] = []
        self._number, self._run = number, run
        self._random = random.Random(run * 1000 + number)  # noqa: S311 - readings, not secrets
        self._since_s, self._sent = int(time.time()), 0
        self._under_way: deque[tuple[float, int]] = deque()
        self._rest = b""
        self.socket.sendall(_connect(f"bench-{run}-{number}", login))
        answer = self.socket.recv(PUBACK_BYTES, socket.MSG_WAITALL)
        if answer != b"\x20\x02\x00\x00":
            sys.exit(f"CONNECT was answered with {answer.hex() or 'nothing'}")

    def publish(self, count: int) -> None:
        """Send the next publishes."""
        self._under_way.append((time.perf_counter(), count))
        self.socket.sendall(b"".join([self._publish() for _ in range(count)]))

    def read(self) -> int:
        """Take what came; how many publishes it acknowledges.

        Raises:
            ConnectionError: The server closed, or sent something else.
        """
        data = self._rest + self.socket.recv(READ_BYTES)
        whole = len(data) - len(data) % PUBACK_BYTES
        self._rest = data[whole:]
        if not data or data[0] != PUBACK or data[max(0, whole - PUBACK_BYTES)] != PUBACK:
            raise ConnectionError("something else than a PUBACK")
        count = whole // PUBACK_BYTES
        self.acknowledged += count
        self._note(count)
        return count

    def _note(self, count: int) -> None:
        now_s = time.perf_counter()
        while count:
            sent_s, left = self._under_way.popleft()
            self.latencies_us.append(round((now_s - sent_s) * 1e6))
            if left > count:
                self._under_way.appendleft((sent_s, left - count))
            count -= min(left, count)

    def _publish(self) -> bytes:
        """The next reading: instants begin now and rise by a millisecond, and no two readings are the same."""
        sent = self._sent
        self._sent += 1
        seconds = sent // 1000
        payload = (
            b'{"machine_id":%d,"timestamp":"%b.%03d000","acceleration_x":%.3f,'
            b'"acceleration_y":-0.125,"acceleration_z":9.812,"repetitions":%d,"series_time":%d%d%09d.5,"rest_time":3.0}'
        ) % (
            1 + sent % 4, self._second(seconds), sent % 1000,
            self._random.random(), seconds % 30, self._run + 1, self._number + 1, sent,
        )  # fmt: skip
        packet_id = _short(sent % LAST_ID + 1)
        return b"\x32" + _varint(4 + len(TOPIC) + len(payload)) + _short(len(TOPIC)) + TOPIC + packet_id + payload

    def _second(self, seconds: int) -> bytes:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self._since_s + seconds)).encode()


def main() -> None:
    """Publish for so long, then print what was measured as JSON."""
    asked = _arguments()
    login = (asked.user, sys.stdin.readline().strip()) if asked.user else None
    connections = [Connection(asked.port, login, number=at, run=asked.run) for at in range(asked.connections)]
    began_s = time.perf_counter()
    broken = _drive(connections, window=asked.window, until_s=began_s + asked.seconds)
    elapsed_s = time.perf_counter() - began_s
    latencies_us = sorted(latency for one in connections for latency in one.latencies_us) or [0]
    found = {
        "seconds": elapsed_s,
        "answered": sum(one.acknowledged for one in connections),
        "refused": 0,
        "broken": broken,
        "p50_us": latencies_us[len(latencies_us) // 2],
        "p99_us": latencies_us[len(latencies_us) * 99 // 100],
    }
    print("measured", json.dumps(found))


def _drive(connections: list[Connection], *, window: int, until_s: float) -> int:
    """Keep every window full until the time is over; how many connections broke."""
    poll = select.epoll()
    open_ones = {one.socket.fileno(): one for one in connections}
    for number, one in open_ones.items():
        poll.register(number, select.EPOLLIN)
        one.publish(window)
    broken = 0
    while open_ones and time.perf_counter() < until_s:
        for number, _ in poll.poll(0.1):
            try:
                if count := open_ones[number].read():
                    open_ones[number].publish(count)
            except OSError as error:
                print(f"a connection broke: {error}", file=sys.stderr)
                poll.unregister(number)
                del open_ones[number]
                broken += 1
    return broken


def _connect(client_id: str, login: tuple[str, str] | None) -> bytes:
    flags = 0xC2 if login else 0x02  # a clean session, with user name and password
    body = b"\0\4MQTT\4" + bytes([flags]) + _short(60)
    for text in (client_id, *(login or ())):
        body += _short(len(text)) + text.encode()
    return b"\x10" + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])  # noqa: PLR2004 - seven bits


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Publishes at QoS 1; the user's secret is a line of standard input.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--user")
    parser.add_argument("--run", type=int, default=1)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
