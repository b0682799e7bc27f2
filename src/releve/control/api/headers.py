"""The response headers that keep a browser from running or framing what is not ours."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class SecurityHeaders:
    """Adds the content security policy; a view that needs another one has set its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the headers added."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        for name, value in response.items():
            if _CONTROL.search(value):  # the server would rather break off than send it
                response.headers[name] = _CONTROL.sub(" ", value)
        return response
