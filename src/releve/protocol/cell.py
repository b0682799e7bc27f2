"""How a channel's value is written in a CSV cell so that it reads back as the very same value; pure.

Text that would read as something else stands in quotes, as JSON writes it. An empty cell is a channel not measured.
"""

import json
import re

Value = float | int | bool | str
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WORDS = {"true": True, "false": False}


def read(cell: str) -> Value | None:
    """The value of a cell, None of an empty one.

    >>> read("12"), read("12.0"), read("true"), read('"12"'), read("lap A"), read("")
    (12, 12.0, True, '12', 'lap A', None)
    """
    if not cell:
        return None
    if _NUMBER.fullmatch(cell):
        return int(cell) if cell.lstrip("+-").isdigit() else float(cell)
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        return _quoted(cell)
    return _WORDS.get(cell, cell)


def write(value: Value | None) -> str:
    """The cell of a value, empty of none.

    >>> write(12.5), write(True), write("lap A"), write("12"), write("")
    ('12.5', 'true', 'lap A', '"12"', '""')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if read(value) == value and value[:1] != '"' else json.dumps(value, ensure_ascii=False)
    return repr(value)


def _quoted(cell: str) -> str:
    try:
        text = json.loads(cell)
    except ValueError:
        return cell
    return text if isinstance(text, str) else cell
