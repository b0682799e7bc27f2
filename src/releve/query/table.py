"""Tables as CSV by RFC 4180, of a size that is at hand."""

import csv
import io
from collections.abc import Iterable

from releve.protocol import cell
from releve.protocol.column import column


def header(channels: Iterable[str]) -> list[str]:
    """The heads of the columns of channels."""
    return [cell.write_text(column(name)) for name in channels]


def table(cells: list[list[str]]) -> bytes:
    """Lines of cells; a cell holds no line break, so each is one line."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(cells)
    return text.getvalue().encode()
