"""One kind of simulated device: how it logs in, where it sends over each transport, and what it measures."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Message = tuple[str, str]  # topic and payload


class Instrument(Protocol):
    """A device's own sensors; each call measures at a later instant."""

    def measure(self, at: datetime) -> dict[str, Any]:
        """What the device sends next."""
        ...


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What the published clients of a contract do.

    Attributes:
        name: The contract.
        login: Route of its log-in.
        credentials: The log-in's body, from name and secret.
        token_field: Where the log-in's answer holds the token.
        header: The header that carries the token, and what stands before it.
        route: Where it posts.
        keeps_connection: Whether it uses one connection for many calls.
        messages: What it publishes over MQTT for one measurement, from the device's name and the measurement.
        farewell: What it publishes at the end.
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
    messages: Callable[[str, dict[str, Any]], Sequence[Message]]
    farewell: Sequence[Message] = ()
    zone: str
    instrument: Callable[[int], Instrument]


def as_json(measured: dict[str, Any]) -> str:
    """A measurement as a JSON payload."""
    return json.dumps(measured, separators=(",", ":"))
