"""`POST /auth/login` and `GET /users`, as contract A says."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.models import Account
from releve.control.accounts.origin import Origin
from releve.control.accounts.queries import accounts_for, status
from releve.control.accounts.second_factor import FactorProblem
from releve.control.accounts.sign_in import WrongCredentials, sign_in
from releve.control.api.authentication import BadToken
from releve.control.api.errors import answer
from releve.control.api.parser import AnyTypeJSONParser
from releve.control.api.views import JSONView, person
from releve.control.contracts.gym.serializers import LoginAnswer, LoginRequest, Refusal, User
from releve.protocol.token import TokenExpired

WRONG = "Identifiants invalides"
INVALID = "Token invalide"
EXPIRED = "Token expiré"


def _refusal(description: str, *details: str) -> OpenApiResponse:
    examples = [OpenApiExample(detail, {"detail": detail}) for detail in details]
    return OpenApiResponse(Refusal, description, examples)


class Login(JSONView):
    """The sign-in of a gym machine."""

    parser_classes = (AnyTypeJSONParser,)
    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="gym_login",
        tags=["Gym machines"],
        auth=[],
        request=LoginRequest,
        responses={
            200: LoginAnswer,
            400: OpenApiResponse(description="A field is missing, or the body is not strict JSON."),
            403: _refusal("Unknown, wrong or disabled, or a second factor is needed (`otp_required`).", WRONG),
            429: _refusal("Failed too often; `Retry-After` says how long to wait."),
        },
        examples=[
            OpenApiExample("A machine", {"device_id": "raspberry1", "password": "its secret"}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        """Sign in a machine by its name and secret, or a person by e-mail and password."""
        body = LoginRequest(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        try:
            pair = sign_in(
                given["device_id"], given["password"], Origin.of(request), timezone.now(), otp=given.get("otp", "")
            )
        except WrongCredentials:
            return Response({"detail": WRONG}, status=403)
        except FactorProblem as problem:
            return Response({"detail": problem.__doc__, "code": problem.code}, status=403)
        return Response({"token": pair.access})


class Users(JSONView):
    """The accounts of the team."""

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Refuse in the words of contract A."""
        return _answer

    @extend_schema(
        operation_id="gym_users",
        tags=["Gym machines"],
        responses={
            200: User(many=True),
            401: _refusal("No token, or none that is valid.", INVALID, EXPIRED),
            403: _refusal("Neither staff nor an administrator of a team, or a device."),
        },
    )
    def get(self, request: Request) -> Response:
        """List the accounts of the teams that you administer."""
        accounts = accounts_for(person(request))
        if accounts is None:
            raise PermissionDenied
        return Response(User([_shown(account) for account in accounts], many=True).data)


def _shown(account: Account) -> dict[str, Any]:
    own = ("id", "email", "first_name", "last_name", "date_joined", "is_active")
    return {name: getattr(account, name) for name in own} | {"status": status(account)}


def _answer(error: Exception, context: dict[str, Any]) -> Response | None:
    response = answer(error, context)
    if response is not None and isinstance(error, (AuthenticationFailed, NotAuthenticated)):
        has_expired = isinstance(error, BadToken) and isinstance(error.reason, TokenExpired)
        response.data = {"detail": EXPIRED if has_expired else INVALID}
    return response
