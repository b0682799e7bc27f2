"""The refresh token of a page: a cookie that scripts cannot read and other sites cannot send.

A page signs in with `POST /api/token/?cookie`; the answer then holds the access token alone. It refreshes with an
empty `POST /api/token/refresh/`. The cookie is always Secure: browsers keep such a cookie over plain HTTP for
localhost only, and on any other plain address a page signs in again instead.

Its name begins with `__Host-`, so that no neighbouring site can plant one (RFC 6265bis, section 4.1.3); behind a stage
prefix the path is narrower and the name begins with `__Secure-`. Over plain HTTP browsers may refuse both names.
"""

from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import get_script_prefix
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.api import flag
from releve.protocol.site import is_own

NAME = "releve_refresh"


def is_wanted(request: Request) -> bool:
    """Whether the page asked for the cookie: `?cookie`, `?cookie=true`, but not `?cookie=false`.

    Raises:
        ValidationError: The value is neither yes nor no.
    """
    return flag.is_set(request, "cookie")


def sent(request: Request) -> str | None:
    """The refresh token that the browser sent along.

    Raises:
        PermissionDenied: A page that is not our own asks; a browser sends cookies on behalf of any.
    """
    text = request.COOKIES.get(_name(request))
    own = urlsplit(settings.RELEVE.public_url).netloc
    origin = request.headers.get("Origin")
    if text is not None and (origin is None or not is_own(origin, request.get_host(), public=own)):
        raise PermissionDenied({"detail": "the cookie is for this site's own pages", "code": "foreign_origin"})
    return text


def give(request: Request, response: Response, refresh: str) -> Response:
    """Leave the refresh token with the browser."""
    response.set_cookie(
        _name(request),
        refresh,
        max_age=timedelta(seconds=settings.RELEVE.refresh_token_s),
        path=_path(request),
        secure=True,
        httponly=True,
        samesite="Strict",
    )
    return response


def take(request: Request, response: Response) -> Response:
    """Have the browser forget it."""
    response.set_cookie(
        _name(request), "", max_age=0, path=_path(request), secure=True, httponly=True, samesite="Strict"
    )
    return response


def _name(request: Request) -> str:
    if not request.is_secure():
        return NAME
    return f"__Host-{NAME}" if _path(request) == "/" else f"__Secure-{NAME}"


def _path(request: Request) -> str:
    """The whole site where the name demands it, else the API alone."""
    prefix = get_script_prefix()
    return "/" if request.is_secure() and prefix == "/" else f"{prefix}api/"
