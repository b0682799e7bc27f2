"""Devices that sign in together are woken a few at a time, so that others' readings go on in between."""

import asyncio
import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from releve.access.device_sign_in import ANSWERED_AT_ONCE, AT_ONCE, DeviceSignIn, Lives, _settle
from releve.protocol.problem import Unavailable
from releve.storage.device_door import Judged, Knock

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


@pytest.mark.parametrize(("is_busy", "rests"), [(True, True), (False, False)])
async def test_between_two_groups_of_a_herd_readings_that_wait_have_as_much_time(is_busy, rests):
    began_s, ended_s = [], []

    class Door:
        async def sign_in(self, knocks, *, life_s):
            began_s.append(time.monotonic())
            await asyncio.sleep(0.05)
            ended_s.append(time.monotonic())
            return {knock.sign_in: Judged(knock.sign_in, 7, None, NOW, NOW) for knock in knocks}

    sign_in = DeviceSignIn(
        Door(),
        keyring=None,
        pepper=b"p",
        lives=Lives(sign_in_s=60, access_s=60),
        failure_window_s=60,
        count=lambda _event: None,
        is_busy=lambda: is_busy,
    )
    knocks = [Knock(uuid4(), "pi", "hash", "192.0.2.1", "test") for _ in range(2 * AT_ONCE)]
    await asyncio.gather(*(sign_in._judged(knock) for knock in knocks))

    assert (began_s[1] - ended_s[0] > 0.045) is rests
