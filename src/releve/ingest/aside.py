"""Keeps what is permanently bad in its device's quarantine, with its bytes, where nobody can be told (promise P3)."""

from releve.protocol.contract import Contract
from releve.protocol.decode import Arrival
from releve.protocol.problem import BadReading, Problem
from releve.protocol.reading import Quarantined, Source, quarantine
from releve.protocol.sender import Sender

FIELD_LIMIT = 256


def aside(payload: bytes, *, contract: Contract, sender: Sender, arrival: Arrival, problem: Problem) -> Quarantined:
    """What is kept of a reading, or of a message that holds none."""
    field = None if problem.field is None else clean(problem.field)[:FIELD_LIMIT]
    return quarantine(
        payload,
        device_id=sender.device_id or 0,
        received_us=arrival.received_us,
        source=Source(contract.name, arrival.transport),
        problem=BadReading(clean(problem.detail), field=field),
    )


def clean(text: str) -> str:
    """A sender's text without what neither PostgreSQL nor the wire takes: NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
