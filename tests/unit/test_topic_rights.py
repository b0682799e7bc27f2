"""Which topics belong to whom, over every shape of filter that might slip through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releve.protocol import topic
from releve.protocol.mqtt.topic_filter import is_topic_filter, matches
from releve.protocol.topic import Purpose, Route

NAMES = st.from_regex(r"[A-Za-z0-9@._:-]{1,12}", fullmatch=True)
LEVELS = st.one_of(
    st.sampled_from(["releve", "+", "#", "car1", "car2", "commands", "config", "live", "", "$SYS", *topic.RACING]),
    NAMES,
)
FILTERS = st.lists(LEVELS, min_size=1, max_size=5).map("/".join)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("releve/car1/readings", Route(Purpose.READINGS)),
        ("releve/car1/answers", Route(Purpose.ANSWERS)),
        ("fitbuddy/sensors", Route(Purpose.GYM)),
        ("esp32bis/race", Route(Purpose.RACING, "race")),
        ("esp32/speed", Route(Purpose.RACING, "speed")),
    ],
)
def test_a_device_publishes_to_its_own_topics_and_its_contracts(name, expected):
    assert topic.route(name, device="car1") == expected


@pytest.mark.parametrize(
    "name",
    [
        "releve/car2/readings",
        "releve/car1/commands",
        "releve/car1/config",
        "releve/car1/live/reading",
        "releve/car1/readings/",
        "/releve/car1/readings",
        "releve//readings",
        "fitbuddy/sensors/x",
        "esp32bis",
        "esp32bis/",
        "esp32bis/a/b",
        "esp32bis/" + "x" * 65,
        "$SYS/broker",
        "",
    ],
)
def test_every_other_topic_is_foreign(name):
    assert topic.route(name, device="car1") is None


@given(FILTERS, st.sampled_from(["racing", "gym"]))
def test_a_filter_that_a_device_may_have_matches_no_other_devices_topics(topic_filter, contract):
    if topic.is_own(topic_filter, device="car1", contract=contract):
        for other in ("car2", "+", "car1x", "car"):
            foreign = (topic.commands, topic.config, topic.readings, topic.answers, topic.live_of_device)
            assert not any(matches(topic_filter, of(other)) for of in foreign)


@given(FILTERS)
def test_whose_live_readings_a_filter_asks_for_is_said_by_its_second_level_alone(topic_filter):
    owner = topic.live_owner(topic_filter)
    if owner is None:
        return
    assert is_topic_filter(topic_filter)
    for other in ("car1", "car2", "7"):
        if owner not in {other, "+"}:
            assert not matches(topic_filter, topic.live_of_device(other))


@pytest.mark.parametrize(
    "topic_filter", ["#", "releve/#", "+/car1/live/#", "releve/car1", "releve/car1/live", "live/#"]
)
def test_a_filter_without_an_owner_is_no_live_filter(topic_filter):
    assert topic.live_owner(topic_filter) is None
