"""Lets every page answer with and without its trailing slash, never by a redirect; the server in front strips it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import is_valid_path


class EitherSlash:
    """Puts the slash back where only the address with it is a route."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer for the route that was meant."""
        path = request.path_info
        if not path.endswith("/") and not is_valid_path(path) and is_valid_path(f"{path}/"):
            request.path_info += "/"
            request.path += "/"
        return self.get_response(request)
