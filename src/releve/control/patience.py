"""How long a question of a client may keep the database busy: the client may be gone, and nothing else would end it."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse

STATEMENT_TIMEOUT_S = 30
_is_asked = ContextVar("is_asked", default=False)


def statement_timeout(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that bounds the statements of connections which are opened for a request.

    Migrations and background work open theirs elsewhere, and take as long as they take.
    """
    connection_created.connect(_bound, dispatch_uid="releve.statement_timeout")

    def answer(request: HttpRequest) -> HttpResponse:
        token = _is_asked.set(True)
        try:
            return get_response(request)
        finally:
            _is_asked.reset(token)

    return answer


def _bound(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _is_asked.get():
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT_S}s'")
