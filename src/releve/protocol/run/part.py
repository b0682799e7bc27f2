"""Whose readings a run holds where one device serves several, such as `machine_id=7`; empty for all of the device's."""


def part_of(channel: str, value: str) -> str:
    """The part of the readings whose channel has that value.

    >>> part_of("machine_id", "7")
    'machine_id=7'
    """
    return f"{channel}={value}"


def split_part(part: str) -> tuple[str, str]:
    """The channel and its value; two empty texts for a whole device.

    >>> split_part("machine_id=7")
    ('machine_id', '7')
    """
    channel, _, value = part.partition("=")
    return channel, value
