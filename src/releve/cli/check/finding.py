"""What a check found."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report.

    Attributes:
        check: What was looked at.
        state: How bad it is.
        detail: What was seen.
        mend: What to do about it.
    """

    check: str
    state: State
    detail: str
    mend: str = ""


def ok(check: str, detail: str) -> Finding:
    """All is well."""
    return Finding(check, State.OK, detail)


def warn(check: str, detail: str, mend: str) -> Finding:
    """It works, and may not for ever."""
    return Finding(check, State.WARN, detail, mend)


def fail(check: str, detail: str, mend: str) -> Finding:
    """It does not work, or not as promised."""
    return Finding(check, State.FAIL, detail, mend)
