"""A committed reading, as workers tell each other."""

import msgspec


class Heard(msgspec.Struct, frozen=True, array_like=True):
    """A committed reading.

    Attributes:
        device_id: The device that sent it.
        time_us: Its instant, microseconds since 1970 UTC.
        channels: Canonical JSON object, UTF-8.
    """

    device_id: int
    time_us: int
    channels: bytes
