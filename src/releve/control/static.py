"""The table of static files: what Django's finders find, as whitenoise serves it, and packed for who takes gzip."""

import re
import zlib
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from whitenoise.base import WhiteNoise
from whitenoise.responders import Response, StaticFile

from releve.control.api.headers import CONTENT_SECURITY_POLICY

MAX_AGE_S = 60
_RUN_NOTHING = (".js", ".css", ".json")  # where a browser opens them by themselves, it shows text
WORTH_PACKING, MOST_PACKED = 1_000, 512_000  # bytes: 10 ms of a processor, once in a process's life
_TEXT = re.compile(r"^(text/|application/javascript|application/json|image/svg)")
_TAKES_GZIP = re.compile(r"(?<![\w-])(x-)?gzip(?![\w-])(?!\s*;\s*q=0(\.0*)?\s*(,|$))")


def static_files(application: Any = None) -> WhiteNoise:
    """Every static file of the installed packages; the first finder that has a name wins.

    Args:
        application: The WSGI application that answers everything else, where there is to be one.
    """
    table = _Table(application, max_age=MAX_AGE_S, add_headers_function=_add_headers)
    prefix = f"/{settings.WHITENOISE_STATIC_PREFIX.strip('/')}/"
    seen: set[str] = set()
    for finder in get_finders():
        for path, storage in finder.list(None):
            prefixed = f"{getattr(storage, 'prefix', None) or ''}/{path}".lstrip("/").replace("\\", "/")
            if prefixed not in seen:
                seen.add(prefixed)
                table.add_file_to_dictionary(prefix + prefixed, storage.path(path))
    return table


class _Table(WhiteNoise):  # type: ignore[misc] # whitenoise has no types
    """Serves text packed, without a second file beside each: a wheel and a checkout are the same."""

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        """The answers of one file."""
        plain = super().get_static_file(path, url, stat_cache)
        media = dict(plain.get_response("HEAD", {}).headers).get("Content-Type", "")
        if len(plain.alternatives) > 1 or not _TEXT.match(media):
            return plain
        return _Packed(plain, path) if WORTH_PACKING <= Path(path).stat().st_size <= MOST_PACKED else plain


class _Packed:
    """A static file that is compressed when somebody first takes it so, and kept as it was sent.

    Args:
        plain: The file as it is.
        path: Where it is.
    """

    def __init__(self, plain: StaticFile, path: str) -> None:
        self._plain = plain
        self._path = path
        self._body: bytes | None = None

    def get_response(self, method: str, asked: dict[str, str]) -> Response:
        """Answer as whitenoise's files do; a range is of the file as it is."""
        found = self._plain.get_response(method, asked)
        headers = [*found.headers, ("Vary", "Accept-Encoding")]
        takes = _TAKES_GZIP.search(asked.get("HTTP_ACCEPT_ENCODING", "").lower())
        if found.status != HTTPStatus.OK or "HTTP_RANGE" in asked or not takes:
            return Response(found.status, headers, found.file)
        if found.file is not None:
            found.file.close()
        if self._body is None:
            self._body = zlib.compress(Path(self._path).read_bytes(), 9, 31)
        headers = [(name, value) for name, value in headers if name != "Content-Length"]
        headers += [("Content-Encoding", "gzip"), ("Content-Length", str(len(self._body)))]
        return Response(HTTPStatus.OK, headers, None if method == "HEAD" else BytesIO(self._body))


def _add_headers(headers: Any, path: str, _url: str) -> None:
    if not path.endswith(_RUN_NOTHING):
        headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY  # a picture that is opened by itself runs nothing
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = settings.SECURE_REFERRER_POLICY
