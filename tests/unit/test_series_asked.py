"""What a chart is asked for: every parameter that is wrong is named, with what would be right."""

from urllib.parse import urlencode

import pytest

from releve.history.grid import Unit
from releve.history.statistic import FUNCTIONS as KNOWN_FUNCTIONS
from releve.history.statistic import SUMS
from releve.protocol.problem import BadRequest
from releve.query.series.asked import ALONG, BUCKETS, FUNCTIONS, OF_DEVICE, OF_DEVICES, OF_RUN, SHAPE, Asked


def asked(*pairs, known=OF_DEVICE, accept=""):
    return Asked.of(urlencode(pairs).encode(), known=known, accept=accept)


def test_what_is_not_said_has_its_default():
    found = asked(("channel", "speed"))

    assert (found.channels, found.points, found.shape, found.may_be_raw) == (["speed"], 2_000, SHAPE, True)
    assert (found.from_us, found.to_us, found.zone, found.format) == (None, None, "UTC", "json")


def test_channels_functions_and_devices_may_stand_several_times():
    found = asked(
        *(("channel", "a"), ("channel", "b,c"), ("channel", "a")),
        *(("fn", "mean,low"), ("fn", "high"), ("device", "1"), ("device", "2")),
        known=OF_DEVICES,
    )

    assert found.channels == ["a", "b,c"]
    assert found.functions == ["mean", "low", "high"]
    assert found.devices == [1, 2]
    assert not found.may_be_raw


@pytest.mark.parametrize(
    ("pairs", "field"),
    [
        ([], "channel"),
        ([("channel", "")], "channel"),
        ([("channel", "x" * 129)], "channel"),
        ([("channel", str(number)) for number in range(33)], "channel"),
        ([("channel", "a"), ("points", "9")], "points"),
        ([("channel", "a"), ("points", "10001")], "points"),
        ([("channel", "a"), ("points", "many")], "points"),
        ([("channel", "a"), ("points", "٢٠")], "points"),
        ([("channel", "a"), ("points", "10"), ("points", "20")], "points"),
        ([("channel", "a"), ("points", "10"), ("bucket", "1h")], "points"),
        ([("channel", "a"), ("bucket", "2h")], "bucket"),
        ([("channel", "a"), ("zone", "Europe/Paris")], "zone"),
        ([("channel", "a"), ("bucket", "1d"), ("zone", "Atlantis")], "zone"),
        ([("channel", "a"), ("bucket", "1d"), ("zone", "Europe")], "zone"),
        ([("channel", "a"), ("bucket", "1d"), ("zone", "../../etc/passwd")], "zone"),
        ([("channel", "a"), ("fn", "median")], "fn"),
        ([("channel", "a"), ("fn", "")], "fn"),
        ([("channel", "a"), ("from", "yesterday")], "from"),
        ([("channel", "a"), ("from", "2026-01-02T00:00:00Z"), ("to", "2026-01-02T00:00:00Z")], "to"),
        ([("channel", "a"), ("to", "9" * 25)], "to"),
        ([("channel", "a"), ("part", "machine_id")], "part"),
        ([("channel", "a"), ("part", "=4")], "part"),
        ([("channel", "a"), ("format", "xlsx")], "format"),
        ([("channel", "a\0")], "channel"),
        ([("channel", "a"), ("channels", "b")], "channels"),
        ([("channel", "a"), ("by", "distance")], "by"),
        ([("channel", "a"), ("device", "1")], "device"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(pairs, field):
    with pytest.raises(BadRequest) as refused:
        asked(*pairs)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("pairs", "field"),
    [([("by", "")], "by"), ([("by", "d"), ("bucket", "1h")], "bucket"), ([("by", "d"), ("fn", "p95")], "fn")],
)
def test_along_a_channel_there_is_no_time_and_nothing_that_needs_it(pairs, field):
    with pytest.raises(BadRequest) as refused:
        asked(("channel", "a"), *pairs, known=OF_RUN)

    assert refused.value.field == field


@pytest.mark.parametrize("devices", [[], ["0"], ["one"], ["-1"], ["2147483648"], [str(n) for n in range(1, 22)]])
def test_devices_are_named_by_one_to_twenty_numbers(devices):
    with pytest.raises(BadRequest) as refused:
        asked(("channel", "a"), *(("device", number) for number in devices), known=OF_DEVICES)

    assert refused.value.field == "device"


def test_an_answer_without_an_end_is_refused_by_what_makes_it_long():
    year_us = 366 * 86_400_000_000

    asked(("channel", "a"), ("bucket", "1h")).refuse_too_much(year_us)
    asked(("channel", "a"), ("points", "10000"), *(("channel", str(n)) for n in range(13))).refuse_too_much(year_us)
    with pytest.raises(BadRequest, match="bucket"):
        asked(("channel", "a"), ("bucket", "5s")).refuse_too_much(year_us)
    with pytest.raises(BadRequest, match="points"):
        asked(*(("channel", str(n)) for n in range(32)), ("points", "10000")).refuse_too_much(1)


def test_csv_is_answered_where_it_is_asked_for_first():
    assert asked(("channel", "a"), accept="text/csv, application/json").format == "csv"
    assert asked(("channel", "a"), accept="text/html, */*").format == "json"
    assert asked(("channel", "a"), ("format", "json"), accept="text/csv").format == "json"


def test_buckets_and_functions_are_those_of_history():
    shortest_s = {Unit.DAY: 23 * 3_600, Unit.WEEK: 167 * 3_600, Unit.MONTH: (28 * 24 - 1) * 3_600}

    assert FUNCTIONS == KNOWN_FUNCTIONS
    assert set(ALONG) == set(SUMS)
    assert {Unit(name): seconds for name, seconds in BUCKETS.items()} == {
        unit: shortest_s.get(unit) or unit.width_us // 1_000_000 for unit in Unit
    }
