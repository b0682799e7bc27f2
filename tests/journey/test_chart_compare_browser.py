"""Runs that are compared in a real browser: the difference is what a hand computes."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright
from tests.journey.chart_page import ARGUMENTS, CHROMIUM, signed_in

pytestmark = pytest.mark.browser

TEAM = "Compared runs"
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def editor(server):
    return server.add_account("editor", team=TEAM)


@pytest.fixture(scope="module")
def races(server, editor):
    """Two races of 21 readings, one a second: at 10 m/s and at 20 m/s, laps of 50 m."""
    car = server.add_device("racing", team=TEAM)
    numbers = []
    for place, speed in enumerate((10.0, 20.0)):
        began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30 - 10 * place)
        readings = [
            {
                "time": (began + timedelta(seconds=second)).isoformat(),
                "channels": {"speed": speed, "distance": speed * second, "track": speed * second // 50},
            }
            for second in range(21)
        ]
        sent = httpx.post(f"{server.url}/api/v1/readings", json=readings, headers=server.bearer(car))
        assert sent.json()["stored"] == len(readings), sent.text
        body = {
            "device": car["id"],
            "kind": "race",
            "name": f"<i>at {speed:.0f}</i>",
            "started_at": began.isoformat(),
            "ended_at": (began + timedelta(seconds=21)).isoformat(),
        }
        made = httpx.post(f"{server.url}/api/v1/runs", json=body, headers=server.bearer(editor))
        assert made.status_code == 201, made.text
        numbers.append(made.json()["id"])
    return numbers


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
def page(chromium, server, editor, complaints):
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield signed_in(page, server, editor, "/runs/")
    context.close()


def rows(page):
    page.locator(".chart-table summary").click()
    page.locator(".chart-table tbody tr").first.wait_for()
    cells = page.locator(".chart-table tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return [[text.replace(",", "") for text in row] for row in cells]


def test_two_runs_that_are_chosen_in_the_list_lie_over_each_other_from_their_start(page, races, complaints):
    for number in races:
        page.locator(f"input[name=runs][value='{number}']").check()
    page.get_by_role("button", name="Compare what is chosen").click()
    page.locator(".chart[aria-busy=false]").wait_for()

    # the list has the newest first, so the one at 20 is what the other is compared with
    assert {tuple(row[1:]) for row in rows(page)} == {("20", "10", "-10")}
    speed = page.locator("tr", has=page.get_by_role("rowheader", name="Average speed")).locator("td")
    expect(speed.nth(0)).to_have_text("20")
    expect(speed.nth(1)).to_have_text("10-10")
    assert page.locator(".chart i i, h1 i, th i, .chart-legend bdi i").count() == 0
    assert complaints == []


def test_along_the_distance_the_slower_one_is_as_much_later_as_a_hand_computes(page, server, races, complaints):
    page.goto(f"{server.url}/runs/compare/?runs={races[1]},{races[0]}&channel=speed&align=distance")
    page.locator(".chart[aria-busy=false]").wait_for()

    found = [[float(text) for text in row] for row in rows(page)]
    for place, fast, slow, delta, later_s in found:
        assert (fast, slow, delta) == (20.0, 10.0, -10.0)
        assert later_s == pytest.approx(place / 10 - place / 20, abs=0.01)
    assert found[-1][0] == pytest.approx(200.0)
    best = page.locator("[data-laps=best] td").all_text_contents()
    assert best == ["0:02.000", "0:05.000"]  # a reading a second: at 20 m/s laps of 50 m take 3 s and 2 s in turn
    assert complaints == []


def test_a_comparison_fits_a_phone_in_the_dark_and_in_french(chromium, server, editor, races):
    context = chromium.new_context(locale="fr-FR", color_scheme="dark", viewport=PHONE)
    page = signed_in(context.new_page(), server, editor, f"/runs/compare/?runs={races[0]},{races[1]}")
    page.locator(".chart[aria-busy=false]").wait_for()

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(page.get_by_role("heading", name="Comparer des sessions")).to_be_visible()
    context.close()


def test_one_run_is_not_compared_and_a_strangers_is_not_found(page, server, races):
    page.goto(f"{server.url}/runs/compare/?runs={races[0]}")
    expect(page.get_by_text("Choose 2 to 8 runs to compare.")).to_be_visible()

    answers = [page.goto(f"{server.url}/runs/compare/?runs={races[0]},{other}") for other in (2**40, "x")]

    assert [answer.status for answer in answers] == [404, 404]
