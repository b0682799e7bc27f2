"""The table of static files: what Django's finders find, as whitenoise serves it."""

from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from whitenoise.base import WhiteNoise

from releve.control.api.headers import CONTENT_SECURITY_POLICY

MAX_AGE_S = 60


def static_files(application: Any = None) -> WhiteNoise:
    """Every static file of the installed packages; the first finder that has a name wins.

    Args:
        application: The WSGI application that answers everything else, where there is to be one.
    """
    table = WhiteNoise(application, max_age=MAX_AGE_S, add_headers_function=_add_headers)
    prefix = f"/{settings.WHITENOISE_STATIC_PREFIX.strip('/')}/"
    seen: set[str] = set()
    for finder in get_finders():
        for path, storage in finder.list(None):
            prefixed = f"{getattr(storage, 'prefix', None) or ''}/{path}".lstrip("/").replace("\\", "/")
            if prefixed not in seen:
                seen.add(prefixed)
                table.add_file_to_dictionary(prefix + prefixed, storage.path(path))
    return table


def _add_headers(headers: Any, _path: str, _url: str) -> None:
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY  # a picture that is opened by itself runs nothing
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = settings.SECURE_REFERRER_POLICY
