"""One kind of simulated device: how it logs in, where it posts and what it measures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class Instrument(Protocol):
    """A device's own sensors; each call measures at a later instant."""

    def measure(self, at: datetime) -> dict[str, Any]:
        """The body of the device's next request."""
        ...


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What the published client of a contract does.

    Attributes:
        name: The contract.
        login: Route of its log-in.
        credentials: The log-in's body, from name and secret.
        token_field: Where the log-in's answer holds the token.
        header: The header that carries the token, and what stands before it.
        route: Where it posts.
        keeps_connection: Whether it uses one connection for many calls.
        zone: The time zone that its devices declare.
        instrument: Makes the sensors of device number n.
    """

    name: str
    login: str
    credentials: Callable[[str, str], Mapping[str, str]]
    token_field: str
    header: tuple[str, str]
    route: str
    keeps_connection: bool
    zone: str
    instrument: Callable[[int], Instrument]
