"""What signed in, in words, from the `User-Agent` that it sent."""

from django.utils.translation import gettext as _

_PROGRAMS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("okhttp/", "Android app"),
    ("CFNetwork/", "iOS app"),
    ("Dart/", "Flutter app"),
    ("ESP32HTTPClient", "ESP32"),
    ("python-requests/", "Python requests"),
    ("python-httpx/", "Python httpx"),
    ("aiohttp/", "Python aiohttp"),
    ("PostmanRuntime/", "Postman"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_LONGEST = 60


def in_words(user_agent: str) -> str:
    """A program and a system when both are known, else as much as was said.

    >>> in_words("curl/8.5.0")
    'curl'
    """
    program = _first(_PROGRAMS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if program and system:
        return _("%(program)s on %(system)s") % {"program": program, "system": system}
    return program or system or user_agent[:_LONGEST] or _("Unknown program")


def _first(known: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for mark, name in known if mark in text), "")
