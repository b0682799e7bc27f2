"""A file on its way to the server: batches keep their order, and the next one is read while one is sent."""

import threading
from datetime import UTC

import pytest

from releve.cli.importing.history import BATCH_READINGS, carry
from releve.cli.importing.line import Line, Source
from releve.cli.importing.reading import Rules
from releve.cli.importing.report import Report
from releve.cli.importing.sending import NotTaken, Uploads
from releve.protocol.problem import BadReading
from releve.protocol.twice import Passes

LONG_S = 60  # far beyond what any step takes


class Target:
    def __init__(self, before=lambda: None):
        self.batches = []
        self.stopped = False
        self._before = before

    def take(self, batch):
        self._before()
        self.batches.append(batch)
        return [{"outcome": "stored"} for _ in batch]

    def stop(self):
        self.stopped = True


def source(lines):
    return Source(lines, 1, lambda: 0)


def line(number):
    if number % 3 == 0:
        return Line(number, {}, BadReading("broken"))
    return Line(number, {"time": 1_780_000_000 + number, "v": number})


def carried(lines, target):
    counts = []
    with Report(None) as report:
        progress = lambda _, count: counts.append(count)  # noqa: E731 - two lines
        carry(source(lines), target, rules=Rules(), passes=Passes(UTC), report=report, progress=progress)
    return report, counts


def test_batches_go_in_their_order_and_every_line_has_its_own_verdict():
    target = Target()

    report, counts = carried([line(number) for number in range(1, 3_001)], target)

    sent = [payload for batch in target.batches for payload in batch]
    assert sent == sorted(sent)
    assert [count for count in counts if count] == [BATCH_READINGS] * 3
    assert report.document()["stored"] == 2_000
    assert [each["line"] for each in report.first[:3]] == [3, 6, 9]
    assert target.stopped


def test_while_one_batch_is_sent_the_next_is_read():
    read_on = threading.Event()
    waited = []

    def lines():
        for number in range(1, 2 * BATCH_READINGS + 1):
            if number == BATCH_READINGS + 2:  # the first batch is away by then
                read_on.set()
            yield Line(number, {"time": 1_780_000_000 + number, "v": 1})

    carried(lines(), Target(before=lambda: waited.append(read_on.wait(LONG_S))))

    assert waited == [True, True]


def test_a_target_that_takes_no_more_ends_it_and_is_sent_nothing_else():
    target = Target()
    take = target.take

    def second_fails(batch):
        if target.batches:
            raise NotTaken("enough")
        return take(batch)

    target.take = second_fails

    with pytest.raises(NotTaken, match="enough"):
        carried([Line(number, {"time": 1_780_000_000 + number, "v": 1}) for number in range(1, 5_001)], target)

    assert (len(target.batches), target.stopped) == (1, True)


def test_an_upload_that_is_stopped_tries_its_batch_no_more():
    uploads = Uploads("http://127.0.0.1:9", "token")  # where nobody listens
    uploads._was_there = True
    uploads.stop()

    with pytest.raises(NotTaken, match="does not answer"):
        uploads.take([b"{}"])

    uploads.close()
