"""Which pages may have us changed: a browser names a page's site in Origin, and calls us on behalf of any page."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

STRANGE = (
    "a page of another site may change nothing without a token; RELEVE_ALLOWED_ORIGINS names the sites that may, "
    "RELEVE_PUBLIC_URL our own address"
)


def may_change(origin: str | None, host: str, *, public_url: str, origins: frozenset[str]) -> bool:
    """Whether a caller without a token may change something: a program, a page of ours, one that the operator names.

    >>> may_change("https://example.com", "board.local", public_url="", origins=frozenset())
    False
    """
    return origin in origins or is_own(origin, host, public=urlsplit(public_url).netloc)


def is_own(origin: str | None, host: str | None, *, public: str) -> bool:
    """Whether the page is one of ours; programs other than browsers say no Origin.

    >>> is_own("http://localhost:8000", "127.0.0.1:8000", public=""), is_own("null", "127.0.0.1:8000", public="")
    (True, False)
    """
    if origin is None:
        return True
    try:
        page, asked = urlsplit(origin), urlsplit(f"//{host or ''}")
        return page.netloc in {host, public} - {"", None} or (_is_loopback(page, asked) and page.port == asked.port)
    except ValueError:  # brackets or a port that are none
        return False


def _is_loopback(*places: SplitResult) -> bool:
    return all(place.hostname == "localhost" or _is_loopback_address(place.hostname or "") for place in places)


def _is_loopback_address(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
