r"""Cuts an array that is not valid JSON between its elements, so that a broken one never harms its neighbours.

The array is walked token by token, strings whole, brackets counted. That is exact for every sound element. A broken one
may leave a string or a bracket open, and would swallow those behind it. It is caught by what JSON never has: a quote
between two words, a comma in an object with another object behind it, a bracket open at the end. It then ends where the
next object begins: a comma, a brace, and a quote or another brace.

Every byte is looked at a bounded number of times, whatever was sent.
"""

import re
from collections.abc import Iterator
from contextlib import suppress

import msgspec

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TOKEN = re.compile(_STRING + rb'|["{}\[\],]', re.DOTALL)
_INNER = re.compile(_STRING + rb'|["{}\[\]]|,(?=\s*\{)', re.DOTALL)  # within brackets other commas tell nothing
_FLAT = re.compile(rb'\s*\{[^"{}\[\]]*+(?:' + _STRING + rb'[^"{}\[\]]*+)*+\}\s*,', re.DOTALL)
_NEXT = re.compile(rb",\s*(?=\{\s*[\"}])")
_SOLID = re.compile(rb"[^ \t\r\n]")
_BLANK = b" \t\r\n"
_BEFORE_TEXT = frozenset({*b"{[,:", None})
_AFTER_TEXT = frozenset({*b"}],:", None})
_AFTER_ELEMENT = frozenset({*b",{", None})
_QUOTE, _COMMA, _OBJECT, _ARRAY, _OBJECT_END, _ARRAY_END = b'",{[}]'
_OPENS = {_OBJECT_END: _OBJECT, _ARRAY_END: _ARRAY}
MOST_TRIES = 64  # elements that are not so simple; each may cost a look up to the end
Extent = tuple[int, int | None]
DEEPEST = 64  # brackets that are counted; nothing that is sound goes so deep
MOST_WALKS = 16  # to the end in vain; from then on elements are cut at the beginnings of objects alone
_is_json = msgspec.json.Decoder(msgspec.Raw).decode


def elements(text: bytes) -> Iterator[bytes]:
    r"""The elements of an array, sound or broken, in order.

    Args:
        text: Begins with `[`, blanks aside.

    >>> list(elements(b'[{"a": NaN}, {"b": "x}, {"c": "},{"}, {"d": [1}, {"e": 5},]'))
    [b'{"a": NaN}', b'{"b": "x}', b'{"c": "},{"}', b'{"d": [1}', b'{"e": 5}']
    """
    for element in _Scan(text).elements():
        if element := element.strip(_BLANK):
            yield element


class _Scan:
    """One walk through an array."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._walks = self._tries = 0
        closing = text.rstrip(_BLANK)
        self.end = len(closing) - 1 if closing.endswith(b"]") else len(text)  # where the array's own bracket stands

    def elements(self) -> Iterator[bytes]:
        start: int | None = self.text.index(b"[") + 1
        while start is not None:
            stop, following = self._simple(start) or self._extent(start)
            yield self.text[start:stop]
            start = following

    def _simple(self, start: int) -> Extent | None:
        """The extent of a sound object without brackets in it: nearly all are, and the walk takes ten times as long."""
        found = _FLAT.match(self.text, start) if self._tries < MOST_TRIES else None
        if found is not None:
            stop = found.end() - 1
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                _is_json(self.text[start:stop])
                return stop, stop + 1
        self._tries += 1
        return None

    def _extent(self, start: int) -> Extent:
        if self._walks >= MOST_WALKS:
            return self.resume(start)
        walk = _Walk(self, start)
        extent = walk.extent()
        self._walks += walk.was_in_vain
        return extent

    def resume(self, start: int) -> Extent:
        """The next place where an object begins behind a comma."""
        following = _NEXT.search(self.text, start)
        return (self.end, None) if following is None else (following.start(), following.end())

    def after(self, at: int) -> int | None:
        """The next byte that is no blank; None for none, or where it is the array's own bracket."""
        found = _SOLID.search(self.text, at)
        return None if found is None or found.start() == self.end else self.text[found.start()]

    def before(self, at: int, least: int) -> int | None:
        """The byte before that is no blank, from `least` on."""
        while at > least:
            at -= 1
            if self.text[at] not in _BLANK:
                return self.text[at]
        return None


class _Walk:
    """One element, token by token.

    Attributes:
        was_in_vain: Whether the rest of the array was looked through without finding the element's end.
    """

    def __init__(self, scan: _Scan, start: int) -> None:
        self._scan = scan
        self._text = scan.text
        self._start = start
        self._open_at: list[int] = []
        self._last_text = start
        self.was_in_vain = False

    def extent(self) -> Extent:
        """Where the element ends, and where the next one begins."""
        token = _TOKEN.search(self._text, self._start)
        while token is not None and token.start() != self._scan.end and len(self._open_at) <= DEEPEST:
            extent = self._step(token)
            if extent is not None:
                return extent
            token = (_INNER if self._open_at else _TOKEN).search(self._text, token.end())
        if not self._open_at:
            return self._scan.end, None
        self.was_in_vain = True
        return self._scan.resume(self._open_at[-1])

    def _step(self, token: "re.Match[bytes]") -> Extent | None:
        kind = self._text[token.start()]
        if kind == _QUOTE:
            return self._string(token.start(), token.end())
        if kind == _COMMA:  # ends the element, also one that was never closed: within an object it leads to a name
            is_end = not self._open_at or self._text[self._open_at[-1]] == _OBJECT
            return (token.start(), token.end()) if is_end else None
        if kind in _OPENS:
            return self._closing(_OPENS[kind], token.end())
        if not self._open_at and self._scan.before(token.start(), self._start) == _OBJECT_END:
            return token.start(), token.start()  # no comma between two objects
        self._open_at.append(token.start())
        return None

    def _string(self, start: int, end: int) -> Extent | None:
        """Go on behind a string that stands where JSON has one: neither end is in the middle of something."""
        before, after = self._scan.before(start, self._start), self._scan.after(end)
        self.was_in_vain = end == start + 1  # no other quote follows, and it was looked for up to the end
        if not self.was_in_vain and before in _BEFORE_TEXT and after in _AFTER_TEXT:
            self._last_text = start
            return None
        return self._scan.resume(self._last_text)

    def _closing(self, opening: int, end: int) -> Extent | None:
        """Close the innermost bracket of the kind with all that stands open in it; none is open, it is one too many."""
        for place in range(len(self._open_at) - 1, -1, -1):
            if self._text[self._open_at[place]] == opening:
                del self._open_at[place:]
                break
        is_over = bool(self._open_at) or self._scan.after(end) in _AFTER_ELEMENT
        return None if is_over else self._scan.resume(self._last_text)
