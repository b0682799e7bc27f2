"""Reads about shared links: those of an account's teams, and what one that is opened shows."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.http import Http404
from django.utils.timezone import now

from releve.control.accounts.models import Account
from releve.control.fleet.queries import refuse_unless
from releve.control.runs.models import Run
from releve.control.runs.queries import runs_of_team
from releve.control.shares.models import Kind, Share
from releve.control.shares.services import hash_of
from releve.control.teams.queries import EDITORS, role_in, teams_of


def shares_of(account: Account) -> QuerySet[Share]:
    """The links of the account's teams, the latest first; none tells its secret."""
    found = Share.objects.filter(team__in=teams_of(account))
    return found.select_related("team", "device", "made_by").order_by("-id")


def editable_share(account: Account, share_id: int) -> Share:
    """One link that the account may revoke.

    Raises:
        Http404: There is none, or it is another team's.
        PermissionDenied: The account only views.
    """
    share = shares_of(account).filter(pk=share_id).first()
    if share is None:
        raise Http404
    refuse_unless(role_in(account, share.team), EDITORS)
    return share


def opened_by(secret: str, *, number: int | None = None) -> Share:
    """The link of a secret, as long as it stands and its device is still its team's.

    Raises:
        Http404: It does not, or there is none; which of them is not said.
    """
    rows = Share.objects.select_related("team", "device", "device__team").filter(secret_hash=hash_of(secret))
    share = (rows if number is None else rows.filter(pk=number)).first()
    if share is None or not share.stands(now()):
        raise Http404
    device = share.device
    if share.kind == Kind.DEVICE and (device is None or device.deleted_at or device.team_id != share.team_id):
        raise Http404
    return share


def runs_shown(share: Share) -> Sequence[Run]:
    """The runs of a link that are still there, in its order."""
    known = runs_of_team(share.team).in_bulk(share.runs)
    return [known[number] for number in share.runs if number in known]
