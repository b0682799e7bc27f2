"""The live stream at `/api/v1/live`: what was just committed reaches whoever may see it, once more after a break."""

import asyncio
import contextlib
import json
import secrets
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.journey.test_contract_a import reading
from tests.journey.test_live_page import session_cookie

WITHIN_S = 20
PATH = "/api/v1/live"


@pytest.fixture
def team():
    return f"Watchers {secrets.token_hex(4)}"


class Stream:
    """An open stream: the events of its answer, one by one."""

    def __init__(self, answer):
        self.status = answer.status_code
        self.headers = answer.headers
        self._lines = answer.aiter_lines()

    async def event(self):
        """The next one, without heartbeats."""
        event = {}
        async with asyncio.timeout(WITHIN_S):
            async for line in self._lines:
                name, sign, value = line.partition(": ")
                if sign and name in ("id", "event", "data"):
                    event[name] = value
                elif not line and "data" in event:
                    return {**event, "data": json.loads(event["data"])}
        raise EOFError

    async def values(self, count, channel="speed"):
        return [(await self.event())["data"]["channels"][channel] for _ in range(count)]

    async def is_silent(self, for_s=0.5):
        try:
            await asyncio.wait_for(self.event(), for_s)
        except TimeoutError:
            return True
        return False


@contextlib.asynccontextmanager
async def watching(server, headers, **query):
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=WITHIN_S) as client,
        client.stream("GET", PATH, params=query, headers=headers) as answer,
    ):
        yield Stream(answer)


def number_of(server, device):
    return server.query("SELECT id FROM fleet_device WHERE name = %s", device["name"])[0][0]


async def sent(server, device, *speeds, **more):
    """Each is acknowledged, and so committed, when this returns."""
    async with httpx.AsyncClient(base_url=server.url, timeout=WITHIN_S) as client:
        for speed in speeds:
            body = {"speed": speed, "time": datetime.now(UTC).isoformat(), **more}
            answer = await client.post("/api/v1/readings", json=body, headers=server.bearer(device))
            assert answer.json()["outcome"] == "stored", answer.text


async def status_of(server, headers, **query):
    async with watching(server, headers, **query) as stream:
        return stream.status


async def test_it_opens_with_the_last_value_and_goes_on_with_what_is_committed(server, team):
    device = server.add_device(team=team)
    viewer = server.bearer(server.add_account("viewer", team=team))
    number = number_of(server, device)
    await sent(server, device, 1, 2, 3)

    async with watching(server, viewer, device=number) as stream:
        first = await stream.event()
        began_s = time.monotonic()
        await sent(server, device, 4)
        second = await stream.event()
        took_s = time.monotonic() - began_s

    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.headers["cache-control"] == "no-store"
    assert first["data"] == {**first["data"], "device": device["name"], "device_id": number, "channels": {"speed": 3}}
    assert set(first["data"]) == {"device", "device_id", "time", "channels"}
    assert second["data"]["channels"] == {"speed": 4}
    assert int(second["id"]) > int(first["id"])
    assert took_s < 5


async def test_whoever_comes_back_misses_nothing(server, team):
    device = server.add_device(team=team)
    viewer = server.bearer(server.add_account("viewer", team=team))
    number = number_of(server, device)
    await sent(server, device, 0)
    async with watching(server, viewer, device=number) as stream:
        await stream.event()
        await sent(server, device, 1)
        last = await stream.event()
    await sent(server, device, *range(2, 8))
    async with watching(server, {**viewer, "Last-Event-ID": last["id"]}, device=number) as stream:
        heard = []
        while heard[-1:] != [7]:
            heard += await stream.values(1)
        await sent(server, device, 8)
        after = await stream.event()

    assert sorted(set(heard)) == heard
    assert set(range(2, 8)) <= set(heard)
    assert after["data"]["channels"] == {"speed": 8}


async def test_whoever_comes_back_hears_what_was_sealed_meanwhile(server, team):
    device = server.add_device(team=team)
    viewer = server.bearer(server.add_account("viewer", team=team))
    number = number_of(server, device)
    since = str(time.time_ns() // 1_000)
    async with httpx.AsyncClient(base_url=server.url, timeout=WITHIN_S) as client:
        start = datetime.now(UTC) - timedelta(hours=2)
        lines = [{"speed": n, "time": (start + timedelta(seconds=n)).isoformat()} for n in range(3_000)]
        answer = await client.post("/api/v1/readings", json=lines, headers=server.bearer(device))
        assert answer.status_code == 200
    sealed = server.command("history", "seal")
    async with watching(server, {**viewer, "Last-Event-ID": since}, device=number) as stream:
        heard = await stream.values(3_000)

    assert heard == list(range(3_000)), sealed.stderr


async def test_whoever_was_away_for_too_long_is_told_so_and_goes_on_from_now(server, team):
    device = server.add_device(team=team)
    viewer = server.bearer(server.add_account("viewer", team=team))
    await sent(server, device, 1, 2)
    since_us = time.time_ns() // 1_000 - 2 * 3_600 * 1_000_000
    headers = {**viewer, "Last-Event-ID": str(since_us)}
    async with watching(server, headers, device=number_of(server, device)) as stream:
        gap, last = await stream.event(), await stream.event()

    assert gap["event"] == "gap"
    assert set(gap["data"]) == {"from", "to"}
    assert last["data"]["channels"] == {"speed": 2}


async def on_machine(server, gym, machine, **more):
    """As the published client sends it."""
    async with httpx.AsyncClient(base_url=server.url, timeout=WITHIN_S) as client:
        answer = await client.post("/data", json=reading(machine_id=machine, **more), headers=server.bearer(gym))
        assert answer.json()["outcome"] == "stored", answer.text


async def test_a_stream_has_the_machines_the_channels_and_the_devices_that_were_asked_for(server, team):
    gym, other = server.add_device("gym", team=team), server.add_device(team=team)
    viewer = server.bearer(server.add_account("viewer", team=team))
    await on_machine(server, gym, 4, speed=1)
    await on_machine(server, gym, 5, speed=1)
    ((asset,),) = server.query(
        "SELECT asset_id FROM fleet_asset AS a JOIN fleet_mount ON asset_id = a.id WHERE device_id = %s AND key = '4'",
        number_of(server, gym),
    )
    async with (
        watching(server, viewer, asset=asset) as of_machine,
        watching(server, viewer, device=number_of(server, gym), channel=["load", "speed"]) as of_channels,
        watching(server, viewer) as of_all,
    ):
        assert (await of_machine.event())["data"]["channels"]["machine_id"] == 4
        assert (await of_channels.event())["data"]["channels"] == {"speed": 1}
        assert (await of_all.event())["data"]["channels"]["machine_id"] == 5

        await on_machine(server, gym, 5, speed=2, load=9)
        await on_machine(server, gym, 4, speed=3)
        await sent(server, other, 4)

        assert await of_machine.values(1) == [3]
        assert (await of_channels.event())["data"]["channels"] == {"load": 9, "speed": 2}
        assert await of_all.values(3) == [2, 3, 4]
        assert await of_machine.is_silent(3.5)  # nor does what was before come, once other workers have been asked
        assert await of_all.is_silent()


async def test_a_run_is_followed_with_its_own_readings_only(server, team):
    gym = server.add_device("gym", team=team)
    viewer = server.bearer(server.add_account("viewer", team=team))
    await on_machine(server, gym, 4, speed=1)
    server.cut_runs()
    ((run,),) = server.query("SELECT id FROM runs_run WHERE device_id = %s", number_of(server, gym))
    async with watching(server, viewer, run=run) as stream:
        assert await stream.values(1) == [1]
        await on_machine(server, gym, 5, speed=2)
        await on_machine(server, gym, 4, speed=3)

        assert await stream.values(1) == [3]


async def test_two_teams_never_mix_and_strangers_things_are_not_there(server, team):
    others = f"{team} of others"
    ours, theirs = server.add_device(team=team), server.add_device(team=others)
    viewer = server.bearer(server.add_account("admin", team=team))
    async with watching(server, viewer) as stream:
        await sent(server, theirs, 1)
        await sent(server, ours, 2)
        assert await stream.values(1) == [2]

        assert await status_of(server, viewer, device=number_of(server, theirs)) == 404
        assert await status_of(server, viewer, device=2**31 - 1) == 404
        assert await status_of(server, viewer, run=2**61) == 404
        assert await status_of(server, viewer, asset=2**61) == 404
        assert await stream.is_silent()


async def test_a_browsers_session_opens_it_and_other_sites_may_not(server, team):
    device = server.add_device(team=team)
    await sent(server, device, 3)
    cookie = session_cookie(server, server.add_account("viewer", team=team))
    number = number_of(server, device)

    async with watching(server, {**cookie, "Sec-Fetch-Site": "same-origin"}, device=number) as stream:
        assert await stream.values(1) == [3]
    for strange in ({"Origin": "https://example.com"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert await status_of(server, {**cookie, **strange}, device=number) == 403


async def test_nobody_and_devices_are_refused_and_so_is_what_makes_no_sense(server, team):
    device = server.add_device(team=team)
    viewer = server.bearer(server.add_account("viewer", team=team))

    assert await status_of(server, {}) == 401
    assert await status_of(server, {"Cookie": "sessionid=made-up"}) == 401
    assert await status_of(server, {"Authorization": "Bearer a.b.c"}) == 401
    assert await status_of(server, server.bearer(device)) == 403
    for query in ({"device": "x"}, {"device": 0}, {"devices": 1}, {"channel": ""}, {"run": [1] * 9}):
        assert await status_of(server, viewer, **query) == 400
    assert await status_of(server, {**viewer, "Last-Event-ID": "yesterday"}) == 400
    async with httpx.AsyncClient(base_url=server.url, timeout=WITHIN_S) as client:
        assert (await client.post(PATH, headers=viewer)).status_code == 405


@pytest.mark.alone
@pytest.mark.parametrize("by", ["token", "session"])
async def test_a_stream_ends_within_five_seconds_of_the_end_of_the_sign_in(server, team, by):
    account = server.add_account("viewer", team=team)
    device = server.add_device(team=team)
    headers = server.bearer(account) if by == "token" else session_cookie(server, account)
    async with watching(server, headers, device=number_of(server, device)) as stream:
        server.json("account", "disable", account["email"])
        began_s = time.monotonic()
        assert (await stream.event())["event"] == "end"
        with pytest.raises(EOFError):
            await stream.event()

    assert time.monotonic() - began_s < 5
    assert await status_of(server, headers) == 401


async def test_a_stream_ends_when_its_device_goes_to_another_team(server, team):
    device = server.add_device(team=team)
    server.add_account("admin", team=f"{team} of others")
    viewer = server.bearer(server.add_account("viewer", team=team))
    async with watching(server, viewer, device=number_of(server, device)) as stream:
        server.query(
            "UPDATE fleet_device SET team_id = (SELECT id FROM teams_team WHERE name = %s) WHERE id = %s RETURNING id",
            f"{team} of others", number_of(server, device),
        )  # fmt: skip
        assert (await stream.event())["event"] == "end"


async def test_whoever_leaves_a_team_hears_no_more_of_it(server, team):
    account = server.add_account("viewer", team=team)
    device = server.add_device(team=team)
    async with (
        watching(server, server.bearer(account), device=number_of(server, device)) as of_one,
        watching(server, server.bearer(account)) as of_all,
    ):
        server.query(
            "DELETE FROM teams_membership USING accounts_account a WHERE account_id = a.id AND a.email = %s"
            " RETURNING team_id", account["email"],
        )  # fmt: skip
        assert (await of_one.event())["event"] == "end"
        await sent(server, device, 1)
        assert await of_all.is_silent()


async def test_a_viewer_that_stops_reading_holds_nobody_up(server, team):
    device = server.add_device(team=team)
    viewer = server.bearer(server.add_account("viewer", team=team))
    number = number_of(server, device)
    text = "x" * 900
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(server.url).port, limit=1_024)
    head = f"GET {PATH}?device={number} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {viewer['Authorization']}\r\n\r\n"
    writer.write(head.encode())
    await reader.readline()
    async with (
        watching(server, viewer, device=number) as stream,
        httpx.AsyncClient(base_url=server.url, timeout=WITHIN_S) as client,
    ):
        now = datetime.now(UTC)
        for batch in range(20):
            lines = [
                {"n": n, "text": text, "time": (now + timedelta(microseconds=n)).isoformat()}
                for n in range(batch * 1_000, batch * 1_000 + 1_000)
            ]
            answer = await client.post("/api/v1/readings", json=lines, headers=server.bearer(device))
            assert answer.status_code == 200
        last = -1
        while last != 19_999:
            last = (await stream.event())["data"].get("channels", {"n": last})["n"]
    writer.close()
