"""ETag and If-Match: nobody changes a run in a state that they have not seen (RFC 9110 section 13.1.1)."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

from django.db import transaction

from releve.control.accounts.models import Account
from releve.control.runs import queries
from releve.control.runs.lock import lock_device
from releve.control.runs.models import Run
from releve.control.runs.problem import PreconditionFailed, PreconditionRequired


def etag(run: Run) -> str:
    """What a run's state is known by: its bounds, its name, the last change; new readings do not count."""
    state = f"{run.pk} {run.revision} {run.started_at.isoformat()} {run.ended_at} {run.name}"
    return f'"{blake2b(state.encode(), digest_size=8).hexdigest()}"'


@contextmanager
def seen(account: Account, run_id: int, given: str | None) -> Iterator[Run]:
    """A run that the account may change and has seen as it is; nobody else changes it meanwhile.

    Args:
        account: Who changes it.
        run_id: Its number.
        given: The `ETag` of the state that the account has seen, or `*`.

    Raises:
        Http404: There is none, or it is another team's.
        PermissionDenied: The account only views.
        PreconditionRequired: The account does not say which state it has seen.
        PreconditionFailed: It is another state now.
    """
    with transaction.atomic():
        run = queries.editable_run(account, run_id)
        lock_device(run.device_id)
        run = queries.editable_run(account, run_id)
        _refuse_unless_seen(given, run)
        yield run


def _refuse_unless_seen(given: str | None, run: Run) -> None:
    if given is None:
        raise PreconditionRequired
    if given.strip() != "*" and etag(run) not in (tag.strip() for tag in given.split(",")):
        raise PreconditionFailed
