"""Lets every route answer with and without its trailing slash, never by a redirect."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path

View = Callable[..., HttpResponseBase]


def route(address: str, view: View, name: str) -> list[URLPattern]:
    """The route as written, which is the one in the API document, and its twin with or without the slash."""
    twin = address.removesuffix("/") if address.endswith("/") else f"{address}/"
    return [path(address, view, name=name), path(twin, _unlisted(view))]


def _unlisted(view: View) -> View:
    """The same view, unknown to the API document, which knows a view by its class."""

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    answer.csrf_exempt = getattr(view, "csrf_exempt", False)  # type: ignore[attr-defined] # Django's own mark
    return answer
