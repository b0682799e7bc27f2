"""What is written to a connection: joined to one piece, and nothing to whoever has hung up."""

import asyncio
import socket
from contextlib import asynccontextmanager

import uvloop

from releve.http.protocol import JoinedWrites


def on_the_servers_loop(main):
    """Run it on uvloop: only its transports object to a write after their end."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


@asynccontextmanager
async def both_ends():
    """The server's transport, the client's socket, and what the loop complained about."""
    loop = asyncio.get_running_loop()
    complaints = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    made = loop.create_future()

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport):
            made.set_result(transport)

    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    client = await asyncio.to_thread(socket.create_connection, server.sockets[0].getsockname(), 20)
    yield JoinedWrites(await made, loop), client, complaints
    client.close()
    server.close()


async def a_turn():
    for _ in range(5):
        await asyncio.sleep(0.01)


def test_an_answer_to_a_connection_that_has_ended_is_dropped_without_a_trace():
    async def main():
        async with both_ends() as (transport, _, complaints):
            transport.abort()
            await a_turn()

            transport.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await a_turn()
            transport.close()
            await a_turn()

            assert complaints == []

    on_the_servers_loop(main())


def test_what_one_turn_wrote_arrives_whole_although_it_closes_at_once():
    async def main():
        async with both_ends() as (transport, client, complaints):
            transport.write(b"head ")
            transport.write(b"body")
            transport.close()
            await a_turn()

            assert client.recv(100) == b"head body"
            assert client.recv(100) == b""
            assert complaints == []

    on_the_servers_loop(main())
