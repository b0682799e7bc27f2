"""The refresh token of a page: a cookie that scripts cannot read and other sites cannot send.

A page signs in with `POST /api/token/?cookie`; the answer then holds the access token alone. It refreshes with an
empty `POST /api/token/refresh/`. The cookie is always Secure: browsers keep such a cookie over plain HTTP for
localhost only, and on any other plain address a page signs in again instead.
"""

from datetime import timedelta

from django.conf import settings
from django.urls import get_script_prefix
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.api import flag

NAME = "releve_refresh"


def is_wanted(request: Request) -> bool:
    """Whether the page asked for the cookie: `?cookie`, `?cookie=true`, but not `?cookie=false`.

    Raises:
        ValidationError: The value is neither yes nor no.
    """
    return flag.is_set(request, "cookie")


def sent(request: Request) -> str | None:
    """The refresh token that the browser sent along."""
    return request.COOKIES.get(NAME)


def give(response: Response, refresh: str) -> Response:
    """Leave the refresh token with the browser."""
    response.set_cookie(
        NAME,
        refresh,
        max_age=timedelta(seconds=settings.RELEVE.refresh_token_s),
        path=_path(),
        secure=True,
        httponly=True,
        samesite="Strict",
    )
    return response


def take(response: Response) -> Response:
    """Have the browser forget it."""
    response.delete_cookie(NAME, path=_path(), samesite="Strict")
    return response


def _path() -> str:
    return f"{get_script_prefix()}api/"
