"""Topic names and topic filters: what is valid, and which filter matches which name (section 4.7)."""

from releve.protocol.mqtt.error import TopicNameInvalid

SHARE = "$share/"


def check_topic_name(name: str) -> None:
    """Make sure that a name can be published to; nothing is normalised [MQTT-4.7.3-4].

    Raises:
        TopicNameInvalid: Empty [MQTT-4.7.3-1] or with a wildcard [MQTT-4.7.1-1 of 3.1.1, 4.7.0-1].
    """
    if not name or "+" in name or "#" in name:
        raise TopicNameInvalid("a topic name is empty or holds a wildcard")


def is_topic_filter(text: str) -> bool:
    """Whether the wildcards stand where they may [MQTT-4.7.1-1], [MQTT-4.7.1-2], [MQTT-4.7.3-1].

    >>> is_topic_filter("sport/+/player1/#"), is_topic_filter("sport/tennis#")
    (True, False)
    """
    *levels, last = text.split("/")
    if "#" in last and last != "#":
        return False
    return bool(text) and all("#" not in level for level in levels) and _pluses_fill_levels(levels, last)


def _pluses_fill_levels(levels: list[str], last: str) -> bool:
    return all(level == "+" or "+" not in level for level in (*levels, last))


def is_shared(topic_filter: str) -> bool:
    """Whether a filter asks for a shared subscription [MQTT-4.8.2-1]."""
    return topic_filter.startswith(SHARE)


def is_shared_filter(text: str) -> bool:
    """Whether a shared subscription's filter is well formed [MQTT-4.8.2-1], [MQTT-4.8.2-2].

    >>> is_shared_filter("$share/workers/sport/#"), is_shared_filter("$share/a+b/sport")
    (True, False)
    """
    name, separator, topic_filter = text.removeprefix(SHARE).partition("/")
    return bool(name and separator) and not set(name) & {"+", "#"} and is_topic_filter(topic_filter)


def matches(topic_filter: str, name: str) -> bool:
    """Whether a valid filter matches a valid name.

    A wildcard in front never matches a name that starts with $ [MQTT-4.7.2-1].

    >>> matches("sport/#", "sport"), matches("+/+", "/finance"), matches("#", "$SYS/uptime")
    (True, True, False)
    """
    if topic_filter == name:
        return True
    if name[:1] == "$" and topic_filter[:1] in {"+", "#"}:
        return False
    return _levels_match(topic_filter.split("/"), name.split("/"))


def _levels_match(filters: list[str], names: list[str]) -> bool:
    if filters[-1] == "#":  # stands for its parent level too
        filters = filters[:-1]
        names = names[: len(filters)]
    return len(filters) == len(names) and all(level in {"+", name} for level, name in zip(filters, names, strict=True))
