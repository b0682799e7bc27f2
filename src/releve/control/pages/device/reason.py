"""Why a reading was kept aside, in the language of whoever reads it; it is stored in English, as it was told."""

import re
from collections.abc import Iterator
from functools import cache

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

REASONS = (
    gettext_noop("before the year 2000: the device's clock is not set"),
    gettext_noop("in the first day of 2000, where clocks begin: the device's clock was never set"),
    gettext_noop("more than a day ahead: the device's clock is wrong"),
    gettext_noop("more than 20 years before the device was added: its clock is wrong, or it is history to import"),
    gettext_noop("is a name too many: the channels of one device have at most %(most)s (RELEVE_DEVICE_CHANNELS)"),
    gettext_noop("no channel at all; send at least one value"),
    gettext_noop("a reading is a JSON object, not %(kind)s"),
    gettext_noop("must be a number, not %(kind)s"),
    gettext_noop("must be a number, text or true/false, not %(kind)s"),
    gettext_noop("must be a number, text or true/false, not %(kind)s; a waveform says `step_ms` or `rate_hz`"),
    gettext_noop("must be a whole number"),
    gettext_noop("must be a whole number, not %(value)s"),
    gettext_noop("must be an object, not %(kind)s"),
    gettext_noop("must be ISO 8601 text, not %(kind)s"),
    gettext_noop("must be ISO 8601 text, a number, or left out"),
    gettext_noop("must be text"),
    gettext_noop("must not be negative"),
    gettext_noop("must be above 0, not %(value)s"),
    gettext_noop("must be at least %(low)s, not %(value)s"),
    gettext_noop("a number must be within ±1e150"),
    gettext_noop("integer beyond 2⁵³; send it as a number with a fraction"),
    gettext_noop("integer beyond 2⁵³; send it as text"),
    gettext_noop("is required"),
    gettext_noop("is not UTF-8 text"),
    gettext_noop("not ISO 8601: %(why)s"),
    gettext_noop("text with a NUL character"),
    gettext_noop("text of %(length)s characters; at most %(most)s"),
    gettext_noop("%(count)s channels in one reading; at most %(most)s"),
    gettext_noop("a channel's name has 1 to %(most)s characters and no NUL"),
    gettext_noop("has 1 to %(most)s characters"),
    gettext_noop("nested deeper than %(most)s"),
    gettext_noop("a number too large"),
    gettext_noop("%(word)s is no number in JSON; leave the field out or send null (byte %(place)s)"),
    gettext_noop("text with half a UTF-16 pair, %(half)s"),
    gettext_noop("the JSON text ends too early"),
    gettext_noop("the body is empty; a JSON object was expected"),
    gettext_noop("starts with a byte order mark; send plain UTF-8"),
    gettext_noop("invalid character (byte %(place)s)"),
    gettext_noop("invalid number (byte %(place)s)"),
    gettext_noop("trailing characters (byte %(place)s)"),
    gettext_noop("trailing comma in object (byte %(place)s)"),
    gettext_noop("trailing comma in array (byte %(place)s)"),
    gettext_noop("object keys must be strings (byte %(place)s)"),
    gettext_noop("expected %(what)s (byte %(place)s)"),
    gettext_noop("invalid escape character in string (byte %(place)s)"),
)
KINDS = (
    gettext_noop("an object"),
    gettext_noop("an array"),
    gettext_noop("true or false"),
    gettext_noop("text"),
    gettext_noop("a number"),
    gettext_noop("null"),
)
_HOLE = re.compile(r"%\\\((\w+)\\\)s")  # as `re.escape` leaves it


def in_words(reason: str) -> str:
    """A reason as it was stored, translated as far as it is one of ours.

    What stands in front of it (`reading 3: speed: …`) stays.
    """
    for shape, message in _shapes():
        found = shape.fullmatch(reason)
        if found is not None:
            values = {name: _(text) if text in KINDS else text for name, text in found.groupdict().items()}
            front = values.pop("front", None) or ""
            return front + (_(message) % values if values else _(message))
    return reason


@cache
def _shapes() -> tuple[tuple["re.Pattern[str]", str], ...]:
    return tuple(_shaped())


def _shaped() -> Iterator[tuple["re.Pattern[str]", str]]:
    """The most particular first: a hole takes anything."""
    for message in sorted(REASONS, key=lambda text: (text.count("%("), -len(text))):
        pattern = _HOLE.sub(r"(?P<\1>.+?)", re.escape(message))
        yield re.compile(rf"(?P<front>(?:reading \d+: )?(?:[\w.]+: )?)?{pattern}", re.DOTALL), message
