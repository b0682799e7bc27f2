"""Contract B over MQTT: puts a car's plain-text values, one topic each, together into readings. Pure.

One assembler per connected device, so that two cars never mix. Some cars send `race` before every sample and some
once, some before a sample's values and some after them; `false` ends the race. What a car says besides a sample's own
quantities goes with the sample where it is a number; `mode` = `manuel` and the like are last values and nothing more.
"""

from typing import Any

from releve.protocol.problem import BadReading

MEASURED = ("speed", "distance", "battery")
NUMBERS = frozenset({"race", "track", *MEASURED})
NO_RACE = "false"
NUMBER_LIMIT = 64  # characters
TEXT_LIMIT = 256
MOST_EXTRAS = 32
INTEGER_LIMIT = 2**53


class Assembler:
    """What is known of one car's next reading.

    Attributes:
        race: The race under way, None between races and as long as the car has said nothing of one.
    """

    __slots__ = ("_is_between", "_sample", "_track", "race")

    def __init__(self) -> None:
        self.race: int | float | None = None
        self._is_between = False  # the car said itself that there is no race
        self._sample: dict[str, Any] = {}
        self._track: int | float = 0

    def take(self, quantity: str, payload: bytes) -> dict[str, Any] | None:
        """Take one value; the channels of a reading when it was the last that was missing.

        A value that comes twice before the reading is complete replaces the first: a car that skipped one goes on.

        Raises:
            BadReading: The race, or what makes a sample, is no number; or another value is no short text.

        >>> car = Assembler()
        >>> for quantity, text in (("race", b"12.00"), ("speed", b"12.3"), ("distance", b"40")):
        ...     car.take(quantity, text)
        >>> car.take("battery", b"81")
        {'race': 12, 'track': 0, 'speed': 12.3, 'distance': 40, 'battery': 81}
        """
        text = text_of(quantity, payload)
        if quantity == "race":
            self._set_race(text)
        elif quantity == "track":
            self._track = number(quantity, text)
        elif quantity in MEASURED:
            self._sample[quantity] = number(quantity, text)
        else:
            self._take_extra(quantity, text)
        return self._complete()

    def _take_extra(self, quantity: str, text: str) -> None:
        try:
            value = number(quantity, text)
        except BadReading:  # a word, `nan`: the newest value is none of the sample's
            self._sample.pop(quantity, None)
            return
        if len(self._sample) < MOST_EXTRAS or quantity in self._sample:
            self._sample[quantity] = value

    def _set_race(self, text: str) -> None:
        race = None if text.lower() == NO_RACE else number("race", text)
        is_first = self.race is None and not self._is_between  # what waits may be its sample: some cars say `race` last
        if race is None or (race != self.race and not is_first):
            self._sample.clear()  # what was measured before belongs to no race, or to another
            self._track = 0
        self.race, self._is_between = race, race is None

    def _complete(self) -> dict[str, Any] | None:
        if self._is_between:
            self._sample.clear()
        if self.race is None or any(quantity not in self._sample for quantity in MEASURED):
            return None
        channels = {"race": self.race, "track": self._track, **self._sample}
        self._sample.clear()
        return channels


def text_of(quantity: str, payload: bytes) -> str:
    """A value as text.

    Raises:
        BadReading: It is not a short text.
    """
    try:
        text = payload.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise BadReading("is not UTF-8 text", field=quantity) from error
    is_number = quantity in NUMBERS
    longest = NUMBER_LIMIT if is_number else TEXT_LIMIT
    if not int(is_number) <= len(text) <= longest or "\0" in text:
        raise BadReading(f"must be text of {int(is_number)} to {longest} characters", field=quantity)
    return text


def number(quantity: str, text: str) -> int | float:
    """A number written as text; a whole one is an integer.

    Raises:
        BadReading: It is none, or not finite.

    >>> number("race", "12.00"), number("speed", "12.3")
    (12, 12.3)
    """
    try:
        value = float(text.replace("_", "x"))  # Python alone reads 1_000 as a number
    except ValueError as error:
        raise BadReading(f"must be a number, not {text!r}", field=quantity) from error
    if value != value or abs(value) > INTEGER_LIMIT:  # noqa: PLR0124 - only NaN differs from itself
        raise BadReading(f"must be a number within 2⁵³, not {text!r}", field=quantity)
    return int(value) if value.is_integer() else value
