"""Many lines of text at once: a row of characters for each, NUL where it has none, which falls out at the end.

No line is a Python object of its own on the way, and neither is any of its cells, so a line of ten cells takes a
quarter of the time that joining them does.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from releve.history.array import Mask

AT_ONCE = 2_048  # lines: some hundred kilobytes, which a processor's cache holds
WIDEST = 4_096  # characters of a line, above which it is joined in the ordinary way
SHORT = 64  # characters that a text may have for all others beside it to have room for as many
Texts = NDArray[np.bytes_] | NDArray[np.object_]  # of one width, padded by NUL; objects where some text is long
Piece = bytes | Texts


def texts(found: Sequence[bytes]) -> Texts:
    """Texts as an array; none of them holds a NUL character.

    >>> texts([b"a", b"bc"]).tolist()
    [b'a', b'bc']
    """
    if max(map(len, found), default=0) <= SHORT:
        return np.array(found, np.bytes_) if len(found) else np.zeros(0, "S1")
    each = np.empty(len(found), object)
    each[:] = found
    return each


def only_where(text: bytes, where: Mask) -> Texts:
    """A text in those lines that have it.

    >>> only_where(b"a", np.array([True, False])).tolist()
    [b'a', b'']
    """
    return texts([b"", text])[where.astype(np.intp)]


def lines(pieces: Sequence[Piece], n: int) -> bytes:
    """Lines made of pieces, one behind the other.

    Args:
        pieces: Each is the same text in every line, or a text for each of them.
        n: How many lines.

    >>> lines([b"x=", texts([b"1", b"20"]), b";"], 2)
    b'x=1;x=20;'
    """
    return b"".join(
        [_lines(pieces, first, min(first + AT_ONCE, n)) for first in range(0, n, AT_ONCE)],
    )


def _lines(pieces: Sequence[Piece], first: int, last: int) -> bytes:
    here = [piece if isinstance(piece, bytes) else _texts(piece[first:last]) for piece in pieces]
    widths = [len(piece) if isinstance(piece, bytes) else piece.itemsize for piece in here]
    if sum(widths) > WIDEST:
        each = [[piece] * (last - first) if isinstance(piece, bytes) else piece.tolist() for piece in here]
        return b"".join(map(b"".join, zip(*each, strict=True))).replace(b"\0", b"")
    places = [str(place) for place, width in enumerate(widths) if width]
    rows = np.empty(last - first, [(place, f"S{widths[int(place)]}") for place in places])
    for place in places:
        rows[place] = here[int(place)]
    characters = rows.view(np.uint8)
    found: bytes = characters[characters != 0].tobytes()
    return found


def _texts(piece: Texts) -> NDArray[np.bytes_]:
    return np.asarray(piece.tolist() if piece.dtype == object else piece, np.bytes_)
