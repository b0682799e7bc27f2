"""A committed reading on its way to viewers: spelled once, however many they are."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec

from releve.protocol.instant import iso

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Told:
    """One reading.

    Attributes:
        device_id: Whose.
        device: What that device is called.
        team_id: The team that owns the device.
        time_us: Its instant, microseconds since 1970.
        channels: Canonical JSON object, UTF-8.
    """

    def __init__(self, *, device_id: int, device: str, team_id: int, time_us: int, channels: bytes) -> None:
        self.device_id = device_id
        self.device = device
        self.team_id = team_id
        self.time_us = time_us
        self.channels = channels
        self._frames: dict[tuple[int, Sequence[str]], bytes] = {}

    @property
    def key(self) -> tuple[int, int, bytes]:
        """What tells it from other readings."""
        return self.device_id, self.time_us, self.channels

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The channels, by their names."""
        return _decode(self.channels)

    @cached_property
    def payload(self) -> bytes:
        """The document of all its channels: what a subscriber over MQTT hears, and `data` of an event."""
        return self._document(self.channels)

    def frame(self, event_id: int, channels: Sequence[str] = ()) -> bytes | None:
        """The event as it goes over the wire; None where the reading has none of the channels.

        Args:
            event_id: Its id.
            channels: Which channels are shown; none for all.
        """
        known = self._frames.get((event_id, channels))
        if known is not None:
            return known
        payload = self.payload
        if channels:
            shown = {name: self.fields[name] for name in channels if name in self.fields}
            if not shown:
                return None
            payload = self._document(_encode(shown))
        frame = self._frames[event_id, channels] = b"id: %d\ndata: %b\n\n" % (event_id, payload)
        return frame

    def _document(self, channels: bytes) -> bytes:
        return _encode({
            "device": self.device,
            "device_id": self.device_id,
            "time": iso(self.time_us),
            "channels": msgspec.Raw(channels),
        })  # fmt: skip
