"""What somebody has of a chart is known to be true without decoding, and never held for true where it is not."""

import json

import psycopg
import pytest
from tests.homes import row, spread

from releve.history.pivot import block_of
from releve.http.request import Limits, Request
from releve.protocol.keeping import DAY_US, Days, Keeping, Stretch
from releve.query.series import draw
from releve.query.series.asked import Asked
from releve.query.series.reply import Replies
from releve.query.series.source import Left, Source
from releve.storage import retention, sealing, segments
from releve.storage.pool import Pool
from releve.storage.queries import query
from releve.storage.reader import ConnectionReader, now
from releve.storage.scan import EVER

START_US = 1_780_315_200_000_000
SECOND_US = 1_000_000
DEVICE = 7
ASKED = Asked(channels=["v"], points=10)


@pytest.fixture
async def pool(migrated_url):
    pool = Pool(migrated_url, application="version")
    yield pool
    await pool.close()


@pytest.fixture
def drawn(monkeypatch):
    """How often a chart was drawn."""
    found = []
    real = draw.draw

    async def counted(*values, **named):
        found.append(1)
        return await real(*values, **named)

    monkeypatch.setattr(draw, "draw", counted)
    return found


def rows(first, last):
    return [row(START_US + place * SECOND_US, {"v": place / 4}) for place in range(first, last)]


def store(url, readings, where):
    with psycopg.connect(url) as connection:
        spread(connection, DEVICE, readings, where)


def source(**more):
    wanted = {"from_us": START_US, "to_us": START_US + 1_000 * SECOND_US, "run_id": 1, "teams": [1], **more}
    return Source(device_id=DEVICE, contract="generic", **wanted)


async def ask(pool, *, known="", coding="identity", asked=ASKED, whose=None):
    """The status, the tag and the body."""
    headers = [(b"if-none-match", known.encode()), (b"accept-encoding", coding.encode())]
    scope = {"type": "http", "method": "GET", "headers": headers, "query_string": b""}
    sent = []

    async def receive():
        raise AssertionError("nobody hangs up")

    async def send(message):
        sent.append(message)

    request = Request(scope, receive, path="/api/v1/runs/1/series", limits=Limits(1, 1), id="1")
    await Replies(pool)._answer(request, send, asked, [whose or source()])
    start, body = sent
    return start["status"], dict(start["headers"])[b"etag"].decode(), body["body"]


async def test_a_chart_that_somebody_has_is_not_drawn_again(migrated_url, pool, drawn):
    store(migrated_url, rows(0, 200), "sealed")
    store(migrated_url, rows(200, 230), "fresh")
    status, tag, body = await ask(pool)
    assert (status, tag[0], len(drawn)) == (200, '"', 1)
    assert sum(json.loads(body)["series"][0]["n"]) == 230

    again = await ask(pool, known=f'"other", {tag}')

    assert again == (304, tag, b"")
    assert len(drawn) == 1


async def test_whatever_changes_in_the_span_or_is_asked_otherwise_has_another_tag(migrated_url, pool):
    readings = rows(0, 300)
    store(migrated_url, readings[:200], "sealed")
    store(migrated_url, readings[200:230], "fresh")
    tags = [(await ask(pool))[1]]
    with psycopg.connect(migrated_url) as connection:
        reader = ConnectionReader(connection)

        async def note():
            connection.commit()
            tags.append((await ask(pool))[1])

        spread(connection, DEVICE, readings[250:251], "fresh")  # one more
        await note()
        spread(connection, DEVICE, [readings[240]._replace(received_us=1)], "fresh")  # a late one
        await note()
        now(sealing.seal(reader, DEVICE, older_s=-3e9))
        await note()
        sealed = now(segments.of_span(reader, DEVICE, 0, 4 * 10**15))
        connection.commit()
        now(sealing.unseal(reader, DEVICE, sealed[0]))
        await note()
    tags.append((await ask(pool, whose=source(left_out=[Left(START_US, START_US + SECOND_US, None, "")])))[1])
    tags.append((await ask(pool, whose=source(teams=[2])))[1])
    tags.append((await ask(pool, asked=Asked(channels=["v"], points=11)))[1])
    tags.append((await ask(pool, asked=Asked(channels=["v"], points=10, format="csv")))[1])
    tags.append((await ask(pool, coding="gzip"))[1])

    assert len(set(tags)) == len(tags)
    assert not any(tag.startswith("W/") for tag in tags)


async def test_what_a_rule_deletes_has_another_tag_and_so_have_its_ladders(migrated_url, pool):
    span = {"from_us": START_US - DAY_US, "to_us": START_US + 9 * DAY_US}
    readings = [row(START_US + place * DAY_US // 400, {"v": place, "w": place}) for place in range(800)]
    for part in (readings[:400], readings[400:]):
        with psycopg.connect(migrated_url) as connection:
            now(segments.add(ConnectionReader(connection), DEVICE, block_of(part)))
    asked, tags = Asked(channels=["v", "w"], points=10), []

    for rule in (
        Keeping(Days(), {}),
        Keeping(Days(), {"w": Days(1)}),  # a channel goes
        Keeping(Days(1), {}),  # the readings
        Keeping(Days(1), {"w": Days(1, 1)}),  # a channel's ladders
        Keeping(Days(1, 1), {}),  # all
    ):
        with psycopg.connect(migrated_url, autocommit=True) as connection:
            is_more = True
            while is_more:
                with connection.transaction():
                    reader = ConnectionReader(connection)
                    kept = [Stretch(*EVER, rule)]
                    is_more = now(retention.keep(reader, DEVICE, kept, START_US + 9 * DAY_US)).is_more
            connection.execute(query("drop_replaced"), {"older_s": 0})
        tags.append((await ask(pool, asked=asked, whose=source(**span)))[1])

    assert len(set(tags)) == len(tags)


async def test_what_comes_behind_a_span_changes_nothing_of_it(migrated_url, pool, drawn):
    store(migrated_url, rows(0, 200), "sealed")
    _, tag, _ = await ask(pool)
    store(migrated_url, rows(1_000, 1_100), "fresh")
    store(migrated_url, rows(1_200, 1_300), "sealed")

    assert await ask(pool, known=tag) == (304, tag, b"")
    assert len(drawn) == 1


async def test_a_reading_that_comes_while_a_chart_is_drawn_makes_its_tag_a_weak_one(migrated_url, pool, monkeypatch):
    store(migrated_url, rows(0, 100), "sealed")
    real = draw.draw

    async def meanwhile(*values, **named):
        found = await real(*values, **named)
        store(migrated_url, rows(100, 101), "fresh")
        return found

    monkeypatch.setattr(draw, "draw", meanwhile)
    _, tag, _ = await ask(pool)
    monkeypatch.setattr(draw, "draw", real)

    status, stronger, _ = await ask(pool, known=tag)

    assert tag.startswith('W/"')
    assert (status, stronger[0]) == (200, '"')


async def test_with_rows_of_earlier_releases_a_tag_is_of_the_answer(migrated_url, pool, drawn):
    store(migrated_url, rows(0, 100), "old")
    status, tag, _ = await ask(pool)

    again = await ask(pool, known=tag)

    assert status == 200
    assert tag.startswith('W/"')
    assert again == (304, tag, b"")
    assert len(drawn) == 2
