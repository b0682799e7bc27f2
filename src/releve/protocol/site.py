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
        return page.netloc in {host, public} - {"", None} or _are_one_loopback(page, asked)
    except ValueError:  # brackets or a port that are none
        return False


def is_loopback(host: str) -> bool:
    """Whether an address or a name stands for this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _are_one_loopback(page: SplitResult, asked: SplitResult) -> bool:
    return page.port == asked.port and all(is_loopback(place.hostname or "") for place in (page, asked))
