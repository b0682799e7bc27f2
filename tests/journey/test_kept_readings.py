"""How long readings are kept, as the people who run a server say it, and what comes back from the archive."""

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.homes import row

from releve.history.pivot import block_of
from releve.storage import segments
from releve.storage.reader import ConnectionReader, now

DAYS = 40
QUARTER_US = 900_000_000


@pytest.fixture(scope="module")
def retaining(module_start, installation):
    return module_start(installation())


@pytest.fixture
def device(retaining):
    """A device that sent a reading every quarter of an hour for forty days, all of them sealed."""
    made = retaining.add_device(team="Workshop")
    now_us = int(datetime.now(UTC).replace(second=0, microsecond=0).timestamp()) * 1_000_000
    readings = [
        (now_us - quarter * QUARTER_US, {"noise": quarter % 7, "temperature": quarter / 8})
        for quarter in range(DAYS * 96, 0, -1)
    ]
    rows = [row(time_us, channels, received_us=now_us) for time_us, channels in readings]
    with psycopg.connect(retaining.database_url) as connection:
        now(segments.add(ConnectionReader(connection), made["id"], block_of(rows)))
    lines = [
        json.dumps({"time": datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(), **channels})
        for time_us, channels in readings
    ]
    return {**made, "lines": lines, "bearer": retaining.bearer(made)}


@pytest.fixture
def administrator(retaining):
    return retaining.bearer(retaining.add_account(team="Workshop"))


def exported(retaining, administrator, number):
    address = f"{retaining.url}/api/v1/devices/{number}/export?format=ndjson"
    return httpx.get(address, headers=administrator, timeout=60).raise_for_status().text.splitlines()


def test_what_a_dry_run_says_is_deleted_then_archived_first_and_comes_back_to_the_byte(
    retaining, device, administrator
):
    number = device["id"]
    before = exported(retaining, administrator, number)
    rule = ("--device", device["name"], "--raw-days", "30", "--archive")

    (dry,) = retaining.json("retention", "set", *rule, "--dry-run")
    retaining.json("retention", "set", *rule)
    (done,) = retaining.json("retention", "run")
    after = exported(retaining, administrator, number)

    assert dry["readings"] == done["readings"] == len(before) - len(after)
    assert 10 * 96 <= done["readings"] <= 10 * 96 + 1  # a minute may have gone by
    assert after == before[-len(after) :]
    files = retaining.json("archive", "list", "--device", device["name"])
    assert sum(each["readings"] for each in files) == done["readings"]
    assert all(Path(each["file"]).is_relative_to(retaining.data_dir / "archive") for each in files)
    chart = f"{retaining.url}/api/v1/devices/{number}/series?channel=temperature&points=200"
    assert httpx.get(chart, headers=administrator, timeout=60).status_code == 200

    restored = retaining.json("archive", "restore", "--device", device["name"])

    assert sum(each["restored"] for each in restored) == done["readings"]
    assert exported(retaining, administrator, number) == before
    assert retaining.json("retention", "run") == []
    assert retaining.command("history", "verify", "--device", device["name"]).returncode == 0


def test_a_deleted_reading_that_is_sent_again_is_kept_aside_and_says_why(retaining, device, administrator):
    retaining.json("retention", "set", "--device", device["name"], "--raw-days", "30")
    (done,) = [each for each in retaining.json("retention", "run") if each["device"] == device["name"]]

    again = httpx.post(
        f"{retaining.url}/api/v1/readings",
        content="\n".join([device["lines"][0], device["lines"][-1]]),
        headers={**device["bearer"], "Content-Type": "application/x-ndjson"},
        timeout=60,
    ).json()

    assert done["readings"] > 0
    assert (again["quarantined"], again["duplicate"]) == (1, 1)
    assert again["readings"][0]["field"] == "time"
    assert "were deleted, as their team asked" in again["readings"][0]["reason"]
    keeping = f"{retaining.url}/api/v1/devices/{device['id']}/keeping"
    (gone,) = httpx.get(keeping, headers=administrator).json()["deleted"]
    assert gone["since"] is None


def test_a_channel_is_dropped_alone_and_a_rule_that_is_taken_back_deletes_nothing_more(
    retaining, device, administrator
):
    number = device["id"]
    before = [json.loads(line) for line in exported(retaining, administrator, number)]
    retaining.json("retention", "set", "--device", device["name"], "--channel", "noise", "--raw-days", "7")

    retaining.json("retention", "run")

    after = [json.loads(line) for line in exported(retaining, administrator, number)]
    assert [(each["time"], each["id"]) for each in after] == [(each["time"], each["id"]) for each in before]
    noise = [each for each in after if "noise" in str(each)]
    assert 7 * 96 - 1 <= len(noise) <= 7 * 96
    assert retaining.command("retention", "remove", "--device", device["name"], "--channel", "noise").returncode == 0
    assert not [each for each in retaining.json("retention", "list") if each["device"] == device["name"]]
    assert retaining.command("history", "verify", "--device", device["name"]).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("retention", "set", "--raw-days", "3"), "say which: --team NAME, or --device NAME"),
        (("retention", "set", "--team", "Nowhere", "--raw-days", "3"), "no team called 'Nowhere'"),
        (("retention", "set", "--device", "nothing", "--raw-days", "3"), "no device is called nothing"),
        (("retention", "set", "--team", "Home", "--raw-days", "3", "--ladder-days", "2"), "ladder_days: must be"),
        (("retention", "remove", "--team", "Home"), "there is no rule of the team Home"),
        (("archive", "restore", "--device", "nothing"), "no device is called nothing"),
    ],
)
def test_a_refusal_says_what_is_wrong(retaining, arguments, says):
    retaining.add_device(team="Home")

    refused = retaining.command(*arguments)

    assert refused.returncode == 1
    assert says in refused.stderr
