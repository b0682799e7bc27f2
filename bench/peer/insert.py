"""Raw ASGI with one INSERT and one commit a request: what a careful hand-written service does without group commit."""

import asyncio
import os
from datetime import UTC, datetime
from typing import Any

import jwt
import msgspec
import psycopg
from bench.peer.table import CREATE, INSERT, keyring

CONNECTIONS = 16
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder(order="sorted").encode
_idle: "asyncio.Queue[psycopg.AsyncConnection[Any]]" = asyncio.Queue()
_keys = keyring()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["path"] == "/":
        await _answer(send, b"{}")
    else:
        await _take(scope, receive, send)


async def _take(scope: dict[str, Any], receive: Any, send: Any) -> None:
    headers = dict(scope["headers"])
    token = headers[b"token"].decode()
    claims = jwt.decode(token, _keys[jwt.get_unverified_header(token)["kid"]], algorithms=["HS256"])
    fields = _decode(await _body(receive))
    moment = datetime.fromisoformat(fields.pop("timestamp")).replace(tzinfo=UTC)
    connection = await _idle.get()
    try:
        await connection.execute(INSERT, [int(claims["sub"][2:]), moment, _encode(fields).decode()])
    finally:
        _idle.put_nowait(connection)
    await _answer(send, b'{"message":"Donn\xc3\xa9es re\xc3\xa7ues","device":"bench"}')


async def _body(receive: Any) -> bytes:
    message = await receive()
    body: bytes = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    return body


async def _answer(send: Any, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Any, send: Any) -> None:
    while (await receive())["type"] == "lifespan.startup":
        for _ in range(CONNECTIONS):
            connection = await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True)
            await connection.execute(CREATE)
            _idle.put_nowait(connection)
        await send({"type": "lifespan.startup.complete"})
    while not _idle.empty():
        await _idle.get_nowait().close()
    await send({"type": "lifespan.shutdown.complete"})
