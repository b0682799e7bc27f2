"""The log says a lasting trouble once a minute and every single event."""

import pytest
import structlog

from releve.serve.process.fold import EVERY_S, MOST, Fold


class Log:
    """What the processor lets through, on a clock of the test's own."""

    def __init__(self):
        self.now_s = 0.0
        self.fold = Fold(clock=lambda: self.now_s)

    def say(self, method="warning", **line):
        try:
            return self.fold(None, method, line)
        except structlog.DropEvent:
            return None


@pytest.fixture
def log():
    return Log()


def test_the_same_trouble_is_said_once_a_minute_with_how_often_it_came(log):
    said = []
    for _ in range(601):  # five times a second for two minutes
        said.append(log.say(event="revocation feed is down", error="connection refused"))
        log.now_s += 0.2

    heard = [line for line in said if line]
    assert [line.get("repeated", 0) for line in heard] == [0, 299, 299]


def test_another_trouble_is_said_at_once(log):
    assert log.say(event="commit failed", readings=3, error="refused")
    assert log.say(event="commit failed", readings=9, error="refused") is None
    assert log.say(event="commit failed", readings=9, error="disk full")
    assert log.say(event="pages wait for the database", error="refused")


@pytest.mark.parametrize("fact", ["request_id", "address", "name", "path"])
def test_an_event_of_somebody_is_never_folded(log, fact):
    for _ in range(3):
        assert log.say(event="mqtt refused", **{fact: "x"})


def test_what_is_no_trouble_is_never_folded(log):
    for _ in range(3):
        assert log.say("info", event="part_ready")


def test_it_remembers_no_more_than_a_bound(log):
    for number in range(3 * MOST):
        log.say(event="trouble", error=str(number))

    assert len(log.fold._said) == MOST
    log.now_s += EVERY_S
    assert "repeated" not in log.say(event="trouble", error="0")
