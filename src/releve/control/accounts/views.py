"""A person's own sign-ins: see them, end them."""

import uuid

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.models import SignIn
from releve.control.accounts.origin import Origin
from releve.control.accounts.queries import own_sign_ins
from releve.control.accounts.serializers import SignInList
from releve.control.accounts.sign_in import revoke
from releve.control.api.documents import refusals
from releve.control.api.views import OwnView, person

TAG = ["Sign-in"]


class SignIns(OwnView):
    """The sign-ins of whoever asks."""

    @extend_schema(operation_id="sign_ins", tags=TAG, responses={200: SignInList, **refusals(403)})
    def get(self, request: Request) -> Response:
        """List your sign-ins that stand, the latest first."""
        rows = own_sign_ins(person(request), timezone.now())
        return Response({"data": [_shown(row, request) for row in rows]})


class OneSignIn(OwnView):
    """One sign-in of whoever asks."""

    @extend_schema(
        operation_id="sign_in_revoke",
        tags=TAG,
        responses={204: OpenApiResponse(description="Ended."), **refusals(403, 404)},
    )
    def delete(self, request: Request, sign_in_id: uuid.UUID) -> Response:
        """End one of your sign-ins; its tokens are refused everywhere."""
        now = timezone.now()
        row = own_sign_ins(person(request), now).filter(id=sign_in_id).first()
        if row is None:
            raise Http404
        revoke(row, "revoked by its owner", Origin.of(request), now, by=person(request))
        return Response(status=204)


def _shown(row: SignIn, request: Request) -> dict[str, object]:
    current = request.auth.id if isinstance(request.auth, SignIn) else request.session.get("releve_sign_in")
    own = ("id", "started_at", "refreshed_at", "expires_at", "address", "user_agent")
    return {name: getattr(row, name) for name in own} | {"is_current": str(current) == str(row.id)}
