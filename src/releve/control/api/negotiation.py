"""What the API answers in, which is JSON whatever a client says it accepts."""

from collections.abc import Iterable

from django.conf import settings
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from releve.control.api.parser import AnyTypeJSONParser
from releve.protocol.site import may_change


class AlwaysJSON(DefaultContentNegotiation):
    """The clients of the contracts send any `Accept`, and read JSON."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser of the body's media type, which does not matter where old clients call.

        A page of another site is held to it: its browser asks before it sends JSON, and sends a form as it likes.
        """
        parser = next(iter(parsers))
        if isinstance(parser, AnyTypeJSONParser) and is_trusted(request):
            return parser
        return super().select_parser(request, parsers)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002 - the framework's signature
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002 - the framework's signature
    ) -> tuple[BaseRenderer, str]:
        """The first renderer."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


def is_trusted(request: Request) -> bool:
    """Whether no page sent it, or a page of ours or of a site that the operator names."""
    releve = settings.RELEVE
    origin = request.headers.get("Origin")
    return may_change(origin, request.get_host(), public_url=releve.public_url, origins=releve.origins)
