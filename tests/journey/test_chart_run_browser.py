"""A run's chart in a real browser: what is dragged on it changes the run, and stands in its history."""

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
    until,
    weight,
)

pytestmark = pytest.mark.browser

TEAM = "Runs on charts"
SPEEDS = [10.0, 20.0, 30.0, 40.0, 90.0, 40.0, 30.0, 20.0, 10.0, 10.0]


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def complaints():
    return []


@pytest.fixture
def browse(chromium, server, complaints):
    contexts = []

    def make(account, path, **options) -> Page:
        contexts.append(chromium.new_context(**{"locale": "en-GB", "timezone_id": "Asia/Tokyo", **options}))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        signed_in(page, server, account, path)
        settled(page)
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def editor(server):
    return server.add_account("editor", team=TEAM)


@pytest.fixture
def race(server, editor):
    """A race of ten readings, ten seconds apart."""
    car = server.add_device("racing", team=TEAM)
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    readings = [
        {
            "time": (began + timedelta(seconds=10 * place)).isoformat(),
            "channels": {"speed": speed, "distance": 100.0 * place, "battery": 90.0 - place},
        }
        for place, speed in enumerate(SPEEDS)
    ]
    sent = httpx.post(f"{server.url}/api/v1/readings", json=readings, headers=server.bearer(car))
    assert sent.json()["stored"] == len(SPEEDS), sent.text
    end = (began + timedelta(seconds=100)).isoformat()
    body = {"device": car["id"], "kind": "race", "name": "Dragged", "started_at": began.isoformat(), "ended_at": end}
    made = httpx.post(f"{server.url}/api/v1/runs", json=body, headers=server.bearer(editor))
    assert made.status_code == 201, made.text
    return made.json()


def figure(page: Page, label: str):
    return page.locator(".readout", has=page.locator(f"dt[title='{label}']")).locator("dd").first


def share(page: Page, seconds: float) -> float:
    """Where in the plot so many seconds after the start are."""
    return page.evaluate(f"{CHART}.then(chart => ({seconds} - chart.view.from) / chart.view.length)")


def found(server, editor, race):
    return httpx.get(f"{server.url}/api/v1/runs/{race['id']}", headers=server.bearer(editor)).json()


def test_a_span_that_is_dragged_over_counts_no_longer_and_undo_brings_it_back(browse, editor, race, complaints):
    page = browse(editor, f"/runs/{race['id']}/")
    expect(figure(page, "Top speed")).to_have_text("90")

    page.get_by_role("button", name="Leave out", exact=True).click()
    drag(page, share(page, 35), share(page, 45))
    page.locator(".chart-edit").get_by_label("Reason").fill("the wheel span")
    page.locator(".chart-edit").get_by_role("button", name="Leave it out").click()

    expect(figure(page, "Top speed")).to_have_text("40")
    settled(page)
    assert page.evaluate(f"{CHART}.then(chart => chart.marks.out.length)") == 1
    history = page.locator("section", has=page.get_by_role("heading", name="History"))
    expect(history).to_contain_text("the wheel span")
    history.get_by_role("button", name="Undo").first.click()
    expect(figure(page, "Top speed")).to_have_text("90")
    assert complaints == []


def test_the_keyboard_leaves_a_span_out(browse, editor, race):
    page = browse(editor, f"/runs/{race['id']}/")
    page.get_by_role("button", name="Leave out", exact=True).click()
    page.locator(".chart-body").focus()

    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.type("by keys")
    page.keyboard.press("Enter")

    expect(figure(page, "Top speed")).to_have_text("40")


def test_an_end_that_is_dragged_moves_and_every_statistic_follows(browse, server, editor, race, complaints):
    page = browse(editor, f"/runs/{race['id']}/")

    page.get_by_role("button", name="Start and end").click()
    drag(page, share(page, 100), share(page, 35))
    page.locator(".chart-edit").get_by_role("button", name="Move").click()

    expect(figure(page, "Top speed")).to_have_text("40")
    moved = found(server, editor, race)
    length = datetime.fromisoformat(moved["ended_at"]) - datetime.fromisoformat(race["started_at"])
    assert length.total_seconds() == pytest.approx(35, abs=1)
    assert complaints == []


def test_a_click_cuts_the_run_in_two(browse, server, editor, race):
    page = browse(editor, f"/runs/{race['id']}/")

    page.get_by_role("button", name="Split", exact=True).first.click()
    box = plot(page)
    page.mouse.click(box["x"] + box["width"] * share(page, 35), box["y"] + 40)
    page.locator(".chart-edit").get_by_role("button", name="Split here").click()

    expect(figure(page, "Top speed")).to_have_text("40")
    cut = found(server, editor, race)
    length = datetime.fromisoformat(cut["ended_at"]) - datetime.fromisoformat(race["started_at"])
    assert length.total_seconds() == pytest.approx(35, abs=1)


def test_who_has_not_seen_the_run_as_it_is_changes_nothing(browse, server, editor, race):
    page = browse(editor, f"/runs/{race['id']}/")
    headers = {**server.bearer(editor), "If-Match": "*"}
    address = f"{server.url}/api/v1/runs/{race['id']}"
    httpx.patch(address, json={"name": "Renamed meanwhile"}, headers=headers).raise_for_status()

    page.get_by_role("button", name="Leave out", exact=True).click()
    drag(page, share(page, 35), share(page, 45))
    page.locator(".chart-edit").get_by_label("Reason").fill("too late")
    page.locator(".chart-edit").get_by_role("button", name="Leave it out").click()

    expect(page.locator(".chart-edit").get_by_role("alert")).to_contain_text("meanwhile")
    assert httpx.get(f"{address}/exclusions", headers=server.bearer(editor)).json()["data"] == []


def test_a_viewer_drags_to_zoom_and_has_no_other_way(browse, server, race):
    page = browse(server.add_account("viewer", team=TEAM), f"/runs/{race['id']}/")

    assert page.get_by_role("button", name="Leave out").count() == 0
    drag(page, share(page, 20), share(page, 60))
    page.wait_for_url("**/?from=*")
    span = page.evaluate(f"{CHART}.then(chart => [chart.view.from, chart.view.to])")
    assert span == pytest.approx([20, 60], abs=1)


def test_a_race_is_drawn_along_its_distance(browse, editor, race, complaints):
    page = browse(editor, f"/runs/{race['id']}/")

    page.get_by_role("button", name="Distance").click()
    until(page, f"{CHART}.then(chart => chart.axis === 'along' && !!chart.data)")

    line = page.evaluate(
        f"{CHART}.then(chart => [chart.data.lines.get('speed').x, chart.data.lines.get('speed').value])"
    )
    assert line == [[100.0 * place for place in range(10)], SPEEDS]
    page.reload()
    until(page, f"{CHART}.then(chart => chart.axis === 'along')")
    assert complaints == []


def test_what_is_seen_of_a_run_leaves_as_a_file(browse, server, editor, race):
    page = browse(editor, f"/runs/{race['id']}/")
    drag(page, share(page, 15), share(page, 45))
    page.wait_for_url("**/?from=*")
    settled(page)

    with page.expect_download() as download:
        page.get_by_role("button", name="Download: CSV").click()

    rows = download.value.path().read_text("utf-8").splitlines()
    place = [name.split(" ")[0] for name in rows[0].split(",")].index("speed")
    assert [float(row.split(",")[place]) for row in rows[1:]] == [30.0, 40.0, 90.0]


def test_a_bound_is_dragged_outwards_over_readings_that_were_not_the_runs(browse, server, editor, race, complaints):
    headers = {**server.bearer(editor), "If-Match": "*"}
    end = datetime.fromisoformat(race["started_at"]) + timedelta(seconds=35)
    address = f"{server.url}/api/v1/runs/{race['id']}"
    httpx.patch(address, json={"ended_at": end.isoformat()}, headers=headers).raise_for_status()
    page = browse(editor, f"/runs/{race['id']}/")
    expect(figure(page, "Top speed")).to_have_text("40")

    page.get_by_role("button", name="Start and end").click()
    until(page, f"{CHART}.then(({{data}}) => data.lines.get('speed').value.includes(90))")
    drag(page, share(page, 35), share(page, 42))
    page.locator(".chart-edit").get_by_role("button", name="Move").click()

    expect(figure(page, "Top speed")).to_have_text("90")
    assert complaints == []


def test_the_page_of_a_run_is_at_most_sixty_kilobytes_on_the_wire(browse, editor, race):
    ours = weight(browse(editor, f"/runs/{race['id']}/"))

    assert any("edit.js" in url for url in ours)
    assert sum(ours.values()) <= MOST_ON_THE_WIRE, ours
