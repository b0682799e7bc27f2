"""Many readings of one sensor in one object: arrays of values, and how far apart they were taken."""

from typing import Any

import msgspec

from releve.protocol import identity
from releve.protocol.channel import Run
from releve.protocol.clock import Instant, Rule
from releve.protocol.problem import BadReading
from releve.protocol.reading import INTEGER_LIMIT, Key, Original, Reading, check_real, type_names

LONGEST = 100_000
LEAST_STEP_US = 1
MOST_STEP_US = 86_400_000_000
STEP = ("step_ms", "rate_hz")
_NUMBERS = frozenset({int, float})


class Waveform(msgspec.Struct, gc=False):
    """The readings that one object with arrays stands for; made part by part, so that memory never holds them all.

    Attributes:
        first: The first of them, with the scalars beside the arrays.
        run: The arrays.
        key: The sender's message id for all of them, None for none.
        field: Where that message id came: `id` or `Idempotency-Key`.
    """

    first: Reading
    run: Run
    key: str | None
    field: str

    @property
    def count(self) -> int:
        """How many readings it is."""
        return self.run.count

    @property
    def last_us(self) -> int:
        """The instant of the last one, in microseconds since 1970 UTC."""
        return self.time_us(self.run.count - 1)

    def readings(self, start: int, end: int) -> list[Reading]:
        """Those from index `start` up to `end`."""
        return [self._reading(index) for index in range(start, min(end, self.run.count))]

    def time_us(self, index: int) -> int:
        """The instant of one of them."""
        return self.first.instant.time_us + round(index * self.run.step_us)

    def _reading(self, index: int) -> Reading:
        if index == 0:
            channels, sent, layout = self.first.channels, self.first.sent, self.first.layout
        else:
            values = {name: array[index] for name, array in self.run.arrays.items()}
            channels, sent, layout = identity.canonical(values), None, self.run.layout
        reading = msgspec.structs.replace(
            self.first,
            instant=Instant(self.time_us(index), Rule(self.first.instant.rule)),
            channels=channels,
            sent=sent,
            layout=layout,
            notices=(),
        )
        if self.key is None:
            reading.id = identity.of_content(channels)
        else:
            reading.keyed = True
            reading.key = Key(identity.key_hash(f"{self.key}\0{index}"), self.field)
            reading.identify()
        reading.original = self._original(reading)
        return reading

    def _original(self, reading: Reading) -> Original:
        """A reading of its own, as an export spells it: a replay of one is not to repeat all the others."""
        whole = self.first.original
        if whole is None:
            raise ValueError("a waveform comes as bytes")
        payload = b'{"time":%d,"id":"%b%d","channels":%b}' % (
            reading.instant.time_us,
            identity.EXACT.encode(),
            reading.id,
            reading.channels,
        )
        return msgspec.structs.replace(whole, payload=payload, contract="generic", time_field="time")


def take(fields: dict[str, Any], channels: dict[str, Any]) -> Run | None:
    """Take the arrays out of the channels, leaving the first value of each; None where there are no arrays.

    Args:
        fields: The object, which holds `step_ms` or `rate_hz`.
        channels: Its channels; changed where it is a waveform.

    Raises:
        BadReading: The step, an array or a value is wrong.
    """
    arrays = {name: value for name, value in channels.items() if type(value) is list}
    if not arrays:
        return None
    step_us = _step_us(fields)
    if fields.get("channels") is not channels:  # they stand beside the step, not within `channels`
        for name in STEP:
            channels.pop(name, None)
    count = _length(arrays)
    for name, values in arrays.items():
        _check(name, values)
        channels[name] = values[0]
    return Run(arrays, step_us, count)


def _step_us(fields: dict[str, Any]) -> float:
    given = [name for name in STEP if fields.get(name) is not None]
    if len(given) != 1:
        raise BadReading("stands beside `rate_hz`; send one of the two" if given else "is required", field=STEP[0])
    name, value = given[0], fields[given[0]]
    if type(value) not in _NUMBERS:
        raise BadReading(f"must be a number, not {type_names[type(value)]}", field=name)
    if value <= 0:
        raise BadReading(f"must be above 0, not {value:g}", field=name)
    step_us = value * 1_000 if name == "step_ms" else 1_000_000 / value
    if not LEAST_STEP_US <= step_us <= MOST_STEP_US:
        raise BadReading("is from a microsecond to a day between two readings", field=name)
    return float(step_us)


def _length(arrays: dict[str, list[Any]]) -> int:
    first, count = next((name, len(values)) for name, values in arrays.items())
    for name, values in arrays.items():
        if not values:
            raise BadReading("is an empty array", field=name)
        if len(values) > LONGEST:
            raise BadReading(f"{len(values)} values; at most {LONGEST} in one array", field=name)
        if len(values) != count:
            raise BadReading(f"{len(values)} values, and `{first}` has {count}; send arrays of one length", field=name)
    return count


def _check(name: str, values: list[Any]) -> None:
    kinds = set(map(type, values))
    if not kinds <= _NUMBERS:
        index = next(index for index, value in enumerate(values) if type(value) not in _NUMBERS)
        raise BadReading(f"value {index} must be a number, not {type_names[type(values[index])]}", field=name)
    check_real(name, max(values))
    check_real(name, min(values))
    if int in kinds and any(type(value) is int and abs(value) > INTEGER_LIMIT for value in values):
        raise BadReading("integer beyond 2⁵³; send it as a number with a fraction", field=name)
