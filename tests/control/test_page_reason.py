"""Why a reading was kept aside stands on a French page in French, whatever the sender was told in English."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.utils.translation import override

from releve.control.pages.device.reason import REASONS, in_words
from releve.control.pages.templatetags.instrument import moment
from releve.protocol import clock, strict_json
from releve.protocol.contract import generic, gym
from releve.protocol.problem import BadJSON, BadReading


def refusal_of(call, *arguments):
    with pytest.raises((BadReading, BadJSON)) as refusal:
        call(*arguments)
    return refusal.value.detail


def told():
    """What our own code says of real mistakes."""
    now_us = 1_790_000_000_000_000
    yield from (clock.implausible(time_us, received_us=now_us, added_us=now_us) for time_us in (0, 2 * now_us))
    for text in (
        b'{"t": NaN}',
        b'{"t": 1e999}',
        b'{"t": "\\ud800"}',
        b'{"t": 1',
        b"",
        b'{"t": 1,}',
        b'{"t": 01}',
        b"hello",
    ):
        yield refusal_of(strict_json.decode, text)
    for fields in ({}, {"x": [1]}, {"x": 2**60}, {"x": "y" * 5000}, {"x": "\0"}):
        yield refusal_of(generic.read, fields, True)
    for fields in ({}, {"machine_id": "x"}, {"machine_id": 1.5}):
        yield refusal_of(gym.read, fields, False)


@pytest.mark.parametrize("reason", sorted(set(told())))
def test_what_our_own_code_says_is_said_in_french_too(reason):
    with override("fr"):
        assert in_words(reason) != reason
    with override("en"):
        assert in_words(reason) == reason


def test_every_reason_has_its_french():
    with override("fr"):
        samples = [reason.replace("%(kind)s", "an array") % HOLES for reason in REASONS]
        assert [sample for sample in samples if in_words(sample) == sample] == []


HOLES = dict.fromkeys(("most", "value", "low", "why", "length", "count", "word", "place", "half", "what"), "7")


def test_what_stands_in_front_of_a_reason_and_what_is_not_ours_stays():
    with override("fr"):
        assert in_words("reading 3: speed: must be a number, not an array") == (
            "reading 3: speed: doit être un nombre, pas un tableau"
        )
        assert in_words("value out of range for type real") == "value out of range for type real"


def test_the_page_of_a_device_says_it_in_the_readers_language(erin, device):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO quarantine (device_id, received, contract, transport, field, reason, digest, payload)"
            " VALUES (%s, now(), 'gym', 'mqtt', 'speed', 'must be a number, not text', sha256('x'), 'x')",
            [device.pk],
        )
    for language, words in (("en", "must be a number, not text"), ("fr", "doit être un nombre, pas un texte")):
        client = Client(headers={"accept": "text/html", "accept-language": language})
        client.force_login(erin)

        assert words in client.get(f"/devices/{device.pk}/").content.decode()


@pytest.mark.parametrize(
    ("month", "day"), [(11, "27 nov. 2026"), (5, "27 mai 2026"), (8, "27 août 2026"), (9, "27 sept. 2026")]
)
def test_a_day_is_written_as_french_writes_it(month, day):
    with override("fr"):
        assert day in moment(datetime(2026, month, 27, 12, tzinfo=UTC))
