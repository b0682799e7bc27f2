"""A thread that answers is free as soon as it has answered, however slowly its client reads."""

import asyncio
import threading

import pytest

from releve.http.request import Limits, Request
from releve.serve.control import thread
from releve.serve.control.thread import Threads
from releve.serve.spool import Spool

WITHIN_S = 20
LONG = 5 * 1024 * 1024


class Client:
    def __init__(self):
        self.reads = asyncio.Event()
        self.body = bytearray()
        self.status = None

    async def receive(self):
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message):
        await self.reads.wait()
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")


def request(client, path="/"):
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"h")],
        "http_version": "1.1",
        "server": None,
        "client": None,
    }
    return Request(scope, client.receive, path=path, limits=Limits(1000, 10.0), id="r")


def long_answer(_environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    for _ in range(LONG // 65536):
        yield b"x" * 65536


async def test_clients_that_read_nothing_hold_no_thread():
    threads = Threads(long_answer, threads=2)
    deaf = [Client() for _ in range(8)]
    waiting = [asyncio.create_task(threads.answer(request(client), client.send)) for client in deaf]
    good = Client()
    good.reads.set()

    await asyncio.wait_for(threads.answer(request(good), good.send), WITHIN_S)

    assert len(good.body) == LONG
    for client in deaf:
        client.reads.set()
    await asyncio.wait_for(asyncio.gather(*waiting), WITHIN_S)
    assert [(client.status, len(client.body)) for client in deaf] == [(200, LONG)] * 8


async def test_that_no_thread_is_free_is_noticed_and_forgotten_once_one_is(monkeypatch):
    monkeypatch.setattr(thread, "STUCK_S", 0.05)
    may_end = threading.Event()

    def stuck(_environ, start_response):
        may_end.wait(WITHIN_S)
        start_response("200 OK", [])
        return [b"done"]

    threads = Threads(stuck, threads=1)
    clients = [Client() for _ in range(2)]
    for client in clients:
        client.reads.set()
    waiting = [asyncio.create_task(threads.answer(request(client), client.send)) for client in clients]
    async with asyncio.timeout(WITHIN_S):
        while not threads.reasons():  # noqa: ASYNC110 - it is a lapse of time, so no event ends it
            await asyncio.sleep(0.01)

    assert "no thread" in threads.reasons()[0]

    may_end.set()
    await asyncio.wait_for(asyncio.gather(*waiting), WITHIN_S)
    assert threads.reasons() == []


async def test_what_the_application_raises_is_raised():
    def broken(_environ, _start_response):
        raise OSError("no")

    client = Client()
    client.reads.set()

    with pytest.raises(OSError, match="no"):
        await asyncio.wait_for(Threads(broken, threads=1).answer(request(client), client.send), WITHIN_S)


async def test_beyond_its_bound_the_spool_makes_the_thread_wait_and_loses_nothing():
    client = Client()
    with Spool(most_bytes=100_000) as waits:
        await waits.put({"type": "http.response.start", "status": 200, "headers": []})
        taken = 0

        async def fill():
            nonlocal taken
            for number in range(10):
                await waits.put({"type": "http.response.body", "body": bytes([number]) * 50_000, "more_body": True})
                taken += 1
            await waits.put({"type": "http.response.body", "body": b""})

        filling = asyncio.create_task(fill())
        sending = asyncio.create_task(waits.send_to(client.send))
        await asyncio.sleep(0.05)
        assert taken < 5

        client.reads.set()
        await asyncio.wait_for(asyncio.gather(filling, sending), WITHIN_S)

    assert bytes(client.body) == b"".join(bytes([number]) * 50_000 for number in range(10))
