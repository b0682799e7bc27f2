"""A device as a page shows it: its state, its latest values and the course of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language

from releve.control.fleet import channels
from releve.control.fleet.models import Device
from releve.control.pages.device import rhythm, spark
from releve.control.pages.device.received import Reading, Seen
from releve.protocol.described import Description

COURSE = 24  # readings that a small line shows


@dataclass(frozen=True, kw_only=True)
class Readout:
    """One channel's latest value."""

    channel: str
    title: str
    value: Any
    unit: str
    course: str


@dataclass(frozen=True, kw_only=True)
class Glance:
    """One device at a glance."""

    device: Device
    state: rhythm.State
    last_seen: datetime | None
    readouts: list[Readout]
    count_below: int = 0

    @property
    def shown(self) -> list[Readout]:
        """The readouts that fit a card."""
        return self.readouts[: self.count_below] if self.count_below else self.readouts

    @property
    def hidden_count(self) -> int:
        """How many more the device's own page shows."""
        return len(self.readouts) - len(self.shown)


def glance(device: Device, *, seen: Seen | None, readings: Sequence[Reading], on_card: int = 0) -> Glance:
    """One device at a glance, from its newest readings."""
    last_seen = seen.last_seen if seen else None
    return Glance(
        device=device,
        state=rhythm.state(
            is_enabled=device.is_enabled,
            last_seen=last_seen,
            received=[reading.received for reading in readings],
            now=timezone.now(),
        ),
        last_seen=last_seen,
        readouts=readouts(readings, channels.describe(device, readings[0].channels) if readings else {}),
        count_below=on_card,
    )


def readouts(readings: Sequence[Reading], described: Mapping[str, Description]) -> list[Readout]:
    """The channels of the newest reading, each with its course over the readings given, newest first."""
    if not readings:
        return []
    return [
        Readout(
            channel=channel,
            title=described[channel].called(channel, get_language() or ""),
            value=described[channel].shown(value),
            unit=described[channel].unit,
            course=spark.points([reading.channels.get(channel) for reading in reversed(readings[:COURSE])]),
        )
        for channel, value in sorted(readings[0].channels.items())
        if not described[channel].is_hidden
    ]
