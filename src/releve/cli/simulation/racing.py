"""A car on a track: laps, slower in the bends, a battery that empties; it posts to our own route."""

import math
import random
from datetime import UTC, datetime
from typing import Any

from releve.cli.simulation.kind import Kind

LAP_M = 120.0
LAPS_PER_RACE = 10


class Car:
    """One car; a new race begins after ten laps."""

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)  # noqa: S311 - a simulation, repeatable
        self._race = 1
        self._track = number
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
        if self._distance_m > LAP_M * LAPS_PER_RACE:
            self._race, self._distance_m, self._battery_percent = self._race + 1, 0.0, 100.0
        return {
            "time": at.astimezone(UTC).isoformat(timespec="microseconds"),
            "channels": {
                "race": self._race,
                "speed": round(speed_mps, 3),
                "distance": round(self._distance_m, 3),
                "battery": round(self._battery_percent, 3),
                "track": self._track,
            },
        }


RACING = Kind(
    name="racing",
    login="/api/token/",
    credentials=lambda name, secret: {"username": name, "password": secret},
    token_field="access",  # noqa: S106 - a field's name
    header=("Authorization", "Bearer "),
    route="/api/v1/readings",
    keeps_connection=True,
    zone="UTC",
    instrument=Car,
)
