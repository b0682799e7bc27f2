"""A car on a track: laps, slower in the bends, a battery that empties; a new race after ten laps."""

import math
import random
from datetime import UTC, datetime
from typing import Any

from releve.cli.simulation.kind import Kind, Message

LAP_M = 120.0
LAPS_PER_RACE = 10
QUANTITIES = ("race", "track", "speed", "distance", "battery")  # the last one completes the reading
MOST_CARS = 1_000


class Car:
    """One car; its races have numbers that no other race has."""

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)  # noqa: S311 - a simulation, repeatable
        self._number = number
        self._race = 0
        self._track = 0
        self._distance_m = 0.0
        self._battery_percent = 100.0
        self._last_at: datetime | None = None

    def measure(self, at: datetime) -> dict[str, Any]:
        """Drive on until the instant."""
        elapsed_s = (at - self._last_at).total_seconds() if self._last_at else 0.0
        self._last_at = at
        bend = math.cos(4 * math.pi * self._distance_m / LAP_M)  # two straights and two bends a lap
        speed_mps = max(0.5, 6.0 + 2.5 * bend + self._random.gauss(0, 0.15))
        self._distance_m += speed_mps * elapsed_s
        self._battery_percent -= 0.00004 * speed_mps**2 * elapsed_s
        if not self._race or self._distance_m > LAP_M * LAPS_PER_RACE:
            self._race, self._distance_m, self._battery_percent = self._next_race(at), 0.0, 100.0
        return {
            "race": self._race,
            "track": int(self._distance_m / LAP_M) + 1,
            "speed": round(speed_mps, 3),
            "distance": round(self._distance_m, 3),
            "battery": round(self._battery_percent, 3),
            "date": at.astimezone(UTC).isoformat(timespec="microseconds"),
        }

    def _next_race(self, at: datetime) -> int:
        """The instant and the car, so that a simulation never drives a race that somebody waits for."""
        return int(f"{at.astimezone(UTC):%y%m%d%H%M%S}") * MOST_CARS + self._number % MOST_CARS


def _messages(_name: str, measured: dict[str, Any]) -> list[Message]:
    return [(f"esp32bis/{quantity}", str(measured[quantity])) for quantity in QUANTITIES]


RACING = Kind(
    name="racing",
    login="/api/token/",
    credentials=lambda name, secret: {"username": name, "password": secret},
    token_field="access",  # noqa: S106 - a field's name
    header=("Authorization", "Bearer "),
    route="/sensor_data",
    keeps_connection=True,
    messages=_messages,
    farewell=(("esp32bis/race", "false"),),
    zone="UTC",
    instrument=Car,
)
