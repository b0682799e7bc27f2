"""FastAPI as it is usually written: a model, a dependency for the token, one INSERT and one commit a request."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import jwt
import psycopg
from bench.peer.table import CREATE, INSERT, keyring
from fastapi import Depends, FastAPI, Header, HTTPException
from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field

CONNECTIONS = 16
_keys = keyring()
_idle: "asyncio.Queue[psycopg.AsyncConnection[Any]]" = asyncio.Queue()


class Reading(BaseModel):
    machine_id: int
    timestamp: datetime
    acceleration_x: float
    acceleration_y: float
    acceleration_z: float
    repetitions: int = Field(ge=0)
    series_time: float = Field(ge=0)
    rest_time: float = Field(ge=0)


@asynccontextmanager
async def lifespan(_application: FastAPI) -> AsyncIterator[None]:
    for _ in range(CONNECTIONS):
        connection = await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True)
        await connection.execute(CREATE)
        _idle.put_nowait(connection)
    yield
    while not _idle.empty():
        await _idle.get_nowait().close()


application = FastAPI(lifespan=lifespan)


def device(token: Annotated[str, Header()]) -> int:
    try:
        claims = jwt.decode(token, _keys[jwt.get_unverified_header(token)["kid"]], algorithms=["HS256"])
    except (jwt.InvalidTokenError, KeyError) as error:
        raise HTTPException(401) from error
    return int(claims["sub"][2:])


@application.get("/")
async def ready() -> dict[str, str]:
    return {}


@application.post("/data")
async def data(reading: Reading, device_id: Annotated[int, Depends(device)]) -> dict[str, str]:
    channels = reading.model_dump(exclude={"timestamp"})
    moment = reading.timestamp.replace(tzinfo=UTC)
    connection = await _idle.get()
    try:
        await connection.execute(INSERT, [device_id, moment, Jsonb(channels)])
    finally:
        _idle.put_nowait(connection)
    return {"message": "Données reçues", "device": "bench"}
