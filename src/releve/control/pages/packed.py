"""Pages go packed to a browser that takes gzip; the API does not, because its `ETag` is what `If-Match` wants."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class PackedPages(GZipMiddleware):
    """Django's own packing, which hides the length of what is secret in a page, for HTML alone."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Pack a page."""
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if is_page and isinstance(response, HttpResponse) and not response.has_header("ETag"):
            return super().process_response(request, response)
        return response
