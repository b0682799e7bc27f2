"""A profilometre: temperature and humidity that drift through the day, and the profile of the road under it."""

import math
import random
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from releve.cli.simulation.kind import Kind, as_json

ZONE = "Europe/Paris"
DAY_S = 86_400
SPEED_MPS = 1.5


class Profilometre:
    """One instrument, pushed along at walking pace; its clock is local and names no zone, as the Pi's is."""

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)  # noqa: S311 - a simulation, repeatable
        self._zone = ZoneInfo(ZONE)
        self._offset = self._random.uniform(-1, 1)

    def measure(self, at: datetime) -> dict[str, Any]:
        """The weather and the road at the instant."""
        local = at.astimezone(self._zone)
        day = 2 * math.pi * ((local.hour - 4) * 3600 + local.minute * 60 + local.second) / DAY_S
        way_m = at.timestamp() * SPEED_MPS
        road = 0.4 * math.sin(way_m / 7) + 0.15 * math.sin(way_m / 1.3) + self._random.gauss(0, 0.05)
        bump = 2.5 * math.exp(-(((way_m % 50) - 25) ** 2))
        return {
            "temperature": round(17 + self._offset - 5 * math.cos(day) + self._random.gauss(0, 0.05), 3),
            "humidite": round(60 - self._offset + 15 * math.cos(day) + self._random.gauss(0, 0.2), 3),
            "accelerometre": round(road + bump, 4),
            "timestamp": local.replace(tzinfo=None).isoformat(timespec="microseconds"),
        }


PROFILOMETRE = Kind(
    name="profilometre",
    login="/api/token/",
    credentials=lambda name, secret: {"username": name, "password": secret},
    token_field="access",  # noqa: S106 - a field's name
    header=("Authorization", "Bearer "),
    route="/api/send/data/",
    keeps_connection=True,
    messages=lambda name, measured: [(f"releve/{name}/readings", as_json(measured))],
    zone=ZONE,
    instrument=Profilometre,
)
