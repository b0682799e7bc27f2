"""What is read back is bounded in bytes: a page ends early, and says that there is more."""

import json

import psycopg
import pytest

from releve.protocol.problem import BadReading, BadRequest
from releve.protocol.reading import Source
from releve.protocol.reading import quarantine as set_aside
from releve.query.device import quarantine, readings
from releve.storage.pool import Pool

START_S = 1_780_000_000


@pytest.fixture
async def pool(migrated_url):
    pool = Pool(migrated_url, application="test")
    yield pool
    await pool.close()


@pytest.fixture
async def connection(pool):
    async with pool.connection() as lent:
        yield lent


class Answers:
    """What a route sent."""

    def __init__(self):
        self.body = b""

    async def __call__(self, message):
        self.body += message.get("body", b"")

    @property
    def document(self):
        return json.loads(self.body)


async def test_a_page_of_quarantine_ends_before_it_is_large_and_the_next_goes_on(
    path_into, device, connection, monkeypatch
):
    pi = device()
    large = [b'{"time": "1970-01-01T00:00:%02dZ", "x": "%s"}' % (number, b"x" * 1_000) for number in range(10)]
    async with path_into() as path:
        for payload in large:
            await path.send(pi, payload)
    monkeypatch.setattr(quarantine, "PAGE_BYTES", 5_000)

    found, after, pages = [], "0", 0
    while after is not None:
        answers = Answers()
        await quarantine.answer_page(
            connection,
            answers,
            device_id=pi.device_id,
            teams=[pi.team_id],
            asked={"limit": "1000", "after": str(after)},
        )
        found += [each["payload"].encode() for each in answers.document["quarantine"]]
        after = answers.document["next"]
        pages += 1

    assert found == large
    assert pages == 4


async def test_of_a_payload_that_is_no_json_the_beginning_its_size_and_its_digest_are_kept(path_into, device):
    pi = device()
    noise = b"[" + b'{"x": 1' * 20_000
    whole = b'{"time": "1970-01-01T00:00:00Z", "x": 1, "note": "' + b"n" * 1_000 + b'"}' + b" " * 70_000
    async with path_into() as path:
        await path.group.add([_aside(noise, pi), _aside(whole, pi)])
        (kept, reason), (other, plain) = path.rows("SELECT payload, reason FROM quarantine ORDER BY id")

    assert bytes(kept) == noise[:65_536]
    assert f"{len(noise)} bytes, SHA-256 " in reason
    assert bytes(other) == whole
    assert "SHA-256" not in plain


async def test_a_page_of_readings_ends_before_it_is_large_and_no_reading_is_left_out(
    path_into, device, pool, monkeypatch
):
    pi = device()
    async with path_into() as path:
        batch = [{"time": START_S + number, "text": "x" * 1_000, "n": number} for number in range(50)]
        await path.send(pi, json.dumps(batch).encode())
    monkeypatch.setattr(readings, "PAGE_BYTES", 10_000)

    found, cursor = [], {}
    while cursor is not None:
        answers = Answers()
        page = readings.Page.of({"limit": "40", **cursor}, accept="application/json")
        await readings.answer_page(pool, answers, device_id=pi.device_id, teams=[pi.team_id], page=page)
        assert len(answers.body) < 20_000
        found += [each["channels"]["n"] for each in answers.document["readings"]]
        cursor = answers.document["next"] and {"cursor": answers.document["next"]}

    assert found == list(range(50))


async def test_a_table_too_large_for_csv_is_refused_and_says_what_to_do(path_into, device, pool, monkeypatch):
    pi = device()
    async with path_into() as path:
        batch = [{"time": START_S + row, **{f"c{row}_{n}": n for n in range(50)}} for row in range(40)]
        await path.send(pi, json.dumps(batch).encode())
    monkeypatch.setattr(readings, "LARGEST_TABLE", 10_000)

    with pytest.raises(BadRequest, match="name some `channels`"):
        await readings.answer_page(
            pool,
            Answers(),
            device_id=pi.device_id,
            teams=[pi.team_id],
            page=readings.Page.of({}, accept="text/csv"),
        )
    answers = Answers()
    page = readings.Page.of({"channels": "c1_1,c2_2"}, accept="text/csv")
    await readings.answer_page(pool, answers, device_id=pi.device_id, teams=[pi.team_id], page=page)

    assert len(answers.body.splitlines()) >= 3


async def test_a_page_that_is_broken_off_leaves_a_connection_that_can_be_used(path_into, device, connection):
    await connection.execute("CREATE TEMP TABLE given AS SELECT generate_series(1, 200000) AS id")
    cursor = connection.cursor()
    async for _ in (rows := cursor.stream("SELECT id FROM given")):
        break
    await rows.aclose()

    assert (await (await connection.execute("SELECT 1")).fetchone())[0] == 1
    assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE


def _aside(payload, sender):
    return set_aside(
        payload,
        device_id=sender.device_id,
        received_us=START_S * 1_000_000,
        source=Source("generic", "mqtt"),
        problem=BadReading("is wrong"),
    )
