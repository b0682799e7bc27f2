"""ETag and If-Match: nobody changes a run in a state that they have not seen (RFC 9110 section 13.1.1)."""

from hashlib import blake2b

from rest_framework.request import Request

from releve.control.runs.models import Run
from releve.control.runs.problem import PreconditionFailed, PreconditionRequired


def etag(run: Run) -> str:
    """What a run's state is known by: its bounds, its name, the last change; new readings do not count."""
    state = f"{run.pk} {run.revision} {run.started_at.isoformat()} {run.ended_at} {run.name}"
    return f'"{blake2b(state.encode(), digest_size=8).hexdigest()}"'


def refuse_unless_seen(request: Request, run: Run) -> None:
    """Hold a change to the state that its sender has seen.

    Raises:
        PreconditionRequired: The sender does not say which.
        PreconditionFailed: It is another state now.
    """
    given = request.headers.get("If-Match")
    if given is None:
        raise PreconditionRequired
    if given.strip() != "*" and etag(run) not in (tag.strip() for tag in given.split(",")):
        raise PreconditionFailed
