"""Topic templates: which topics to subscribe to, and what their levels say of device and quantity. Pure."""

from typing import Self

import msgspec

from releve.protocol.mqtt.topic_filter import is_shared, is_shared_filter, is_topic_filter

DEVICE = "{device}"
QUANTITY = "{quantity}"
_PLACEHOLDERS = (DEVICE, QUANTITY)


class BadTemplate(Exception):
    """The template is no topic filter; the message says why."""


class Match(msgspec.Struct, frozen=True):
    """What a topic's levels say; empty where they say nothing."""

    device: str = ""
    quantity: str = ""


class Template(msgspec.Struct, frozen=True):
    """A topic filter in which `{device}` and `{quantity}` fill a level; `#` and `+` stand for what is not asked.

    Attributes:
        text: As configured, with its `$share` group.
        levels: Its levels without the group.
    """

    text: str
    levels: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a template.

        Raises:
            BadTemplate: A level is malformed, or a placeholder stands twice.

        >>> Template.parse("$share/releve/cars/{device}/telemetry").filter
        '$share/releve/cars/+/telemetry'
        """
        for placeholder in _PLACEHOLDERS:
            if text.count(placeholder) > 1:
                raise BadTemplate(f"{placeholder} stands twice")
        subscribed = _subscribed(text)
        if "{" in subscribed or "}" in subscribed:
            raise BadTemplate("there are {device} and {quantity}, and each fills a whole level")
        if not (is_shared_filter if is_shared(text) else is_topic_filter)(subscribed):
            raise BadTemplate("is no topic filter: + fills a whole level, and # only the last")
        bare = text.split("/", 2)[2] if is_shared(text) else text
        return cls(text, tuple(bare.split("/")))

    @property
    def filter(self) -> str:
        """What to subscribe to."""
        return _subscribed(self.text)

    @property
    def names_device(self) -> bool:
        """Whether the topic says which device it is."""
        return DEVICE in self.levels

    @property
    def names_quantity(self) -> bool:
        """Whether the topic says which quantity it carries: by its placeholder, or by a wildcard at its end."""
        return QUANTITY in self.levels or self.levels[-1] in {"#", "+"}

    def match(self, topic: str) -> Match | None:
        """What a topic says, None when it is another's.

        >>> Template.parse("cars/{device}/#").match("cars/car1/speed")
        Match(device='car1', quantity='speed')
        """
        names = topic.split("/")
        levels = self.levels[:-1] if self.levels[-1] == "#" else self.levels
        if len(names) < len(levels) or (len(names) > len(levels) and levels is self.levels):
            return None
        if topic[:1] == "$" and self.levels[0] in {"+", "#", *_PLACEHOLDERS}:
            return None  # [MQTT-4.7.2-1]
        found = dict.fromkeys(_PLACEHOLDERS, "")
        for level, name in zip(levels, names, strict=False):
            if level in found:
                found[level] = name
            elif level not in ("+", name):
                return None
        if self.names_quantity and not found[QUANTITY]:
            found[QUANTITY] = names[-1]
        return Match(found[DEVICE], found[QUANTITY])

    def overlaps(self, other: "Template") -> bool:
        """Whether a topic could match both.

        >>> Template.parse("a/+").overlaps(Template.parse("+/b")), Template.parse("a/b").overlaps(Template.parse("a/c"))
        (True, False)
        """
        return _overlap(_plain(self), _plain(other))


def _subscribed(text: str) -> str:
    return "/".join("+" if level in _PLACEHOLDERS else level for level in text.split("/"))


def _plain(template: Template) -> list[str]:
    return ["+" if level in _PLACEHOLDERS else level for level in template.levels]


def _overlap(ours: list[str], theirs: list[str]) -> bool:
    for mine, other in zip(ours, theirs, strict=False):
        if "#" in (mine, other):
            return True
        if mine != other and "+" not in (mine, other):
            return False
    longer = max(ours, theirs, key=len)
    shorter = min(len(ours), len(theirs))
    return len(ours) == len(theirs) or longer[shorter:] == ["#"]
