"""What was understood of a file of history: a document for programs, sentences for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from releve.cli.importing.line import Source
from releve.cli.importing.reading import Rules

_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", ".": "point", " ": "blank"}


def understood(source: Source, rules: Rules) -> dict[str, Any]:
    """The file and what its lines mean, by name."""
    document = dict(source.understood)
    if document.get("export"):
        return document
    if rules.tall is not None:
        document["tall"] = {"name": rules.tall.name, "value": rules.tall.value}
    document["time"] = {"column": rules.time_column or "time or timestamp"}
    if rules.date_column is not None:
        document["time"]["date_column"] = rules.date_column
    if rules.form.name is not None:
        document["time"]["format"] = rules.form.name
    if rules.left_out:
        document["left_out"] = sorted(rules.left_out)
    return document


def sentences(document: Mapping[str, Any]) -> list[str]:
    """The same for people."""
    return [f"Understood: {', '.join(_file(document))}", *_lines(document)]


def _file(document: Mapping[str, Any]) -> Iterator[str]:
    yield str(document["format"]).upper() if document["format"] == "csv" else str(document["format"])
    if "compression" in document:
        yield f"compressed with {document['compression']}"
    if "encoding" in document:
        yield f"encoding {document['encoding']}"
    if document.get("export"):
        yield "exported by Relevé: every reading keeps its identity"
    elif "separator" in document:
        yield f"separated by {_spoken(document['separator'])}"
        yield f"decimal {_spoken(document['decimal'])}"
        yield f"columns named in line {document['header_line']}"


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    if "time" in document:
        yield f"  time: {_time(document['time'])}"
    if "tall" in document:
        yield f"  one value a line: named by {document['tall']['name']}, valued by {document['tall']['value']}"
    for name, kind in document.get("columns", {}).items():
        unit = document.get("units", {}).get(name)
        yield f"  column {name}: {kind}{f', in {unit}' if unit else ''}"
    if "renamed" in document:
        yield f"  called anew, because another column has the name: {', '.join(document['renamed'])}"
    if "left_out" in document:
        yield f"  left out: {', '.join(document['left_out'])}"


def _time(time: Mapping[str, str]) -> str:
    column = time["column"]
    where = f"{time['date_column']} and {column}" if "date_column" in time else column
    return f"{where}, {time['format']}" if "format" in time else where


def _spoken(sign: str) -> str:
    return _NAMES.get(sign, sign)
