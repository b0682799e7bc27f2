"""What workers tell each other follows what somebody watches: nothing else is sent."""

import asyncio

import pytest

from releve.live.feed import MOST_LATE, Feed
from releve.live.heard import Heard


@pytest.fixture
async def feeds(tmp_path):
    """Three workers' feeds, and what each has heard."""
    found, heard = [Feed(tmp_path, index=number) for number in range(3)], [[], [], []]
    for feed, news in zip(found, heard, strict=True):
        feed.open(news.extend)
    yield found, heard
    for feed in found:
        feed.close()


def look(feeds, *wishes):
    for feed, wish in zip(feeds * 2, wishes * 2, strict=True):
        feed.announce(wish)


@pytest.mark.parametrize(
    ("wishes", "wanted"),
    [(([], [7], [8, 9]), {7, 8, 9}), (([1], [], [2]), {2}), (([], [3], None), None), (([], [], []), set())],
)
async def test_a_worker_knows_which_devices_the_others_ask_for(feeds, wishes, wanted):
    look(feeds[0], *wishes)

    assert feeds[0][0].wanted_elsewhere == wanted


async def test_what_is_asked_for_is_heard_and_no_longer_once_nobody_asks(feeds):
    one, _, _ = feeds[0]
    look(feeds[0], [], [7], [])
    one.tell([Heard(7, 1, b"{}")])
    await asyncio.sleep(0.05)
    look(feeds[0], [], [], [])
    one.tell([Heard(7, 2, b"{}")])
    await asyncio.sleep(0.05)

    assert feeds[1] == [[], [Heard(7, 1, b"{}")], []]


async def test_an_earlier_releases_empty_file_asks_for_everything(feeds, tmp_path):
    (tmp_path / "live-9.wanted").touch()
    look(feeds[0], [], [], [])

    assert feeds[0][0].wanted_elsewhere is None


async def test_more_devices_than_fit_into_a_question_are_everything(feeds):
    look(feeds[0], [], range(1, 3_000), [])

    assert feeds[0][0].wanted_elsewhere is None


async def test_what_does_not_fit_into_a_busy_siblings_socket_comes_later_in_its_order(feeds):
    one, _, _ = feeds[0]
    look(feeds[0], [], [7], [])
    for number in range(100):  # Linux keeps ten datagrams of a socket that nobody reads
        one.tell([Heard(7, number, b"{}")])
    for _ in range(500):
        await asyncio.sleep(0.01 if len(feeds[1][1]) < 100 else 0)

    assert [news.time_us for news in feeds[1][1]] == list(range(100))


async def test_for_a_sibling_that_reads_nothing_a_bounded_number_waits(feeds, monkeypatch):
    one, _, _ = feeds[0]
    look(feeds[0], [], [7], [])
    monkeypatch.setattr(one, "_is_sent", lambda datagram, path: False)
    for number in range(3 * MOST_LATE):
        one.tell([Heard(7, number, b"{}")])

    assert [len(late) for late in one._late.values()] == [MOST_LATE]
