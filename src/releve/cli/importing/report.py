"""What became of each line: counts, and every line that was not taken, with the field and the reason."""

import csv
import json
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from releve.cli.importing.number import perhaps
from releve.protocol.identity import EXACT

SHOWN = 20
SHOWN_READINGS = 3
TAKEN = frozenset({"stored", "duplicate", "accepted", "empty"})
_NUMBER_START = frozenset("+-0123456789")


class Report:
    """Counts lines by how they ended, and writes down those that were not taken.

    Args:
        path: Where each of them is written; None for nowhere.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stack = ExitStack()
        self._write: Any = None
        self.outcomes: Counter[str] = Counter()
        self.first: list[dict[str, Any]] = []
        self.readings: list[dict[str, Any]] = []
        self._numbers: dict[str, dict[str, Any]] = {}
        self._texts: dict[str, dict[str, Any]] = {}
        self._counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        """Begin the file."""
        if self._path is not None:
            file = self._stack.enter_context(self._path.open("w", encoding="utf-8", newline=""))
            self._write = csv.writer(file, lineterminator="\n").writerow
            self._write(["line", "outcome", "field", "reason"])
        return self

    def __exit__(self, *_: object) -> None:
        """End the file."""
        self._stack.close()

    @property
    def is_partial(self) -> bool:
        """Whether a line was not taken."""
        return any(outcome not in TAKEN for outcome in self.outcomes)

    def ended(self, line: int, outcome: str, field: str | None = None, reason: str | None = None) -> None:
        """Note how a line ended."""
        self.outcomes[outcome] += 1
        if outcome in TAKEN:
            return
        if self._write is not None:
            self._write([line, outcome, field or "", reason or ""])
        if len(self.first) < SHOWN:
            self.first.append({"line": line, "outcome": outcome, "field": field or "", "reason": reason or ""})

    def read(self, line: int, reading: Mapping[str, Any], verdict: Mapping[str, Any]) -> None:
        """Note what a line was read as: the first few, and numbers that stay text."""
        if len(self.readings) < SHOWN_READINGS and verdict["outcome"] in TAKEN:
            time = verdict.get("time", reading["time"])
            self.readings.append({"line": line, "time": time, "channels": reading["channels"]})
        if str(reading.get("id", "")).startswith(EXACT):
            return
        for channel, value in reading["channels"].items():
            if type(value) is str:
                is_number = value[:1] in _NUMBER_START and perhaps(value)
                kept = self._numbers if is_number else self._texts
                noted = kept.setdefault(channel, {"channel": channel, "count": 0, "line": line, "text": value})
                noted["count"] += 1
            elif type(value) is not bool:
                self._counts[channel] += 1

    @property
    def _strays(self) -> list[dict[str, Any]]:
        """The channels of numbers in which text came that looks like none."""
        return [each for channel, each in self._texts.items() if self._counts[channel] > each["count"]]

    def document(self) -> dict[str, Any]:
        """The counts, the first lines that were not taken, the numbers that stay text, and the text among numbers."""
        numbers = {"numbers_left_text": list(self._numbers.values())} if self._numbers else {}
        strays = {"text_among_numbers": self._strays} if self._strays else {}
        return {"lines": self.outcomes.total(), **self.outcomes, "not_taken": self.first, **numbers, **strays}

    def sentences(self) -> list[str]:
        """The same for people."""
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        told = [f"{self.outcomes.total()} lines: {counts}" if counts else "no line"]
        told += [f"line {each['line']}: {each['outcome']}: {_where(each)}" for each in self.first]
        missing = sum(count for outcome, count in self.outcomes.items() if outcome not in TAKEN) - len(self.first)
        if missing > 0:
            told.append(f"… and {missing} more; --report FILE writes all of them")
        return [*told, *map(_left_text, self._numbers.values()), *map(_among_numbers, self._strays)]

    def shown_readings(self) -> list[str]:
        """The first readings, for people."""
        return [f"  line {each['line']}: {each['time']}  {_values(each['channels'])}" for each in self.readings]


def _where(line: dict[str, Any]) -> str:
    return f"{line['field']}: {line['reason']}" if line["field"] else str(line["reason"])


def _values(channels: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in channels.items())


def _left_text(number: Mapping[str, Any]) -> str:
    count, text = number["count"], number["text"]
    option = "; if its comma is a decimal sign, say --decimal comma" if "," in text else ""
    return (
        f"{number['channel']}: {count} {'values look' if count > 1 else 'value looks'} like a number and "
        f"{'stay' if count > 1 else 'stays'} text, "
        f"the first {text!r} in line {number['line']}{option}"
    )


def _among_numbers(stray: Mapping[str, Any]) -> str:
    count = stray["count"]
    return (
        f"{stray['channel']}: {count} {'values are' if count > 1 else 'value is'} text among numbers and "
        f"{'count' if count > 1 else 'counts'} in no sum, the first {stray['text']!r} in line {stray['line']}"
    )
