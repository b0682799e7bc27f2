"""Tables as CSV by RFC 4180, of a size that is at hand."""

import csv
import io


def table(cells: list[list[str]]) -> bytes:
    """Lines of cells; a cell holds no line break, so each is one line."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(cells)
    return text.getvalue().encode()
