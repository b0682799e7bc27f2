"""The token routes and the profile, as contract C says, and the sign-out that belongs to them."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.models import Account, SignIn
from releve.control.accounts.origin import Origin
from releve.control.accounts.queries import status
from releve.control.accounts.second_factor import FactorProblem
from releve.control.accounts.sign_in import (
    SIGNED_OUT,
    TokenReused,
    WrongCredentials,
    refresh,
    revoke,
    sign_in,
    sign_in_of,
    verify,
)
from releve.control.api import flag
from releve.control.api.authentication import CHALLENGE, SignedInDevice, TokenAuthentication
from releve.control.api.parser import AnyTypeJSONParser
from releve.control.api.permissions import IsSignedIn
from releve.control.api.views import JSONView
from releve.control.contracts.profilometre import cookie
from releve.control.contracts.profilometre.serializers import (
    AccessRefusal,
    Profile,
    RefreshRequest,
    SignOutRequest,
    TokenPairAnswer,
    TokenRefusal,
    TokenRequest,
    VerifyRequest,
)
from releve.protocol.token import TokenInvalid

NO_ACCOUNT = {"detail": "No active account found with the given credentials"}
NOT_VALID = {"detail": "Token is invalid or expired", "code": "token_not_valid"}
REUSED = {"detail": "Token is invalid or expired", "code": "token_reuse"}
TAG = ["Sign-in"]
BAD_BODY = OpenApiResponse(
    description="A field is missing, or the body is not strict JSON.",
    response={"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    examples=[OpenApiExample("Missing", {"username": ["This field is required."]})],
)
BAD_TOKEN = OpenApiResponse(
    TokenRefusal,
    "Not a token of a sign-in that stands; `token_reuse` when it was spent before, and then the sign-in is revoked.",
    [OpenApiExample("Invalid", NOT_VALID), OpenApiExample("Reused", REUSED)],
)
FOREIGN = OpenApiResponse(TokenRefusal, "By cookie, from a page that is not this site's own.")
BAD_ACCESS = OpenApiResponse(AccessRefusal, "No access token, or none that is valid.")


class _Open(JSONView):
    """A route that takes its credentials from the body."""

    parser_classes = (AnyTypeJSONParser,)
    authentication_classes = ()
    permission_classes = ()

    def get_authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        """What a 401 asks for."""
        return CHALLENGE


class Obtain(_Open):
    """The sign-in of a person or a device."""

    @extend_schema(
        operation_id="token_obtain",
        tags=TAG,
        auth=[],
        parameters=[
            OpenApiParameter(
                "cookie",
                bool,
                allow_blank=True,
                description="For pages: leave the refresh token in an HttpOnly cookie.",
            )
        ],
        request=TokenRequest,
        responses={
            200: TokenPairAnswer,
            400: BAD_BODY,
            401: OpenApiResponse(
                TokenRefusal,
                "Unknown, wrong or disabled; `otp_required` or `otp_invalid` where a second factor is needed.",
                [OpenApiExample("Wrong", NO_ACCOUNT)],
            ),
            429: OpenApiResponse(TokenRefusal, "Failed too often; `Retry-After` says how long to wait."),
        },
        examples=[OpenApiExample("A person", {"username": "alice@example.com", "password": "…"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Sign in with a name and a password; answers an access and a refresh token."""
        wants_cookie = cookie.is_wanted(request)
        given = _valid(TokenRequest(data=request.data))
        try:
            pair = sign_in(
                given["username"], given["password"], Origin.of(request), timezone.now(), otp=given.get("otp", "")
            )
        except WrongCredentials:
            return _unauthorised(NO_ACCOUNT)
        except FactorProblem as problem:
            return _unauthorised({"detail": str(problem.__doc__), "code": problem.code})
        if wants_cookie:
            return cookie.give(request, Response({"access": pair.access}), pair.refresh)
        return Response({"access": pair.access, "refresh": pair.refresh})


class Refresh(_Open):
    """The rotation of a refresh token."""

    @extend_schema(
        operation_id="token_refresh",
        tags=TAG,
        auth=[],
        request=RefreshRequest,
        responses={200: TokenPairAnswer, 400: BAD_BODY, 401: BAD_TOKEN, 403: FOREIGN},
    )
    def post(self, request: Request) -> Response:
        """Spend a refresh token; answers an access token and the refresh token's one successor.

        Without a body the page's cookie is spent, and the successor goes into the cookie.
        """
        kept = cookie.sent(request) if not request.data else None
        text = kept or _valid(RefreshRequest(data=request.data))["refresh"]
        try:
            pair = refresh(text, Origin.of(request), timezone.now())
        except TokenInvalid as error:
            answer = _unauthorised(REUSED if isinstance(error, TokenReused) else NOT_VALID)
            return cookie.take(request, answer) if kept else answer
        if kept:
            return cookie.give(request, Response({"access": pair.access}), pair.refresh)
        return Response({"access": pair.access, "refresh": pair.refresh})


class Verify(_Open):
    """Whether a token is valid."""

    @extend_schema(
        operation_id="token_verify",
        tags=TAG,
        auth=[],
        parameters=[
            OpenApiParameter("type", bool, allow_blank=True, description="Also answer `type`: `access` or `refresh`.")
        ],
        request=VerifyRequest,
        responses={
            200: OpenApiResponse(
                {"type": "object", "properties": {"type": {"enum": ["access", "refresh"]}}},
                "Valid.",
                [OpenApiExample("Valid", {}), OpenApiExample("With its type", {"type": "access"})],
            ),
            400: BAD_BODY,
            401: BAD_TOKEN,
        },
    )
    def post(self, request: Request) -> Response:
        """Say whether an access or refresh token is valid now."""
        wants_type = flag.is_set(request, "type")
        text = _valid(VerifyRequest(data=request.data))["token"]
        try:
            typ = verify(text, timezone.now())
        except TokenInvalid:
            return _unauthorised(NOT_VALID)
        return Response({"type": typ.value} if wants_type else {})


class OwnProfile(JSONView):
    """Who is signed in."""

    permission_classes = (IsSignedIn,)

    @extend_schema(
        operation_id="profile",
        tags=TAG,
        request=None,
        responses={200: Profile, 401: BAD_ACCESS},
    )
    def get(self, request: Request) -> Response:
        """Answer who is signed in."""
        return Response(Profile(_profile(request.user)).data)

    @extend_schema(
        operation_id="profile_post",
        tags=TAG,
        request=None,
        responses={200: Profile, 401: BAD_ACCESS},
    )
    def post(self, request: Request) -> Response:
        """Answer who is signed in, to clients that ask by POST."""
        return self.get(request)


class SignOut(JSONView):
    """The end of one sign-in."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = ()

    @extend_schema(
        operation_id="sign_out",
        tags=TAG,
        request=SignOutRequest,
        responses={
            200: OpenApiResponse({"type": "object"}, "Signed out.", [OpenApiExample("Signed out", {})]),
            401: BAD_TOKEN,
            403: FOREIGN,
        },
    )
    def post(self, request: Request) -> Response:
        """End the sign-in of the access token, else of the refresh token in the body or the cookie."""
        now = timezone.now()
        try:
            row = request.auth if isinstance(request.auth, SignIn) else sign_in_of(_refresh_token(request), now)
        except TokenInvalid:
            return cookie.take(request, _unauthorised(NOT_VALID))
        revoke(row, SIGNED_OUT, Origin.of(request), now)
        return cookie.take(request, Response({}))


def _refresh_token(request: Request) -> str:
    text = _valid(SignOutRequest(data=request.data)).get("refresh") or cookie.sent(request)
    if text is None:
        raise NotAuthenticated
    return str(text)


def _profile(user: Any) -> dict[str, Any]:
    if isinstance(user, SignedInDevice):
        device = user.device
        return {
            "id": device.pk,
            "email": device.name,
            "first_name": "",
            "last_name": "",
            "date_joined": device.created_at,
            "status": status(device),
        }
    if not isinstance(user, Account):
        raise NotAuthenticated
    own = ("id", "email", "first_name", "last_name", "date_joined")
    return {name: getattr(user, name) for name in own} | {"status": status(user)}


def _valid(body: Any) -> dict[str, Any]:
    body.is_valid(raise_exception=True)
    validated: dict[str, Any] = body.validated_data
    return validated


def _unauthorised(document: dict[str, str]) -> Response:
    return Response(document, status=401, headers={"WWW-Authenticate": CHALLENGE})
