"""Whoever reads readings gets the same, wherever these lie: old rows, fresh ones, segments, or some of each."""

import csv
import io
import json
import random
from unittest.mock import ANY
from urllib.parse import parse_qsl, quote

import msgspec
import psycopg
import pyarrow.parquet as pq
import pytest
from tests.homes import HOMES, in_order, row, spread

from releve.history.pivot import block_of
from releve.protocol.instant import iso
from releve.query.described import Descriptions
from releve.query.device import of_machine as machines
from releve.query.device import readings
from releve.query.device.found import found as page_of
from releve.query.export.answer import Export, Format, Wish
from releve.query.run import curve
from releve.query.run.compare import Comparison
from releve.query.run.run import Run
from releve.query.which import Left, Which
from releve.storage import scan, segments
from releve.storage.pool import Pool
from releve.storage.queries import query
from releve.storage.reader import ConnectionReader, now

START_US = 1_780_315_200_000_000
SECOND_US = 1_000_000


def made_up(n=240):
    """Two readings of each instant, of several machines, some with an alarm, some with a timestamp as sent."""
    chance = random.Random(3)  # noqa: S311 - made-up readings
    found = []
    for place in range(n):
        values = {"speed": place * 0.5, "n": place, "machine_id": place % 3, "distance": place * 2}
        if place % 40 == 7:
            values["alarm"] = chance.choice(["door", 'a "quoted", text', True, 4])
        if place % 50 == 9:
            values["battery"] = 100 - place // 10
        sent = chance.choice([None, None, "2026-06-01 14:00:00", "12"])
        time_us = START_US + place // 2 * SECOND_US
        found.append(row(time_us, values, received_us=time_us + chance.randrange(5) * SECOND_US, sent=sent))
    return in_order(found)


@pytest.fixture
async def pool(migrated_url):
    pool = Pool(migrated_url, application="readers")
    yield pool
    await pool.close()


@pytest.fixture(params=HOMES)
def kept(request, migrated_url, device, monkeypatch):
    """Stores readings of a device in one home; pages of a scan are short."""
    monkeypatch.setattr(scan, "FIRST_PAGE", 16)
    monkeypatch.setattr(scan, "LARGEST_PAGE", 32)

    def keep(rows):
        pi = device()
        with psycopg.connect(migrated_url) as connection:
            spread(connection, pi.device_id, rows, request.param)
        return pi, rows

    return keep


@pytest.fixture
def home(kept):
    """The device of readings that lie in one home, and they."""
    return kept(made_up())


def shown(each, channels=None):
    values = json.loads(each.channels)
    values = {name: value for name, value in values.items() if channels is None or name in channels}
    document = {"time": iso(each.time_us), "id": str(each.id), "received": iso(each.received_us), "channels": values}
    return document if each.sent is None else {**document, "sent": each.sent}


async def walked(pool, pi, asked, media="application/json"):
    """Every page, one after the other."""
    asked, pages = dict(parse_qsl(asked)), []
    after = None
    while True:
        page = readings.Page.of({**asked, **({"cursor": after} if after else {})}, accept=media)
        sent = Sent()
        await readings.answer_page(pool, sent, device_id=pi.device_id, teams=[pi.team_id], page=page)
        pages.append(sent.body)
        link = sent.headers.get(b"link", b"").decode()
        if not link:
            return pages
        after = link.removeprefix("<?cursor=").partition(">")[0]


class Sent:
    """What a route sent."""

    def __init__(self):
        self.body = b""
        self.headers = {}

    async def __call__(self, message):
        self.headers |= dict(message.get("headers", ()))
        self.body += message.get("body", b"")


@pytest.mark.parametrize("limit", [1, 7, 100, 1_000])
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_have_every_reading_once_in_order(home, pool, limit, order):
    pi, rows = home
    some = rows if limit > 1 else rows[:20]
    span = f"from={iso(some[0].time_us)}&to={iso(some[-1].time_us + 1)}"

    pages = [json.loads(body) for body in await walked(pool, pi, f"limit={limit}&order={order}&{span}")]

    assert [each for page in pages for each in page["readings"]] == [
        shown(each) for each in (some if order == "asc" else reversed(some))
    ]
    assert all(len(page["readings"]) <= limit for page in pages)
    assert {page["device"] for page in pages} == {pi.device_id}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("channels", ["alarm", "alarm,speed", "never"])
async def test_pages_of_some_channels_have_the_readings_with_one_of_these_alone(home, pool, order, channels):
    pi, rows = home
    names = channels.split(",")
    wanted = [each for each in rows if set(names) & set(json.loads(each.channels))]

    pages = await walked(pool, pi, f"limit=3&order={order}&channels={channels}", "application/x-ndjson")

    lines = [json.loads(line) for body in pages for line in body.splitlines()]
    assert lines == [shown(each, names) for each in (wanted if order == "asc" else reversed(wanted))]


async def test_a_page_as_a_table_has_a_column_for_each_channel_and_one_for_what_was_sent(home, pool):
    pi, rows = home
    [page] = await walked(pool, pi, "limit=1000", "text/csv")

    table = list(csv.DictReader(io.StringIO(page.decode(), newline="")))

    assert list(table[0])[:4] == ["time", "id", "received", "sent"]
    assert list(table[0])[4:] == ["alarm", "battery", "distance", "machine_id", "n", "speed"]
    assert [(each["id"], each["n"], each["speed"]) for each in table] == [
        (str(each.id), str(json.loads(each.channels)["n"]), str(json.loads(each.channels)["speed"])) for each in rows
    ]


@pytest.mark.parametrize("depth", [5_000, 50])
async def test_of_a_machine_its_newest_readings_and_its_battery_are_told(home, pool, monkeypatch, depth):
    pi, rows = home
    monkeypatch.setattr(machines, "DEPTH", depth)

    found = await machines.of_machine(pool, pi.device_id, [pi.team_id], 1)

    of_it = [each for each in reversed(rows) if json.loads(each.channels)["machine_id"] == 1]
    seen = [each for each in of_it if each in rows[-depth:]][:20]
    assert list(found.times_us) == [each.time_us for each in seen]
    assert list(found.received_us) == [each.received_us for each in seen]
    levels = [
        json.loads(each.channels)["battery"] for each in of_it if b"battery" in each.channels and each in rows[-depth:]
    ]
    assert (found.battery.level if found.battery else None) == (levels[0] if levels else None)


async def test_a_machine_that_the_newest_readings_do_not_name_is_looked_for_in_all(
    home, pool, monkeypatch, migrated_url
):
    pi, _ = home
    monkeypatch.setattr(machines, "DEPTH", 30)
    lost = row(START_US + SECOND_US // 2, {"machine_id": 77, "battery": 5})
    with psycopg.connect(migrated_url) as connection:
        spread(connection, pi.device_id, [lost], "fresh")

    found = await machines.of_machine(pool, pi.device_id, [pi.team_id], 77)

    assert (found.times_us, found.received_us, found.battery) == ([lost.time_us], [lost.received_us], None)
    assert (await machines.of_machine(pool, pi.device_id, [pi.team_id], 78)).times_us == []


GENERIC = Descriptions("generic")


def run_of(pi, rows, *, number=1, left_out=(), part=""):
    return Run(
        id=number,
        team_id=pi.team_id,
        name=f"run {number}",
        contract="generic",
        device_id=pi.device_id,
        from_us=rows[0].time_us,
        to_us=rows[-1].time_us + 1,
        part=part,
        left_out=left_out,
    )


def what_counts(rows):
    """What is left out of a run, and the readings that are not."""
    left_out = [
        Left(rows[20].time_us, rows[40].time_us, None, ""),
        Left(rows[60].time_us, rows[60].time_us + 1, rows[60].id, ""),
        Left(rows[80].time_us, rows[120].time_us, None, "machine_id=2"),
    ]
    counting = [
        each
        for each in rows
        if not rows[20].time_us <= each.time_us < rows[40].time_us
        and each != rows[60]
        and not (rows[80].time_us <= each.time_us < rows[120].time_us and json.loads(each.channels)["machine_id"] == 2)
    ]
    return left_out, counting


async def exported(pool, run, form):
    sent = Sent()
    await Export(pool, run.which, Wish(form, is_sent=False), GENERIC, name="run").answer(sent)
    return sent


@pytest.mark.parametrize("part", ["", "machine_id=1"])
async def test_an_export_has_what_counts_of_a_run_in_each_format(home, pool, part):
    pi, rows = home
    left_out, counting = what_counts(rows)
    if part:
        counting = [each for each in counting if json.loads(each.channels)["machine_id"] == 1]
    run = run_of(pi, rows, left_out=left_out, part=part)

    lines, table, parquet = [await exported(pool, run, each) for each in (Format.NDJSON, Format.CSV, Format.PARQUET)]

    assert [json.loads(line) for line in lines.body.splitlines()] == [shown(each) for each in counting]
    cells = list(csv.DictReader(io.StringIO(table.body.decode(), newline="")))
    assert [each["id"] for each in cells] == [str(each.id) for each in counting]
    names = sorted({name for each in counting for name in json.loads(each.channels)})
    assert list(cells[0]) == ["time", "id", "received", "sent", *names]
    columns = pq.read_table(io.BytesIO(parquet.body)).to_pylist()
    assert [each["id"] for each in columns] == [each.id for each in counting]
    assert [each["speed"] for each in columns] == [json.loads(each.channels)["speed"] for each in counting]
    assert {sent.headers[b"x-total-readings"] for sent in (lines, table, parquet)} == {b"%d" % len(counting)}


async def test_a_channel_that_only_left_out_readings_have_gets_no_column(home, pool):
    pi, rows = home
    left_out = [Left(each.time_us, each.time_us + 1, each.id, "") for each in rows if b"alarm" in each.channels]

    table = await exported(pool, run_of(pi, rows, left_out=left_out), Format.CSV)

    assert table.body.splitlines()[0] == b"time,id,received,sent,battery,distance,machine_id,n,speed"


@pytest.mark.parametrize("align", ["start", "distance"])
async def test_runs_are_compared_by_what_counts_of_them(kept, pool, align):
    pi, rows = kept([each for place, each in enumerate(made_up()) if place % 2])  # one of each instant
    left_out = [Left(rows[20].time_us, rows[60].time_us, None, ""), Left(0, 2**62, None, "machine_id=2")]
    runs = [run_of(pi, rows[:-20], left_out=left_out), run_of(pi, rows[50:], number=2)]
    asked = Comparison.of({"runs": "1,2", "align": align, "channel": "n", "step": "4"})

    found = await curve.compared(pool, runs, asked)

    assert [each["id"] for each in found["runs"]] == [1, 2]
    first, second = (each["values"] for each in found["runs"])
    if align == "distance":  # the channel n is half of it, whatever was left out
        assert first == second == pytest.approx([place / 2 for place in found["x"]])
    else:
        counting = [json.loads(each.channels)["n"] for each in rows if b'"machine_id":2' not in each.channels]
        assert (first[0], second[0]) == (counting[0], json.loads(rows[50].channels)["n"])
        assert found["runs"][1]["delta"] == pytest.approx([b - a for a, b in zip(first, second, strict=True)])


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_page_takes_one_plan_and_the_columns_of_one_segment(migrated_url, device, order):
    pi = device()
    rows = [row(START_US + place * SECOND_US, {"n": place}) for place in range(1_000)]
    asked = []

    class Watched(Pool):
        async def ask(self, statement, values):
            asked.append(statement)
            return await super().ask(statement, values)

    with psycopg.connect(migrated_url) as connection:
        for start in range(0, 1_000, 200):
            now(segments.add(ConnectionReader(connection), pi.device_id, block_of(rows[start : start + 200])))
    pool = Watched(migrated_url, application="watched")
    page = readings.Page.of({"limit": "100", "order": order}, accept="application/json")

    written = await page_of(pool, pi.device_id, [pi.team_id], page)
    await pool.close()

    found = [each["channels"]["n"] for each in json.loads(b"[%b]" % written.body)]
    assert found == (list(range(100)) if order == "asc" else list(range(999, 899, -1)))
    assert asked == [query("owned_stretches"), ANY, query("segment_columns")]
    assert "fresh_reading" in asked[1]


@pytest.mark.parametrize("form", [Format.NDJSON, Format.CSV])
async def test_an_export_of_a_device_has_the_spans_that_are_meant_and_the_channels_of_these(home, pool, form):
    pi, rows = home
    spans = [(0, rows[50].time_us), (rows[60].time_us, rows[70].time_us), (rows[101].time_us + 1, 2**60)]
    meant = [each for each in rows if any(since <= each.time_us < until for since, until in spans)]
    sent = Sent()

    await Export(
        pool, Which(device_id=pi.device_id, spans=spans), Wish(form, is_sent=False), GENERIC, name="device"
    ).answer(sent)

    assert sent.headers[b"x-total-readings"] == b"%d" % len(meant)
    if form is Format.NDJSON:
        assert [json.loads(line) for line in sent.body.splitlines()] == [shown(each) for each in meant]
    else:
        table = list(csv.DictReader(io.StringIO(sent.body.decode(), newline="")))
        assert [each["id"] for each in table] == [str(each.id) for each in meant]
        names = sorted({name for each in meant for name in json.loads(each.channels)})
        assert list(table[0]) == ["time", "id", "received", "sent", *names]


async def test_an_export_of_a_device_that_has_no_reading_is_the_head_of_a_table(pool, device):
    sent = Sent()

    await Export(
        pool,
        Which(device_id=device().device_id, spans=[(0, 2**60)]),
        Wish(Format.CSV, is_sent=False),
        GENERIC,
        name="device",
    ).answer(sent)

    assert sent.body == b"time,id,received,sent\r\n"
    assert sent.headers[b"x-total-readings"] == b"0"


@pytest.mark.parametrize(
    "asked",
    [
        "from=2026-06-02T00:00:00Z&to=2026-06-01T00:00:00Z",
        "from=2026-06-01T00:00:00Z&to=2026-06-01T00:00:00Z",
        "order=desc&to=1999-01-01T00:00:00Z",
    ],
)
async def test_a_span_that_ends_before_it_begins_has_no_reading(home, pool, asked):
    pi, _ = home

    [page] = await walked(pool, pi, asked)

    assert json.loads(page)["readings"] == []


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_cursor_beyond_the_span_that_is_asked_for_has_no_reading_behind_it(home, pool, order):
    pi, rows = home
    first = readings.Page.of({"limit": "120", "order": order}, accept="")
    written = await page_of(pool, pi.device_id, [pi.team_id], first)
    beyond = {"to": iso(rows[5].time_us)} if order == "asc" else {"from": iso(rows[-5].time_us)}
    page = readings.Page.of({"order": order, **beyond}, accept="")

    found = await page_of(pool, pi.device_id, [pi.team_id], msgspec.structs.replace(page, after=written.next))

    assert found == (b"", None)


async def test_a_channel_may_have_quotes_backslashes_and_control_characters_in_its_name(kept, pool):
    names = ['a "quoted" name', "back\\slash", "tab\tand\x06bell", "plain"]
    pi, _ = kept([row(START_US + place * SECOND_US, {names[place % 4]: place}) for place in range(12)])
    sent = Sent()

    await Export(
        pool, Which(device_id=pi.device_id, spans=[(0, 2**60)]), Wish(Format.CSV, is_sent=False), GENERIC, name="device"
    ).answer(sent)
    [page] = await walked(pool, pi, f"channels={quote(names[2])}")

    assert len(sent.body.splitlines()) == 13
    assert [each["channels"] for each in json.loads(page)["readings"]] == [{names[2]: place} for place in (2, 6, 10)]
