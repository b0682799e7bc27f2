"""The last values of cars: written at once where an acknowledgement waits, else a few times a second."""

import asyncio
from contextlib import suppress

import pytest

from releve.ingest import last_value
from releve.ingest.last_value import LastValues
from releve.protocol.problem import Unavailable

WITHIN_S = 10


class Store:
    """Keeps what is written, or does not answer."""

    def __init__(self):
        self.written = []
        self.is_away = False

    async def keep_values(self, rows):
        if self.is_away:
            raise Unavailable
        self.written.append(rows)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
async def kept(store, monkeypatch):
    """Last values whose next beat never comes by itself."""
    monkeypatch.setattr(last_value, "EVERY_S", 3600)
    made = LastValues(store)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_what_an_acknowledgement_waits_for_is_written_at_once_each_time(kept, store):
    for number in range(3):
        kept.keep([(1, "esp32bis/speed", str(number), number)])
        await asyncio.wait_for(kept.kept(), WITHIN_S)

    assert store.written == [[(1, "esp32bis/speed", str(number), number)] for number in range(3)]


async def test_what_nobody_waits_for_is_written_with_the_next_that_somebody_does(kept, store):
    kept.keep([(1, "esp32bis/speed", "1", 1)])
    await asyncio.wait_for(kept.kept(), WITHIN_S)
    kept.keep([(1, "esp32bis/speed", "2", 2)])
    kept.keep([(1, "esp32bis/speed", "3", 3)])
    kept.keep([(2, "esp32bis/speed", "4", 4)])
    await asyncio.sleep(0)
    assert len(store.written) == 1

    await asyncio.wait_for(kept.kept(), WITHIN_S)

    assert store.written[1:] == [[(1, "esp32bis/speed", "3", 3), (2, "esp32bis/speed", "4", 4)]]


async def test_while_the_database_is_away_nothing_is_acknowledged_and_nothing_forgotten(kept, store):
    told = []
    kept.on_kept = told.extend
    store.is_away = True
    kept.keep([(1, "esp32bis/speed", "1", 1)])
    with pytest.raises(Unavailable):
        await asyncio.wait_for(kept.kept(), WITHIN_S)
    assert told == []

    store.is_away = False
    await asyncio.wait_for(kept.kept(), WITHIN_S)

    assert told == [(1, "esp32bis/speed", "1", 1)]


async def test_whoever_waits_is_told_when_writing_breaks(store):
    made = LastValues(store)

    async def broken(_rows):
        raise KeyError("topic")

    store.keep_values = broken
    made.keep([(1, "esp32bis/speed", "1", 1)])
    waiting = asyncio.create_task(made.kept())
    await asyncio.sleep(0)

    with pytest.raises(KeyError):
        await made.flush()
    with pytest.raises(Unavailable):
        await asyncio.wait_for(waiting, WITHIN_S)
