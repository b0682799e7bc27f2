"""What AWS asks to confirm stays until the operator has seen it, whatever strangers post."""

import os
import time

import pytest

from releve.ingest.rule_action.routes import CONFIRMATION_STAYS_S, MOST_CONFIRMATIONS, Confirmation, Confirmations
from releve.protocol.problem import Throttled


def confirmation(name):
    return Confirmation(f"arn:aws:iot:eu-west-1:123456789012:ruledestination/http/{name}", "token", "https://x", "now")


def test_strangers_do_not_push_out_the_operator_s(tmp_path):
    kept = Confirmations(tmp_path)
    kept.keep(confirmation("operator"))
    for number in range(MOST_CONFIRMATIONS - 1):
        kept.keep(confirmation(f"stranger-{number}"))

    with pytest.raises(Throttled):
        kept.keep(confirmation("one-more"))
    kept.keep(confirmation("operator"))  # asked again

    assert confirmation("operator") in kept.all()
    assert len(kept.all()) == MOST_CONFIRMATIONS


def test_after_an_hour_the_oldest_makes_room(tmp_path):
    kept = Confirmations(tmp_path)
    for number in range(MOST_CONFIRMATIONS):
        kept.keep(confirmation(f"stranger-{number}"))
    long_ago = time.time() - CONFIRMATION_STAYS_S - 10
    oldest = min(tmp_path.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    os.utime(oldest, (long_ago, long_ago))

    kept.keep(confirmation("operator"))

    assert confirmation("operator") in kept.all()
    assert len(kept.all()) == MOST_CONFIRMATIONS
    assert not oldest.exists()
