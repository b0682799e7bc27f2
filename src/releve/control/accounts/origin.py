"""Where a request came from, as the audit and the limiter keep it."""

from dataclasses import dataclass
from typing import Self

from django.http import HttpRequest
from rest_framework.request import Request

from releve.protocol.attempt import subscriber_of

ADDRESS_LENGTH = 64
USER_AGENT_LENGTH = 256


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
        return subscriber_of(self.address)


COMMAND_LINE = Origin(user_agent="releve command")


def _printable(text: str, length: int) -> str:
    return "".join(character for character in text if character.isprintable())[:length]
