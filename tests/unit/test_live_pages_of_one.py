"""One viewer's live pages are bounded, so that they keep nobody else's out (promise P4)."""

import asyncio
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from releve.access.visitor import FOR_EVER_S, Visitor
from releve.ingest.counters import Counters
from releve.live.websocket import MOST_OF_ONE, MOST_PAGES, LivePages
from releve.protocol.sender import Sender


def sender(principal):
    return Sender(
        principal=principal, sign_in="", name="", device_id=None, team_id=None, contract="generic",
        zone=ZoneInfo("UTC"), roles={7: "viewer"}, is_device=False, expires_s=FOR_EVER_S,
    )  # fmt: skip


class Visitors:
    async def who(self, scope):
        async def again():
            return sender(scope["principal"])

        return Visitor(sender(scope["principal"]), again)


@pytest.fixture
async def open_page():
    """Open a page: whether it was let in."""
    authenticator = SimpleNamespace(on_revoked=lambda _: None, feed=SimpleNamespace(is_cut=False))
    pages = LivePages(Visitors(), authenticator, Counters(), opened=lambda: None)
    tasks = []

    async def make(principal, address="192.0.2.1"):
        said = asyncio.get_running_loop().create_future()

        async def send(message):
            if not said.done():
                said.set_result(message["type"] == "websocket.accept")

        async def receive():
            if not said.done():
                return {"type": "websocket.connect"}
            return await asyncio.Event().wait()

        scope = {"principal": principal, "client": (address, 1), "query_string": b""}
        tasks.append(asyncio.create_task(pages.answer(scope, receive, send)))
        return await said

    yield make
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("one", "another"),
    [(("account:1",), ("account:2",)), (("", "192.0.2.1"), ("", "192.0.2.2")), (("", "192.0.2.1"), ("account:1",))],
)
async def test_one_viewers_pages_keep_nobody_elses_out(open_page, one, another):
    let_in = [await open_page(*one) for _ in range(MOST_OF_ONE + 3)]

    assert let_in == [True] * MOST_OF_ONE + [False] * 3
    assert MOST_OF_ONE < MOST_PAGES
    assert await open_page(*another)
