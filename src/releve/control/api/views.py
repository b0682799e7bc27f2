"""What the JSON routes of the control plane have in common."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from releve.control.accounts.models import Account
from releve.control.api.errors import answer_problem


class JSONView(APIView):
    """A route that programs call: its words are the same in every language, because clients compare them."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in English, and keep tokens and people's data out of every cache (RFC 6749, section 5.1)."""
        with translation.override("en"):
            response = super().dispatch(request, *args, **kwargs)
        response.headers["Content-Language"] = "en"
        response.headers["Cache-Control"] = "no-store"
        return response


class OwnView(JSONView):
    """A route of ours, for people; refusals are RFC 9457 problem documents."""

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Turn errors into problem documents."""
        return answer_problem


def person(request: Request) -> Account:
    """Who asks; the permission has made sure that it is a person."""
    if not isinstance(request.user, Account):
        raise TypeError("a route without the permission IsPerson asked for a person")
    return request.user
