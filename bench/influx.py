"""InfluxDB 1 as Debian has it, for a look at the same data; nothing where it is not installed."""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from bench.server import free_port
from numpy.typing import NDArray

PIECE = 100_000  # lines in a request
START_S = 60.0


class Influx:
    """A server of our own, with one database.

    Args:
        url: Where it answers.
        folder: Where its files are.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder

    def make(self) -> None:
        """Make the database.

        Raises:
            URLError: It does not answer yet.
        """
        self._ask("/query", urllib.parse.urlencode({"q": "CREATE DATABASE year"}).encode())

    def write(self, time_us: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Store readings of the only device."""
        for start in range(0, len(time_us), PIECE):
            here = slice(start, start + PIECE)
            pairs = zip(values[here].tolist(), time_us[here].tolist(), strict=True)
            lines = "\n".join(f"reading,device=1 v={value!r} {us}" for value, us in pairs)
            self._ask("/write?db=year&precision=u", lines.encode())

    def buckets(self, from_us: int, to_us: int, width_us: int) -> list[list[Any]]:
        """Time, number, first, low, high and last of each bucket that has a reading."""
        origin_us = from_us % width_us
        statement = (  # of numbers alone
            "SELECT count(v), first(v), min(v), max(v), last(v) FROM reading"  # noqa: S608 - see above
            f" WHERE time >= {from_us}u AND time < {to_us}u GROUP BY time({width_us}u, {origin_us}u) fill(none)"
        )
        query = urllib.parse.urlencode({"db": "year", "epoch": "u", "q": statement})
        found = json.loads(self._ask(f"/query?{query}"))["results"][0]
        rows: list[list[Any]] = found["series"][0]["values"]
        return rows

    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file())

    def _ask(self, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self._url + path, body)  # noqa: S310 - our own address
        with urllib.request.urlopen(request, timeout=600) as reply:  # noqa: S310 - as above
            return bytes(reply.read())


@contextmanager
def influx(folder: Path) -> Iterator[Influx | None]:
    """A server that lives in a folder; None where there is no `influxd`."""
    program = shutil.which("influxd")
    if program is None:
        yield None
        return
    home, http, backup = folder / "influx", free_port(), free_port()
    settings = {
        "INFLUXDB_REPORTING_DISABLED": "true",
        "INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{backup}",
        "INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{http}",
        "INFLUXDB_HTTP_LOG_ENABLED": "false",
        "INFLUXDB_META_DIR": str(home / "meta"),
        "INFLUXDB_DATA_DIR": str(home / "data"),
        "INFLUXDB_DATA_WAL_DIR": str(home / "wal"),
        "INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION": "5s",
        "INFLUXDB_MONITOR_STORE_ENABLED": "false",
    }
    process = subprocess.Popen(
        [program, "-config", os.devnull],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        server = Influx(f"http://127.0.0.1:{http}", home)
        _wait(server)
        yield server
    finally:
        process.terminate()
        process.wait(START_S)


def _wait(server: Influx) -> None:
    deadline_s = time.monotonic() + START_S
    while True:
        try:
            server.make()
        except urllib.error.URLError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.1)
        else:
            return
