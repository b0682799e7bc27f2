"""Long answers are written quickly, and in the words of all others."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from rest_framework.exceptions import ErrorDetail
from rest_framework.renderers import JSONRenderer

from releve.control.api.renderer import PlainJSON

INSTANT = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "document",
    [
        {"data": [{"start": INSTANT, "channels": {"speed": {"mean": 0.1, "low": -3, "high": 1e9}}}], "next": None},
        {"start": INSTANT + timedelta(microseconds=250_000), "text": 'naïve "☃"', "on": True},
        {"errors": [{"field": "bucket", "detail": ErrorDetail("must be longer", code="invalid")}]},
        [],
    ],
)
def test_an_answer_is_to_the_byte_what_the_framework_writes(document):
    assert PlainJSON().render(document) == JSONRenderer().render(document)


def test_an_instant_of_another_zone_says_the_same():
    paris = datetime.fromisoformat("2026-06-01T14:00:00.5+02:00")

    assert json.loads(PlainJSON().render({"at": paris})) == json.loads(JSONRenderer().render({"at": paris}))
