"""What failed sign-ins are counted by, on both planes: whose name it was, and where it came from. Pure."""

import hashlib
import ipaddress
from functools import lru_cache

IPV6_SITE = 64  # one subscriber holds a whole /64, so its addresses count as one


def attempt_of(name: str) -> str:
    """A hash of the name, because people type their password into the wrong field."""
    return hashlib.sha256(name.casefold().encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(1_024)
def subscriber_of(text: str) -> str:
    """The address that failures are counted by.

    >>> subscriber_of("::ffff:192.0.2.1"), subscriber_of("2001:db8:1:2::9"), subscriber_of("unix")
    ('192.0.2.1', '2001:db8:1:2::/64', 'unix')
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_SITE), strict=False))
