"""`live.js` in a real browser: a page follows its device, through breaks and for as long as one likes."""

import secrets

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
FOLLOW = """async (device) => {
  const { follow } = await import("/static/pages/live.js");
  window.heard = [];
  window.states = [];
  window.following = follow(new URLSearchParams({ device }), {
    reading: (reading) => window.heard.push(reading),
    state: (what) => window.states.push(what),
  });
}"""
COUNTED = """() => {
  window.held = { listeners: 0, timers: new Set() };
  for (const place of [window, document]) {
    const [add, remove] = [place.addEventListener, place.removeEventListener];
    const ours = (type) => ["visibilitychange", "pagehide", "pageshow"].includes(type) ? 1 : 0;
    place.addEventListener = function (...all) { window.held.listeners += ours(all[0]); return add.apply(this, all); };
    place.removeEventListener = function (...all) {
      window.held.listeners -= ours(all[0]);
      return remove.apply(this, all);
    };
  }
  const [set, clear] = [window.setTimeout, window.clearTimeout];
  window.setTimeout = (work, ms) => {
    const timer = set(() => { window.held.timers.delete(timer); work(); }, Math.min(ms, 20));
    window.held.timers.add(timer);
    return timer;
  };
  window.clearTimeout = (timer) => { window.held.timers.delete(timer); clear(timer); };
}"""
EVENT = 'id: {id}\ndata: {{"device":"car","device_id":1,"time":"t{id}","channels":{{"n":{id}}}}}\n\n'
EACH, BREAKS = 2_000, 40


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def team():
    return f"Browsers {secrets.token_hex(4)}"


@pytest.fixture
def device(server, team):
    return server.add_device(team=team)


@pytest.fixture
def number(server, device):
    return server.query("SELECT id FROM fleet_device WHERE name = %s", device["name"])[0][0]


@pytest.fixture
def account(server, team):
    return server.add_account("viewer", team=team)


@pytest.fixture
def page(chromium, server, account):
    """The signed-in viewer's."""
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{server.url}/account/login/")
    page.locator("[name=login]").fill(account["email"])
    page.locator("[name=password]").fill(account["password"])
    page.locator("[name=password]").press("Enter")
    expect(page.get_by_role("navigation").first).to_be_visible()
    yield page
    context.close()


def send(server, device, *numbers):
    for n in numbers:
        sent = httpx.post(f"{server.url}/api/v1/readings", json={"n": n}, headers=server.bearer(device))
        assert sent.json()["outcome"] == "stored", sent.text


def wait_for(page: Page, last):
    page.wait_for_function("last => window.heard.at(-1)?.channels.n === last", arg=last)
    return page.evaluate("window.heard.map((reading) => reading.channels.n)")


def test_a_page_hears_each_reading_within_a_second_of_its_commit(server, page, device, number):
    send(server, device, 1)
    page.evaluate(FOLLOW, number)
    wait_for(page, 1)
    page.evaluate("window.sent = performance.now()")
    send(server, device, 2)
    assert wait_for(page, 2) == [1, 2]

    reading = page.evaluate("window.heard[1]")
    assert reading == {**reading, "device": device["name"], "device_id": number, "channels": {"n": 2}}
    assert set(reading) == {"device", "device_id", "time", "channels"}
    assert page.evaluate("window.states") == ["open"]


def test_no_reading_is_missing_after_the_network_was_cut(server, page, device, number):
    page.evaluate(FOLLOW, number)
    send(server, device, 1)
    wait_for(page, 1)
    page.context.set_offline(True)
    send(server, device, *range(2, 12))
    page.context.set_offline(False)
    send(server, device, 12)

    assert wait_for(page, 12) == list(range(1, 13))


def test_a_page_whose_sign_in_ends_is_told_so_and_asks_no_more(server, page, device, number, account):
    send(server, device, 1)
    page.evaluate(FOLLOW, number)
    wait_for(page, 1)
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    server.json("account", "disable", account["email"])

    page.wait_for_function("window.states.at(-1) === 'ended'")
    page.wait_for_timeout(1_500)
    assert not asked


def test_what_a_listener_does_wrong_ends_nothing(server, page, device, number):
    send(server, device, 1)
    page.evaluate(
        FOLLOW.replace("window.heard.push(reading)", "{ window.heard.push(reading); throw Error('mine'); }"), number
    )
    wait_for(page, 1)
    send(server, device, 2)

    assert wait_for(page, 2) == [1, 2]


def test_a_page_left_open_for_a_day_leaks_nothing(server, page):
    """As many events as one a second is in a day, and forty breaks: nothing that is held grows."""
    ids = []

    def answer(route):
        asked_from = int(route.request.headers.get("last-event-id", "0"))
        ids.append(asked_from)
        first = max(0, asked_from - 5)  # a few come twice
        events = "".join(EVENT.format(id=n) for n in range(first + 1, asked_from + EACH + 1))
        route.fulfill(status=200, headers={"content-type": "text/event-stream"}, body=f"retry: 2000\n\n{events}")

    page.route("**/api/v1/live?*", answer)
    page.evaluate(COUNTED)
    page.evaluate(
        """async () => {
          const { follow } = await import("/static/pages/live.js");
          window.count = 0;
          window.following = follow(new URLSearchParams({ device: 1 }), { reading: () => window.count++ });
        }"""
    )
    used = []
    session = page.context.new_cdp_session(page)
    for breaks in (BREAKS // 4, BREAKS):
        page.wait_for_function("most => window.count >= most", arg=breaks * EACH, timeout=120_000)
        session.send("HeapProfiler.collectGarbage")
        used.append(session.send("Runtime.getHeapUsage")["usedSize"])
        assert page.evaluate("window.held.listeners") == 3
        assert page.evaluate("window.held.timers.size") <= 1

    page.evaluate("window.following.close()")

    assert page.evaluate("window.count") % EACH == 0  # each once
    assert used[1] - used[0] < 1_000_000
    assert page.evaluate("[window.held.listeners, window.held.timers.size]") == [0, 0]
