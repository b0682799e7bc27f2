"""What workers tell each other: a committed reading, or a value that a car said."""

import msgspec


class Heard(msgspec.Struct, frozen=True, array_like=True, tag="heard"):
    """A committed reading.

    Attributes:
        device_id: The device that sent it.
        time_us: Its instant, microseconds since 1970 UTC.
        channels: Canonical JSON object, UTF-8.
    """

    device_id: int
    time_us: int
    channels: bytes


class Said(msgspec.Struct, frozen=True, array_like=True, tag="said"):
    """The newest text of a car's topic, once it is kept.

    Attributes:
        device_id: The car that said it.
        topic: Where.
        text: What.
    """

    device_id: int
    topic: str
    text: str


News = Heard | Said
