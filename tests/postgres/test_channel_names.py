"""The names that a device's channels have between them are bounded; what is beyond is kept aside."""

import asyncio
import json

from tests.postgres.conftest import NOW_US

NOON = 1_780_000_000


def body(*documents):
    return json.dumps(documents[0] if len(documents) == 1 else documents).encode()


def outcomes(receipts):
    return [receipt.outcome.value for receipt in receipts]


def reading(second, *names):
    return {"time": NOON + second, **dict.fromkeys(names, second)}


async def test_a_reading_with_a_name_too_many_is_kept_aside_with_its_bytes_and_its_neighbours_are_stored(
    path_into, device
):
    pi, other = device(), device("other")
    batch = [reading(1, "a", "b"), reading(2, "a", "c"), reading(3, "a", "d"), reading(4, "c"), reading(5, "e", "f")]
    async with path_into(device_channels=3) as path:
        receipts = await path.send(pi, body(*batch))
        others = await path.send(other, body(reading(3, "a", "d")))

        assert outcomes(receipts) == ["stored", "stored", "quarantined", "stored", "quarantined"]
        assert [(receipt.field, "3 (RELEVE_DEVICE_CHANNELS)" in receipt.reason) for receipt in receipts[2::2]] == [
            ("d", True),
            ("e", True),
        ]
        assert outcomes(others) == ["stored"]
        kept = path.rows("SELECT payload, contract, transport FROM quarantine ORDER BY id")
        assert [(json.loads(payload), *source) for payload, *source in kept] == [
            (batch[2], "generic", "http"),
            (batch[4], "generic", "http"),
        ]


async def test_text_true_and_false_have_names_too_and_null_has_none(path_into, device):
    pi = device()
    async with path_into(device_channels=2) as path:
        receipts = await path.send(
            pi,
            body(
                {"time": NOON, "word": "on", "flag": True},
                {"time": NOON + 1, "word": "off", "nothing": None},
                {"time": NOON + 2, "another word": "off"},
                {"time": NOON + 3, "another flag": True},
            ),
        )

        assert outcomes(receipts) == ["stored", "stored", "quarantined", "quarantined"]


async def test_a_reading_without_a_time_is_kept_aside_for_its_name_and_has_no_receipt(path_into, device):
    pi = device()
    async with path_into(device_channels=1) as path:
        await path.send(pi, body(reading(1, "a")))

        for _ in range(2):
            assert outcomes(await path.send(pi, body({"id": 5, "b": 1}))) == ["quarantined"]

        assert path.rows("SELECT count(*) FROM quarantine") == [(1,)]
        assert path.rows("SELECT count(*) FROM receipt") == [(0,)]


async def test_what_was_kept_aside_is_stored_once_more_names_are_allowed(path_into, device):
    pi = device()
    async with path_into(device_channels=1) as path:
        await path.send(pi, body(reading(1, "a")))
        await path.send(pi, body(reading(2, "b")))
    [(payload,)] = path.rows("SELECT payload FROM quarantine")
    async with path_into(device_channels=2) as path:
        assert outcomes(await path.send(pi, payload, transport="replay")) == ["stored"]
        assert outcomes(await path.send(pi, body(reading(3, "c")))) == ["quarantined"]


async def test_names_that_a_device_has_it_keeps_when_fewer_are_allowed(path_into, device):
    pi = device()
    async with path_into(device_channels=3) as path:
        await path.send(pi, body(reading(1, "a", "b", "c")))
    async with path_into(device_channels=1) as path:
        receipts = await path.send(pi, body(reading(2, "c"), reading(3, "a", "b"), reading(4, "d")))

        assert outcomes(receipts) == ["stored", "stored", "quarantined"]


async def test_writers_that_learn_names_at_once_stay_within_the_bound_together(path_into, device):
    pi = device()
    async with path_into(device_channels=5) as path, path_into(device_channels=5) as another:
        receipts = await asyncio.gather(
            *(
                sending.send(pi, body(reading(number, f"{name} {number}")), received_us=NOW_US + number)
                for number in range(20)
                for name, sending in (("here", path), ("there", another))
            )
        )

        assert sorted(outcomes(receipt for (receipt,) in receipts)) == ["quarantined"] * 35 + ["stored"] * 5
        assert path.rows("SELECT count(*) FROM channel_name") == [(5,)]
