"""How commands answer: JSON for programs, aligned lines for people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click


def document(value: Any) -> None:
    """Print JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, empty: str) -> None:
    """Print rows below a heading, as wide as their content; `empty` when there are none."""
    lines = [[_text(row[column]) for column in columns] for row in rows]
    if not lines:
        click.echo(empty)
        return
    heading = [column.replace("_", " ").upper() for column in columns]
    widths = [max(map(len, column)) for column in zip(heading, *lines, strict=True)]
    for line in (heading, *lines):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "-"
    if isinstance(value, dict):
        return " ".join(map(_text, value.values()))
    return str(value)
