"""What the commands of shared links do, through the services that the pages and the API use too."""

from collections.abc import Sequence
from typing import Any

from django.utils.timezone import now

from releve.cli.option import Refusal
from releve.control.fleet import services as fleet
from releve.control.runs.models import Run
from releve.control.shares import services
from releve.control.shares.models import Share


def add(*, device: str | None, runs: Sequence[int], expires_in_s: int) -> tuple[dict[str, Any], str]:
    """Make a link; its secret is told this once.

    Raises:
        Refusal: There is no such device or run, or the link cannot be made so.
    """
    try:
        if device is not None:
            share, secret = services.share_device(fleet.device_by_name(device), expires_in_s=expires_in_s)
        else:
            share, secret = services.share_runs([_run(number) for number in runs], expires_in_s=expires_in_s)
    except (fleet.DeviceProblem, services.ShareProblem) as problem:
        raise Refusal(str(problem) or str(problem.__doc__)) from problem
    return _row(share), secret.text


def rows() -> list[dict[str, Any]]:
    """Every link, the latest first."""
    return [_row(share) for share in Share.objects.select_related("team", "device", "made_by").order_by("-id")]


def revoke(number: int) -> dict[str, Any]:
    """End a link.

    Raises:
        Refusal: There is none of that number.
    """
    share = Share.objects.filter(pk=number).first()
    if share is None:
        raise Refusal(f"there is no link {number}")
    return _row(services.revoke_share(share))


def _run(number: int) -> Run:
    run = Run.objects.filter(pk=number, deleted_at=None).first()
    if run is None:
        raise Refusal(f"there is no run {number}")
    return run


def _row(share: Share) -> dict[str, Any]:
    state = "open" if share.stands(now()) else "revoked" if share.revoked_at else "ended"
    return {
        "id": share.pk,
        "shows": share.device.name if share.device else "runs " + ", ".join(map(str, share.runs)),
        "team": share.team.name,
        "made": share.created_at.isoformat(timespec="seconds"),
        "expires": share.expires_at.isoformat(timespec="seconds"),
        "state": state,
        "opened": share.opened,
        "by": share.made_by.email if share.made_by else None,
    }
