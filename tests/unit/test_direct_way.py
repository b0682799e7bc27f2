"""The way below ASGI answers as ASGI's way does: the same bytes, the same rows, in the same order."""

import asyncio
import json
import random
import re
import time

import pytest
from tests.unit.http_worlds import DEVICE_BACKLOG, World, request, settled

from releve.http.direct import MOST_AT_ONCE, MOST_BYTES_AT_ONCE
from releve.protocol.problem import Unavailable

NOW = 1_780_315_200
GYM = {
    "machine_id": 4, "timestamp": "2026-06-01T11:00:00", "acceleration_x": 0.1, "acceleration_y": 0.2,
    "acceleration_z": 9.81, "repetitions": 5, "series_time": 12.5, "rest_time": 3.0,
}  # fmt: skip
PROFILOMETRE = {"temperature": 21.5, "humidite": 40.2, "accelerometre": 0.1, "timestamp": "2026-06-01T11:00:00"}
READING = {"time": "2026-06-01T11:00:00Z", "channels": {"speed": 12.5}}
QUICK, MANY = 2_000, 100_000
CONVERSATIONS = 100  # with a pair of worlds
NO_HTTP = b"this is no HTTP/1.1 request"


@pytest.fixture(autouse=True)
def _one_moment(monkeypatch):
    """It is the same moment in both worlds."""
    monkeypatch.setattr(time, "time_ns", lambda: NOW * 1_000_000_000)


class Conversations:
    """Makes up what clients send: right, odd and broken."""

    def __init__(self, seed):
        self._random = random.Random(seed)  # noqa: S311 - the same again for the same seed

    def next(self):
        """The requests of one connection, as chunks, and how many there are."""
        choose = self._random
        requests = [self._request() for _ in range(choose.choices((1, 2, 3, 8), (5, 2, 2, 1))[0])]
        data = b"".join(requests)
        if choose.random() < 0.08:
            at = choose.randrange(len(data))
            data = data[:at] + choose.choice((b"", b"\0", b"\r\n", b"\xff", b" ", b"{")) + data[at + 1 :]
        return self._cut(data), len(requests)

    def _cut(self, data):
        choose = self._random
        way = choose.random()
        if way < 0.5:
            return [data]
        if way < 0.6 and len(data) < 3_000:
            return [data[at : at + 1] for at in range(len(data))]
        places = sorted(choose.randrange(len(data)) for _ in range(choose.randrange(1, 4)))
        return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True) if start < end]

    def _request(self):
        choose = self._random
        path = choose.choice(("/data", "/api/send/data", "/api/v1/readings"))
        body = self._body(path)
        odd = choose.random() < 0.35
        prefix, slash = choose.choice(("", "", "", "/prod", "/x")), choose.choice(("", "", "/", "?a=1", "//"))
        return request(
            body,
            path=f"{prefix}{path}{slash}" if odd else path,
            token=choose.choice(("token-1", "token-2", "token-3", "token-4", "slow", "wrong", None, ""))
            if odd
            else f"token-{choose.randrange(1, 5)}",
            method=choose.choice(("POST", "POST", "POST", "GET", "PUT", "OPTIONS")) if odd else "POST",
            version=choose.choice(("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0")) if odd else "HTTP/1.1",
            host=choose.choice(("testserver", "testserver:80", "evil.example", None)) if odd else "testserver",
            headers=self._headers(body) if odd else self._usual_headers(),
        )

    def _usual_headers(self):
        return self._random.choice((
            (),
            (("Content-Type", "application/json"), ("User-Agent", "python-requests/2.32"), ("Accept", "*/*")),
            (("Connection", "keep-alive"), ("Accept-Encoding", "gzip, deflate")),
        ))  # fmt: skip

    def _headers(self, body):
        some = (
            ("Connection", "close"), ("Connection", "Keep-Alive"), ("Content-Type", "application/x-ndjson"),
            ("Content-Type", "text/plain"), ("Idempotency-Key", "a"), ("Idempotency-Key", ""),
            ("Prefer", "return=minimal"),
            ("Origin", "https://board.example.com"), ("Origin", "null"), ("X-Forwarded-For", "10.0.0.1"),
            ("Content-Encoding", "gzip"), ("Content-Encoding", "identity"), ("token", "token-2"), ("Accept", "a"),
            ("Accept", "b"), ("Authorization", "Bearer token-3"), ("Authorization", "Basic token-3"),
            ("Authorization", "bearer  token-1 "), ("Host", "testserver"), ("releve-imported", "1"), ("Cookie", "a=b"),
            ("Content-Length", str(len(body))), ("Content-Length", str(len(body) + 1)), ("Content-Length", "x"),
            ("Content-Length", "999999999"), ("Expect", "100-continue"),
        )  # fmt: skip
        return self._random.sample(some, self._random.randrange(4))

    def _body(self, path):
        choose = self._random
        fields = {"/data": GYM, "/api/send/data": PROFILOMETRE, "/api/v1/readings": READING}[path]
        if path == "/api/v1/readings" and choose.random() < 0.3:
            return json.dumps([self._changed(fields) for _ in range(choose.choice((0, 1, 2, 5, 60)))]).encode()
        if choose.random() < 0.02:
            return b" " * choose.choice((0, 5, 30_000))
        body = json.dumps(self._changed(fields)).encode()
        if choose.random() < 0.05:
            at = choose.randrange(len(body))
            body = body[:at] + choose.choice((b"", b'"', b"NaN", b"\xff", b"}")) + body[at + 1 :]
        return body

    def _changed(self, fields):
        choose = self._random
        fields = dict(fields)
        name = choose.choice(sorted(fields))
        if choose.random() < 0.6:  # another reading, a repeat of one, or one that cannot be right
            minute = choose.randrange(60)
            time_field = "time" if "time" in fields else "timestamp"
            fields[time_field] = choose.choice((
                fields[time_field], f"2026-06-01T10:{minute:02}:00", f"2026-06-01T10:{minute:02}:00Z",
                "1970-01-01T00:00:00", "2031-01-01T00:00:00", None, 12_000 + minute,
                1_780_310_000 + minute, "yesterday",
            ))  # fmt: skip
        if choose.random() < 0.2:
            fields[name] = choose.choice((None, 7, 7.0, -1, "text", [1, 2], {"a": 1}, True, 1e200))
        if choose.random() < 0.1:
            fields |= choose.choice((
                {"id": "a"}, {"id": 7}, {"device": "pi"}, {"extra": 1.5}, {"text": "é\0"}, {"rate_hz": 5},
            ))  # fmt: skip
        return fields


async def both_say_the_same(seed, count, **fields):
    """Give both worlds the same conversations, one after the other; how many requests were taken below ASGI."""
    conversations = Conversations(seed)
    taken = asked = 0
    while asked < count:
        worlds = [World(is_direct=True, **fields), World(is_direct=False, **fields)]
        for _ in range(CONVERSATIONS):
            chunks, requests = conversations.next()
            asked += requests
            direct, asgi = await told_both(worlds, chunks)

            assert direct.answers == asgi.answers, (seed, chunks)
            assert worlds[0].counters.problems == worlds[1].counters.problems, (seed, chunks)
            if worlds[0].ended() != worlds[1].ended():
                # In front of what is no HTTP there are requests that nobody answers, and they are stored or not.
                assert requests > 1, (seed, chunks)
                assert NO_HTTP in asgi.answers[0], (seed, chunks)
                assert worlds[1].memory.rows.items() <= worlds[0].memory.rows.items(), (seed, chunks)
                break
        for world in worlds:
            await world.end()
        taken += worlds[0].direct_takes
    return taken


async def told_both(worlds, chunks):
    """A connection to each world, once each was sent the same and nothing moves any more."""
    connections = [world.connect() for world in worlds]
    for chunk in chunks:
        for connection in connections:
            connection.send(chunk)
    await settled(*worlds)
    for connection in connections:
        connection.hang_up()
    await settled(*worlds)
    return connections


@pytest.mark.parametrize("seed", range(4))
async def test_both_ways_give_the_same_answers_and_rows(seed):
    taken = await both_say_the_same(seed, QUICK // 4)

    assert taken > QUICK // 32  # the differences would be found nowhere else


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
async def test_both_ways_give_the_same_answers_and_rows_to_very_many(seed):
    assert await both_say_the_same(seed, MANY // 40) > MANY // 320


@pytest.mark.parametrize("fields", [{"origins": ("https://board.example.com",)}, {"is_https": True}])
async def test_both_ways_say_the_same_of_other_pages_and_of_tls(fields):
    assert await both_say_the_same(7, 250, **fields)


async def test_several_answers_of_a_connection_are_one_write_in_the_order_of_their_requests():
    world = World(is_direct=True)
    connection = world.connect()
    bodies = [json.dumps(READING | {"channels": {"n": number}}).encode() for number in range(20)]

    connection.send(b"".join(request(body, path="/api/v1/readings") for body in bodies))
    connection.send(request(b"{}", path="/api/v1/readings"))  # refused by ASGI's way, behind them
    connection.send(request(bodies[3], path="/api/v1/readings"))
    await settled(world)

    statuses = re.findall(rb"HTTP/1.1 \d+ [A-Z a-z]+", b"".join(connection.transport.writes))
    outcomes = [part[:6] for part in b"".join(connection.transport.writes).split(b'"outcome":"')[1:]]
    assert connection.transport.writes[0].count(b"HTTP/1.1 200 OK") == 20
    assert statuses[19:] == [b"HTTP/1.1 200 OK", b"HTTP/1.1 422 Unprocessable Entity", b"HTTP/1.1 200 OK"]
    assert outcomes == [b"stored"] * 20 + [b"duplic"]
    assert world.direct_takes == 20
    assert world.memory.groups[0] <= 20
    await world.end()


async def test_nothing_is_answered_before_its_commit():
    world = World(is_direct=True)
    world.memory.may_commit.clear()
    connection = world.connect()

    connection.send(request(json.dumps(GYM).encode()))
    await world.memory.asked.wait()

    assert world.direct_takes == 1
    assert connection.transport.writes == []
    world.memory.may_commit.set()
    await settled(world)
    assert b'"outcome":"stored"' in connection.transport.writes[0]
    await world.end()


async def test_what_was_taken_is_stored_although_its_client_hung_up_before_the_commit():
    world = World(is_direct=True)
    world.memory.may_commit.clear()
    connection = world.connect()
    connection.send(request(json.dumps(GYM).encode()) * 2)
    await world.memory.asked.wait()

    connection.hang_up()
    world.memory.may_commit.set()
    await settled(world)

    assert connection.transport.writes == []
    assert len(world.memory.rows) == 1
    assert world.counters.outcomes == {("http", "stored"): 1, ("http", "duplicate"): 1}
    await world.end()


async def test_a_connection_whose_server_stops_is_closed_once_its_answers_are_written():
    world = World(is_direct=True)
    world.memory.may_commit.clear()
    idle, busy = world.connect(), world.connect()
    busy.send(request(json.dumps(GYM).encode()) * 2)
    await world.memory.asked.wait()

    idle.protocol.shutdown()
    busy.protocol.shutdown()
    assert (idle.transport.is_closed, busy.transport.is_closed) == (True, False)
    world.memory.may_commit.set()
    await settled(world)

    first, second = b"".join(busy.transport.writes).split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert b"connection: close" not in first
    assert b"connection: close\r\n" in second
    assert busy.transport.is_closed
    await world.end()


async def test_a_request_whose_body_is_still_to_come_when_the_server_stops_is_answered_and_its_connection_closed():
    world = World(is_direct=True)
    connection = world.connect()
    whole = request(json.dumps(GYM).encode())
    connection.send(whole[:-10])

    connection.protocol.shutdown()
    connection.send(whole[-10:])
    await settled(world)

    assert b'"outcome":"stored"' in b"".join(connection.transport.writes)
    assert connection.transport.is_closed
    await world.end()


async def test_while_a_client_takes_nothing_its_answers_wait_and_no_more_is_taken():
    world = World(is_direct=True)
    connection = world.connect()
    connection.send(request(json.dumps(GYM).encode()))
    connection.protocol.pause_writing()
    await settled(world)
    assert connection.transport.writes == []

    connection.send(request(json.dumps(GYM).encode()))  # goes ASGI's way, which waits behind the first
    await settled(world)
    assert (connection.transport.writes, connection.transport.is_reading) == ([], False)

    connection.protocol.resume_writing()
    await settled(world)
    outcomes = [part[:6] for part in b"".join(connection.transport.writes).split(b'"outcome":"')[1:]]
    assert outcomes == [b"stored", b"duplic"]
    assert connection.transport.is_reading
    assert world.direct_takes == 1
    await world.end()


async def test_a_body_that_does_not_follow_soon_is_waited_for_by_asgis_way(monkeypatch):
    monkeypatch.setattr("releve.http.direct.BODY_WAIT_S", 0.0)
    world = World(is_direct=True)
    connection = world.connect()
    whole = request(json.dumps(GYM).encode())

    connection.send(whole[:-10])
    await asyncio.wait_for(until(lambda: world.state.tasks), 10)
    connection.send(whole[-10:])
    await settled(world)

    assert b'"outcome":"stored"' in b"".join(connection.transport.writes)
    assert world.direct_takes == 0
    await world.end()


async def test_a_body_that_follows_its_headers_is_taken_below_asgi():
    world = World(is_direct=True)
    connection = world.connect()
    head, _, body = request(json.dumps(GYM).encode()).partition(b"\r\n\r\n")

    connection.send(head + b"\r\n\r\n")
    connection.send(body)
    await settled(world)

    assert b'"outcome":"stored"' in b"".join(connection.transport.writes)
    assert world.direct_takes == 1
    await world.end()


@pytest.mark.parametrize("token", ["wrong", "slow"])
async def test_who_is_not_known_is_asked_after_before_the_body_is_there(token):
    world = World(is_direct=True)
    connection = world.connect()

    connection.send(request(json.dumps(GYM).encode(), token=token)[:-10])

    assert len(world.state.tasks) == 1
    connection.hang_up()
    await settled(world)
    await world.end()


async def test_a_device_with_too_much_waiting_is_refused_alike_both_ways():
    worlds = [World(is_direct=True), World(is_direct=False)]
    answers = []
    for world in worlds:
        world.memory.may_commit.clear()
        flood, other = world.connect(), [world.connect() for _ in range(5)]
        many = json.dumps([READING | {"channels": {"n": number}} for number in range(DEVICE_BACKLOG)]).encode()
        flood.send(request(many, path="/api/v1/readings"))
        await world.memory.asked.wait()
        for connection in other:
            connection.send(request(many, path="/api/v1/readings"))
        for _ in range(50):
            await asyncio.sleep(0)
        refused = [connection.answers for connection in other]
        world.memory.may_commit.set()
        await settled(world)
        answers.append((refused, flood.answers, world.counters.problems))
        await world.end()

    assert answers[0] == answers[1]
    assert b"HTTP/1.1 429 " in answers[0][0][0][0]


async def test_a_commit_that_fails_is_told_alike_both_ways():
    worlds = [World(is_direct=True), World(is_direct=False)]
    answers = []
    for world in worlds:
        world.memory.problem = Unavailable()
        connection = world.connect()
        connection.send(request(json.dumps(GYM).encode()))
        await settled(world)
        answers.append((connection.answers, world.counters.problems, world.counters.outcomes))
        assert b"x-request-id: " in connection.transport.writes[0]
        await world.end()

    assert answers[0] == answers[1]
    assert answers[0][0][0].startswith(b"HTTP/1.1 503 ")
    assert worlds[0].direct_takes == 1


async def test_nobody_is_let_in_below_asgi_while_revocations_cannot_be_heard():
    world = World(is_direct=True)
    world.tokens.is_cut = True
    connection = world.connect()

    connection.send(request(json.dumps(GYM).encode()))
    await settled(world)

    assert connection.transport.writes[0].startswith(b"HTTP/1.1 503 ")
    assert (world.direct_takes, world.memory.rows) == (0, {})
    await world.end()


async def test_a_server_that_drains_takes_nothing_below_asgi():
    world = World(is_direct=True)
    await world.group.drain()
    connection = world.connect()

    connection.send(request(json.dumps(GYM).encode()))
    await settled(world)

    assert connection.transport.writes[0].startswith(b"HTTP/1.1 503 ")
    assert world.direct_takes == 0


async def test_a_client_with_very_many_requests_under_way_is_not_read_any_further():
    world = World(is_direct=True)
    world.memory.may_commit.clear()
    connections = [world.connect() for _ in range(2)]
    monitored = json.dumps(READING).encode()
    for connection, token in zip(connections, ("token-1", "token-2"), strict=True):
        connection.send(request(monitored, path="/api/v1/readings", token=token) * (MOST_AT_ONCE + 5))

    assert not any(connection.transport.is_reading for connection in connections)
    world.memory.may_commit.set()
    await settled(world)
    assert all(connection.transport.is_reading for connection in connections)
    for connection in connections:
        assert b"".join(connection.transport.writes).count(b"HTTP/1.1 ") == MOST_AT_ONCE + 5
    await world.end()


async def test_what_a_connection_has_under_way_is_bounded_in_bytes_too():
    world = World(is_direct=True)
    world.memory.may_commit.clear()
    connection = world.connect()
    wide = json.dumps(READING | {"channels": {f"c{number}": 1.5 for number in range(250)}}).encode()

    connection.send(request(wide + b" " * 15_000, path="/api/v1/readings") * 20)

    assert not connection.transport.is_reading
    assert world.direct_takes * (len(wide) + 15_000) <= MOST_BYTES_AT_ONCE + len(wide) + 15_000
    world.memory.may_commit.set()
    await settled(world)
    assert b"".join(connection.transport.writes).count(b"HTTP/1.1 200 OK") == 20
    await world.end()


async def test_a_device_with_too_much_waiting_is_refused_before_its_body_is_there():
    world = World(is_direct=True)
    world.memory.may_commit.clear()
    many = json.dumps([READING | {"channels": {"n": number}} for number in range(DEVICE_BACKLOG)]).encode()
    world.connect().send(request(many, path="/api/v1/readings"))
    await world.memory.asked.wait()
    connection = world.connect()

    connection.send(request(many, path="/api/v1/readings")[: -len(many)])
    await until(lambda: connection.transport.writes)

    assert connection.transport.writes[0].startswith(b"HTTP/1.1 429 ")
    world.memory.may_commit.set()
    await settled(world)
    await world.end()


async def test_a_quiet_connection_is_closed_and_one_that_speaks_is_not():
    world = World(is_direct=True)
    connection = world.connect()
    connection.protocol.timeout_keep_alive = 0.2
    for _ in range(3):
        connection.send(request(json.dumps(GYM).encode()))
        await settled(world)
        await asyncio.sleep(0.1)
        assert not connection.transport.is_closed

    await asyncio.wait_for(until(lambda: connection.transport.is_closed), 10)

    assert b"".join(connection.transport.writes).count(b"HTTP/1.1 200") == 3
    await world.end()


async def until(happened):
    """Let time pass until something has happened."""
    while not happened():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.01)
