"""The pages of the documentation that people who use the server need, read once: in which languages, in which order."""

import re
import sysconfig
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDERS = ("", "howto", "reference", "runbooks", "fr")
FRENCH = "fr"
_CLONE = Path(__file__).resolve().parents[5] / "docs"
_INSTALLED = Path(sysconfig.get_path("data")) / "share" / "releve" / "docs"
_IN_ENGLISH = re.compile(r"^\*English: \[[^\]]*\]\(\.\./([\w/-]+)\.md\)\*$", re.MULTILINE)
_EXCERPT = 160


@dataclass(frozen=True, kw_only=True)
class HelpPage:
    """One page.

    Attributes:
        key: Its place in the documentation, such as `howto/runs`.
        title: Its heading.
        text: All of it, in Markdown.
        english: The key of the page that it is the French of; empty for others.
    """

    key: str
    title: str
    text: str
    english: str = ""

    @property
    def language(self) -> str:
        """What it is written in."""
        return FRENCH if self.key.startswith("fr/") else "en"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A page that has the words, and the first place of them."""

    page: HelpPage
    excerpt: str


@cache
def pages() -> Mapping[str, HelpPage]:
    """Every page by its key; none where the documentation is not installed."""
    root = _CLONE if (_CLONE / "howto").is_dir() else _INSTALLED
    files = [file for folder in FOLDERS for file in sorted((root / folder).glob("*.md")) if file.name != "README.md"]
    found = [_page(file.relative_to(root).with_suffix("").as_posix(), file.read_text("utf-8")) for file in files]
    return {page.key: page for page in found}


def listed(language: str) -> list[HelpPage]:
    """The pages for a reader: the French one where there is one and French is read, else the English."""
    known = pages()
    french = {page.english: page for page in known.values() if page.english}
    english = [page for page in known.values() if page.language != FRENCH]
    return [french.get(page.key, page) if language == FRENCH else page for page in english]


def in_language(key: str, language: str) -> HelpPage | None:
    """The page of a key in a reader's language, or in the one that there is."""
    page = pages().get(key)
    if page is None:
        return None
    if language == FRENCH:
        return next((other for other in pages().values() if other.english == key), page)
    return pages().get(page.english, page)


def search(words: str, language: str) -> list[Found]:
    """The pages that have every word, those first that have them in their title; accents and case do not matter."""
    wanted = _plain(words).split()
    if not wanted:
        return []
    found = []
    for page in listed(language):
        title, text = _plain(page.title), _plain(page.text)
        if all(word in text for word in wanted):
            score = 100 * sum(word in title for word in wanted) + sum(min(text.count(word), 20) for word in wanted)
            found.append((score, Found(page=page, excerpt=_excerpt(page.text, wanted))))
    return [each for _, each in sorted(found, key=lambda pair: -pair[0])]


def _page(key: str, text: str) -> HelpPage:
    title = text.partition("\n")[0].removeprefix("# ").strip()
    english = _IN_ENGLISH.search(text)
    return HelpPage(key=key, title=title, text=text, english=english[1] if english else "")


def _plain(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))


def _excerpt(text: str, wanted: list[str]) -> str:
    """The first line of prose with one of the words."""
    lines = [
        line.strip() for line in text.splitlines()[1:] if line.strip() and not line.startswith(("#", "|", "`", "*"))
    ]
    line = next((line for line in lines if any(word in _plain(line) for word in wanted)), lines[0] if lines else "")
    plain = re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", line)
    return plain if len(plain) <= _EXCERPT else f"{plain[:_EXCERPT].rstrip()}…"
