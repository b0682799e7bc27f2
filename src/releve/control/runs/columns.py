"""Sums a run's readings a column a channel: finds its channels, then has one statement read them all at once.

A statement must name its columns, so some readings are looked at first. A stretch in which a reading has yet another
channel is told by the statement and summed again with that one too; where there are too many, a row a channel serves.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from releve.control.runs.models import Kind, Run
from releve.control.runs.statement import Row, rows, rows_in_columns

MOST_COLUMNS = 32
MOST_LOOKS = 3
CHUNK = 1000  # stretches a statement
SAMPLE = 20  # stretches that the first channels are learnt from
TOTAL = "acceleration_total"
AXES = ("acceleration_x", "acceleration_y", "acceleration_z")
_VALUE = """,
CASE WHEN jsonb_typeof(r.channels -> %(channel_{place})s) = 'number'
     THEN (r.channels ->> %(channel_{place})s)::double precision END AS v{place}"""
_HAS_TOTAL = f", r.channels ? '{TOTAL}' AS has_total"
_MEASURED = ", CASE WHEN counts AND abs(v{place}) < 1e150 THEN v{place} END AS v{place}"
_TOTAL = """,
CASE WHEN NOT counts THEN NULL
     WHEN has_total THEN CASE WHEN abs(v{place}) < 1e150 THEN v{place} END
     WHEN abs(v{x}) < 1e150 AND abs(v{y}) < 1e150 AND abs(v{z}) < 1e150
          AND sqrt(v{x} * v{x} + v{y} * v{y} + v{z} * v{z}) < 1e150
     THEN sqrt(v{x} * v{x} + v{y} * v{y} + v{z} * v{z}) END AS v{place}"""
_SUMS = """,
count(v{place}) AS n{place}, min(v{place}) AS low{place}, max(v{place}) AS high{place}, avg(v{place}) AS mean{place},
coalesce(var_pop(v{place}), 0) * count(v{place}) AS squares{place},
(array_agg(v{place}) FILTER (WHERE v{place} IS NOT NULL))[1] AS first{place},
(array_agg(v{place}) FILTER (WHERE v{place} IS NOT NULL))[count(v{place})::integer] AS last{place}"""
_CHANNEL = """
SELECT %(channel_{place})s, n{place}, low{place}, high{place}, mean{place}, squares{place}, first{place}, last{place}"""
_NO_CHANNEL = "SELECT ''::text, 0::bigint, 0.0::float8, 0.0::float8, 0.0::float8, 0.0::float8, 0.0::float8, 0.0::float8"


def make_blocks(run: Run, starts_us: Sequence[int], *, width: timedelta) -> None:
    """Store the blocks that start there, in microseconds since 1970."""
    reader = _Columns("make_blocks", run, width=width)
    for chunk in _chunks(starts_us):
        left = reader.read(chunk)
        if left:
            rows_in_columns("make_blocks", run, _columns(run, None), starts=left, width=width)
            rows("build_channels", run, starts=left, width=width)


def stretches(run: Run, starts_us: Sequence[int], **about: Any) -> Iterator[Row]:
    """What each channel did in the stretches that start there; `about` says how wide they are, and what bounds them."""
    reader = _Columns("read_stretches", run, **about)
    for chunk in _chunks(starts_us):
        left = reader.read(chunk)
        yield from sorted([*reader.found, *(rows("read_channels", run, starts=left, **about) if left else ())])
        reader.found.clear()


class _Columns:
    """Runs a statement with the channels that it knows by now."""

    def __init__(self, name: str, run: Run, **about: Any) -> None:
        self._name = name
        self._run = run
        self._about = about
        self._channels: list[str] = []
        self.found: list[Row] = []

    def read(self, starts_us: Sequence[int]) -> Sequence[int]:
        """Collect what it answers; the stretches that it cannot serve, because they have too many channels."""
        for _ in range(MOST_LOOKS):
            if not self._channels:
                self._learn(starts_us[:SAMPLE])
            if len(self._channels) > MOST_COLUMNS:
                return starts_us
            answered = self._answer(starts_us)
            self.found += (row for row in answered if row[1] is not None)
            starts_us = [row[0] for row in answered if row[1] is None]
            if not starts_us:
                return ()
            self._learn(starts_us)
        return starts_us

    def _learn(self, starts_us: Sequence[int]) -> None:
        known = self._channels
        known += (name for (name,) in rows("strange_channels", self._run, **self._given(starts_us)))
        if self._run.kind == Kind.SERIES and set(AXES) <= set(known) and TOTAL not in known:
            known.append(TOTAL)

    def _answer(self, starts_us: Sequence[int]) -> list[Row]:
        named = {f"channel_{place}": channel for place, channel in enumerate(self._channels)}
        columns = _columns(self._run, self._channels)
        return rows_in_columns(self._name, self._run, columns, **named, **self._given(starts_us))

    def _given(self, starts_us: Sequence[int]) -> dict[str, Any]:
        return {"starts": starts_us, "known": self._channels, **self._about}


def _chunks(starts_us: Sequence[int]) -> Iterator[Sequence[int]]:
    return (starts_us[place : place + CHUNK] for place in range(0, len(starts_us), CHUNK))


def _columns(run: Run, channels: Sequence[str] | None) -> dict[str, str]:
    """The columns of these channels, in the places that a statement has for them; with None no reading is strange."""
    known = range(len(channels or ()))
    measured = [_MEASURED.format(place=place) for place in known]
    values = [_VALUE.format(place=place) for place in known]
    if run.kind == Kind.SERIES and channels and TOTAL in channels and set(AXES) <= set(channels):
        values.append(_HAS_TOTAL)
        x, y, z = (channels.index(axis) for axis in AXES)
        measured[channels.index(TOTAL)] = _TOTAL.format(place=channels.index(TOTAL), x=x, y=y, z=z)
    return {
        "strange": "false" if channels is None else "(r.channels - %(known)s::text[]) <> '{}'",
        "values": "".join(values),
        "measured": "".join(measured),
        "sums": "".join(_SUMS.format(place=place) for place in known),
        "channels": "\nUNION ALL".join(_CHANNEL.format(place=place) for place in known) or _NO_CHANNEL,
    }
