"""What a person's browser shows while the control process is away: a page that tries again by itself."""

from http.cookies import CookieError, SimpleCookie

from releve.http.answer import send_bytes
from releve.http.request import Request, Send
from releve.protocol.problem import Problem

_FRENCH = {
    "title": "Indisponible pour le moment",
    "text": "Cette partie de Relevé redémarre. Les appareils continuent d'envoyer leurs mesures, et rien ne se perd.",
    "again": "La page se recharge toute seule.",
}
_ENGLISH = {
    "title": "Not available just now",
    "text": "This part of Relevé is being started again. Devices go on sending their readings, and nothing is lost.",
    "again": "The page tries again by itself.",
}
_PAGE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="{retry_after_s}">
<title>{title} · Relevé</title>
<h1>{title}</h1>
<p>{text}</p>
<p>{again}</p>
</html>
"""
_POLICY = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def is_for_people(request: Request) -> bool:
    """Whether a browser asks for a page, rather than a program for a document."""
    return request.method in {"GET", "HEAD"} and "text/html" in request.text(b"accept")


async def answer_page(request: Request, send: Send, problem: Problem) -> None:
    """Answer the page, in the language that the browser asks for."""
    language = "fr" if _is_french(request) else "en"
    words = _FRENCH if language == "fr" else _ENGLISH
    retry_after_s = problem.retry_after_s or 1
    page = _PAGE.format(language=language, retry_after_s=max(retry_after_s, 3), **words)
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", _POLICY),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
        (b"retry-after", b"%d" % retry_after_s),
        (b"vary", b"accept-language, cookie"),
    ]
    await send_bytes(send, problem.status, page.encode(), headers)


def _is_french(request: Request) -> bool:
    try:
        chosen = SimpleCookie(request.text(b"cookie")).get("django_language")
    except CookieError:
        chosen = None
    if chosen is not None:
        return chosen.value.startswith("fr")
    first = request.text(b"accept-language").partition(",")[0]
    return first.strip().lower().startswith("fr")
