"""Numbers written as text, as programs and people write them; pure."""

import re

from releve.protocol.reading import INTEGER_LIMIT, NUMBER_LIMIT

LONGEST = 64
_WHOLE = re.compile(r"[+-]?(?:0|[1-9][0-9]*)\Z")  # what begins with a needless zero is a code, such as 007
_REAL = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]*)(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}\Z")  # 1,234 is one number to some and another to others


def number_of(text: str) -> int | float | None:
    """The number that a text is, None where it is none or could be two.

    >>> number_of("12,5"), number_of(" 12.5"), number_of("11"), number_of("1e3")
    (12.5, 12.5, 11, 1000.0)
    >>> number_of("1,234"), number_of("007"), number_of("auto"), number_of("NaN"), number_of("")
    (None, None, None, None, None)
    """
    text = text.strip()
    if not text.isascii() or len(text) > LONGEST or _THOUSANDS.match(text):
        return None
    if _WHOLE.match(text):
        whole = int(text)
        return whole if abs(whole) <= INTEGER_LIMIT else None
    if not _REAL.match(text):
        return None
    real = float(text.replace(",", "."))
    return real if abs(real) < NUMBER_LIMIT else None
