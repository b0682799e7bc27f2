"""Times in the forms that people and instruments write: each is read as the one instant that it is, or not at all."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from releve.cli.importing.moment import BadMoment, Form, hint, is_time
from releve.protocol.clock import resolve

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = datetime(2000, 1, 2)  # noqa: DTZ001 - what stands in a file names no zone
MOMENTS = st.integers(0, 99 * 365 * 86_400).map(lambda seconds: DAY + timedelta(seconds=seconds))


WORDED = ("%a %b %d %H:%M:%S GMT+02:00 %Y", "%d-%b-%Y %H:%M:%S +0200", "%B %d, %Y %I:%M:%S %p +02:00")


def instant(text, form=None, zone=UTC):
    time_us = resolve(Form(form).read(text), zone=zone, received_us=0).time_us
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-01T12:00:00Z", "2026-06-01 12:00:00 UTC", "2026-06-01 12:00", "2026-06-01 14:00:00 CEST",
        "2026-06-01 12:00:00+00", "2026-06-01 14:00:00 +0200", "2026/06/01 12:00:00", "2026-06-01 12:00:00,000",
        "20260601T120000Z", "20260601120000", 20260601120000, 1780315200, 1780315200000, "1780315200",
        "Mon Jun 01 14:00:00 GMT+02:00 2026", "Mon Jun 01 07:00:00 GMT-05:00 2026", "Mon Jun  1 14:00:00 CEST 2026",
        "Mon, 01 Jun 2026 12:00:00 GMT", "01-Jun-2026 12:00:00.000", "Jun 1, 2026 12:00 PM", "1 juin 2026 12:00",
        "lundi 1 juin 2026 à 12h00", "01.06.2026 12:00", "1.6.26 12:00", " 2026-06-01 12:00:00 ",
    ],
)  # fmt: skip
def test_a_time_in_any_of_these_forms_is_the_same_instant(text):
    assert instant(text) == NOON
    assert type(text) is int or text in {"1780315200", "20260601120000"} or is_time(text)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("01/06/2026 12:00:00", "day-first"), ("06/01/2026 12:00 PM", "month-first"), ("1/6/26 12:00", "day-first"),
        ("Mon 01/06/2026 12:00", "day-first"), ("Mon 06/01/2026 12:00", "month-first"), ("46174.5", "excel"),
        (46174.5, "excel"), ("12:00 01~06~2026", "%H:%M %d~%m~%Y"), ("01/06/2026 14:00 +0200", "%d/%m/%Y %H:%M %z"),
    ],
)  # fmt: skip
def test_a_form_that_was_said_or_found_out_reads_the_rest(text, form):
    assert instant(text, form) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "01/06/2026 12:00:00", "Mon 01/06/2026 12:00", "12:00", "Jun 1 12:00:00", "June 2026", "lap 3", "soon", "may 3",
        "2026-06-01 12:00:00 EST", "2026-02-30 12:00", "31/04/2026 12:00", "2026-06-01 12:00:00 Europe/Paris", "1-2-3",
        "Tue 06/2026 12:00", "Tue June 2026 12:00", "Tuesday 12:00",
    ],
)  # fmt: skip
def test_a_text_that_is_no_whole_time_or_may_be_two_is_never_guessed(text):
    with pytest.raises(BadMoment):
        Form().read(text)


@pytest.mark.parametrize(
    "text", ["12.5", "lap 3", "1.2.3", "v1.2.10 beta", "Renault 5", "80", "", "A1B2", "+33 6 12", None, 5]
)
def test_other_text_is_not_taken_for_a_time(text):
    assert not is_time(text)


def test_a_time_without_a_zone_is_left_to_the_devices():
    assert instant("13/06/2026 12:00", zone=ZoneInfo("Europe/Paris")) == datetime(2026, 6, 13, 10, tzinfo=UTC)


@given(MOMENTS, st.sampled_from(["/", "-", "."]), st.integers(-14 * 60, 14 * 60) | st.none())
def test_a_date_reads_as_it_was_written_in_either_order(moment, sign, offset):
    zone = f" {timezone(timedelta(minutes=offset))}" if offset is not None else ""
    clock = f"{moment:%H:%M:%S}{zone}"
    expected = moment.replace(tzinfo=UTC if offset is None else timezone(timedelta(minutes=offset)))

    assert instant(f"{moment:%d{sign}%m{sign}%Y} {clock}", "day-first") == expected
    assert instant(f"{moment:%m{sign}%d{sign}%Y} {clock}", "month-first") == expected
    assert instant(f"{moment:%Y{sign}%m{sign}%d} {clock}") == expected


@given(MOMENTS)
def test_a_date_shows_its_order_only_where_it_can_be_no_other(moment):
    shown = hint(f"{moment:%d/%m/%Y %H:%M}")

    assert shown == ("day-first" if moment.day > 12 else None)


@given(
    MOMENTS,
    st.sampled_from(["%a %b %d %H:%M:%S GMT+02:00 %Y", "%d-%b-%Y %H:%M:%S +0200", "%B %d, %Y %I:%M:%S %p +02:00"]),
)
@example(datetime(2000, 3, 1), WORDED[0])  # noqa: DTZ001 - see above; `mar` is a French Tuesday too
def test_a_date_in_words_reads_as_it_was_written(moment, form):
    assert instant(moment.strftime(form)) == moment.replace(tzinfo=timezone(timedelta(hours=2)))
