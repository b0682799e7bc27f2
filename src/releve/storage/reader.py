"""Whoever answers statements about history: the same code asks in asyncio and, over a connection, without."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from typing import Any, LiteralString, ParamSpec, Protocol, TypeVar

import numpy as np
import psycopg
from psycopg import AsyncConnection, postgres
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.rows import tuple_row

from releve.history.array import Integers, Reals

Row = tuple[Any, ...]
_HEADER = 20  # of an array of one dimension: dimensions, flag, type, length, lower bound
_EPOCH_2000_US = 946_684_800_000_000  # PostgreSQL counts from 2000
_P = ParamSpec("_P")
_T = TypeVar("_T")


class Reader(Protocol):
    """Answers one statement at a time, and lends a thread for work of more than a few milliseconds."""

    async def ask(self, statement: LiteralString, values: Mapping[str, Any]) -> list[Row]:
        """What a statement answers, nothing where it answers none.

        Arrays of int8, of float8, and of timestamptz as microseconds since 1970, come as numpy arrays; no member may
        be NULL.
        """

    async def work(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a function aside of the event loop, where there is one."""


class AsyncReader:
    """Reads over one connection, within whatever transaction it is in."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection

    async def ask(self, statement: LiteralString, values: Mapping[str, Any]) -> list[Row]:
        """What the statement answers."""
        async with self._connection.cursor(binary=True, row_factory=tuple_row) as cursor:
            load_arrays(cursor)
            await cursor.execute(statement, values)
            return await cursor.fetchall() if cursor.description else []

    async def work(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call the function in a thread."""
        return await asyncio.to_thread(function, *args, **kwargs)


class ConnectionReader:
    """Reads over a synchronous connection: its coroutines never wait, so `now` and `each` run what is made of them."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    async def ask(self, statement: LiteralString, values: Mapping[str, Any]) -> list[Row]:
        """What the statement answers."""
        with psycopg.Cursor(self._connection, row_factory=tuple_row) as cursor:  # Django's own kind answers text only
            cursor.format = Format.BINARY
            load_arrays(cursor)
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    async def work(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call the function."""
        return function(*args, **kwargs)


def now(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """The result of a coroutine that never waits, because a `ConnectionReader` answers it.

    Raises:
        RuntimeError: It waits for something.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: _T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("a coroutine that was to answer at once waits for something")


def each(iterator: AsyncIterator[_T]) -> Iterator[_T]:
    """The items of an iterator that never waits."""
    while True:
        try:
            yield now(_next(iterator))
        except StopAsyncIteration:
            return


async def _next(iterator: AsyncIterator[_T]) -> _T:
    return await anext(iterator)


def load_arrays(context: AdaptContext) -> None:
    """Let a cursor answer arrays of numbers and of times as numpy arrays."""
    context.adapters.register_loader(postgres.types["int8"].array_oid, _Numbers)
    context.adapters.register_loader(postgres.types["float8"].array_oid, _Reals)
    context.adapters.register_loader(postgres.types["timestamptz"].array_oid, _Instants)


class _Numbers(Loader):
    """An array of whole numbers, none of them NULL, straight from its bytes."""

    format = Format.BINARY
    _each = np.dtype([("length", ">i4"), ("value", ">i8")])

    def load(self, data: Buffer) -> Integers:
        return np.frombuffer(data, self._each, offset=min(_HEADER, len(data)))["value"].astype(np.int64)


class _Reals(Loader):
    """An array of doubles, none of them NULL."""

    format = Format.BINARY
    _each = np.dtype([("length", ">i4"), ("value", ">f8")])

    def load(self, data: Buffer) -> Reals:
        return np.frombuffer(data, self._each, offset=min(_HEADER, len(data)))["value"].astype(np.float64)


class _Instants(_Numbers):
    """An array of times, none of them NULL, as microseconds since 1970."""

    def load(self, data: Buffer) -> Integers:
        return super().load(data) + _EPOCH_2000_US
