"""Makes and revokes shared links, and counts how often one is opened."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils.timezone import now

from releve.control.accounts import audit
from releve.control.accounts.keys import pepper
from releve.control.accounts.models import Account, AuditKind
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.fleet.models import Device
from releve.control.runs.models import Run
from releve.control.shares.models import Kind, Share
from releve.protocol.secret import Secret
from releve.protocol.shared import FEWEST_RUNS, LONGEST_S, MOST_RUNS, MOST_STANDING, SHORTEST_S


class ShareProblem(Exception):
    """The link cannot be made so; the message says why."""

    field = "runs"


class BadRuns(ShareProblem):
    """A comparison is of 2 to 8 different runs of one team."""


class BadLife(ShareProblem):
    """A link lives from a minute to a year."""

    field = "expires_in_s"


class TooManyLinks(ShareProblem):
    """A team has at most 1,000 links that stand; revoke some."""

    field = "team"


def share_device(
    device: Device, *, expires_in_s: int, by: Account | None = None, origin: Origin = COMMAND_LINE
) -> tuple[Share, Secret]:
    """Make a link to what a device sends from now on, as long as its team has it; its secret is shown this once.

    Raises:
        BadLife, TooManyLinks: It cannot be made.
    """
    share = Share(team=device.team, kind=Kind.DEVICE, device=device)
    return _made(share, {"device": device.name}, expires_in_s, by, origin)


def share_runs(
    runs: Sequence[Run], *, expires_in_s: int, by: Account | None = None, origin: Origin = COMMAND_LINE
) -> tuple[Share, Secret]:
    """Make a link to a run, or to the comparison of several with the first.

    Raises:
        BadRuns: They are none, too many, the same, or of several teams.
        BadLife, TooManyLinks: It cannot be made.
    """
    numbers = [run.pk for run in runs]
    is_fine = len(numbers) == 1 or FEWEST_RUNS <= len(numbers) <= MOST_RUNS
    if not is_fine or len(set(numbers)) < len(numbers) or len({run.team_id for run in runs}) > 1:
        raise BadRuns
    kind = Kind.RUN if len(runs) == 1 else Kind.COMPARISON
    share = Share(team=runs[0].team, kind=kind, runs=numbers)
    return _made(share, {"runs": ",".join(map(str, numbers))}, expires_in_s, by, origin)


def revoke_share(share: Share, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Share:
    """End a link: within seconds it opens nothing more, and what is open ends."""
    with transaction.atomic():
        ended = Share.objects.filter(pk=share.pk, revoked_at=None).update(revoked_at=now())
        if ended:
            detail = {"share": str(share.pk), "opened": str(share.opened)}
            audit.record(AuditKind.SHARE_REVOKED, origin, share.device, team=share.team, by=by, detail=detail)
    share.refresh_from_db()
    return share


def opened(share: Share) -> None:
    """Count that somebody opened it."""
    Share.objects.filter(pk=share.pk).update(opened=F("opened") + 1, last_opened_at=now())


def hash_of(secret: str) -> str:
    """What is kept of a link's secret."""
    return Secret(secret).hash(pepper())


def _made(
    share: Share, detail: dict[str, str], expires_in_s: int, by: Account | None, origin: Origin
) -> tuple[Share, Secret]:
    if not SHORTEST_S <= expires_in_s <= LONGEST_S:
        raise BadLife
    secret = Secret.new()
    share.secret_hash = secret.hash(pepper())
    share.made_by = by
    share.expires_at = now() + timedelta(seconds=expires_in_s)
    with transaction.atomic():
        if Share.objects.filter(team=share.team, revoked_at=None, expires_at__gt=now()).count() >= MOST_STANDING:
            raise TooManyLinks
        share.save()
        detail = {"share": str(share.pk), "kind": share.kind, "expires": share.expires_at.isoformat(), **detail}
        audit.record(AuditKind.SHARE_MADE, origin, share.device, team=share.team, by=by, detail=detail)
    return share, secret
