"""Topic templates: what they subscribe to, what they say of a topic, and which are refused."""

import pytest

from releve.ingest.bridge.template import BadTemplate, Match, Template


@pytest.mark.parametrize(
    ("text", "topic_filter"),
    [
        ("fitbuddy/sensors", "fitbuddy/sensors"),
        ("esp32bis/#", "esp32bis/#"),
        ("cars/{device}/telemetry", "cars/+/telemetry"),
        ("esp32bis/{device}/{quantity}", "esp32bis/+/+"),
        ("$share/releve/cars/{device}/telemetry", "$share/releve/cars/+/telemetry"),
    ],
)
def test_a_placeholder_is_subscribed_as_one_level(text, topic_filter):
    assert Template.parse(text).filter == topic_filter


@pytest.mark.parametrize(
    ("text", "topic", "match"),
    [
        ("fitbuddy/sensors", "fitbuddy/sensors", Match()),
        ("cars/{device}/telemetry", "cars/car1/telemetry", Match("car1")),
        ("$share/releve/cars/{device}/telemetry", "cars/car1/telemetry", Match("car1")),
        ("esp32bis/#", "esp32bis/speed", Match("", "speed")),
        ("esp32bis/+", "esp32bis/speed", Match("", "speed")),
        ("{device}/{quantity}", "car1/speed", Match("car1", "speed")),
        ("a/+/{device}", "a/b/car1", Match("car1")),
    ],
)
def test_a_topic_says_what_its_template_asks(text, topic, match):
    assert Template.parse(text).match(topic) == match


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("fitbuddy/sensors", "fitbuddy/sensors/1"),
        ("cars/{device}/telemetry", "cars/car1"),
        ("cars/{device}/telemetry", "cars/car1/other"),
        ("{device}/state", "$SYS/state"),
        ("esp32bis/#", "esp32/speed"),
    ],
)
def test_another_topic_does_not_match(text, topic):
    assert Template.parse(text).match(topic) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a/#/b",
        "a+/b",
        "cars/x{device}",
        "cars/{device}/{device}",
        "cars/{car}",
        "$share/releve",
        "$share//a",
        "a/{",
    ],
)
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(BadTemplate):
        Template.parse(text)


@pytest.mark.parametrize(
    ("one", "other", "overlaps"),
    [
        ("a/{device}", "a/b", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a", True),
        ("a/+/c", "a/b/+", True),
        ("$share/g/a/b", "a/b", True),
        ("a/b", "a/c", False),
        ("a/+", "a/b/c", False),
        ("a/b", "a/b/{device}", False),
    ],
)
def test_templates_that_one_topic_could_match_overlap(one, other, overlaps):
    assert Template.parse(one).overlaps(Template.parse(other)) is overlaps
    assert Template.parse(other).overlaps(Template.parse(one)) is overlaps
