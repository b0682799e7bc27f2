"""How commands answer: JSON for programs, aligned lines for people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from unicodedata import category

import click

_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # Unicode's controls, formats, half pairs and line ends


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


def printable(line: str) -> str:
    r"""A line with what would steer a terminal, or turn the writing round, as an escape: a file may hold anything.

    >>> printable("column \x1b[31mred: number")
    'column \\x1b[31mred: number'
    >>> printable("column \u202egnp.exe"), printable("Température (°C): number")
    ('column \\u202egnp.exe', 'Température (°C): number')
    """
    return "".join(repr(each)[1:-1] if category(each) in _STEERING else each for each in line)


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
