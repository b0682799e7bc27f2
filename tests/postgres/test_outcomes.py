"""Promises P2 and P3: sent at least once, stored exactly once; every reading ends in exactly one outcome."""

import asyncio
import itertools
import json

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from releve.protocol.outcome import Outcome
from releve.protocol.problem import BadReading

GYM = {
    "machine_id": 7,
    "timestamp": "2026-06-01T12:00:00",
    "acceleration_x": 0.1,
    "acceleration_y": 0.2,
    "acceleration_z": 9.8,
    "repetitions": 3,
    "series_time": 12.5,
    "rest_time": 3.0,
}
SECOND = 1_000_000
NOW_US = 1_780_000_000 * SECOND


def outcomes(receipts):
    return [receipt.outcome.value for receipt in receipts]


def encoded(*documents):
    return json.dumps(list(documents)).encode()


async def test_the_same_reading_again_is_one_row_and_two_successes(path_into, device):
    pi = device()
    async with path_into() as path:
        first = await path.send(pi, json.dumps(GYM).encode(), contract="gym")
        again = await path.send(pi, json.dumps(dict(reversed(GYM.items()))).encode(), contract="gym")

        assert outcomes(first + again) == ["stored", "duplicate"]
        assert len(path.rows()) == 1


async def test_two_different_readings_of_one_instant_both_live(path_into, device):
    pi = device()
    async with path_into() as path:
        receipts = await path.send(
            pi, encoded({"time": "2026-06-01T12:00:00Z", "speed": 1}, {"time": "2026-06-01T12:00:00Z", "speed": 2})
        )

        assert outcomes(receipts) == ["stored", "stored"]
        assert len(path.rows()) == 2


async def test_the_same_reading_twice_in_one_batch_is_stored_once(path_into, device):
    pi = device()
    reading = {"time": "2026-06-01T12:00:00Z", "speed": 1}
    async with path_into() as path:
        receipts = await path.send(pi, encoded(reading, reading, {**reading, "speed": 2}))

        assert outcomes(receipts) == ["stored", "duplicate", "stored"]


async def test_a_batch_of_a_thousand_with_three_bad_items_stores_the_others_and_says_which_and_why(path_into, device):
    pi = device()
    items = [{"time": f"2026-06-01T12:{n // 60:02}:{n % 60:02}Z", "speed": n} for n in range(1000)]
    items[17] = {"time": "2026-06-01T12:00:00Z", "speed": [1]}
    items[500] = {"time": "yesterday", "speed": 1}
    items[999] = {"time": "2026-06-01T12:00:00Z", "speed": 2**60}
    async with path_into() as path:
        receipts = await path.send(pi, encoded(*items))

        refused = {i: r for i, r in enumerate(receipts) if r.outcome is Outcome.REFUSED}
        assert {index: receipt.field for index, receipt in refused.items()} == {
            17: "speed",
            500: "time",
            999: "speed",
        }
        assert "array" in refused[17].reason
        assert "ISO 8601" in refused[500].reason
        assert "2⁵³" in refused[999].reason
        assert len(path.rows()) == 997


async def test_an_implausible_time_is_kept_aside_with_its_bytes_and_its_neighbours_are_stored(path_into, device):
    pi = device()
    lines = b'{"time": "1970-01-01T00:00:09Z", "speed": 1}\n{"time": "2026-06-01T12:00:00Z", "speed": 2}\n'
    async with path_into() as path:
        receipts = await path.send(pi, lines, is_lines=True)
        again = await path.send(pi, lines, is_lines=True)

        assert outcomes(receipts) == ["quarantined", "stored"]
        assert outcomes(again) == ["quarantined", "duplicate"]
        assert path.rows("SELECT field, payload FROM quarantine") == [
            ("time", b'{"time": "1970-01-01T00:00:09Z", "speed": 1}')
        ]


async def test_a_keyed_reading_without_a_time_keeps_its_identity(path_into, device):
    pi = device()
    async with path_into() as path:
        first = await path.send(pi, b'{"speed": 1}', key="abc")
        again = await path.send(pi, b'{"speed": 1}', key="abc", received_us=first[0].time_us + 90 * SECOND)
        other = await path.send(pi, b'{"speed": 1}', key="abd")

        assert outcomes(first + again + other) == ["stored", "duplicate", "stored"]
        assert again[0].time_us == first[0].time_us
        assert len(path.rows()) == 2


async def test_eight_senders_of_one_keyed_reading_at_once_store_it_once(path_into, device):
    pi = device()
    async with path_into() as path:
        receipts = await asyncio.gather(*(path.send(pi, b'{"speed": 1}', key="abc") for _ in range(8)))

        assert sorted(outcomes(itertools.chain(*receipts))) == ["duplicate"] * 7 + ["stored"]
        assert len(path.rows()) == 1


async def test_an_uptime_sent_again_is_a_repeat_and_after_a_reboot_a_reading_of_its_own(path_into, device):
    esp = device("esp32")
    payload = b'{"temperature": 20.5, "timestamp": 60000}'
    async with path_into() as path:
        first = await path.send(esp, payload, contract="profilometre", received_us=1_780_000_000 * SECOND)
        again = await path.send(esp, payload, contract="profilometre", received_us=1_780_000_030 * SECOND)
        later = await path.send(
            esp, payload.replace(b"60000", b"90000"), contract="profilometre", received_us=1_780_000_031 * SECOND
        )
        rebooted = await path.send(esp, payload, contract="profilometre", received_us=1_780_086_400 * SECOND)

        assert outcomes(first + again + later + rebooted) == ["stored", "duplicate", "stored", "stored"]
        assert again[0].time_us == first[0].time_us == 1_780_000_000 * SECOND
        assert later[0].time_us == 1_780_000_030 * SECOND
        assert rebooted[0].time_us == 1_780_086_400 * SECOND


async def test_in_the_hour_that_clocks_repeat_the_time_of_receipt_decides_and_a_repeat_is_one(path_into, device):
    pi = device(zone="Europe/Paris")
    payload = b'{"temperature": 20.5, "timestamp": "2026-10-25T02:30:00"}'
    first_pass_us, hour_us = 1_792_888_200 * SECOND, 3600 * SECOND
    async with path_into() as path:
        receipts = [
            (await path.send(pi, payload, contract="profilometre", received_us=first_pass_us + later_us))[0]
            for later_us in (SECOND, 30 * SECOND, hour_us, hour_us + 30 * SECOND)
        ]

        assert outcomes(receipts) == ["stored", "duplicate", "stored", "duplicate"]
        assert [receipt.time_us - first_pass_us for receipt in receipts] == [0, 0, hour_us, hour_us]
        assert [receipt.clock for receipt in receipts] == ["naive-first"] * 2 + ["naive-second"] * 2


async def test_a_row_that_postgresql_itself_refuses_is_quarantined_and_its_group_is_stored(path_into, device):
    pi, other = device(), device("raspberry2")
    async with path_into(writers=1) as path:
        path.execute(
            "ALTER TABLE fresh_reading ADD CONSTRAINT poison CHECK ((channels::jsonb->>'speed') IS DISTINCT FROM '666')"
        )
        good, mixed = await asyncio.gather(
            path.send(other, encoded(*({"time": f"2026-06-01T12:00:{n:02}Z", "speed": n} for n in range(60)))),
            path.send(pi, encoded(*({"time": "2026-06-01T12:00:00Z", "speed": n} for n in (1, 666, 2)))),
        )

        assert set(outcomes(good)) == {"stored"}
        assert outcomes(mixed) == ["stored", "quarantined", "stored"]
        assert "poison" in mixed[1].reason
        assert len(path.rows()) == 62


async def test_an_unknown_machine_becomes_an_asset_of_the_devices_team_at_its_first_reading(path_into, device):
    pi = device()
    async with path_into() as path:
        await path.send(pi, json.dumps(GYM).encode(), contract="gym")
        await path.send(pi, json.dumps({**GYM, "machine_id": 8}).encode(), contract="gym")
        await path.send(pi, json.dumps({**GYM, "repetitions": 4}).encode(), contract="gym")

        assert path.rows("SELECT team_id, kind, key FROM fleet_asset ORDER BY key") == [
            (pi.team_id, "machine", "7"),
            (pi.team_id, "machine", "8"),
        ]


async def test_a_foreign_device_in_a_reading_is_refused_with_the_field(path_into, device):
    pi = device()
    async with path_into() as path:
        with pytest.raises(BadReading) as refusal:
            await path.send(pi, b'{"device": "raspberry2", "speed": 1}')

        assert refusal.value.field == "device"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plan=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 3), st.sampled_from(["", "a", "b"])), min_size=1, max_size=12
    )
)
async def test_any_mix_of_repeats_ends_as_a_set_of_readings(path_into, device, migrated_url, plan):
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        connection.execute("TRUNCATE fresh_reading, segment, receipt, fleet_device CASCADE")
    pi = device(f"pi-{len(plan)}-{abs(hash(tuple(plan)))}")
    documents = [
        {"time": f"2026-06-01T12:00:{second:02}Z", "speed": speed} | ({"id": key} if key else {})
        for second, speed, key in plan
    ]
    expected = set(plan)
    async with path_into() as path:
        receipts = await path.send(pi, encoded(*documents))
        again = await path.send(pi, encoded(*documents))

        assert outcomes(receipts).count("stored") == len(expected) == len(path.rows())
        assert set(outcomes(again)) == {"duplicate"}


async def test_a_board_that_was_on_for_49_days_lands_around_now_from_its_first_reading_through_the_wrap(
    path_into, device
):
    pi = device()
    async with path_into() as path:
        receipts = []
        for number, uptime_ms in enumerate([2**32 - 1296, 2**32 - 296, 704, 1704]):
            payload = json.dumps({"temperature": 21.5 + number, "timestamp": uptime_ms}).encode()
            received_us = NOW_US + number * SECOND
            receipts += await path.send(pi, payload, contract="profilometre", received_us=received_us)

        assert outcomes(receipts) == ["stored"] * 4
        assert {receipt.clock for receipt in receipts} == {"uptime"}
        assert [receipt.time_us - NOW_US for receipt in receipts] == [0, SECOND, 2 * SECOND, 3 * SECOND]


async def test_an_uptime_near_the_wrap_of_a_device_that_counts_is_never_in_the_next_century(path_into, device):
    esp = device(counts_uptime=True)
    async with path_into() as path:
        await path.send(esp, b'{"n": 1, "timestamp": 5000}')
        (receipt,) = await path.send(esp, b'{"n": 2, "timestamp": 4294967295}', received_us=NOW_US + SECOND)

        assert (receipt.outcome.value, receipt.clock) == ("stored", "uptime")
        assert receipt.time_us == NOW_US + SECOND
