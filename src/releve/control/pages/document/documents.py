"""`/api/schema/`, `/api/docs/` and `/api/redoc/`: the API document and two ways to read it, all from this host."""

import secrets
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.api.authentication import TokenAuthentication
from releve.control.api.headers import CONTENT_SECURITY_POLICY
from releve.control.api.permissions import IsPerson
from releve.protocol.site import is_loopback
from releve.settings import Settings

SIGN_IN = "The API documents are for people who are signed in; RELEVE_DOCS=open on the server shows them to everyone."


def is_open(releve: Settings) -> bool:
    """Whether everyone may read the API documents."""
    if releve.docs == "auto":
        public = urlsplit(releve.public_url).hostname
        return is_loopback(releve.host) and (public is None or is_loopback(public))
    return releve.docs == "open"


class Documents:
    """Shows a document to everyone or to whoever is signed in, as the setting `docs` says."""

    authentication_classes = (TokenAuthentication, SessionAuthentication)

    def get_permissions(self) -> list[BasePermission]:
        """Everyone, or people who are signed in."""
        return [AllowAny()] if is_open(settings.RELEVE) else [IsPerson()]

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        """Say what opens the documents.

        Raises:
            NotAuthenticated: Nobody is signed in.
            PermissionDenied: A device is.
        """
        if not request.user.is_authenticated:
            raise NotAuthenticated(SIGN_IN)
        raise PermissionDenied(message, code)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send a person who is not signed in to the sign-in page where the documents are not open."""
        is_stranger = not request.user.is_authenticated and "text/html" in request.headers.get("Accept", "")
        if is_stranger and not is_open(settings.RELEVE):
            return redirect_to_login(request.get_full_path())
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc,no-any-return] # a mixin of APIView


class Schema(Documents, SpectacularAPIView):  # type: ignore[misc] # drf-spectacular has no types
    """The OpenAPI 3.1 document of both planes, as JSON or YAML by `Accept` or `?format=`."""

    content_negotiation_class = DefaultContentNegotiation  # our routes' own always answers JSON
    renderer_classes = [  # noqa: RUF012 - the framework's own way of declaring
        OpenApiJsonRenderer2,
        OpenApiJsonRenderer,
        OpenApiYamlRenderer2,
        OpenApiYamlRenderer,
    ]

    @extend_schema(
        operation_id="schema",
        tags=["API document"],
        parameters=[OpenApiParameter("format", str, OpenApiParameter.QUERY, enum=["json", "yaml"])],
        responses={(200, "application/json"): OpenApiTypes.OBJECT, (200, "application/yaml"): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Read this very document."""
        answer: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call] # as above
        return answer

    def _get_version_parameter(self, _request: Request) -> None:
        """There is one version; the framework would write what was asked for into the file's name."""


class Swagger(Documents, SpectacularSwaggerView):  # type: ignore[misc] # drf-spectacular has no types
    """Swagger UI: read the document and try its calls."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The page."""
        page = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call] # as above
        return _with_style_nonce(page)


class Redoc(Documents, SpectacularRedocView):  # type: ignore[misc] # drf-spectacular has no types
    """Redoc: read the document."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The page."""
        page = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call] # as above
        return _with_style_nonce(page, more=("worker-src blob:",))


def _with_style_nonce(response: Response, *, more: tuple[str, ...] = ()) -> Response:
    """Both viewers make style elements; a nonce lets theirs in and nobody else's, and `unsafe-inline` is not needed."""
    nonce = secrets.token_urlsafe(16)
    response.data["nonce"] = nonce
    policy = CONTENT_SECURITY_POLICY.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'")
    response.headers["Content-Security-Policy"] = "; ".join((policy, *more))
    return response
