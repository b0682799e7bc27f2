"""What is stored is what was meant: message ids that come again, counters in any unit, clocks never set, text."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from tests.postgres.conftest import NOW_US

from releve.protocol.identity import key_hash

SECOND = 1_000_000
NOON = 1_780_000_000
YEAR_US = 365 * 86_400 * SECOND
PARIS = ZoneInfo("Europe/Paris")


def body(*documents):
    return json.dumps(documents[0] if len(documents) == 1 else documents).encode()


def outcomes(receipts):
    return [receipt.outcome.value for receipt in receipts]


def stored(path):
    return [json.loads(json.dumps(row[3])) for row in path.rows()]


# The same message id with other content (row 9)


@pytest.mark.parametrize(
    ("first", "second", "key", "field"),
    [
        ({"id": 1, "temperature": 20.0}, {"id": 1, "temperature": 35.0}, None, "id"),
        ({"temperature": 20.0}, {"temperature": 35.0}, "constant", "Idempotency-Key"),
        (
            {"id": 1, "time": 1_780_000_000, "temperature": 20.0},
            {"id": 1, "time": 1_780_000_000, "temperature": 35.0},
            None,
            "id",
        ),
        ({"id": 1, "time": 5_000, "temperature": 20.0}, {"id": 1, "time": 6_000, "temperature": 20.0}, None, "id"),
    ],
)
async def test_a_message_id_with_other_content_is_another_reading_and_the_sender_is_warned(
    path_into, device, first, second, key, field
):
    pi = device()
    async with path_into() as path:
        answers = [
            (await path.send(pi, body(reading), key=key, received_us=NOW_US + later_us))[0]
            for later_us, reading in enumerate((first, second, first, second))
        ]

        assert outcomes(answers) == ["stored", "stored", "duplicate", "duplicate"]
        assert [[notice.field for notice in receipt.notices] for receipt in answers] == [[], [field], [], []]
        assert len(stored(path)) == 2


async def test_within_one_group_too(path_into, device):
    pi = device()
    reading = {"id": 7, "time": 1_780_000_000}
    async with path_into() as path:
        receipts = await path.send(pi, body({**reading, "n": 1}, {**reading, "n": 2}, {**reading, "n": 1}))

        assert outcomes(receipts) == ["stored", "stored", "duplicate"]
        assert [len(receipt.notices) for receipt in receipts] == [0, 1, 0]


async def test_a_message_id_at_another_time_is_no_reason_to_warn(path_into, device):
    pi = device()
    async with path_into() as path:
        receipts = await path.send(
            pi, body({"id": 1, "time": 1_780_000_000, "n": 1}, {"id": 1, "time": 1_780_000_001, "n": 2})
        )

        assert outcomes(receipts) == ["stored", "stored"]
        assert not any(receipt.notices for receipt in receipts)


async def test_what_was_stored_when_a_message_id_was_the_whole_identity_is_still_known(path_into, device):
    pi = device()
    dated, undated = {"id": 1, "time": 1_780_000_000, "n": 1}, {"id": 2, "n": 2}
    async with path_into() as path:
        await path.send(pi, body(dated, undated))
        path.execute("UPDATE receipt SET id = key, key = NULL")
        path.execute("UPDATE fresh_reading SET id = (SELECT id FROM receipt) WHERE channels::jsonb @> '{\"n\": 2}'")
        path.execute("UPDATE fresh_reading SET id = %s WHERE channels::jsonb @> '{\"n\": 1}'", [key_hash("1")])

        again = await path.send(pi, body(dated, undated), received_us=NOW_US + SECOND)
        other = await path.send(pi, body({**dated, "n": 3}), received_us=NOW_US + SECOND)

        assert outcomes(again + other) == ["duplicate", "duplicate", "stored"]
        assert [notice.field for notice in other[0].notices] == ["id"]


# Counters (row 8)


@pytest.mark.parametrize(
    ("per_second", "start", "tick_us"),
    [
        (1, 849_128_400, 1_000_000),  # seconds since 2000, as MicroPython counts
        (1, 30, 1_000_000),  # seconds since boot
        (1_000, 60_000, 1_000),
        (1_000_000, 1_000_000, 1),
        (1_000_000, 940_000_000, 1),  # soon as large as epoch seconds
    ],
)
async def test_the_unit_of_a_counter_is_learnt_from_its_speed_from_the_second_reading_on(
    path_into, device, per_second, start, tick_us
):
    esp = device("esp32")
    async with path_into() as path:
        receipts = []
        for number in range(8):
            reading = {"time": start + number * 2 * per_second, "n": number}
            receipts += await path.send(esp, body(reading), received_us=NOW_US + number * 2 * SECOND)
            if number == 1:
                esp = msgspec.structs.replace(esp, counts_uptime=True)  # workers are told to look again

        assert outcomes(receipts) == ["stored"] * 8
        assert [receipt.time_us - NOW_US for receipt in receipts] == [2 * n * SECOND for n in range(8)]
        assert path.rows("SELECT tick_us FROM boot_anchor") == [(tick_us,)]


async def test_a_batch_follows_the_unit_that_was_learnt_and_so_does_another_process(path_into, device):
    esp = device("esp32")
    async with path_into() as path:
        for number in range(2):
            await path.send(
                esp, body({"time": 1_000 + 2 * number, "n": number}), received_us=NOW_US + 2 * number * SECOND
            )
    async with path_into() as path:
        batch = [{"time": 1_000 + 10 * number, "n": number} for number in (10, 11, 12)]
        receipts = await path.send(esp, body(*batch), received_us=NOW_US + 120 * SECOND)

        assert [receipt.time_us - NOW_US for receipt in receipts] == [100 * SECOND, 110 * SECOND, 120 * SECOND]


async def test_a_counter_at_no_known_speed_is_quarantined_with_the_reason_until_its_speed_is_known(path_into, device):
    plc = device("plc")
    async with path_into() as path:
        receipts = []
        for number, count in enumerate((1_000_000, 1_000_100, 1_000_200, 1_002_200, 1_004_200)):
            receipts += await path.send(
                plc, body({"time": count} | {"n": number}), received_us=NOW_US + number * 2 * SECOND
            )

        assert outcomes(receipts) == ["stored", "quarantined", "quarantined", "stored", "stored"]
        assert receipts[1].field == "time"
        assert "50 steps a second" in receipts[1].reason
        assert path.rows("SELECT payload FROM quarantine ORDER BY id")[0] == (b'{"time": 1000100, "n": 1}',)


async def test_a_learnt_device_may_be_late_and_may_boot_again(path_into, device):
    esp = device("esp32")
    counts = [(60_000, 0), (62_000, 2), (63_000, 33), (1_000, 100), (3_000, 102)]
    async with path_into() as path:
        receipts = []
        for count, later_s in counts:
            receipts += await path.send(esp, body({"time": count, "n": count}), received_us=NOW_US + later_s * SECOND)

        assert outcomes(receipts) == ["stored"] * 5
        assert [(receipt.time_us - NOW_US) // SECOND for receipt in receipts] == [0, 2, 3, 100, 102]


# The hour that clocks repeat (row 10)


async def test_in_a_batch_in_order_the_second_pass_is_the_second_hour(path_into, device):
    pi = device(zone="Europe/Paris")
    hour = [{"time": f"2026-10-25T02:{minute:02}:00", "temperature": 21.5} for minute in range(0, 60, 10)]
    async with path_into() as path:
        receipts = await path.send(pi, body(*hour, *hour))
        again = await path.send(pi, body(*hour, *hour), received_us=NOW_US + 7_200 * SECOND)

        assert outcomes(receipts) == ["stored"] * 12
        assert [receipt.clock for receipt in receipts] == ["naive-first"] * 6 + ["naive-second"] * 6
        assert receipts[6].time_us - receipts[0].time_us == 3_600 * SECOND
        assert set(outcomes(again)) == {"duplicate"}


async def test_a_batch_that_comes_into_that_hour_from_before_is_in_its_first_pass(path_into, device):
    pi = device(zone="Europe/Paris")
    times = ("01:50", "02:00", "02:30")
    async with path_into() as path:
        receipts = await path.send(pi, body(*({"time": f"2026-10-25T{time}:00", "t": 1} for time in times)))

        assert [receipt.clock for receipt in receipts] == ["naive", "naive-first", "naive-first"]


# A clock that was never set (row 11)


@pytest.mark.parametrize(
    "time", ["2000-01-01T00:00:05Z", 946_684_805, 946_684_805_000, "1970-01-01T00:00:05Z", "1980-01-06T00:00:05Z"]
)
async def test_the_first_day_of_a_clock_is_quarantined(path_into, device, time):
    pi = device()
    async with path_into() as path:
        receipts = await path.send(pi, body({"time": time, "speed": 1}))

        assert (outcomes(receipts), receipts[0].field) == (["quarantined"], "time")
        assert "2000" in receipts[0].reason


async def test_so_it_is_for_a_device_that_counts(path_into, device):
    esp = device(counts_uptime=True)
    async with path_into() as path:
        await path.send(esp, body({"time": 60_000, "n": 1}))
        receipts = await path.send(esp, body({"time": 946_684_805, "n": 2}))

        assert outcomes(receipts) == ["quarantined"]


async def test_long_before_the_device_was_added_is_quarantined_unless_it_is_imported(path_into, device):
    pi = msgspec.structs.replace(device(), added_us=NOW_US)
    long_ago = datetime.fromtimestamp((NOW_US - 21 * YEAR_US) / 1e6, UTC).isoformat()
    async with path_into() as path:
        live = await path.send(pi, body({"time": long_ago, "speed": 1}))
        imported = await path.send(pi, body({"time": long_ago, "speed": 1}), is_imported=True)

        assert outcomes(live + imported) == ["quarantined", "stored"]
        assert "20 years" in live[0].reason


# Text in a channel of numbers (row 14)


@pytest.mark.parametrize(("text", "number"), [("12,5", 12.5), (" 12.5", 12.5), ("11.5", 11.5), ("12", 12)])
async def test_numeric_text_in_a_channel_of_numbers_is_its_number(path_into, device, text, number):
    pi = device()
    async with path_into() as path:
        await path.send(pi, body({"time": 1_780_000_000, "speed": 11.5}))
        first = await path.send(pi, body({"time": 1_780_000_001, "speed": text}))
        again = await path.send(pi, body({"time": 1_780_000_001, "speed": number}))

        assert outcomes(first + again) == ["stored", "duplicate"]
        assert stored(path) == [{"speed": 11.5}, {"speed": number}]


async def test_other_text_there_is_stored_and_flagged(path_into, device):
    pi = device()
    async with path_into() as path:
        await path.send(pi, body({"time": 1_780_000_000, "speed": 11.5}))
        (receipt,) = await path.send(pi, body({"time": 1_780_000_001, "speed": "fast"}))

        assert (receipt.outcome.value, [notice.field for notice in receipt.notices]) == ("stored", ["speed"])
        assert stored(path)[1] == {"speed": "fast"}
        assert path.rows("SELECT channel, text FROM strange_text") == [("speed", "fast")]


async def test_text_in_a_channel_of_text_stays_text(path_into, device):
    pi = device()
    async with path_into() as path:
        for number, value in enumerate(("auto", "12,5")):
            (receipt,) = await path.send(pi, body({"time": 1_780_000_000 + number, "mode": value}))

            assert (receipt.outcome.value, receipt.notices) == ("stored", ())
        assert stored(path) == [{"mode": "auto"}, {"mode": "12,5"}]


async def test_a_channel_counts_as_one_of_numbers_from_its_first_number_on(path_into, device):
    pi = device()
    async with path_into() as path:
        batch = [{"time": NOON + number, "lap": lap} for number, lap in enumerate(("12", 7, "8", "007"))]
        receipts = await path.send(pi, body(*batch))

        assert [reading["lap"] for reading in stored(path)] == ["12", 7, 8, "007"]
        assert [len(receipt.notices) for receipt in receipts] == [0, 0, 0, 1]


async def test_what_comes_back_from_an_export_stays_as_it_was(path_into, device):
    pi = device()
    async with path_into() as path:
        await path.send(pi, body({"time": 1_780_000_000, "speed": 11.5}))
        await path.send(pi, body({"id": "releve:id:5", "time": 1_780_000_001, "channels": {"speed": "12.5"}}))

        assert stored(path)[1] == {"speed": "12.5"}
