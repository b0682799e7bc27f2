"""How a CSV file is laid out: separator, header, units, decimal sign; found out from its first lines. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from releve.cli.importing import moment, number
from releve.cli.importing.line import BadFile
from releve.cli.importing.record import Record, Records
from releve.cli.importing.wish import Wishes
from releve.protocol import cell
from releve.protocol.column import EXPORTED, OWN_COLUMNS, column
from releve.protocol.heading import Heading

SEPARATORS = (",", ";", "\t", "|")
TIMES = (
    "time", "timestamp", "_time", "datetime", "date_time", "date time", "date/time", "date", "last_changed",
    "last_updated", "created_at", "ts", "utc", "horodatage", "heure", "date et heure", "date/heure", "zeit",
    "zeitstempel", "datum",
)  # fmt: skip
PREAMBLE = 50  # lines that may look like readings and stand before the one that names the columns
ANNOTATIONS = frozenset({"#group", "#datatype", "#default", "#constant"})
_UNITS = frozenset({
    "s", "sec", "ms", "us", "µs", "min", "h", "hh:mm:ss", "hh:mm", "yyyy-mm-dd", "dd/mm/yyyy", "dd.mm.yyyy", "utc",
    "local", "iso", "unix", "-", "text", "string", "number", "m", "cm", "mm", "km", "km/h", "kmh", "m/s", "m/s²",
    "m/s2", "m/s^2", "g", "kg", "mg", "t", "n", "nm", "n·m", "pa", "hpa", "kpa", "mpa", "bar", "mbar", "psi", "v",
    "mv", "kv", "a", "ma", "w", "mw", "kw", "wh", "kwh", "va", "hz", "khz", "mhz", "rpm", "tr/min", "1/min", "1/s",
    "°c", "°f", "c", "f", "k", "°", "deg", "deg/s", "°/s", "rad", "rad/s", "%", "%rh", "%hr", "db", "dba", "ppm",
    "ppb", "ppt", "µg/m³", "µg/m3", "ug/m3", "lx", "lux", "l", "ml", "l/min", "m³", "m3", "m³/h", "m3/h", "bpm",
    "ph", "ntu", "µs/cm", "ms/cm", "mg/l", "w/m²", "w/m2", "j", "ohm", "ω", "kω", "count", "counts", "bool",
})  # fmt: skip
_BRACKETED = re.compile(r"\[.{0,20}\]|\(.{0,20}\)")
_DECLARED = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """How a CSV file is laid out.

    Attributes:
        separator: What stands between two cells.
        decimal: The decimal sign.
        header: The number of the line that names the columns, from 1.
        first: The number of the first line after the header and the units.
        heading: The line that names the columns, as it stands.
        names: The names of the columns; None of one that has no name and holds nothing.
        units: The unit of a column, where a line gives it.
        duplicates: The new names of columns whose name another has.
        datatypes: What an annotated file says of each column; empty for any other file.
        is_export: Whether Relevé wrote the file, so that every cell is read to the letter.
        headings: Of such a file: what the head of each column says.
    """

    separator: str
    decimal: str
    header: int
    first: int
    heading: Sequence[str]
    names: Sequence[str | None]
    units: dict[str, str] = field(default_factory=dict)
    duplicates: Sequence[str] = ()
    datatypes: Sequence[str] = ()
    is_export: bool = False
    headings: Sequence[Heading] = ()


@dataclass(frozen=True)
class _Fit:
    """How well a separator cuts the lines: what speaks for it comes first."""

    has_time: bool
    share: float
    width: int
    separator: str
    header: Record
    units: Record | None
    data: Sequence[Record]
    datatypes: Sequence[str]

    @property
    def weight(self) -> tuple[bool, float, int]:
        return self.has_time, round(self.share, 1), self.width


def layout_of(lines: Sequence[str], wishes: Wishes) -> Layout:
    """The layout of a file that begins with these lines.

    Raises:
        BadFile: No line names the columns.
    """
    if (ours := _export(lines)) is not None and not wishes.of_csv:
        return ours
    skip = wishes.skip or 0
    declared = _DECLARED.fullmatch(lines[skip].strip()) if len(lines) > skip else None
    first = skip + (2 if declared else 1)
    if wishes.separator is not None:
        separators: Sequence[str] = [wishes.separator]
    else:
        separators = [declared[1]] if declared else SEPARATORS
    fits = [_fit(lines[first - 1 :], first, separator, is_told=wishes.skip is not None) for separator in separators]
    best = max((fit for fit in fits if fit is not None), key=lambda fit: fit.weight, default=None)
    if best is None:
        raise BadFile(_no_header(lines, wishes))
    return _layout(best, wishes)


def _export(lines: Sequence[str]) -> Layout | None:
    first = lines[0].rstrip("\r\n") if lines else ""
    if not first.startswith("time,id,received"):
        return None
    records = list(Records(lines[:1], ","))
    heads = [cell.read_text(text) for text in records[0].cells]
    headings = [Heading.read(text) for text in heads]
    names = [
        text if text in OWN_COLUMNS else column(each.channel) for text, each in zip(heads, headings, strict=True)
    ]  # fmt: skip
    if records[0].problem or len(set(names)) < len(names) or not set(names) >= EXPORTED:
        return None
    units = {name: each.unit for name, each in zip(names, headings, strict=True) if each.unit}
    return Layout(",", ".", 1, 2, records[0].cells, names, units, is_export=True, headings=headings)


def _fit(lines: Sequence[str], first: int, separator: str, *, is_told: bool) -> _Fit | None:
    records = [record for record in Records(lines, separator, first=first) if record.problem is None]
    datatypes = next((record.cells for record in records if record.cells[0] == "#datatype"), [])
    if datatypes:
        records = records[records.index(next(r for r in records if r.cells[0] == "#datatype")) :]
    records = [record for record in records if record.cells[0] not in ANNOTATIONS]
    widths = Counter(len(record.cells) for record in records if len(record.cells) > 1)
    if not widths:
        return None
    width = max(widths, key=lambda each: (widths[each], each))
    found = _header(records, width, is_told=is_told or bool(datatypes))
    if found is None:
        return None
    header, units, rest = found
    fitting = [record for record in rest if len(record.cells) == width]
    if len(header.cells) < width and any(record.cells[-1].strip() for record in fitting):
        return None
    share = len(fitting) / len(rest) if rest else 1.0
    times = _has_time(header.cells) or any(map(moment.is_time, fitting[0].cells if fitting else []))
    return _Fit(times, share, width, separator, header, units, fitting, datatypes)


def _header(
    records: Sequence[Record], width: int, *, is_told: bool
) -> tuple[Record, Record | None, Sequence[Record]] | None:
    """The record that names the columns, the one of the units, and those that follow."""
    near = [place for place, record in enumerate(records) if len(record.cells) in {width, width - 1}]
    data = next(
        (place for place in near if len(records[place].cells) == width and _is_data(records[place].cells)), None
    )
    before = [place for place in near if data is None or place <= data]
    if is_told:
        place: int | None = 0
    else:
        words = [place for place in near[:PREAMBLE] if not _is_data(records[place].cells)]
        place = next((place for place in [*before, *words] if _names_time(records[place].cells)), None)
    if place is None:
        words = [place for place in before if place != data]
        if not words or data is None:
            return None
        place = words[-1]
        if len(words) > 1 and _are_units(records[place].cells):
            place = words[-2]
    following = place + 1
    if following < len(records) and following != data and _are_units(records[following].cells):
        return records[place], records[following], records[following + 1 :]
    return records[place], None, records[following:]


def _has_time(cells: Sequence[str]) -> bool:
    return any(text.strip().lstrip("#").strip().casefold() in TIMES for text in cells)


def _names_time(cells: Sequence[str]) -> bool:
    return _has_time(cells) and not any(map(moment.is_time, cells))


def _is_data(cells: Sequence[str]) -> bool:
    return any(_is_datum(text.strip()) for text in cells)


def _is_datum(text: str) -> bool:
    is_number = number.read(text, ".") is not None or number.read(text, ",") is not None
    return is_number or moment.is_time(text) or moment.is_time_of_day(text)


def _are_units(cells: Sequence[str]) -> bool:
    """Whether the cells of a line are units; some may be empty."""
    texts = [text.strip() for text in cells if text.strip()]
    units = sum(text.casefold() in _UNITS or _BRACKETED.fullmatch(text) is not None for text in texts)
    return units * 2 > len(texts)


def _layout(fit: _Fit, wishes: Wishes) -> Layout:
    names, duplicates = _names(fit)
    cells = [text.strip() for record in fit.data for text in record.cells]
    decimal = wishes.decimal or number.decimal_of(cells, fit.separator)
    units = {}
    if fit.units is not None:
        pairs = zip(names, fit.units.cells, strict=False)
        units = {name: unit.strip(" []()") for name, unit in pairs if name and unit.strip(" []()")}
    last = fit.units or fit.header
    return Layout(
        fit.separator,
        decimal,
        fit.header.number,
        last.end + 1,
        fit.header.cells,
        names,
        units,
        duplicates,
        [text.strip() for text in fit.datatypes],
    )


def _names(fit: _Fit) -> tuple[list[str | None], list[str]]:
    return named(fit.header.cells, fit.width, lambda place: any(record.cells[place].strip() for record in fit.data))


def named(cells: Sequence[str], width: int, is_filled: Callable[[int], bool]) -> tuple[list[str | None], list[str]]:
    """The names of columns, each once, and the new ones among them.

    >>> named(["", "time", "v", "v", ""], 5, lambda place: place > 0)
    ([None, 'time', 'v', 'v 2', 'column 5'], ['v 2'])

    Args:
        cells: What the header says.
        width: How many columns there are.
        is_filled: Whether a column holds anything, by its place; one without a name is left out if it does not.
    """
    names: list[str | None] = []
    duplicates = []
    for place in range(width):
        name = " ".join((cells[place] if place < len(cells) else "").split())
        if place == 0:
            name = name.lstrip("#").strip()
        if not name:
            names.append(f"column {place + 1}" if is_filled(place) else None)
            continue
        count = 1
        while (f"{name} {count}" if count > 1 else name) in names:
            count += 1
        if count > 1:
            name = f"{name} {count}"
            duplicates.append(name)
        names.append(name)
    return names, duplicates


def _no_header(lines: Sequence[str], wishes: Wishes) -> str:
    if not any(line.strip() for line in lines):
        return "the file is empty"
    first = lines[min(wishes.skip or 0, len(lines) - 1)].strip()[:80]
    return (
        f"no line names the columns, or nothing separates them; it begins with {first!r}. Say how many lines stand "
        "before the names with --skip, and what stands between two cells with --separator"
    )
