"""The one migration history goes forward and back, and leaves nothing of ours behind."""

import pytest
from django.core.management import call_command
from django.db import connection

OURS = """
SELECT count(*) FROM pg_proc WHERE proname LIKE 'releve%'
UNION ALL SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'releve%'
"""


def _functions_and_triggers():
    with connection.cursor() as cursor:
        cursor.execute(OURS)
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.django_db(transaction=True)
def test_the_plain_sql_goes_back_and_forth():
    before = _functions_and_triggers()

    call_command("migrate", "readings", "zero", verbosity=0)
    between = _functions_and_triggers()
    call_command("migrate", "readings", verbosity=0)

    assert between == [0, 0]
    assert _functions_and_triggers() == before
    assert min(before) > 0
