"""Whose readings a run holds where one device serves several, such as `machine_id=7`; empty for all of the device's.

A number is the same however it is written: `race=13.0` is `race=13`, and holds the readings that say 13 or 13.0.
"""

import json
import re

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?", re.ASCII)


def part_of(channel: str, value: str) -> str:
    """The part of the readings whose channel has that value.

    >>> part_of("machine_id", "7"), part_of("race", "13.0")
    ('machine_id=7', 'race=13')
    """
    return f"{channel}={_shortest(value) or value}"


def plainest(part: str) -> str:
    """The one spelling of a part.

    >>> plainest("race=13.0"), plainest("")
    ('race=13', '')
    """
    channel, value = split_part(part)
    return part_of(channel, value) if channel else part


def split_part(part: str) -> tuple[str, str]:
    """The channel and its value; two empty texts for a whole device.

    >>> split_part("machine_id=7")
    ('machine_id', '7')
    """
    channel, _, value = part.partition("=")
    return channel, value


def part_values(part: str) -> tuple[str, str | None, str]:
    """The channel that a part names, and its value as a JSON number, if it is one, and as JSON text.

    >>> part_values("machine_id=7.50")
    ('machine_id', '7.5', '"7.50"')
    """
    channel, value = split_part(part)
    return channel, _shortest(value), json.dumps(value)


def _shortest(value: str) -> str | None:
    """A number without what says nothing; None for what is no number."""
    if _NUMBER.fullmatch(value) is None:
        return None
    short = value.rstrip("0").rstrip(".") if "." in value else value
    return "0" if short == "-0" else short
