"""The SQL of runs: its files, put together once, and what each statement is told about a run."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from django.db import connection

from releve.control.runs.models import Exclusion, Kind, Run
from releve.storage.counting import LeftOut, counting, counting_values

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


def rows_left_out_too(name: str, run: Run, **values: Any) -> list[Row]:
    """What a statement about a run answers as if nothing of it were left out."""
    return _answer(_SQL[name], run, values, [])


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


def _about(run: Run) -> dict[str, Any]:
    return {"device": run.device_id, "run": run.pk, "since": run.started_at, "until": run.ended_at or FAR}


def _answer(text: str, run: Run, values: Mapping[str, Any], exclusions: Sequence[Exclusion] | None = None) -> list[Row]:
    if exclusions is None:
        exclusions = standing_exclusions(run) if "/*counts*/" in text else []
    left_out = [LeftOut(each.since, each.until, each.reading_id, each.part) for each in exclusions]
    given = {**_about(run), **counting_values(run.part, left_out), **values}
    derived = _SQL["derived_series"] if run.kind == Kind.SERIES else ""
    with connection.cursor() as cursor:
        cursor.execute(counting(text.replace("/*derived*/", derived), run.part, left_out), given)
        return list(cursor.fetchall()) if cursor.description else []
