"""The hour that clocks repeat, in the order of a file: the second pass is the second hour."""

from zoneinfo import ZoneInfo

import pytest

from releve.protocol.twice import Passes


def settled(zone, *times):
    passes = Passes(ZoneInfo(zone))
    return [passes.settled(time) for time in times]


def test_where_the_time_falls_back_the_second_pass_begins_however_many_lines_there_are():
    minutes = [f"2026-10-25T02:{minute:02}:{second:02}" for minute in range(60) for second in range(60)]

    found = settled("Europe/Paris", "2026-10-25T01:59:59", *minutes, *minutes, "2026-10-25T03:00:00")

    assert {text[-6:] for text in found[1:3601]} == {"+02:00"}
    assert {text[-6:] for text in found[3601:7201]} == {"+01:00"}
    assert (found[0], found[-1]) == ("2026-10-25T01:59:59", "2026-10-25T03:00:00")


def test_it_is_so_in_each_year_and_where_clocks_go_back_by_half_an_hour():
    assert settled("Europe/Paris", "2025-10-26T02:50", "2025-10-26T02:10", "2026-10-25T02:10")[1:] == [
        "2025-10-26T02:10+01:00",
        "2026-10-25T02:10+02:00",
    ]
    assert settled("Australia/Lord_Howe", "2026-04-05T01:20", "2026-04-05T01:40", "2026-04-05T01:35")[1:] == [
        "2026-04-05T01:40+11:00",
        "2026-04-05T01:35+10:30",
    ]


@pytest.mark.parametrize("text", ["2026-10-25T02:30", "2026-10-25T02:30:00Z", "2026-03-29T02:30", "no time", ""])
def test_what_means_one_instant_or_where_nothing_tells_is_left_as_it_is(text):
    assert settled("Europe/Paris", text) == [text]
