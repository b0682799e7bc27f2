"""How often what happened in this process, for `/metrics`; counts only grow."""

from collections import Counter
from threading import Lock

NAMES = ("sign_ins", "sign_in_failures", "lockouts", "refreshes", "refresh_refusals", "refresh_reuses", "revocations")
_counts: Counter[str] = Counter(dict.fromkeys(NAMES, 0))
_lock = Lock()


def count(name: str) -> None:
    """Count one."""
    with _lock:
        _counts[name] += 1


def snapshot() -> dict[str, int]:
    """Every counter by its name, zeros included."""
    with _lock:
        return dict(_counts)
