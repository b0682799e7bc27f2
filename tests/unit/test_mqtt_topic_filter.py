"""Which filters are valid, and which names they match (section 4.7 of both specifications)."""

import pytest

from releve.protocol.mqtt.topic_filter import is_shared, is_shared_filter, is_topic_filter, matches


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("#", True),
        ("a/#", True),
        ("/#", True),
        ("+", True),
        ("+/b/#", True),
        ("/+", True),
        ("a/+/c", True),
        ("a//c", True),
        ("/", True),
        (" ", True),
        ("", False),
        ("a#", False),
        ("a/#/c", False),
        ("#/a", False),
        ("a/b#", False),
        ("a+", False),
        ("+a/b", False),
        ("a/+b", False),
        ("++", False),
        ("a/##", False),
    ],
)
def test_wildcards_fill_their_level_and_the_many_level_one_is_last(text, is_one):
    """v5 MQTT-4.7.1-1 MQTT-4.7.1-2 MQTT-4.7.3-1 · v3 MQTT-4.7.1-2 MQTT-4.7.1-3 MQTT-4.7.3-1"""
    assert is_topic_filter(text) is is_one


@pytest.mark.parametrize(
    ("topic_filter", "name", "does"),
    [
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("#", "a/b", True),
        ("a/b", "a/b", True),
        ("a/b", "a/B", False),
        ("a", "/a", False),
        ("a/", "a", False),
        ("a/+/c", "a//c", True),
    ],
)
def test_a_filter_matches_level_by_level(topic_filter, name, does):
    """v5 MQTT-3.3.2-3 · v3 MQTT-3.3.2-3"""
    assert matches(topic_filter, name) is does


@pytest.mark.parametrize(
    ("topic_filter", "name", "does"),
    [
        ("#", "$SYS/a", False),
        ("+/monitor/Clients", "$SYS/monitor/Clients", False),
        ("$SYS/#", "$SYS/a", True),
        ("$SYS/monitor/+", "$SYS/monitor/Clients", True),
    ],
)
def test_a_wildcard_in_front_matches_no_name_with_a_dollar(topic_filter, name, does):
    """v5 MQTT-4.7.2-1 · v3 MQTT-4.7.2-1"""
    assert matches(topic_filter, name) is does


@pytest.mark.parametrize("name", ["ACCOUNTS", "Accounts ", "e\u0301", "\ufeffa", "a\u0001"])
def test_names_are_compared_as_they_are(name):
    """v5 MQTT-4.7.3-4 · v3 MQTT-4.7.3-4"""
    for other in ("accounts", "Accounts", "\u00e9", "a"):
        assert not matches(other, name)
    assert matches(name, name)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("$share/g/t", True),
        ("$share/g/+/#", True),
        ("$share//t", False),
        ("$share/g", False),
        ("$share/g/", False),
        ("$share/g+/t", False),
        ("$share/#/t", False),
        ("$share/g/a#", False),
    ],
)
def test_a_shared_filter_names_its_group_and_a_filter(text, is_one):
    """v5 MQTT-4.8.2-1 MQTT-4.8.2-2"""
    assert is_shared(text)
    assert is_shared_filter(text) is is_one
    assert not is_shared("$sharet/g/t")
