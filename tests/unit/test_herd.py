"""Devices that sign in together are woken a few at a time, so that others' readings go on in between."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from releve.access.device_sign_in import ANSWERED_AT_ONCE, _settle
from releve.protocol.problem import Unavailable
from releve.storage.device_door import Judged

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def judged(device):
    return Judged(uuid4(), device, None, NOW, NOW)


async def test_a_herd_is_let_in_a_few_at_each_turn_of_the_loop():
    loop = asyncio.get_running_loop()
    waiting = [loop.create_future() for _ in range(10 * ANSWERED_AT_ONCE)]
    most = 0

    _settle([(future, judged(number)) for number, future in enumerate(waiting)])
    for _ in range(len(waiting)):
        before = sum(each.done() for each in waiting)
        await asyncio.sleep(0)  # what somebody else does with a turn of the loop
        most = max(most, sum(each.done() for each in waiting) - before)

    assert [each.result().device_id for each in waiting] == list(range(len(waiting)))
    assert most == ANSWERED_AT_ONCE


async def test_whoever_gave_up_waiting_keeps_nobody_else_from_an_answer():
    loop = asyncio.get_running_loop()
    gone, served, failed = (loop.create_future() for _ in range(3))
    gone.cancel()

    _settle([(gone, judged(1)), (failed, Unavailable()), (served, judged(2))])

    assert (await served).device_id == 2
    with pytest.raises(Unavailable):
        await failed
