"""What people may send to a device: JSON on its own topic, or plain text on a topic of a car (contract B). Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from releve.protocol import topic as topics
from releve.protocol.problem import BadReading

DEFAULT_EXPIRES_S = 86_400
LONGEST_EXPIRES_S = 30 * 86_400
MOST_WAITING = 1_000  # for one device
LONGEST_TEXT = 1_024  # characters; the published cars read into 256 bytes
_FIELDS = {"command", "topic", "text", "expires_s"}


class Command(msgspec.Struct, frozen=True):
    """One command.

    Attributes:
        body: Any JSON; the text itself where there is a topic.
        topic: Where plain text arrives; None sends JSON to the device's own topic.
        expires_s: How long it waits for its device.
    """

    body: Any
    topic: str | None
    expires_s: int


def of(fields: Mapping[str, Any], *, contract: str) -> Command:
    """The command that somebody wrote: `{"command": …}`, or `{"topic": …, "text": …}` for a car.

    Raises:
        BadReading: With the field that is wrong.

    >>> of({"topic": "esp32bis/ajustments", "text": "left"}, contract="racing")
    Command(body='left', topic='esp32bis/ajustments', expires_s=86400)
    """
    unknown = fields.keys() - _FIELDS
    if unknown:
        raise BadReading("takes `command`, or `topic` and `text`, and `expires_s` only", field=min(unknown))
    expires_s = _expiry(fields)
    if "topic" not in fields and "text" not in fields:
        if fields.get("command") is None:
            raise BadReading("is required", field="command")
        return Command(fields["command"], None, expires_s)
    if "command" in fields:
        raise BadReading("stands beside `topic` and `text`, which send plain text in its place", field="command")
    return Command(_text(fields.get("text")), _topic(fields.get("topic"), contract), expires_s)


def _topic(topic: Any, contract: str) -> str:
    if contract != topics.CAR:
        raise BadReading("plain text is for cars; another device hears `command`", field="topic")
    if type(topic) is not str or not topics.is_of_car(topic):
        wanted = f"must be a topic such as {topics.RACING[0]}/ajustments: {' or '.join(topics.RACING)}, then a name"
        raise BadReading(f"{wanted} of at most {topics.LONGEST_QUANTITY} characters", field="topic")
    return topic


def _text(text: Any) -> str:
    if type(text) is not str or len(text) > LONGEST_TEXT or "\0" in text:
        raise BadReading(f"must be text of at most {LONGEST_TEXT} characters", field="text")
    return text


def _expiry(fields: Mapping[str, Any]) -> int:
    expires_s = fields.get("expires_s", DEFAULT_EXPIRES_S)
    if type(expires_s) is not int or not 0 < expires_s <= LONGEST_EXPIRES_S:
        raise BadReading(f"must be a whole number of seconds, 1 to {LONGEST_EXPIRES_S}", field="expires_s")
    return expires_s
