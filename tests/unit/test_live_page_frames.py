"""One live page: the newest text of each topic waits, in the order of its arrival, and memory stays bounded."""

import asyncio
import json
import time
from zoneinfo import ZoneInfo

import msgspec
import pytest

from releve.access.visitor import FOR_EVER_S, Visitor
from releve.live import page as pages
from releve.live.page import MOST_WAITING, NORMAL, POLICY, Page
from releve.protocol.sender import Sender

VIEWER = Sender(
    principal="account:1", sign_in="ab12", name="bob@example.com", device_id=None, team_id=None, contract="generic",
    zone=ZoneInfo("UTC"), roles={7: "viewer"}, is_device=False, expires_s=FOR_EVER_S,
)  # fmt: skip


class Browser:
    """What a page is sent; it takes nothing until it may."""

    def __init__(self):
        self.frames = []
        self.may_read = asyncio.Event()
        self.taken = asyncio.Semaphore(0)
        self.goes = asyncio.Event()

    async def send(self, message):
        await self.may_read.wait()
        self.frames.append(json.loads(message["text"]))
        self.taken.release()

    async def receive(self):
        await self.goes.wait()
        return {"type": "websocket.disconnect"}


@pytest.fixture
def browser():
    return Browser()


def page_of(sender=VIEWER, again=None, **options):
    async def look():
        return again

    return Page(Visitor(sender, look), **options)


def put(page, topic, text, *, team_id=7, device="car1"):
    page.put(device=device, team_id=team_id, topic=topic, text=text)


async def test_a_slow_page_finds_the_newest_text_of_each_topic(browser):
    page = page_of()
    running = asyncio.create_task(page.run(browser.receive, browser.send))
    for tick in range(1_000):
        put(page, "esp32bis/speed", str(tick))
        put(page, "esp32bis/distance", str(2 * tick))

    browser.may_read.set()
    await browser.taken.acquire()
    await browser.taken.acquire()
    browser.goes.set()

    assert await running is None
    assert browser.frames == [
        {"topic": "esp32bis/speed", "message": "999"},
        {"topic": "esp32bis/distance", "message": "1998"},
    ]


def test_no_more_than_so_many_topics_wait():
    page = page_of()

    for number in range(3 * MOST_WAITING):
        put(page, f"esp32bis/{number}", "1")

    assert len(page._waiting) == MOST_WAITING
    assert ("car1", f"esp32bis/{3 * MOST_WAITING - 1}") in page._waiting


def test_another_teams_value_and_another_cars_never_wait():
    page = page_of(device="car1")

    put(page, "esp32bis/speed", "1", team_id=8)
    put(page, "esp32bis/speed", "1", device="car2")

    assert page._waiting == {}


async def test_two_cars_with_the_same_topic_do_not_take_each_others_place(browser):
    page = page_of()
    put(page, "esp32bis/speed", "1", device="car1")
    put(page, "esp32bis/speed", "2", device="car2")
    browser.may_read.set()
    running = asyncio.create_task(page.run(browser.receive, browser.send))
    await browser.taken.acquire()
    await browser.taken.acquire()
    browser.goes.set()
    await running

    assert [frame["message"] for frame in browser.frames] == ["1", "2"]


async def test_it_ends_with_the_token_and_with_the_sign_in(browser):
    ended = page_of(msgspec.structs.replace(VIEWER, expires_s=time.time() + 0.05))
    revoked = page_of(again=None)
    running = asyncio.create_task(revoked.run(browser.receive, browser.send))
    await revoked.look_again()

    assert await ended.run(browser.receive, browser.send) == POLICY
    assert await running == POLICY


async def test_a_page_that_takes_nothing_for_long_is_closed(browser, monkeypatch):
    monkeypatch.setattr(pages, "SEND_S", 0.05)
    page = page_of()
    put(page, "esp32bis/speed", "1")

    assert await page.run(browser.receive, browser.send) == NORMAL
