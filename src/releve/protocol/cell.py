"""How a channel's value is written in a CSV cell so that it reads back as the very same value; pure.

An empty cell is a channel not measured. Text stands as it is, or in quotes as JSON writes it where it would otherwise
read as something else, break its line, lose its blanks, or be run by a spreadsheet as a formula (OWASP, CSV Injection).
"""

import json
import re

Value = float | int | bool | str
# As JSON writes numbers, and `.5`, `5.`, `+5`. What begins with a needless zero is a code (007), and so is an exponent
# behind a long whole number (241408E4): no program prints a number so.
NUMBER = re.compile(
    r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*(?:[eE][+-]?[0-9]+)?|[eE][+-][0-9]+)?|[0-9][eE][0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)"
)
NUMBER_LENGTH = 400  # the longest double written out has 309 digits
_NUMBER_START = frozenset("+-.0123456789")
_WORDS = {"true": True, "false": False}
# A formula at the start of a cell, or of what a spreadsheet that separates cells by semicolons takes for one. The wide
# forms are signs too, to a spreadsheet in Japanese.
_FORMULA = re.compile(r"""(?:^|;)[\s"']*[=+\-@\uff1d\uff0b\uff0d\uff20]""")
_UNSAFE = re.compile(r"""^["\s]|[\x00-\x1f\x7f-\x9f\u2028\u2029]|\s\Z""")


def read(cell: str) -> Value | None:
    """The value of a cell, None of an empty one.

    >>> read("12"), read("12.0"), read("true"), read('"12"'), read("lap A"), read("007"), read("")
    (12, 12.0, True, '12', 'lap A', '007', None)
    """
    if not cell:
        return None
    first = cell[0]
    if first in _NUMBER_START and len(cell) <= NUMBER_LENGTH and NUMBER.fullmatch(cell):
        return int(cell) if cell.lstrip("+-").isdigit() else float(cell)
    if first == '"':
        return _unquoted(cell)
    return _WORDS.get(cell, cell)


def write(value: Value | None) -> str:
    """The cell of a value, empty of none.

    >>> write(12.5), write(True), write("lap A"), write("12"), write("=1+1"), write("")
    ('12.5', 'true', 'lap A', '"12"', '"=1+1"', '""')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return write_text(value) if value and read(value) == value else _quoted(value)
    return repr(value)


def read_text(cell: str) -> str:
    """What stands in a cell of a column that holds nothing but text, such as a name.

    >>> read_text("12"), read_text('"=1+1"')
    ('12', '=1+1')
    """
    return _unquoted(cell)


def write_text(text: str) -> str:
    r"""The cell of a column that holds nothing but text, so that `12` needs no quotes.

    >>> write_text("12"), write_text("=1+1"), write_text("a\nb")
    ('12', '"=1+1"', '"a\\nb"')
    """
    return _quoted(text) if _FORMULA.search(text) or _UNSAFE.search(text) else text


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted.replace(";", "\\u003b") if _FORMULA.search(text) else quoted


def _unquoted(cell: str) -> str:
    if len(cell) < len('""') or cell[0] != '"' or cell[-1] != '"':
        return cell
    try:
        text = json.loads(cell)
    except ValueError:
        return cell
    return text if isinstance(text, str) else cell
