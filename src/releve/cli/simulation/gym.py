"""A gym machine: series of repetitions with rests between them, as the published Raspberry Pi client reports them."""

import math
import random
from datetime import UTC, datetime
from typing import Any

from releve.cli.simulation.kind import Kind, as_json

GRAVITY_MPS2 = 9.81


class Machine:
    """One machine and whoever trains on it, tiring from series to series."""

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)  # noqa: S311 - a simulation, repeatable
        self._machine_id = number
        self._series_at: datetime | None = None
        self._rest_s = 0.0
        self._new_series()

    def measure(self, at: datetime) -> dict[str, Any]:
        """Where the series, or the rest after it, has come to."""
        elapsed_s = self._elapsed_s(at)
        work_s = self._wanted * self._tempo_s
        is_working = elapsed_s < work_s
        series_s = min(elapsed_s, work_s)
        swing = math.sin(2 * math.pi * elapsed_s / self._tempo_s) if is_working else 0.0
        return {
            "machine_id": self._machine_id,
            "timestamp": at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds"),
            "acceleration_x": self._noisy(0.15 * swing),
            "acceleration_y": self._noisy(0.1 * swing),
            "acceleration_z": self._noisy(GRAVITY_MPS2 + 3.2 * swing),
            "repetitions": int(series_s / self._tempo_s),
            "series_time": round(series_s, 3),
            "rest_time": round(self._rest_s if is_working else elapsed_s - work_s, 3),
            "asymmetry": self._noisy(0.04 + 0.002 * series_s),
        }

    def _elapsed_s(self, at: datetime) -> float:
        self._series_at = self._series_at or at
        elapsed_s = (at - self._series_at).total_seconds()
        if elapsed_s > self._wanted * self._tempo_s + self._pause_s:
            self._rest_s = self._pause_s
            self._series_at = at
            self._new_series()
            return 0.0
        return elapsed_s

    def _new_series(self) -> None:
        self._wanted = self._random.randint(8, 15)
        self._tempo_s = self._random.uniform(1.8, 3.2)
        self._pause_s = self._random.uniform(15, 40)

    def _noisy(self, value: float) -> float:
        return round(value + self._random.gauss(0, 0.05), 4)


GYM = Kind(
    name="gym",
    login="/auth/login",
    credentials=lambda name, secret: {"device_id": name, "password": secret},
    token_field="token",  # noqa: S106 - a field's name
    header=("token", ""),
    route="/data",
    keeps_connection=False,
    messages=lambda _, measured: [("fitbuddy/sensors", as_json(measured))],
    zone="UTC",
    instrument=Machine,
)
