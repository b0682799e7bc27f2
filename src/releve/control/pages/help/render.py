"""Markdown to HTML: no HTML of its own goes through; links lead to pages of the help, to the world, or nowhere."""

import posixpath
import re
from collections.abc import Sequence
from functools import cache

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from releve.control.pages.help.library import HelpPage, pages


@cache
def html(page: HelpPage) -> SafeString:
    """The page as HTML, which markdown-it made of escaped text alone (`js-default` lets no raw HTML through)."""
    markdown = MarkdownIt("js-default")
    tokens = markdown.parse(page.text)
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _anchor(tokens[place + 1].content))
        elif token.type == "inline":
            token.children = _linked(token.children or [], page.key)
    text = markdown.renderer.render(tokens, markdown.options, {})
    text = text.replace("<pre>", '<pre tabindex="0">').replace("<table>", '<div class="scroll" tabindex="0"><table>')
    whole: SafeString = mark_safe(text.replace("</table>", "</table></div>"))  # noqa: S308 - of escaped text alone
    return whole


def _anchor(heading: str) -> str:
    """The anchor of a heading, as GitHub and GitLab make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _linked(tokens: Sequence[Token], key: str) -> list[Token]:
    """The tokens with links that lead somewhere; of the others the words stay, and of pictures what they show."""
    found: list[Token] = []
    is_open = False
    for token in tokens:
        if token.type == "link_open":
            address = _address(str(token.attrGet("href") or ""), key)
            is_open = bool(address)
            if is_open:
                token.attrSet("href", address)
        if token.type == "image":
            found.append(Token("text", "", 0, content=token.content))
        elif token.type not in ("link_open", "link_close") or is_open:
            found.append(token)
    return found


def _address(link: str, key: str) -> str:
    """Where a link leads from here; nothing for what is in the repository alone."""
    if re.match(r"https?:", link) or link.startswith("#"):
        return link
    path, _, anchor = link.partition("#")
    wanted = posixpath.normpath(posixpath.join(posixpath.dirname(key), path))
    if wanted.removesuffix(".md") not in pages():
        return ""
    address = reverse("help-page", args=[wanted.removesuffix(".md")])
    return f"{address}#{anchor}" if anchor else address
