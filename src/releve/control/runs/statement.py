"""The SQL of runs: its files, put together once, and what each statement is told about a run."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from django.db import connection

from releve.control.runs.models import Exclusion, Kind, Run
from releve.protocol.run.part import split_part

FAR = datetime(9999, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SQL = {
    file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
    for file in resources.files("releve.control.runs").joinpath("sql").iterdir()
    if file.name.endswith(".sql")
}
for _name, _part_of in {
    "build_channels": "channels",
    "read_channels": "channels",
    "make_blocks": "stretches",
    "read_stretches": "stretches",
}.items():
    _SQL[_name] = _SQL[_name].replace(f"/*{_part_of}*/", _SQL[_part_of])
Row = tuple[Any, ...]


def rows(name: str, run: Run, **values: Any) -> list[Row]:
    """What a statement about a run answers."""
    return _answer(_SQL[name], run, values)


def rows_in_columns(name: str, run: Run, columns: Mapping[str, str], **values: Any) -> list[Row]:
    """What one answers that has a column a channel: `columns` says what stands in the places that it has for them."""
    text = _SQL[name]
    for place, words in columns.items():
        text = text.replace(f"/*{place}*/", words)
    return _answer(text, run, values)


def plain(name: str, **values: Any) -> list[Row]:
    """What a statement that is not about one run answers."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL[name], values)
        return list(cursor.fetchall()) if cursor.description else []


def standing_exclusions(run: Run) -> list[Exclusion]:
    """The exclusions that may touch the run's readings."""
    found = Exclusion.objects.filter(device=run.device_id, undone_at=None, until__gt=run.started_at)
    if run.ended_at is not None:
        found = found.filter(since__lt=run.ended_at)
    if run.part:
        found = found.filter(part__in=["", run.part])
    return list(found)


def part_values(part: str) -> tuple[str, str | None, str]:
    """The channel that a part names, and its value as a JSON number, if it is one, and as JSON text.

    >>> part_values("machine_id=7")
    ('machine_id', '7', '"7"')
    """
    name, value = split_part(part)
    try:
        number = json.dumps(int(value)) if value else None
    except ValueError:
        number = None
    return name, number, json.dumps(value)


def _about(run: Run) -> dict[str, Any]:
    return {"device": run.device_id, "run": run.pk, "since": run.started_at, "until": run.ended_at or FAR}


def _part(part: str) -> dict[str, Any]:
    name, number, text = part_values(part)
    return {"part_name": name, "part_number": number, "part_text": text}


def _left_out(exclusions: Sequence[Exclusion]) -> dict[str, Any]:
    parts = [part_values(exclusion.part) for exclusion in exclusions]
    return {
        "x_since": [exclusion.since for exclusion in exclusions],
        "x_until": [exclusion.until for exclusion in exclusions],
        "x_reading": [exclusion.reading_id for exclusion in exclusions],
        "x_name": [name for name, _, _ in parts],
        "x_number": [number for _, number, _ in parts],
        "x_text": [text for _, _, text in parts],
    }


def _answer(text: str, run: Run, values: Mapping[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        exclusions = standing_exclusions(run) if "/*counts*/" in text else []
        given = {**_about(run), **_part(run.part), **_left_out(exclusions), **values}
        cursor.execute(_complete(text, run, exclusions), given)
        return list(cursor.fetchall()) if cursor.description else []


def _complete(text: str, run: Run, exclusions: Sequence[Exclusion]) -> str:
    """Conditions that cannot apply are left out: a million rows need not pass them."""
    conditions = [_SQL["counts_part"]] if run.part else []
    conditions += [_SQL["counts_exclusion"]] if exclusions else []
    counts = " AND ".join(f"({condition.strip()})" for condition in conditions) or "true"
    derived = _SQL["derived_series"] if run.kind == Kind.SERIES else ""
    return text.replace("/*counts*/", f"({counts})").replace("/*derived*/", derived)
