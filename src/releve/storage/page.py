"""A page of a device's rows and the segments beside them: what lies where, in one snapshot."""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
import numpy as np

from releve.history.array import Integers, all_same
from releve.history.block import Block, Identities, Row
from releve.history.column import ABSENT_VALUE, Column
from releve.history.identity import Rule
from releve.history.pivot import block_of
from releve.history.sent import Sent
from releve.protocol.identity import canonical
from releve.protocol.reading import INTEGER_LIMIT
from releve.storage.queries import query
from releve.storage.reader import Reader
from releve.storage.segments import Sealed


class Span(NamedTuple):
    """The readings of [from, to), microseconds since 1970."""

    from_us: int
    to_us: int


class Page(NamedTuple):
    """Rows from some instant on, and the segments beside them.

    Attributes:
        time_us: Their instants, in order.
        ids: Their identities.
        received_us: When they were received.
        sent: Their timestamps as sent.
        lines: Their channels, a JSON object each.
        is_last: Whether there are no further rows in the span.
        has_old: Whether some are of the old table, whose JSON PostgreSQL has spelled.
        sealed: The segments in the span, by their first instant.
    """

    time_us: Integers
    ids: Integers
    received_us: Integers
    sent: list[str | None]
    lines: list[str]
    is_last: bool
    has_old: bool
    sealed: list[Sealed]

    @property
    def first_us(self) -> int:
        """The instant of the first row."""
        return int(self.time_us[0])

    @property
    def last_us(self) -> int:
        """The instant of the last row."""
        return int(self.time_us[-1])

    @property
    def is_one_instant(self) -> bool:
        """Whether there are more rows at the only instant than the page holds, so that it has no place to end at."""
        return not self.is_last and self.first_us == self.last_us

    def block(self, span: Span, names: Collection[str] | None) -> Block | None:
        """The rows of a span as a block; one that lies in both tables comes once."""
        first, last = np.searchsorted(self.time_us, span).tolist()
        places = np.arange(first, last)
        if self.has_old and len(places) > 1:
            is_again = (np.diff(self.time_us[places]) == 0) & (np.diff(self.ids[places]) == 0)
            places = places[np.concatenate([[True], ~is_again])]
        if not len(places):
            return None
        lines = [self.lines[place] for place in places.tolist()]
        if names is not None:
            known = Identities(all_same(Rule.KEPT, len(places)), self.ids[places])
            columns = columns_of(lines, tuple(names), has_old=self.has_old)
            return Block(self.time_us[places], columns, identities=known, sent=Sent.none(len(places)))
        texts = [respelled(line) for line in lines] if self.has_old else [line.encode() for line in lines]
        own = (self.time_us[places].tolist(), self.ids[places].tolist(), self.received_us[places].tolist())
        return block_of(list(map(Row, *own, texts, [self.sent[place] for place in places.tolist()])))


async def plan(
    reader: Reader, device_id: int, span: Span, limit: int, size: int, *, is_backwards: bool = False
) -> Page:
    """What a span is made of, in one snapshot.

    Args:
        reader: Answers.
        device_id: Whose readings.
        span: Which stretch.
        limit: How many rows will do.
        size: How many bytes of JSON will do.
        is_backwards: Whether the latest rows are wanted instead of the first.
    """
    text = query("scan_plan").replace("/*desc*/", " DESC" if is_backwards else "")
    values = {"device": device_id, "from_us": span.from_us, "to_us": span.to_us, "limit": limit, "bytes": size}
    times, ids, received, sent, lines, found, has_old, *of_segments = (await reader.ask(text, values))[0]
    sealed = [] if of_segments[0] is None else [Sealed(*each) for each in zip(*map(_list, of_segments), strict=True)]
    if times is None:
        none = np.zeros(0, np.int64)
        return Page(none, none, none, [], [], is_last=True, has_old=False, sealed=sealed)
    order = slice(None, None, -1) if is_backwards else slice(None)
    columns = times[order], ids[order], received[order], sent[order], lines.split("\n")[order]
    return Page(*columns, is_last=found < limit and found == len(times), has_old=has_old, sealed=sealed)


def columns_of(lines: Sequence[str], names: tuple[str, ...], *, has_old: bool) -> dict[str, Column]:
    """The columns of some channels of readings whose channels are JSON objects."""
    if not names:
        return {}
    text = "\n".join(lines)
    if any(map(_NO_FIELD.search, names)):
        wholes = _whole.decode_lines(text)
        found = {name: [each.get(name, ABSENT_VALUE) for each in wholes] for name in names}
    else:
        decoder, fields = _picking(names)
        readings = decoder.decode_lines(text)
        found = {name: list(map(attrgetter(field), readings)) for name, field in fields.items()}
    if has_old:
        found = {name: [_within_doubles(value) for value in values] for name, values in found.items()}
    return {name: Column.of(values) for name, values in found.items()}


_NO_FIELD = re.compile(r'[\\"\x00-\x1f]')  # in a name that the decoder cannot pick out by itself
_whole = msgspec.json.Decoder(dict[str, Any])


@lru_cache(maxsize=256)
def _picking(names: tuple[str, ...]) -> tuple[msgspec.json.Decoder[Any], dict[str, str]]:
    """What reads these members of objects and passes over the others, and the field that each gets."""
    fields = {name: f"channel_{place}" for place, name in enumerate(names)}
    types = [(field, Any, ABSENT_VALUE) for field in fields.values()]
    reading = msgspec.defstruct("Picked", types, rename={field: name for name, field in fields.items()}, gc=False)
    return msgspec.json.Decoder(reading), fields


def respelled(line: str | bytes) -> bytes:
    """The canonical spelling of channels that PostgreSQL has spelled in its own way."""
    return canonical({name: _within_doubles(value) for name, value in msgspec.json.decode(line).items()})


def _within_doubles(value: Any) -> Any:
    """A number that was sent as 1e22 is kept by jsonb as 23 digits: beyond 2⁵³ there is no whole number."""
    if type(value) is dict:
        return {name: _within_doubles(each) for name, each in value.items()}
    if type(value) is list:
        return [_within_doubles(each) for each in value]
    return float(value) if type(value) is int and abs(value) > INTEGER_LIMIT else value


def _list(array: Integers) -> list[int]:
    found: list[int] = array.tolist()
    return found
