"""Requests of the data plane: headers that may stand once, bounded bodies, problem documents."""

import asyncio
import gzip
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releve.http.answer import answer_problem
from releve.http.request import STRANGERS_BYTES, Disconnected, InFlight, Limits, Request, inflated
from releve.protocol import problem
from releve.protocol.problem import (
    BadEncoding,
    BadReading,
    Overloaded,
    Problem,
    RepeatedHeader,
    TooLarge,
    TooSlow,
    UnsupportedMedia,
)

LIMITS = Limits(body_bytes=100, body_s=0.05)


def request(headers=(), messages=(), limits=LIMITS):
    waiting = list(messages)

    async def receive():
        if waiting:
            return waiting.pop(0)
        return await asyncio.Future()

    scope = {"method": "POST", "headers": list(headers), "query_string": b""}
    return Request(scope, receive, path="/data", limits=limits, id="1")


def body(*parts):
    return [
        {"type": "http.request", "body": part, "more_body": number < len(parts) - 1}
        for number, part in enumerate(parts)
    ]


@pytest.mark.parametrize("name", [b"authorization", b"token", b"host", b"content-type"])
def test_a_header_that_decides_who_sends_what_may_stand_once(name):
    with pytest.raises(RepeatedHeader):
        request([(name, b"a"), (name, b"b")])


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ([(b"authorization", b"Bearer abc")], "abc"),
        ([(b"authorization", b"bearer abc ")], "abc"),
        ([(b"authorization", b"Basic abc")], None),
        ([(b"authorization", b"abc")], None),
        ([(b"token", b"abc")], "abc"),
        ([(b"token", b"")], None),
        ([], None),
    ],
)
def test_a_token_comes_in_either_header(headers, token):
    assert request(headers).token() == token


async def test_a_body_in_pieces_is_one():
    assert await request(messages=body(b"a", b"b", b"c")).body() == b"abc"


async def test_a_body_beyond_the_limit_is_refused_announced_or_not():
    with pytest.raises(TooLarge):
        await request([(b"content-length", b"101")], body(b"")).body()
    with pytest.raises(TooLarge):
        await request(messages=body(b"x" * 60, b"x" * 60, b"")).body()


async def test_a_body_that_does_not_end_is_too_slow_and_a_client_that_left_is_no_sender():
    with pytest.raises(TooSlow):
        await request(messages=body(b"a", b"")[:1]).body()
    with pytest.raises(Disconnected):
        await request(messages=[{"type": "http.disconnect"}]).body()


@given(st.binary(max_size=300_000))
def test_gzip_is_undone_in_pieces(data):
    assert asyncio.run(inflated(gzip.compress(data), limit=300_000)) == data


@pytest.mark.parametrize(
    "broken",
    [b"", b"x", gzip.compress(b"abc")[:-1], gzip.compress(b"abc") + b"x", gzip.compress(b"a") + gzip.compress(b"b")],
    ids=["nothing", "no gzip", "cut", "more", "two members"],
)
async def test_broken_gzip_is_refused(broken):
    with pytest.raises(BadEncoding):
        await inflated(broken, limit=100)


async def test_two_hundred_thousand_empty_members_are_refused_after_the_first():
    began_s = time.process_time()

    with pytest.raises(BadEncoding, match="one member"):
        await inflated(gzip.compress(b"") * 200_000, limit=4_000_000)

    assert time.process_time() - began_s < 1


async def test_a_bomb_is_never_held_whole_nor_for_long():
    bomb = gzip.compress(b" " * 100_000_000)
    with pytest.raises(TooLarge):
        await inflated(bomb, limit=100)
    small_bomb, limits = gzip.compress(b" " * 1_000_000), Limits(2_000_000, 5.0)
    with pytest.raises(TooLarge, match="inflates"):  # not beyond the limit, but from a thousand bytes
        await request([(b"content-encoding", b"gzip")], body(small_bomb), limits=limits).body()


@pytest.mark.parametrize("shown", [[], [(b"authorization", b"Bearer x")]], ids=["nothing", "a credential"])
async def test_a_body_on_a_route_that_does_not_look_who_sends_it_is_taken_as_it_is_or_not(shown):
    with pytest.raises(UnsupportedMedia):
        await request([*shown, (b"content-encoding", b"gzip")], body(gzip.compress(b"{}"))).strangers_body()

    assert await request(shown, body(b"{}")).strangers_body() == b"{}"


async def test_a_stranger_s_body_is_short():
    long, limits = b"x" * (STRANGERS_BYTES + 1), Limits(1_000_000, 5.0)
    with pytest.raises(TooLarge):
        await request(messages=body(long), limits=limits).strangers_body()

    shown = [(b"authorization", b"Bearer x")]
    assert await request(shown, body(long), limits=limits).strangers_body() == long


async def test_large_bodies_share_what_a_process_may_hold_and_give_it_back_whichever_way_they_end(monkeypatch):
    monkeypatch.setattr("releve.http.request.IN_FLIGHT", in_flight := InFlight(100))
    limits = Limits(1_000, 5.0)
    first = request(messages=body(b"x" * 60, b"x" * 60), limits=limits)
    assert len(await first.body()) == 120
    assert in_flight.left == 40

    second = request(messages=body(b"x" * 60, b"x" * 60), limits=limits)
    with pytest.raises(Overloaded):
        await second.body()
    del first, second

    assert in_flight.left == 100
    assert await request(messages=body(b"x" * 60), limits=limits).body() == b"x" * 60


async def test_a_problem_is_answered_as_rfc_9457_says():
    sent = []

    async def send(message):
        sent.append(message)

    await answer_problem(send, BadReading("must be a number", field="speed"))

    start, content = sent
    assert start["status"] == 422
    assert (b"content-type", b"application/problem+json") in start["headers"]
    assert b'"errors":[{"field":"speed","reason":"must be a number"}]' in content["body"]


@pytest.mark.parametrize("kind", [value for value in vars(problem).values() if isinstance(value, type)])
def test_every_problem_says_what_is_wrong_by_itself(kind):
    if issubclass(kind, Problem):
        document = kind().document()

        assert document["detail"]
        assert document["title"]
        assert 400 <= document["status"] < 600
        assert document["type"].startswith("urn:releve:problem:")
