"""Numbers as people and instruments write them: with either decimal sign, grouped, signed; pure."""

import re
from collections.abc import Iterable

from releve.protocol import cell
from releve.protocol.reading import INTEGER_LIMIT

_BLANKS = "\u00a0\u202f\u2009"  # what typesetters put between thousands
_GROUPED_BY_BLANK = re.compile(r"[+-]?[0-9]{1,3}(?:[ '][0-9]{3})+(?:[.,][0-9]+)?")
# A sign between thousands is told from a decimal one where it stands twice, or the other one follows.
_GROUPED_BY = {
    ",": re.compile(r"[+-]?[0-9]{1,3}(?:(?:,[0-9]{3}){2,}|(?:,[0-9]{3})+\.[0-9]+)"),
    ".": re.compile(r"[+-]?[0-9]{1,3}(?:(?:\.[0-9]{3}){2,}|(?:\.[0-9]{3})+,[0-9]+)"),
}
_PADDED = re.compile(r"([+-]?)0+([0-9]+[.,][0-9]+)")  # +0012.50, as displays print
_WITH_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?")
_WITH_POINT = re.compile(r"[+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?")
_PERHAPS = re.compile(
    r"[+-]?[0-9][0-9 .,'\u00a0\u202f]*(?:[eE][+-]?[0-9]+)?(?:\s?(?:%|[^\W\d_]{1,3}(?:/[^\W\d_]{1,3})?|°\w?))?"
)
CODE = re.compile(r"[+-]?0[0-9]+")  # 007: a number by its digits, a code by its zeros


def read(text: str, decimal: str) -> float | int | None:
    """The number that a text is, None of any other text.

    >>> read("12,5", ","), read("1 234,5", ","), read("-3", "."), read("1,234,567.8", "."), read("lap", ".")
    (12.5, 1234.5, -3, 1234567.8, None)
    """
    is_plain = len(text) <= cell.NUMBER_LENGTH and cell.NUMBER.fullmatch(text) is not None
    if is_plain and "." in text and decimal == ".":
        return float(text)
    plain = text if is_plain and text.isdigit() else _plain(text, decimal)
    value = cell.read(plain) if plain[:1] != '"' else None
    if type(value) is int:
        return value if -INTEGER_LIMIT <= value <= INTEGER_LIMIT else None
    return value if type(value) is float else None


def _plain(text: str, decimal: str) -> str:
    """The same number as a program would write it, whatever else a text is."""
    if text[:1] == "\u2212":
        text = f"-{text[1:]}"
    for blank in _BLANKS:
        if blank in text:
            text = text.replace(blank, " ")
    if (" " in text or "'" in text) and _GROUPED_BY_BLANK.fullmatch(text):
        text = text.replace(" ", "").replace("'", "")
    grouping = "." if decimal == "," else ","
    if grouping in text and _GROUPED_BY[grouping].fullmatch(text):
        text = text.replace(grouping, "")
    if decimal == ",":
        if "." in text:
            return text if "," not in text and _is_plainly_decimal(text) else "?"
        text = text.replace(",", ".")
    if padded := _PADDED.fullmatch(text):
        return f"{padded[1]}{padded[2]}"
    return text


def _is_plainly_decimal(text: str) -> bool:
    """Whether a point can be nothing but a decimal sign: no group of thousands has its number of digits."""
    return re.fullmatch(r"[+-]?[0-9]{1,3}\.[0-9]{3}", text) is None


def decimal_of(cells: Iterable[str], separator: str) -> str:
    """The decimal sign of a file, told from some of its cells; a point where nothing tells."""
    commas = points = 0
    for text in cells:
        if _WITH_POINT.fullmatch(text):
            points += 1
        elif (
            _WITH_COMMA.fullmatch(text)
            and (separator != "," or not re.fullmatch(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}", text))
        ) or _GROUPED_BY["."].fullmatch(text):
            commas += 1
        elif _GROUPED_BY[","].fullmatch(text):
            points += 1
    return "," if commas > points else "."


def perhaps(text: str) -> bool:
    """Whether somebody may have meant a number by a text that stays one.

    >>> perhaps("12,5"), perhaps("12.5 km/h"), perhaps("007"), perhaps("lap 3"), perhaps("2026-06-01")
    (True, True, True, False, False)
    """
    return _PERHAPS.fullmatch(text.strip()) is not None
