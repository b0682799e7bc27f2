"""Runs in a real browser, on a real server: an editor's buttons, what a viewer sees, what a stranger does not."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PHONE = {"width": 360, "height": 740}
TEAM = "Runs in a browser"
SPEEDS = [10.0, 20.0, 30.0, 40.0, 90.0]


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
    """Sign somebody in; the page says nothing on its console but what the test then finds in `complaints`."""
    contexts = []

    def make(account, **options) -> Page:
        contexts.append(chromium.new_context(**{"locale": "en-GB", "timezone_id": "Asia/Tokyo", **options}))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{server.url}/account/login/")
        page.locator("[name=login]").fill(account["email"])
        page.locator("[name=password]").fill(account["password"])
        page.locator("[name=password]").press("Enter")
        expect(page.get_by_role("navigation").first).to_be_visible()
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def editor(server):
    return server.add_account("editor", team=TEAM)


@pytest.fixture
def car(server):
    return server.add_device(team=TEAM)


@pytest.fixture
def began():
    return datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)


@pytest.fixture
def drive(server, car, began):
    """Send what the car measured, every five seconds, over HTTP."""

    def send():
        readings = [
            {
                "time": (began + timedelta(seconds=5 * place)).isoformat(),
                "channels": {"speed": speed, "distance": 10.0 * place, "battery": 90.0 - place},
            }
            for place, speed in enumerate(SPEEDS)
        ]
        sent = httpx.post(f"{server.url}/api/v1/readings", json=readings, headers=server.bearer(car))
        assert sent.json()["stored"] == len(SPEEDS)

    return send


@pytest.fixture
def race(server, editor, car, began, drive):
    """A race that was driven, made over the API."""
    drive()
    end = (began + timedelta(minutes=1)).isoformat()
    body = {"device": car["id"], "kind": "race", "name": "By API", "started_at": began.isoformat(), "ended_at": end}
    made = httpx.post(f"{server.url}/api/v1/runs", json=body, headers=server.bearer(editor))
    assert made.status_code == 201, made.text
    return made.json()["id"]


def write(page: Page, label: str, instant: datetime) -> None:
    """The pages' zone is the installation's, UTC here, wherever the browser is."""
    field = page.locator("main form[method=post]").get_by_label(label, exact=True)
    field.evaluate("(input, value) => { input.value = value }", instant.strftime("%Y-%m-%dT%H:%M:%S"))


def figure(page: Page, label: str):
    return page.locator(".readout", has=page.locator(f"dt[title='{label}']")).locator("dd").first


def test_an_editor_opens_closes_corrects_and_undoes_a_race(browse, editor, car, began, drive, complaints):
    page = browse(editor)

    page.get_by_role("link", name="Runs").click()
    page.get_by_text("Open a run", exact=True).click()
    form = page.locator("form", has=page.get_by_role("button", name="Open it now"))
    form.get_by_label("Device").select_option(car["name"])
    form.get_by_label("Kind").select_option("Race")
    form.get_by_label("Name").fill("By button")
    form.get_by_role("button", name="Open it now").click()
    expect(page.get_by_role("heading", name="By button")).to_be_visible()
    expect(page.locator(".title-row").get_by_text("Going on")).to_be_visible()

    page.get_by_text("Move its start or end").click()
    write(page, "Start", began)
    page.get_by_role("button", name="Move", exact=True).click()
    drive()
    page.get_by_role("button", name="Close now").click()

    expect(page.get_by_text("The run is closed.")).to_be_visible()
    expect(page.locator(".title-row").get_by_text("Ended")).to_be_visible()
    expect(figure(page, "Top speed")).to_have_text("90")
    expect(figure(page, "Average speed")).to_have_text("38")
    expect(page.get_by_role("img", name="speed, from 10 to 90, 38 in the mean")).to_be_visible()

    page.get_by_text("Leave a span out").click()
    write(page, "From", began + timedelta(seconds=18))
    write(page, "To", began + timedelta(seconds=22))
    page.get_by_label("Reason").fill("the wheel span")
    page.get_by_role("button", name="Leave it out").click()
    expect(figure(page, "Top speed")).to_have_text("40")
    page.get_by_role("button", name="Let it count again").click()
    expect(figure(page, "Top speed")).to_have_text("90")

    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("This run is no more")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(figure(page, "Top speed")).to_have_text("90")
    assert complaints == []


def test_a_viewer_sees_the_race_and_no_button(browse, server, race):
    page = browse(server.add_account("viewer", team=TEAM))

    page.goto(f"{server.url}/runs/{race}/")

    expect(figure(page, "Top speed")).to_have_text("90")
    assert page.locator("main form[method=post]:not(#zone-offer)").count() == 0
    assert page.get_by_role("group", name="Dragging").count() == 0
    page.goto(f"{server.url}/runs/")
    expect(page.get_by_role("link", name="By API").first).to_be_visible()
    assert page.locator("main form[method=post]:not(#zone-offer)").count() == 0


def test_an_outsider_gets_the_same_as_for_no_race_at_all(browse, server, race):
    page = browse(server.add_account("admin", team="Elsewhere"))

    answers = [page.goto(f"{server.url}/runs/{number}/") for number in (race, 2**40)]

    assert [answer.status for answer in answers] == [404, 404]
    page.goto(f"{server.url}/runs/")
    expect(page.get_by_text("By API")).to_have_count(0)


def test_a_race_is_downloaded_by_a_button(browse, server, editor, race, complaints):
    page = browse(editor)
    page.goto(f"{server.url}/runs/{race}/")

    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()

    lines = download.value.path().read_text().splitlines()
    assert download.value.suggested_filename == f"run-{race}.csv"
    assert [line.split(",")[lines[0].split(",").index("speed")] for line in lines[1:]] == [str(s) for s in SPEEDS]
    assert complaints == []


def test_the_buttons_work_without_javascript(browse, server, editor, race):
    page = browse(editor, java_script_enabled=False)
    page.goto(f"{server.url}/runs/{race}/")

    page.get_by_text("Rename", exact=True).first.click()
    page.get_by_label("Name", exact=True).fill("Without a script")
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("button", name="Re-open").click()

    expect(page.get_by_role("heading", name="Without a script")).to_be_visible()
    expect(page.locator(".title-row").get_by_text("Going on")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_a_race_fits_a_phone_and_every_control_has_a_name(browse, server, editor, race, complaints, locale, scheme):
    named = {**server.bearer(editor), "If-Match": "*"}
    httpx.patch(f"{server.url}/api/v1/runs/{race}", json={"name": "W" * 200}, headers=named).raise_for_status()
    page = browse(editor, locale=locale, color_scheme=scheme, viewport=PHONE)

    for path in (f"/runs/{race}/", "/runs/"):
        page.goto(f"{server.url}{path}")
        page.locator("details.fold").evaluate_all("(folds) => folds.forEach((fold) => { fold.open = true })")

        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        nameless = page.evaluate(
            """[...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea")].filter(
                 (control) => !(control.labels?.length || control.ariaLabel || control.matches("a, button")
                   && control.textContent.trim()),
               ).map((control) => control.outerHTML)"""
        )
        assert nameless == [], path
    assert complaints == []
