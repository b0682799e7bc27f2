"""Texts as numbers into a list of those that occur: a state that a device repeats for hours is kept once."""

from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np

from releve.history.array import Codes, Index

NONE = -1


class Coded:
    """A text, or none, for each reading.

    Attributes:
        code: Place of the text in `words`, `NONE` for none.
        words: The texts that occur.
    """

    __slots__ = ("code", "words")

    def __init__(self, code: Codes, words: Sequence[str]) -> None:
        self.code = code
        self.words = words

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> Self:
        """Number texts in the order in which they first occur.

        >>> Coded.of(["a", None, "a"]).code.tolist()
        [0, -1, 0]
        """
        known: dict[str | None, int] = {None: NONE}
        code = [known.setdefault(text, len(known) - 1) for text in texts]
        return cls(np.array(code, np.int32), [word for word in known if word is not None])

    def take(self, index: Index) -> "Coded":
        """Those at the index, without the words of the others where these are many."""
        taken = Coded(self.code[index], self.words)
        return compact(taken) if len(self.words) > 2 * len(taken.code) else taken

    def texts(self) -> list[str | None]:
        """The text of each reading.

        >>> Coded.of(["a", None, "a"]).texts()
        ['a', None, 'a']
        """
        words = np.array([*self.words, None], object)  # the last one is what -1 names
        found: list[str | None] = words[self.code].tolist()
        return found


def compact(coded: Coded) -> Coded:
    """The same with the words that still occur, in the order in which they do."""
    used, first, inverse = np.unique(coded.code, return_index=True, return_inverse=True)
    is_word = used != NONE
    order = np.argsort(np.where(is_word, first, len(coded.code)), kind="stable")
    place = np.empty(len(used), np.int32)
    place[order] = np.arange(len(used), dtype=np.int32)
    place[~is_word] = NONE
    words = [coded.words[code] for code in used[order].tolist() if code != NONE]
    return Coded(place[inverse].astype(np.int32), words)


def joined(parts: Sequence[Coded | None], lengths: Sequence[int]) -> Coded | None:
    """Texts one after the other; a part that has none at all is None.

    >>> joined([Coded.of(["a"]), None, Coded.of(["b", "a"])], [1, 1, 2]).texts()
    ['a', None, 'b', 'a']
    """
    if all(part is None for part in parts):
        return None
    known: dict[str, int] = {}
    codes = []
    for part, length in zip(parts, lengths, strict=True):
        if part is None:
            codes.append(np.full(length, NONE, np.int32))
            continue
        renumbered = [known.setdefault(word, len(known)) for word in part.words]
        codes.append(np.array([*renumbered, NONE], np.int32)[part.code])
    return Coded(np.concatenate(codes), list(known))
