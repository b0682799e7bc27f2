"""A chart is collected block by block, and says the same however the readings were cut into blocks."""

import random

import numpy as np
import pytest

from releve.history.array import all_same
from releve.history.block import Block, Identities
from releve.history.column import ABSENT_VALUE, Column
from releve.history.identity import Rule
from releve.history.sent import Sent
from releve.protocol.problem import BadRequest
from releve.query.series.asked import Asked
from releve.query.series.chart import MOST_STATES, Chart, Places, channels_of
from releve.query.series.source import Left, Source

READINGS = 600
chance = random.Random(5)  # noqa: S311 - made-up readings
PLACES = [round(chance.uniform(-3, 7), 2) for _ in range(READINGS)]
SPEEDS = [chance.choice([ABSENT_VALUE, "fast", round(chance.uniform(0, 9), 3), 4]) for _ in range(READINGS)]


def blocks(length):
    for first in range(0, READINGS, length):
        here = slice(first, first + length)
        time_us = np.arange(READINGS)[here] * 1_000_000
        ids = time_us // 1_000_000 + 7_000
        columns = {"at": Column.of(PLACES[here]), "speed": Column.of(SPEEDS[here])}
        known = Identities(all_same(Rule.KEPT, len(ids)), ids)
        yield Block(time_us, columns, identities=known, sent=Sent.none(len(ids)))


def source(**more):
    return Source(device_id=1, contract="racing", from_us=0, to_us=READINGS * 1_000_000, **more)


def drawn(asked, whose, length):
    places = None
    if asked.by:
        finding = Places(asked.by, whose)
        for block in blocks(length):
            finding.add(block)
        places = finding.answer()
    chart = Chart(asked, whose, from_us=0, to_us=READINGS * 1_000_000, places=places)
    for block in blocks(length):
        chart.add(block)
    return chart.drawn()


@pytest.mark.parametrize("length", [1, 3, 50, READINGS])
def test_along_a_channel_that_goes_to_and_fro_a_bucket_holds_all_that_was_there_in_the_order_of_time(length):
    found = drawn(
        Asked(channels=["speed"], by="at", points=10, functions=["n", "first", "low", "last"]), source(), length
    )

    low, high = min(PLACES), max(PLACES)
    width = (high - low) / 10
    buckets = {}
    for at, speed in zip(PLACES, SPEEDS, strict=True):
        if isinstance(speed, float | int):
            buckets.setdefault(min(int((at - low) // width), 9), []).append(speed)
    expected = [buckets[number] for number in sorted(buckets)]
    [line] = found.lines
    assert line.columns["at"].tolist() == pytest.approx([low + number * width for number in sorted(buckets)])
    assert line.columns["n"].tolist() == [len(each) for each in expected]
    assert line.columns["first"].tolist() == [each[0] for each in expected]
    assert line.columns["low"].tolist() == [min(each) for each in expected]
    assert line.columns["last"].tolist() == [each[-1] for each in expected]


def test_along_a_channel_few_readings_come_as_they_are():
    found = drawn(Asked(channels=["speed"], by="at", points=READINGS), source(), 50)

    pairs = [pair for pair in zip(PLACES, SPEEDS, strict=True) if pair[1] is not ABSENT_VALUE]
    assert found.is_raw
    assert list(zip(found.lines[0].columns["at"].tolist(), found.lines[0].columns["value"], strict=True)) == pairs


def test_a_channel_that_no_reading_has_is_nothing_to_draw_along():
    with pytest.raises(BadRequest) as refused:
        drawn(Asked(channels=["speed"], by="depth"), source(), 50)

    assert refused.value.field == "by"


def test_what_was_left_out_is_in_no_chart_one_reading_as_a_stretch_as_a_part():
    left_out = [
        Left(10_000_000, 20_000_000, 7_012, ""),
        Left(100_000_000, 110_000_000, None, ""),
        Left(300_000_000, 400_000_000, None, "speed=4"),
    ]
    whose = source(left_out=left_out)
    asked = Asked(channels=["at"], points=10_000)

    [line] = drawn(asked, whose, 50).lines

    out = {12, *range(100, 110), *(place for place in range(300, 400) if SPEEDS[place] == 4)}
    assert line.columns["time"].tolist() == [place * 1_000_000 for place in range(READINGS) if place not in out]
    assert channels_of(asked, whose) == ["at", "speed"]


def test_states_without_number_are_refused_and_a_few_are_not():
    def told(n):
        chart = Chart(Asked(channels=["word"], functions=["duration"]), source(), from_us=0, to_us=1_000, places=None)
        chart.add(Block(np.arange(n), {"word": Column.of([f"word {place}" for place in range(n)])}))
        return chart.drawn()

    assert len(told(MOST_STATES).lines[0].states) == MOST_STATES
    with pytest.raises(BadRequest) as refused:
        told(MOST_STATES + 1)
    assert refused.value.field == "fn"


@pytest.mark.parametrize("places", [None, (0.0, 1.0)])
def test_readings_of_very_much_text_are_refused_rather_than_gathered(places):
    asked = Asked(channels=["word"], points=10_000, by="" if places is None else "at")
    chart = Chart(asked, source(), from_us=0, to_us=10_000, places=places)

    def tell_all():
        for first in range(0, 10_000, 1_000):
            words = [f"{place}" + "x" * 1_000 for place in range(first, first + 1_000)]
            columns = {"word": Column.of(words), "at": Column.of([0.5] * 1_000)}
            chart.add(Block(np.arange(first, first + 1_000), columns))

    with pytest.raises(BadRequest) as refused:
        tell_all()

    assert refused.value.field == "points"
