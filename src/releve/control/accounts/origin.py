"""Where a request came from, as the audit and the limiter keep it."""

import ipaddress
from dataclasses import dataclass
from typing import Self

from django.http import HttpRequest
from rest_framework.request import Request

ADDRESS_LENGTH = 64
USER_AGENT_LENGTH = 256
IPV6_SITE = 64  # one subscriber holds a whole /64, so its addresses count as one


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A network address and what the client calls itself."""

    address: str = ""
    user_agent: str = ""

    @classmethod
    def of(cls, request: HttpRequest | Request) -> Self:
        """Read a request; the guard has already put the client's own address where a trusted proxy spoke for it."""
        return cls(
            address=_printable(request.META.get("REMOTE_ADDR", ""), ADDRESS_LENGTH),
            user_agent=_printable(request.META.get("HTTP_USER_AGENT", ""), USER_AGENT_LENGTH),
        )

    @property
    def subscriber(self) -> str:
        """The address that the limiter counts by."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address
        if isinstance(address, ipaddress.IPv4Address):
            return str(address)
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, IPV6_SITE), strict=False))


COMMAND_LINE = Origin(user_agent="releve command")


def _printable(text: str, length: int) -> str:
    return "".join(character for character in text if character.isprintable())[:length]
