"""Devices take turns: who is in the next group, and how a submission in pieces comes together again."""

import asyncio
from collections import Counter

import pytest

from releve.ingest.pace import LARGEST_GROUP, SMALLEST_GROUP, SMALLEST_QUEUE, Pace
from releve.ingest.turns import Ticket, Turns
from releve.protocol.clock import Instant, Rule
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import Unavailable
from releve.protocol.reading import Reading


def reading(number, *, device_id=1, rule=Rule.ZONED):
    instant = Instant(number, rule, count=number if rule is Rule.UPTIME else None)
    return Reading(
        device_id=device_id, instant=instant, id=number, received_us=0, channels=b"{}", sent=None, machine=None
    )


def ticket(count, *, device_id=1, **fields):
    entries = [reading(number, device_id=device_id, **fields) for number in range(count)]
    return Ticket(entries, device_id, asyncio.get_running_loop().create_future(), 0.0)


def turns_of(*submissions, dropped=None):
    turns = Turns(dropped=lambda *what: None if dropped is None else dropped.append(what))
    for each in submissions:
        turns.add(each)
    return turns


async def test_every_group_has_a_part_of_each_device_that_waits():
    floods = [ticket(5_000, device_id=number) for number in range(1, 21)]
    turns = turns_of(*floods, ticket(1, device_id=99))

    group = turns.take(2_000)

    parts = Counter()
    for piece in group:
        parts[piece.ticket.device_id] += len(piece.entries)
    assert parts[99] == 1
    assert sum(parts.values()) == 2_000
    assert max(parts.values()) - min(parts[number] for number in range(1, 21)) <= 20
    assert turns.waiting == 100_001 - 2_000


async def test_a_device_has_its_own_submissions_committed_in_order():
    turns = turns_of(ticket(3), ticket(2), ticket(4))

    taken = [piece.ticket.waiting + len(piece.entries) for piece in turns.take(100)]

    assert taken == [3, 2, 4]
    assert turns.waiting == 0


async def test_a_submission_in_pieces_is_answered_once_with_its_receipts_in_order():
    batch = ticket(5)
    turns = turns_of(batch)
    pieces = [turns.take(2)[0] for _ in range(3)]
    for piece in reversed(pieces):
        assert not batch.answer.done()
        batch.settle(
            piece.first, [Receipt(Outcome.STORED, entry.instant.time_us, Rule.ZONED) for entry in piece.entries]
        )

    assert [receipt.time_us for receipt in batch.answer.result()] == [0, 1, 2, 3, 4]


async def test_readings_that_count_since_boot_stay_together():
    turns = turns_of(ticket(500, rule=Rule.UPTIME))

    assert [len(piece.entries) for piece in turns.take(10)] == [500]


async def test_the_rest_of_a_submission_whose_first_piece_failed_is_not_committed():
    dropped = []
    batch = ticket(5)
    turns = turns_of(batch, ticket(1), dropped=dropped)
    turns.take(2)
    batch.refuse(Unavailable())

    rest = turns.take(100)

    assert [len(piece.entries) for piece in rest] == [1]
    assert dropped == [(1, 3)]
    assert turns.waiting == 0
    with pytest.raises(Unavailable):
        batch.answer.result()


def test_groups_and_the_queue_follow_the_measured_pace_within_bounds():
    pace = Pace()
    pace.note(1, 10.0)  # says how long a commit takes, and not how many readings fit
    assert pace.queue == 20_000
    for _ in range(60):
        pace.note(1_000, 0.2)
    assert 490 <= pace.group <= 510
    assert 4_900 <= pace.queue <= 5_100
    for _ in range(60):
        pace.note(100, 100.0)
    assert (pace.group, pace.queue) == (SMALLEST_GROUP, SMALLEST_QUEUE)
    for _ in range(60):
        pace.note(10_000, 0.001)
    assert pace.group == LARGEST_GROUP
