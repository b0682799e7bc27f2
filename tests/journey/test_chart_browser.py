"""A device's chart in a real browser, on a real server: what is seen, pointed at, zoomed, followed and taken away."""

import csv
import io
import json
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright
from tests.journey.chart_page import (
    ARGUMENTS,
    CHART,
    CHROMIUM,
    MOST_ON_THE_WIRE,
    drag,
    plot,
    settled,
    signed_in,
    span,
    until,
    weight,
)

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}
TEAM = "Charts in a browser"
STRANGE = ["<b>bold</b>", "__proto__", "\u202edesrever", "=1+1"]


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def complaints():
    return []


@pytest.fixture(scope="module")
def viewer(server):
    return server.add_account("viewer", team=TEAM)


@pytest.fixture
def browse(chromium, server, viewer, complaints):
    """A page of somebody who is signed in; what it complains of is in `complaints`."""
    contexts = []

    def make(path, **options) -> Page:
        contexts.append(chromium.new_context(**{"locale": "en-GB", "timezone_id": "Asia/Tokyo", **options}))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        signed_in(page, server, viewer, path)
        settled(page)
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def rig(server):
    return server.add_device(team=TEAM)


@pytest.fixture
def sent(server, rig):
    """Send readings of (seconds ago, channels); when they were measured."""

    def send(readings):
        now = datetime.now(UTC).replace(microsecond=0)
        body = [{"time": (now - timedelta(seconds=ago)).isoformat(), "channels": each} for ago, each in readings]
        answer = httpx.post(f"{server.url}/api/v1/readings", json=body, headers=server.bearer(rig))
        assert answer.json()["stored"] == len(body), answer.text
        return now

    return send


def test_the_peak_of_one_reading_among_ten_thousand_is_seen_at_any_zoom(browse, server, sent, rig, complaints):
    readings = [(8 * place, {"level": 1.0 + place % 3}) for place in range(1, 5001)]
    readings += [(40_000 + 8 * place, {"level": 2.0}) for place in range(1, 4001)]
    readings[2500] = (readings[2500][0], {"level": 77.0})
    sent(readings[:5000])
    sent(readings[5000:])

    page = browse(f"/devices/{rig['id']}/")
    for length in ("24h", "30d", "1y"):
        page.goto(f"{server.url}/devices/{rig['id']}/?range={length}")
        settled(page)
        highest = page.evaluate(f"{CHART}.then(chart => Math.max(...chart.data.lines.get('level').high))")
        assert highest == 77.0, length
        # and it is drawn: somewhere in the highest tenth of the panel there is the line's colour
        ink = page.evaluate(
            f"""{CHART}.then(chart => {{
              const plot = chart.panels[0].plot, box = plot.bbox, top = plot.valToPos(77, "y", true);
              const pixels = plot.ctx.getImageData(box.left, Math.round(top), box.width, 12).data;
              let inked = 0;
              for (let at = 0; at < pixels.length; at += 4) inked += pixels[at + 3] > 40 && pixels[at + 1] < 160;
              return inked;
            }})"""
        )
        assert ink >= 4, length
    assert complaints == []


def test_a_drag_zooms_the_address_keeps_it_and_a_double_click_goes_back(browse, sent, rig):
    sent([(ago, {"level": ago % 7}) for ago in range(1, 3000)])
    page = browse(f"/devices/{rig['id']}/?range=1h")
    whole = span(page)

    drag(page, 0.25, 0.75)
    page.wait_for_url("**/?from=*")
    settled(page)
    zoomed = span(page)

    length = whole[1] - whole[0]
    assert zoomed[1] - zoomed[0] == pytest.approx(length / 2, rel=0.03)
    assert zoomed[0] - whole[0] == pytest.approx(length / 4, rel=0.06)
    page.reload()
    settled(page)
    assert span(page) == pytest.approx(zoomed, abs=0.01)

    drag(page, 0.4, 0.6)
    until(page, f"{CHART}.then(chart => chart.view.to - chart.view.from < {length / 4})")
    box = plot(page)
    page.mouse.dblclick(box["x"] + 50, box["y"] + 50)
    until(page, f"{CHART}.then(chart => Math.abs(chart.view.from - {zoomed[0]}) < 0.01)")


def test_a_finer_zoom_asks_for_finer_numbers(browse, sent, rig):
    sent([(2 * place, {"level": place % 5}) for place in range(1, 5000)])
    page = browse(f"/devices/{rig['id']}/?range=24h")
    coarse = page.evaluate(f"{CHART}.then(chart => chart.data.width)")

    page.get_by_role("button", name="5 min").click()
    page.wait_for_url("**/?range=5m")
    until(page, f"{CHART}.then(chart => chart.data.isRaw)")

    assert coarse > 60
    expect(page.locator(".chart-status")).to_contain_text("every reading")


def test_the_pointer_says_every_channel_at_once_and_the_clock_is_the_viewers(browse, server, sent, rig):
    body = {"level": {"unit": "m", "display_name": {"en": "Water"}}, "flow": {"unit": "l/s"}}
    now = sent([(60 * minute, {"level": float(minute), "flow": 100.0 + minute}) for minute in range(50)])
    editor = server.bearer(server.add_account("editor", team=TEAM))
    changed = httpx.patch(f"{server.url}/api/v1/devices/{rig['id']}/channels", json=body, headers=editor)
    assert changed.status_code == 200, changed.text
    page = browse(f"/devices/{rig['id']}/?range=1h")

    x = (now - timedelta(minutes=20)).timestamp()
    box = plot(page)
    left = page.evaluate(f"{CHART}.then(chart => chart.panels[0].plot.valToPos({x}, 'x'))")
    page.mouse.move(box["x"] + left, box["y"] + 40)

    expect(page.locator(".chart-legend li").filter(has_text="Water")).to_contain_text("20")
    expect(page.locator(".chart-legend li").filter(has_text="Water")).to_contain_text("m")
    expect(page.locator(".chart-legend li").filter(has_text="flow")).to_contain_text("120")
    expect(page.locator(".chart-status")).to_contain_text("Asia/Tokyo")


def test_who_has_said_a_clock_sees_that_one(chromium, server, sent, rig):
    sent([(30, {"level": 1.0})])
    account = server.add_account("viewer", team=TEAM)
    said = "UPDATE accounts_account SET timezone = 'America/New_York' WHERE email = %s RETURNING id"
    assert server.query(said, account["email"])
    context = chromium.new_context(locale="en-GB", timezone_id="Asia/Tokyo")
    page = signed_in(context.new_page(), server, account, f"/devices/{rig['id']}/?range=1h")
    settled(page)

    expect(page.locator(".chart-status")).to_contain_text("America/New_York")
    context.close()


def test_a_reading_is_on_the_chart_within_a_second_of_its_commit(browse, sent, rig, complaints):
    sent([(5, {"level": 1.0})])
    page = browse(f"/devices/{rig['id']}/?range=5m")
    heard = page.locator(".chart-legend b").first
    expect(heard).to_have_text("1")
    page.wait_for_timeout(1500)  # for the stream to stand, which nothing on the page tells

    sent([(0, {"level": 64.5})])
    began = time.monotonic()
    expect(heard).to_have_text("64.5")

    assert time.monotonic() - began < 1.0
    assert page.evaluate(f"{CHART}.then(chart => chart.data.lines.get('level').value.at(-1))") == 64.5
    assert complaints == []


def test_who_has_zoomed_is_not_moved_by_what_comes(browse, sent, rig):
    sent([(ago, {"level": 1.0}) for ago in range(1, 200)])
    page = browse(f"/devices/{rig['id']}/?range=5m")
    drag(page, 0.2, 0.6)
    page.wait_for_url("**/?from=*")
    zoomed = span(page)

    sent([(0, {"level": 2.0})])
    page.wait_for_timeout(1200)

    assert span(page) == zoomed
    expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")


def test_states_ids_texts_and_counters_are_never_drawn_as_a_curve(browse, server, sent, rig):
    channels = [
        {
            "pump": place % 4 < 2,
            "mode": "auto" if place % 6 < 3 else "hand",
            "machine_id": 4,
            "total": place,
            "level": 1.5,
        }
        for place in range(60)
    ]
    sent([(10 * place + 1, each) for place, each in enumerate(channels)])
    editor = server.bearer(server.add_account("editor", team=TEAM))
    address = f"{server.url}/api/v1/devices/{rig['id']}/channels"
    httpx.patch(address, json={"total": {"kind": "counter"}}, headers=editor).raise_for_status()

    page = browse(f"/devices/{rig['id']}/")
    for length in ("1h", "1y"):  # as readings, and as buckets
        page.goto(f"{server.url}/devices/{rig['id']}/?range={length}")
        settled(page)
        drawn = page.evaluate(f"{CHART}.then(chart => chart.channels.map(each => [each.name, each.drawnAs]))")
        assert dict(drawn) == {
            "pump": "band", "mode": "band", "machine_id": "band", "total": "plain", "level": "curve"
        }, length  # fmt: skip
        lines = page.evaluate(
            f"{CHART}.then(chart => chart.panels.filter(each => each.plot && !each.isBand).flatMap(each => "
            "each.channels.map(channel => channel.name)))"
        )
        assert lines == ["level"]
        states = page.evaluate(f"{CHART}.then(({{data}}) => data.lines.get('machine_id').value.at(-1))")
        assert states == 4, length
        expect(page.locator(".chart-legend li").filter(has_text="total")).to_be_visible()


def test_names_and_texts_of_devices_are_text_everywhere(browse, sent, rig, complaints):
    sent([(10 * place + 1, {**dict.fromkeys(STRANGE, float(place)), "said": "<img src=x>"}) for place in range(20)])

    page = browse(f"/devices/{rig['id']}/?range=1h")
    page.get_by_text("The same numbers as a table").click()

    named = page.locator(".chart-legend bdi").all_text_contents()
    assert set(STRANGE) <= set(named)
    assert set(STRANGE) <= {text.strip() for text in page.locator(".chart-table thead th").all_text_contents()}
    assert page.locator(".chart img, .chart bdi b").count() == 0
    assert page.evaluate("({}).polluted === undefined && Object.keys(Object.prototype).length === 0")
    assert complaints == []


def test_the_keyboard_does_all_of_it(browse, sent, rig):
    sent([(ago, {"level": float(ago)}) for ago in range(1, 3000)])
    page = browse(f"/devices/{rig['id']}/?range=1h")
    whole = span(page)
    page.locator(".chart-body").focus()

    page.keyboard.press("Home")
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Control+ArrowRight")
    expect(page.locator(".chart [aria-live]")).to_contain_text("level")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?from=*")
    zoomed = span(page)
    assert zoomed[1] - zoomed[0] == pytest.approx(0.4 * (whole[1] - whole[0]), rel=0.03)

    page.keyboard.press("+")
    until(page, f"{CHART}.then(chart => chart.view.length < {0.6 * (zoomed[1] - zoomed[0])})")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    until(page, f"{CHART}.then(chart => Math.abs(chart.view.from - {zoomed[0]}) < 0.01)")
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "true")


def test_what_is_seen_leaves_as_a_table_a_file_and_a_picture(browse, sent, rig, complaints):
    now = sent([(60 * minute, {"level": float(minute)}) for minute in range(1, 50)])
    start, end = now - timedelta(minutes=30, seconds=5), now - timedelta(minutes=9, seconds=55)
    address = f"from={start:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}"
    page = browse(f"/devices/{rig['id']}/?{address}")

    page.get_by_text("The same numbers as a table").click()
    expect(page.locator(".chart-table tbody tr")).to_have_count(21)
    cells = page.locator(".chart-table tbody td").all_text_contents()
    assert cells == [str(minute) for minute in range(30, 9, -1)]

    with page.expect_download() as download:
        page.get_by_role("button", name="Download: CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert [row["level"] for row in rows] == [f"{minute}.0" for minute in range(30, 9, -1)]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download: NDJSON").click()
    assert len(download.value.path().read_text("utf-8").splitlines()) == 21
    with page.expect_download() as download:
        page.get_by_role("button", name="Picture").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    assert complaints == []


@pytest.mark.parametrize(("locale", "scheme"), [("en-GB", "dark"), ("fr-FR", "light")])
def test_a_chart_fits_a_phone_and_a_finger_moves_it(browse, sent, rig, complaints, locale, scheme):
    sent([(10 * place, {"level": place % 50, "mode": "auto"}) for place in range(1, 600)])

    page = browse(f"/devices/{rig['id']}/?range=1h", locale=locale, color_scheme=scheme, viewport=PHONE, has_touch=True)

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = page.evaluate(
        "[...document.querySelectorAll('.chart-bar button')].filter(each => each.offsetHeight < 44).length"
    )
    assert small == 0
    expect(page.locator(".chart-table summary")).to_have_text(
        "Les mêmes chiffres en tableau" if locale == "fr-FR" else "The same numbers as a table"
    )
    before = span(page)
    box = plot(page)
    session = page.context.new_cdp_session(page)
    middle = box["y"] + box["height"] / 2
    for kind, x in (("touchStart", 200), ("touchMove", 180), ("touchMove", 140), ("touchEnd", None)):
        points = [] if x is None else [{"x": x, "y": middle}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    until(page, f"{CHART}.then(chart => chart.view.from > {before[0]} + 100)")
    assert complaints == []


def test_the_page_of_a_device_is_at_most_sixty_kilobytes_on_the_wire(browse, sent, rig):
    sent([(10 * place, {f"channel_{n}": place * n / 7 for n in range(8)}) for place in range(1, 60)])
    page = browse(f"/devices/{rig['id']}/?range=1h")
    ours = weight(page)

    assert any("chart.js" in url for url in ours)
    assert sum(ours.values()) <= MOST_ON_THE_WIRE, json.dumps(ours, indent=1)


def test_a_year_of_two_thousand_points_and_eight_channels_is_painted_within_a_second(browse, sent, rig):
    """The browser's part alone: the document stands ready, as a ladder answers it."""
    names = [f"channel_{place}" for place in range(8)]
    now = sent([(10, dict.fromkeys(names, 1.0))])
    end = int(now.timestamp() * 1e6)
    width = 365 * 86_400_000_000 // 2000
    times = [end - width * (2000 - place) for place in range(2000)]
    columns = {
        name: [place % 97 + extra for place in range(2000)]
        for extra, name in enumerate(("low", "first", "mean", "last", "high"))
    }
    lines = [{"channel": name, "unit": "", "time": times, "n": [5000] * 2000, **columns} for name in names]
    body = json.dumps({"raw": False, "from": times[0], "to": end, "width_us": width, "series": lines, "gaps": []})
    page = browse(f"/devices/{rig['id']}/?range=1h")
    page.route("**/series?*", lambda route: route.fulfill(body=body, content_type="application/json"))

    took = page.evaluate(
        f"""{CHART}.then(async chart => {{
          const began = performance.now();
          chart.view.follow(31536000, "1y");
          await chart.refresh();
          await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
          return performance.now() - began;
        }})"""
    )

    assert took < 1000 * 2  # on a machine of its own it is a tenth of that
