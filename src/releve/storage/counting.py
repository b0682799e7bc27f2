"""Which of a device's readings count in a run: those of its part that no exclusion leaves out.

One answer for every reader. A statement has `/*counts*/` where its readings, called `r`, are chosen.
"""

from collections.abc import Sequence
from typing import Any, LiteralString, NamedTuple

from releve.protocol.run.part import part_values
from releve.storage.queries import query


class LeftOut(NamedTuple):
    """Readings that an exclusion leaves out: those from `since` up to `until`, or the only one of that identity."""

    since: Any
    until: Any
    reading_id: int | None
    part: str


def counting(statement: LiteralString, part: str, left_out: Sequence[LeftOut]) -> LiteralString:
    """The statement with its condition; what cannot apply is left out, because a million rows need not pass it."""
    conditions: list[LiteralString] = []
    if part:
        conditions.append("(" + query("counts_part").strip() + ")")
    if left_out:
        conditions.append("(" + query("counts_exclusion").strip() + ")")
    condition: LiteralString = " AND ".join(conditions) if conditions else "true"
    return statement.replace("/*counts*/", "(" + condition + ")")


def counting_values(part: str, left_out: Sequence[LeftOut]) -> dict[str, Any]:
    """What the condition is told."""
    name, number, text = part_values(part)
    parts = [part_values(each.part) for each in left_out]
    return {
        "part_name": name,
        "part_number": number,
        "part_text": text,
        "x_since": [each.since for each in left_out],
        "x_until": [each.until for each in left_out],
        "x_reading": [each.reading_id for each in left_out],
        "x_name": [name for name, _, _ in parts],
        "x_number": [number for _, number, _ in parts],
        "x_text": [text for _, _, text in parts],
    }
