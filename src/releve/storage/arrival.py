"""What arrived since: where a device's readings lie that were received from some instant on, wherever they are kept.

Fresh rows tell by themselves. A reading that was sealed meanwhile, or went into a segment at once, lies in a segment
that was added since, whose column of the times of receipt tells which of its readings are meant.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from releve.history.array import Integers
from releve.history.column import Column
from releve.history.segment import Holds, channel, own
from releve.storage.queries import query
from releve.storage.reader import Reader
from releve.storage.scan import Span


class Arrived(NamedTuple):
    """Readings that arrived.

    Attributes:
        value: What they hold for the channel: a number in its shortest form, text, `true`; None where there is nothing.
        first_us: The earliest instant, microseconds since 1970.
        last_us: The latest.
    """

    value: str | None
    first_us: int
    last_us: int


async def arrived(
    reader: Reader, device_id: int, name: str, *, since_us: int, span: Span, width_us: int
) -> list[Arrived]:
    """Where the readings of a span lie that were received since, for each value of a channel; 13 and 13.0 are one.

    Args:
        reader: Answers statements.
        device_id: Whose readings.
        name: Which channel.
        since_us: From which time of receipt on, microseconds since 1970.
        span: Which instants.
        width_us: Readings of buckets of this width are told together.
    """
    values = {"device": device_id, "channel": name, "since_us": since_us, "width_us": width_us}
    values |= {"from_us": span.from_us, "to_us": span.to_us}
    found = [Arrived(*row) for row in await reader.ask(query("arrived_rows"), values)]
    for (number,) in await reader.ask(query("arrived_segments"), values):
        content = await reader.ask(query("arrived_columns"), {**values, "segment": number})
        columns = {Holds(holds.encode()): blob for holds, blob in content}
        if Holds.TIME in columns:  # gone already: merged into another one, which comes too, or will
            found += await reader.work(_within, columns, since_us, span, width_us)
    return found


async def has_arrived(reader: Reader, device_id: int, *, since_us: int) -> bool:
    """Whether any may have: what was only sealed or merged since counts as well."""
    ((is_so,),) = await reader.ask(query("arrived_any"), {"device": device_id, "since_us": since_us})
    return bool(is_so)


def _within(columns: dict[Holds, bytes], since_us: int, span: Span, width_us: int) -> list[Arrived]:
    time_us = own.decode_time(columns[Holds.TIME])
    received_us = own.decode_received(columns[Holds.RECEIVED], time_us)
    places = np.flatnonzero((received_us >= since_us) & (time_us >= span.from_us) & (time_us < span.to_us))
    if not len(places):
        return []
    column = channel.decode(columns[Holds.CHANNEL]) if Holds.CHANNEL in columns else Column.absent(len(time_us))
    return list(_grouped(time_us[places], column.take(places), width_us))


def _grouped(time_us: Integers, column: Column, width_us: int) -> Iterator[Arrived]:
    values = np.array([_text(value) for value in column.values()], object)
    for value in dict.fromkeys(values.tolist()):
        own_us = time_us[values == value]
        begins = np.flatnonzero(np.diff(own_us // width_us, prepend=own_us[0] // width_us - 1))
        ends = np.append(begins[1:], len(own_us)) - 1
        for first_us, last_us in zip(own_us[begins].tolist(), own_us[ends].tolist(), strict=True):
            yield Arrived(value, first_us, last_us)


def _text(value: object) -> str | None:
    """As PostgreSQL's `trim_scale` and `#>> '{}'` write it."""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int | float):
        return format(Decimal(repr(value)), "f").removesuffix(".0") if value else "0"
    return value if isinstance(value, str) else None
