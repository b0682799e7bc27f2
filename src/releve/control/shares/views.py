"""The API of shared links: make one, see them with their counts, revoke one."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.models import Account
from releve.control.accounts.origin import Origin
from releve.control.api import page
from releve.control.api.documents import refusals
from releve.control.api.views import OwnView, person
from releve.control.fleet.queries import editable_device, refuse_unless
from releve.control.runs.models import Run
from releve.control.runs.queries import run_for
from releve.control.shares import services
from releve.control.shares.models import Share
from releve.control.shares.queries import editable_share, shares_of
from releve.control.shares.serializers import ShareAnswer, ShareList, ShareMade, ShareRequest
from releve.control.teams.queries import EDITORS, role_in, teams_of
from releve.protocol.problem import BadRequest
from releve.protocol.shared import path_of

TAG = ["Shares"]


class ShareView(OwnView):
    """A route of shared links."""

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Say which field is wrong."""
        before = super().get_exception_handler()

        def handler(error: Exception, context: dict[str, Any]) -> Response | None:
            if isinstance(error, services.ShareProblem):
                error = BadRequest(error.__doc__ or "", field=error.field)
            return before(error, context)

        return handler


class Shares(ShareView):
    """The shared links of your teams."""

    @extend_schema(
        operation_id="shares",
        tags=TAG,
        parameters=[page.PageQuery],
        responses={200: ShareList, **refusals(400, 403, 404)},
    )
    def get(self, request: Request) -> Response:
        """List the links of your teams with how often each was opened, the latest first; none tells its secret."""
        wanted = page.query(request)
        account = person(request)
        rows = shares_of(account)
        if "team" in wanted:
            if not teams_of(account).filter(pk=wanted["team"]).exists():
                raise Http404
            rows = rows.filter(team=wanted["team"])
        found, following = page.descending(rows, wanted)
        return Response({"data": [shown(share) for share in found], "next": following})

    @extend_schema(
        operation_id="share_make",
        tags=TAG,
        request=ShareRequest,
        responses={201: ShareMade, **refusals(400, 403, 404)},
        examples=[
            OpenApiExample("A live device for a day", {"device": 7, "expires_in_s": 86_400}, request_only=True),
            OpenApiExample("A comparison for a week", {"runs": [12, 15]}, request_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Make a read-only link; for editors. Whoever has its `address` sees that one thing until it is over."""
        body = ShareRequest(data=request.data)
        body.is_valid(raise_exception=True)
        given, account, origin = body.validated_data, person(request), Origin.of(request)
        life = {"expires_in_s": given["expires_in_s"], "by": account, "origin": origin}
        if "device" in given:
            share, secret = services.share_device(editable_device(account, given["device"]), **life)
        else:
            share, secret = services.share_runs([_run(account, number) for number in given["runs"]], **life)
        public = settings.RELEVE.public_url or f"{request.scheme}://{request.get_host()}"
        return Response({**shown(share), "address": public.rstrip("/") + path_of(secret.text)}, status=201)


class OneShare(ShareView):
    """One shared link."""

    @extend_schema(operation_id="share", tags=TAG, responses={200: ShareAnswer, **refusals(403, 404)})
    def get(self, request: Request, share_id: int) -> Response:
        """Show a link with how often it was opened."""
        share = shares_of(person(request)).filter(pk=share_id).first()
        if share is None:
            raise Http404
        return Response(shown(share))

    @extend_schema(operation_id="share_revoke", tags=TAG, responses={204: None, **refusals(403, 404)})
    def delete(self, request: Request, share_id: int) -> Response:
        """Revoke a link: it opens nothing more, and what is open by it ends within 5 seconds."""
        account = person(request)
        services.revoke_share(editable_share(account, share_id), by=account, origin=Origin.of(request))
        return Response(status=204)


def shown(share: Share) -> dict[str, Any]:
    """A link as programs see it."""
    return {
        "id": share.pk,
        "kind": share.kind,
        "team": share.team_id,
        "device": share.device_id,
        "runs": share.runs,
        "by": share.made_by.email if share.made_by else None,
        "made": share.created_at,
        "expires": share.expires_at,
        "revoked": share.revoked_at,
        "opened": share.opened,
        "last_opened": share.last_opened_at,
    }


def _run(account: Account, number: int) -> Run:
    run = run_for(account, number)
    refuse_unless(role_in(account, run.team), EDITORS)
    return run
