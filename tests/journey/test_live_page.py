"""Contract B's live page at `/live/ws`: what cars say reaches whoever may see it, and nobody else."""

import asyncio
import contextlib
import json
import secrets
import time

import httpx
import pytest
from tests.journey.mqtt_client import signed_in
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

WITHIN_S = 20


@pytest.fixture
def team():
    return f"Drivers {secrets.token_hex(4)}"


def address(server, query=""):
    return f"ws{server.url.removeprefix('http')}/live/ws{query}"


def watching(server, headers=None, *, query="", **options):
    return connect(address(server, query), additional_headers=headers or {}, open_timeout=WITHIN_S, **options)


async def frames(page, count):
    """The next frames, as a page's `JSON.parse` gives them."""
    async with asyncio.timeout(WITHIN_S):
        return [json.loads(await page.recv()) for _ in range(count)]


async def said(server, car, values, *, prefix="esp32bis"):
    """The car says one value a topic; each is acknowledged, and so kept, when this returns."""

    def say():
        with signed_in(server, car) as client:
            for quantity, text in values.items():
                client.publish(f"{prefix}/{quantity}", text.encode())

    await asyncio.to_thread(say)


async def heard(server, page, car, values, **options):
    """What the page shows first, once its worker hears the others."""
    for _ in range(WITHIN_S):
        await said(server, car, values, **options)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                return json.loads(await page.recv())
    pytest.fail("nothing is heard")


async def is_silent(page, for_s=0.5):
    try:
        await asyncio.wait_for(page.recv(), for_s)
    except TimeoutError:
        return True
    return False


def session_cookie(server, account):
    """Sign in with a browser's form; its Cookie header."""
    with httpx.Client(base_url=server.url, headers={"Origin": server.url}) as browser:
        browser.get("/account/login/")
        form = {"login": account["email"], "password": account["password"]}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        assert browser.post("/account/login/", data=form).status_code == 302
        return {"Cookie": f"sessionid={browser.cookies['sessionid']}"}


async def status_of(opening):
    try:
        async with opening:
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_a_page_shows_each_value_as_the_car_said_it(server, team):
    car = server.add_device("racing", team=team)
    viewer = server.bearer(server.add_account("viewer", team=team))
    async with watching(server, viewer) as page:
        assert await heard(server, page, car, {"speed": "12.3"}) == {"topic": "esp32bis/speed", "message": "12.3"}

        await said(server, car, {"race": "12.00", "distance": "40", "battery": "81", "timer": "7", "track": "2"})
        shown = await frames(page, 5)

    assert {frame["topic"]: frame["message"] for frame in shown} == {
        "esp32bis/race": "12.00",
        "esp32bis/distance": "40",
        "esp32bis/battery": "81",
        "esp32bis/timer": "7",
        "esp32bis/track": "2",
    }


async def test_pages_at_every_worker_hear_every_car_and_two_teams_never_mix(server, team):
    others = f"{team} of others"
    red, blue = server.add_device("racing", team=team), server.add_device("racing", team=others)
    ours = server.bearer(server.add_account("viewer", team=team))
    theirs = server.bearer(server.add_account("admin", team=others))
    async with contextlib.AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(watching(server, headers)) for headers in [ours, theirs] * 4]
        for page, car in zip(pages, [red, blue] * 4, strict=True):
            await heard(server, page, car, {"speed": "0"})
        while not all([await is_silent(page, 0.3) for page in pages]):
            pass

        for tick in range(1, 6):
            await asyncio.gather(
                said(server, red, {"speed": f"1.{tick}"}), said(server, blue, {"speed": f"2.{tick}"}, prefix="esp32")
            )
        last = [[(await frames(page, 1))[0]] for page in pages]
        for page, seen in zip(pages, last, strict=True):
            while seen[-1]["message"][-1] != "5":
                seen.extend(await frames(page, 1))

    for seen in last[::2]:
        assert {frame["topic"] for frame in seen} == {"esp32bis/speed"}
        assert all(frame["message"].startswith("1.") for frame in seen)
    for seen in last[1::2]:
        assert {frame["topic"] for frame in seen} == {"esp32/speed"}
        assert all(frame["message"].startswith("2.") for frame in seen)


async def test_a_page_may_ask_for_one_car(server, team):
    red, blue = (server.add_device("racing", team=team) for _ in range(2))
    viewer = server.bearer(server.add_account("viewer", team=team))
    async with watching(server, viewer, query=f"?device={red['name']}") as page:
        await heard(server, page, red, {"speed": "1"})
        await said(server, blue, {"speed": "2"})

        assert await is_silent(page)


async def test_a_browsers_session_opens_it_from_our_own_pages_only(server, team):
    car = server.add_device("racing", team=team)
    cookie = session_cookie(server, server.add_account("viewer", team=team))

    async with watching(server, cookie, origin=server.url) as page:
        assert (await heard(server, page, car, {"speed": "3"}))["message"] == "3"
    async with watching(server, cookie, origin=server.url.replace("127.0.0.1", "localhost")):
        pass  # another name of the very same server
    for origin in ("https://example.com", "null", "http://localhost:1", "http://[", "http://127.0.0.1:x"):
        assert await status_of(watching(server, cookie, origin=origin)) == 403


async def test_nobody_and_devices_are_refused(server):
    device = server.bearer(server.add_device("racing"))
    refresh = server.tokens(server.add_account("viewer"))["refresh"]

    assert await status_of(watching(server)) == 401
    assert await status_of(watching(server, {"Cookie": "sessionid=made-up"})) == 401
    assert await status_of(watching(server, {"Authorization": f"Bearer {refresh}"})) == 401
    assert await status_of(watching(server, query=f"?token={refresh}")) == 401
    assert await status_of(watching(server, device)) == 403
    assert await status_of(watching(server, [("Authorization", "Bearer a"), ("Authorization", "Bearer b")])) == 400
    assert "completing handshake" not in server.errors.read_text()


@pytest.mark.alone
@pytest.mark.parametrize("by", ["token", "session"])
async def test_a_page_closes_within_five_seconds_of_the_end_of_the_sign_in(server, team, by):
    account = server.add_account("viewer", team=team)
    headers = server.bearer(account) if by == "token" else session_cookie(server, account)
    async with watching(server, headers) as page:
        server.json("account", "disable", account["email"])
        began_s = time.monotonic()
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(page.recv(), 6)

    assert time.monotonic() - began_s < 5
    assert page.close_code == 1008
    assert await status_of(watching(server, headers)) == 401


async def test_whoever_leaves_a_team_hears_no_more_of_it(server, team):
    car = server.add_device("racing", team=team)
    account = server.add_account("viewer", team=team)
    server.add_account("admin", team=team)
    async with watching(server, server.bearer(account)) as page:
        await heard(server, page, car, {"speed": "1"})
        server.query(
            "DELETE FROM teams_membership USING accounts_account AS person"
            " WHERE person.id = account_id AND email = %s RETURNING account_id",
            account["email"],
        )
        until_s = time.monotonic() + 5
        while not await is_silent(page) or time.monotonic() < until_s - 4:
            assert time.monotonic() < until_s
            await said(server, car, {"speed": "2"})

        await said(server, car, {"speed": "3"})
        assert await is_silent(page)


async def test_without_a_sign_in_a_trusted_network_sees_the_default_team(start_server):
    own = start_server(RELEVE_ANONYMOUS_ROLE="viewer")
    home, foreign = own.add_device("racing"), own.add_device("racing", team="Others")
    async with watching(own, origin=own.url) as page:
        assert (await heard(own, page, home, {"speed": "5"}))["message"] == "5"
        await said(own, foreign, {"speed": "6"})
        assert await is_silent(page)

    assert await status_of(watching(own, origin="https://example.com")) == 403
    assert await status_of(watching(own, {"Authorization": "Bearer x.y.z"})) == 401


async def test_a_page_that_reads_nothing_costs_the_others_nothing(server, team):
    car = server.add_device("racing", team=team)
    viewer = server.bearer(server.add_account("viewer", team=team))

    async def until_all_say(page, last):
        seen = {}
        async for text in page:
            frame = json.loads(text)
            seen[frame["topic"]] = frame["message"]
            if list(seen.values()).count(last) == 20:
                return

    async with watching(server, viewer, ping_interval=None) as slow, watching(server, viewer) as page:
        slow.transport.pause_reading()
        await heard(server, page, car, {"speed": "0"})
        looking = asyncio.create_task(until_all_say(page, "9"))
        for tick in range(10):
            await said(server, car, {f"quantity{number}": f"{tick}" for number in range(20)})
        await asyncio.wait_for(looking, WITHIN_S)
        slow.transport.resume_reading()
