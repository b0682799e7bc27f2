"""What became of each line: counts, and every line that was not taken, with the field and the reason."""

import csv
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

SHOWN = 20
TAKEN = frozenset({"stored", "duplicate", "accepted"})


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

    def document(self) -> dict[str, Any]:
        """The counts and the first lines that were not taken."""
        return {"lines": self.outcomes.total(), **self.outcomes, "not_taken": self.first}

    def sentences(self) -> list[str]:
        """The same for people."""
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        told = [f"{self.outcomes.total()} lines: {counts}" if counts else "no line"]
        told += [f"line {each['line']}: {each['outcome']}: {_where(each)}" for each in self.first]
        missing = sum(count for outcome, count in self.outcomes.items() if outcome not in TAKEN) - len(self.first)
        if missing > 0:
            told.append(f"… and {missing} more; --report FILE writes all of them")
        return told


def _where(line: dict[str, Any]) -> str:
    return f"{line['field']}: {line['reason']}" if line["field"] else str(line["reason"])
