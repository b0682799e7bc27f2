"""Whoever takes nothing of an answer is cut after a deadline, and whoever takes it slowly is not."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
import uvicorn
from uvicorn.server import ServerState

from releve.http.protocol import bounded

WITHIN_S = 20
PIECE = b"x" * 65536
PIECES = 200
REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


@asynccontextmanager
async def serving(application, *, write_s, buffer=4096):
    config = uvicorn.Config(application, http=bounded(header_s=5, body_s=5, write_s=write_s), lifespan="off", ws="none")
    config.load()
    state = ServerState()
    listener = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: config.http_protocol_class(config=config, server_state=state, app_state={}), sock=listener
    )
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.setblocking(False)
    try:
        await loop.sock_connect(client, listener.getsockname())
        await loop.sock_sendall(client, REQUEST)
        yield client
    finally:
        client.close()
        server.close()
        await server.wait_closed()


class Long:
    """Answers far more than sockets hold, and notes when the client is gone."""

    def __init__(self):
        self.is_cut = asyncio.Event()
        self.is_whole = asyncio.Event()

    async def __call__(self, _scope, receive, send):
        watching = asyncio.create_task(self._watch(receive))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(PIECES):
            await send({"type": "http.response.body", "body": PIECE, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        self.is_whole.set()
        watching.cancel()

    async def _watch(self, receive):
        while (await receive())["type"] != "http.disconnect":
            pass
        self.is_cut.set()


async def test_a_client_that_takes_nothing_is_cut():
    application = Long()
    async with serving(application, write_s=0.2):
        await asyncio.wait_for(application.is_cut.wait(), WITHIN_S)


async def test_a_client_that_takes_some_again_and_again_gets_it_all():
    application = Long()
    received = 0
    async with serving(application, write_s=2.0, buffer=1 << 20) as client:
        async with asyncio.timeout(10 * WITHIN_S):
            while received < PIECES * len(PIECE):
                received += len(await asyncio.get_running_loop().sock_recv(client, 1 << 20))
                await asyncio.sleep(0.005)

    assert application.is_whole.is_set()
    assert not application.is_cut.is_set()


@pytest.mark.parametrize("length", [0, 10])
async def test_a_short_answer_that_nobody_takes_is_nobodys_trouble(length):
    done = asyncio.Event()

    async def short(_scope, _receive, send):
        headers = [(b"content-length", b"%d" % length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"x" * length})
        done.set()

    async with serving(short, write_s=0.2):
        await asyncio.wait_for(done.wait(), WITHIN_S)
