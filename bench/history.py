"""A long race and many short ones: readings loaded by COPY and sealed, runs made and read through the real API."""

import json
import math
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import psycopg
from bench.installation import Installation

EMAIL = "bench@example.com"
START = datetime(2026, 2, 1, 12, 0, 3, 250_000, tzinfo=UTC)  # in the middle of a 5 s bucket
SHORT_S = 60
SENT_LATE = timedelta(milliseconds=20)
PAUSE = timedelta(days=1)
ROWS = """
CREATE TABLE by_hand (
    device_id integer, time timestamptz, id bigint, received timestamptz, channels jsonb,
    PRIMARY KEY (device_id, time, id)
)"""
BY_HAND = """
INSERT INTO by_hand SELECT device_id, time, id, received, channels::jsonb FROM fresh_reading
WHERE device_id = %s AND time >= %s AND time < %s"""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A stretch of the car's readings that is to be a run."""

    device: int
    start: datetime
    end: datetime


class Person:
    """Somebody who signed in, and asks."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self.token = token

    @classmethod
    def signed_in(cls, url: str, password: str) -> Self:
        """Sign in as an app does."""
        pair = cls(url, "").ask("POST", "/api/token/", {"username": EMAIL, "password": password})
        return cls(url, pair["access"])

    def ask(self, method: str, path: str, document: Any = None, **headers: str) -> Any:
        """What the server answers."""
        return json.loads(self.read(method, path, document, **headers) or b"null")

    def read(self, method: str, path: str, document: Any = None, **headers: str) -> bytes:
        """The bytes that it answers."""
        known = {
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {self.token}"} if self.token else {}),
        }
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self._url + path, body, {**known, **headers}, method=method)  # noqa: S310 - our own address
        with urllib.request.urlopen(request, timeout=600) as reply:  # noqa: S310 - as above
            return bytes(reply.read())

    def open_run(self, stretch: Stretch, name: str) -> int:
        """Make the run of a stretch; its number."""
        bounds = {"started_at": stretch.start.isoformat(), "ended_at": stretch.end.isoformat()}
        made = self.ask("POST", "/api/v1/runs", {"device": stretch.device, "kind": "race", "name": name, **bounds})
        return int(made["id"])

    def delete_run(self, number: int) -> None:
        """Take a run away again; its readings stay."""
        self.read("DELETE", f"/api/v1/runs/{number}", **{"If-Match": "*"})


def load(installation: Installation, *, readings: int, rate: int, short_races: int) -> tuple[Stretch, list[Stretch]]:
    """Store a long race of a car and short ones of another, as if both had been sent while they were driven."""
    url = installation.environment["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ROWS)
        long = _store(connection, _car(installation, "long"), START, readings=readings, rate=rate)
        device = _car(installation, "short")
        short = [
            _store(connection, device, START + place * PAUSE, readings=SHORT_S * 10, rate=10)
            for place in range(short_races)
        ]
        connection.execute("VACUUM ANALYZE by_hand")
    seal(installation)
    return long, short


def seal(installation: Installation) -> None:
    """Seal what is fresh now, as the server does once it is some minutes old."""
    command = [sys.executable, "-m", "releve", "history", "seal", "--all"]
    subprocess.run(command, env={**os.environ, **installation.environment}, check=True, capture_output=True)


def _car(installation: Installation, name: str) -> int:
    return int(installation.add("device", name, "--contract", "racing")["id"])


def _store(connection: psycopg.Connection[Any], device: int, start: datetime, *, readings: int, rate: int) -> Stretch:
    step = timedelta(seconds=1) / rate
    end = start + readings * step
    copy = "COPY fresh_reading (device_id, time, id, received, channels) FROM STDIN"
    with connection.transaction(), connection.cursor() as cursor:
        with cursor.copy(copy) as pipe:
            for line in _lines(device, start, step, readings):
                pipe.write(line)
        cursor.execute(BY_HAND, [device, start, end])
    return Stretch(device=device, start=start, end=end)


def _lines(device: int, start: datetime, step: timedelta, readings: int) -> Iterator[str]:
    """A car that speeds up and slows down, round after round."""
    distance = 0.0
    for number in range(readings):
        time = start + number * step
        speed = 15 + 5 * math.sin(number / 1000)
        distance += speed * step.total_seconds()
        channels = (
            f'{{"battery":{round(100 - number / 20_000, 3)},"distance":{round(distance, 2)},'
            f'"speed":{round(speed, 3)},"track":{1 + number // 50_000}}}'
        )
        yield f"{device}\t{time.isoformat()}\t{number}\t{(time + SENT_LATE).isoformat()}\t{channels}\n"
