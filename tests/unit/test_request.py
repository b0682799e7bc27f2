"""Requests of the data plane: headers that may stand once, bounded bodies, problem documents."""

import asyncio
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releve.http.answer import answer_problem
from releve.http.request import Disconnected, Limits, Request, inflate
from releve.protocol import problem
from releve.protocol.problem import BadEncoding, BadReading, Problem, RepeatedHeader, TooLarge, TooSlow

LIMITS = Limits(body_bytes=100, body_s=0.05)


def request(headers=(), messages=()):
    waiting = list(messages)

    async def receive():
        if waiting:
            return waiting.pop(0)
        return await asyncio.Future()

    scope = {"method": "POST", "headers": list(headers), "query_string": b""}
    return Request(scope, receive, path="/data", limits=LIMITS, id="1")


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


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=3))
def test_every_member_of_gzip_is_undone(parts):
    assert inflate(b"".join(gzip.compress(part) for part in parts), limit=100) == b"".join(parts)


@pytest.mark.parametrize(
    "broken", [b"x", gzip.compress(b"abc")[:-1], gzip.compress(b"abc") + b"x"], ids=["no gzip", "cut", "more"]
)
def test_broken_gzip_is_refused(broken):
    with pytest.raises(BadEncoding):
        inflate(broken, limit=100)


def test_a_bomb_is_never_held_whole():
    with pytest.raises(TooLarge):
        inflate(gzip.compress(b" " * 10_000_000), limit=100)


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
