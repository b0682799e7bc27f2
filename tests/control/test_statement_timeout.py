"""A question of a client takes the database for half a minute at most; migrations and background work are not asked."""

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import RequestFactory

from releve.control.patience import statement_timeout


@pytest.fixture
def timeout_of_a_fresh_connection(postgres, db):
    """Opens a connection as the handler of a request would, and asks for its timeout."""

    def ask(_request=None):
        fresh = connections.create_connection("default")
        with fresh.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            found = cursor.fetchone()[0]
        fresh.close()
        return HttpResponse(found)

    return ask


def test_a_connection_that_a_request_opens_is_bounded_and_another_is_not(timeout_of_a_fresh_connection):
    answer = statement_timeout(timeout_of_a_fresh_connection)

    assert answer(RequestFactory().get("/")).content == b"30s"
    assert timeout_of_a_fresh_connection().content == b"0"


def test_the_control_plane_has_it_in_front(settings):
    assert settings.MIDDLEWARE[0] == "releve.control.patience.statement_timeout"
