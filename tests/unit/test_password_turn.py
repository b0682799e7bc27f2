"""Whoever waits for a slow hash waits in the event loop, and addresses take turns."""

import asyncio
from types import SimpleNamespace

import pytest

from releve.access import password_turn
from releve.access.password_turn import Busy, Turns, is_slow


async def test_a_guesser_on_many_connections_delays_somebody_else_by_one_turn():
    gate = Turns(1)
    order, may_end = [], asyncio.Semaphore(0)

    async def ask(address):
        async with gate.turn(address):
            order.append(address)
            await may_end.acquire()

    asking = [asyncio.create_task(ask("guesser")) for _ in range(6)]
    await asyncio.sleep(0)
    asking.append(asyncio.create_task(ask("alice")))
    await asyncio.sleep(0)
    for _ in asking:
        may_end.release()
    await asyncio.gather(*asking)

    assert order.index("alice") <= 2
    assert order.count("guesser") == 6


async def test_one_address_may_not_fill_the_queue():
    gate = Turns(1)
    async with gate.turn("first"):
        waiting = [asyncio.create_task(_pass(gate, "guesser")) for _ in range(password_turn.WAITING_OF_ONE)]
        await asyncio.sleep(0)

        with pytest.raises(Busy):
            await _pass(gate, "guesser")
        other = asyncio.create_task(_pass(gate, "alice"))
        await asyncio.sleep(0)

    await asyncio.gather(other, *waiting)


async def test_a_turn_that_does_not_come_in_time_and_a_hang_up_lose_no_turn(monkeypatch):
    gate = Turns(1)
    async with gate.turn("first"):
        with monkeypatch.context() as impatient:
            impatient.setattr(password_turn, "WAIT_S", 0.01)
            with pytest.raises(Busy):
                await _pass(gate, "late")
        hung_up = asyncio.create_task(_pass(gate, "gone"))
        await asyncio.sleep(0)
        hung_up.cancel()
        await asyncio.gather(hung_up, return_exceptions=True)

    async with asyncio.timeout(5):
        await _pass(gate, "alice")


async def test_hashes_one_after_another_are_computed_half_of_the_time_at_most():
    gate, loop = Turns(2), asyncio.get_running_loop()
    since_s = loop.time()
    for _ in range(8):
        async with gate.turn("alice"):
            await asyncio.sleep(0.02)

    assert loop.time() - since_s >= 0.28  # the last two rest after we have seen their end


async def test_a_turn_that_was_kept_for_long_does_not_rest_as_long(monkeypatch):
    monkeypatch.setattr(password_turn, "LONGEST_S", 0.01)
    gate = Turns(1)
    async with gate.turn("slow"):
        await asyncio.sleep(0.2)
    async with asyncio.timeout(0.15):
        await _pass(gate, "alice")


@pytest.mark.parametrize(
    ("method", "path", "slow"),
    [
        ("POST", "/api/token", True),
        ("POST", "/account/login", True),
        ("POST", "/admin/login", True),
        ("GET", "/account/login", False),
        ("POST", "/api/token/refresh", False),
        ("POST", "/vehicle", False),
    ],
)
def test_only_what_may_check_a_password_waits(method, path, slow):
    assert is_slow(SimpleNamespace(method=method, path=path)) is slow


async def test_whoever_sends_a_body_slowly_holds_no_turn():
    gate = Turns(1)
    arrived = asyncio.Event()
    answered = []

    class Slow:
        method, path, address = "POST", "/account/login", "192.0.2.1"

        async def keep_body(self):
            await arrived.wait()

    class Quick(Slow):
        async def keep_body(self):
            pass

    async def handler(request, _send):
        answered.append(type(request).__name__)

    answer = gate.before(handler)
    slow = asyncio.create_task(answer(Slow(), None))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await answer(Quick(), None)
    arrived.set()
    await slow

    assert answered == ["Quick", "Slow"]


async def _pass(gate, address):
    async with gate.turn(address):
        pass
