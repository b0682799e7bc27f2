"""Writes a chart as JSON or CSV; array by array, so that other threads get their turn in between."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec

from releve.http.answer import encode
from releve.protocol import cell
from releve.protocol.instant import iso
from releve.query.series.asked import Asked
from releve.query.series.chart import DURATION, Drawn, Line
from releve.query.series.draw import Charts
from releve.query.series.source import Source
from releve.query.table import table

Document = dict[str, Any]


def body(asked: Asked, sources: Sequence[Source], charts: Charts) -> bytes:
    """The whole answer in the format that was asked for."""
    if asked.format == "csv":
        return table(list(_table(asked, sources, charts)))
    return encode(_document(asked, sources, charts))


def _document(asked: Asked, sources: Sequence[Source], charts: Charts) -> Document:
    width = charts.drawn[0].width
    calendar = {"bucket": asked.bucket, "zone": asked.zone} if asked.bucket else {}
    span = {"from": charts.from_us, "to": charts.to_us}
    grid = {"by": asked.by, "width": width} if asked.by else {"width_us": width}
    if asked.devices:
        each = [
            {"device": source.device_id, **_chart(source, drawn)}
            for source, drawn in zip(sources, charts.drawn, strict=True)
        ]
        return {**span, **grid, **calendar, "devices": each}
    run = {} if sources[0].run_id is None else {"run": sources[0].run_id, "started": sources[0].started_us}
    device = {"device": sources[0].device_id or None}
    return {**run, **device, **span, **grid, **calendar, **_chart(sources[0], charts.drawn[0])}


def _chart(source: Source, drawn: Drawn) -> Document:
    return {
        "raw": drawn.is_raw,
        "series": [_line(source, line) for line in drawn.lines],
        "gaps": drawn.gaps,
    }


def _line(source: Source, line: Line) -> Document:
    columns = {name: _array(column) for name, column in _columns(source, line).items()}
    states = {} if line.states is None else {DURATION: {name: _array(held) for name, held in line.states.items()}}
    return {"channel": line.channel, "unit": source.description(line.channel).unit, **columns, **states}


def _columns(source: Source, line: Line) -> dict[str, Any]:
    """The columns; of a run, the time since its start stands beside the time."""
    if source.run_id is None or "time" not in line.columns:
        return dict(line.columns)
    time_us = line.columns["time"]
    return {"time": time_us, "elapsed_us": time_us - source.started_us, **line.columns}


def _array(column: Any) -> msgspec.Raw:
    return msgspec.Raw(encode(_listed(column)))


def _listed(column: Any) -> list[Any]:
    return column if isinstance(column, list) else column.tolist()


def _table(asked: Asked, sources: Sequence[Source], charts: Charts) -> Iterator[list[str]]:
    """A line for each bucket or reading of each channel."""
    lines = [
        (source, line) for source, drawn in zip(sources, charts.drawn, strict=True) for line in drawn.lines
    ]  # fmt: skip
    names = list(dict.fromkeys(chain.from_iterable(_columns(source, line) for source, line in lines)))
    states = list(dict.fromkeys(chain.from_iterable(line.states or () for _, line in lines)))
    device = ["device"] if asked.devices else []
    yield [*device, "channel", *names, *(cell.write_text(f"{DURATION}:{state}") for state in states)]
    for source, line in lines:
        columns = _columns(source, line)
        held = line.states or {}
        written = [_cells(name, columns[name]) if name in columns else _nothing(line) for name in names]
        written += [_cells(state, held[state]) if state in held else _nothing(line) for state in states]
        own = [*([str(source.device_id)] if device else []), cell.write_text(line.channel)]
        for cells in zip(*written, strict=True):
            yield [*own, *cells]


def _cells(name: str, column: Any) -> list[str]:
    if name == "time":
        return [iso(time_us) for time_us in _listed(column)]
    return [_cell(value) for value in _listed(column)]


def _cell(value: Any) -> str:
    """As an export writes it; what is no number at all has an empty cell, and JSON stands as it is."""
    if isinstance(value, float) and not abs(value) < float("inf"):
        return ""
    if isinstance(value, list | dict):
        return cell.write(encode(value).decode())
    return cell.write(value)


def _nothing(line: Line) -> list[str]:
    return [""] * len(next(iter(line.columns.values())))
