"""Adding a device in a real browser: from its name to its first reading, by the programs that the page offers."""

import ast
import json
import os
import re
import subprocess
import sys
import time

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PHONE = {"width": 360, "height": 740}
TEAM = "Adds devices"
KINDS = {"generic": "temperature", "gym": "repetitions", "racing": "battery", "profilometre": "humidite"}
STORED_WITHIN_MS = 30_000
RUN_WITHIN_S = 60


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def editor(server):
    return server.add_account("editor", team=TEAM)


@pytest.fixture
def complaints():
    return []


@pytest.fixture
def browse(chromium, server, complaints):
    contexts = []

    def make(account, **options) -> Page:
        contexts.append(chromium.new_context(**{"locale": "en-GB", **options}))
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


def add(page: Page, server, *, kind="generic") -> str:
    name = f"{kind}-{os.urandom(4).hex()}"
    page.goto(server.url)
    page.get_by_role("link", name="Add a device").first.click()
    page.get_by_label("Name").fill(name)
    page.locator("[name=contract]").select_option(kind)
    page.get_by_role("button", name="Add the device").click()
    expect(page.get_by_text("Waits for the first reading")).to_be_visible()
    return name


def offered(page: Page, tab: str) -> str:
    page.get_by_role("tab", name=tab, exact=True).click()
    return page.get_by_role("tabpanel", name=tab, exact=True).locator("pre").inner_text()


def run(program: list[str], text: str = "") -> str:
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        program, input=text, capture_output=True, text=True, timeout=RUN_WITHIN_S, env=clean, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_device_is_added_and_its_first_reading_shown_within_twenty_seconds_of_clicks(
    browse, server, editor, complaints
):
    page = browse(editor)
    began_s = time.monotonic()

    name = add(page, server)
    command = offered(page, "curl")
    clicked_s = time.monotonic() - began_s
    assert run(["sh", "-c", command]).startswith("{")

    shown = page.locator("#first-reading .readout").filter(has_text="temperature")
    expect(shown).to_contain_text("21.5", timeout=STORED_WITHIN_MS)
    expect(page.get_by_text("Waits for the first reading")).to_have_count(0)
    assert clicked_s < 20
    assert server.query("SELECT secret_hash FROM fleet_device WHERE name = %s", name)[0][0] not in command
    assert complaints == []


@pytest.mark.parametrize(("kind", "channel"), KINDS.items())
def test_the_python_program_of_each_kind_stores_a_reading(browse, server, editor, kind, channel):
    page = browse(editor)
    add(page, server, kind=kind)

    answer = ast.literal_eval(run([sys.executable, "-"], offered(page, "Python")))

    assert answer["outcome"] == "stored"
    expect(page.locator(f"#first-reading .readout dt[title={channel}]")).to_be_visible(timeout=STORED_WITHIN_MS)


@pytest.mark.parametrize("kind", ["gym", "profilometre"])
def test_the_curl_line_of_a_kind_with_a_route_of_its_own_stores_a_reading(browse, server, editor, kind):
    page = browse(editor)
    add(page, server, kind=kind)

    run(["sh", "-c", offered(page, "curl")])

    expect(page.locator("#first-reading .readout").first).to_be_visible(timeout=STORED_WITHIN_MS)


@pytest.mark.needs("mosquitto-clients")
@pytest.mark.parametrize("kind", ["generic", "gym"])
def test_the_mosquitto_line_stores_a_reading_over_mqtt(browse, server, editor, kind):
    page = browse(editor)
    add(page, server, kind=kind)

    run(["sh", "-c", offered(page, "mosquitto_pub")])

    expect(page.locator(f"#first-reading .readout dt[title={KINDS[kind]}]")).to_be_visible(timeout=STORED_WITHIN_MS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_programs_that_run_elsewhere_are_whole_and_send_what_the_route_takes(browse, server, editor, kind):
    page = browse(editor)
    name = add(page, server, kind=kind)
    secret = page.locator("#secret-text").inner_text()

    flow = json.loads(offered(page, "Node-RED"))
    compile(offered(page, "MicroPython"), "main.py", "exec")
    texts = {tab: offered(page, tab) for tab in ("MicroPython", "Arduino", "Home Assistant", "Node-RED")}
    # Node-RED runs the function as JavaScript with `msg`: so does the browser's engine here
    sent = page.evaluate(
        f"(() => {{ const msg = {{}}; const run = (msg) => {{ {flow[1]['func']} }}; return run(msg); }})()"
    )

    assert all(secret in text for text in texts.values())
    assert texts["Arduino"].count("{") == texts["Arduino"].count("}")
    answer = httpx.post(flow[2]["url"], json=sent["payload"], headers=sent["headers"])
    assert answer.status_code == 200, answer.text
    payload = re.search(r"payload: '(.*)'", texts["Home Assistant"])[1]
    filled = payload.replace("{{ utcnow().isoformat() }}", "2026-06-01T12:00:00+00:00")
    url = re.search(r'url: "(.*)"', texts["Home Assistant"])[1]
    answer = httpx.post(url, json=json.loads(filled), headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200, answer.text
    assert name in page.title()


def test_the_secret_is_in_no_address_no_log_and_not_there_after_a_reload(browse, server, editor):
    page = browse(editor)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    add(page, server)
    secret = page.locator("#secret-text").inner_text()

    page.goto(page.url)  # as a reload without what the form sent

    expect(page.locator("#secret-text")).to_have_count(0)
    assert not any(secret in address for address in asked)
    assert secret not in server.errors.read_text()


def test_a_form_sent_again_adds_nothing_and_shows_no_secret(browse, server, editor):
    page = browse(editor)
    name = add(page, server)

    page.reload()

    expect(page.get_by_text("signs in by that name already")).to_be_visible()
    expect(page.locator("#secret-text")).to_have_count(0)
    assert server.query("SELECT count(*) FROM fleet_device WHERE name = %s", name) == [(1,)]


def test_what_could_not_be_stored_is_told_while_the_page_waits(browse, server, editor):
    page = browse(editor)
    add(page, server)
    headers = {"Authorization": f"Bearer {page.locator('#secret-text').inner_text()}"}

    httpx.post(f"{server.url}/api/v1/readings", json={"time": "1970-01-01T00:00:05Z", "t": 1}, headers=headers)
    expect(page.get_by_text("Something arrived, but it could not be stored")).to_be_visible(timeout=STORED_WITHIN_MS)

    httpx.post(f"{server.url}/api/v1/readings", json={"t": 2}, headers=headers)
    expect(page.locator("#first-reading .readout")).to_contain_text("2", timeout=STORED_WITHIN_MS)


def test_a_viewer_is_offered_no_device_to_add(browse, server):
    page = browse(server.add_account("viewer", team=TEAM))

    page.goto(server.url)
    expect(page.get_by_role("link", name="Add a device")).to_have_count(0)

    assert page.goto(f"{server.url}/devices/add/").status == 403


@pytest.mark.parametrize(("locale", "scheme"), [("en-GB", "light"), ("fr-FR", "dark")])
def test_adding_fits_a_phone_in_both_languages(browse, server, editor, complaints, locale, scheme):
    page = browse(editor, locale=locale, color_scheme=scheme, viewport=PHONE)

    page.goto(f"{server.url}/devices/add/")
    form_px = page.evaluate("document.documentElement.scrollWidth")
    page.locator("[name=name]").fill(f"phone-{os.urandom(4).hex()}")
    page.locator("main form:not(#zone-offer) button[type=submit]").click()
    expect(page.locator("#secret-text")).to_be_visible()

    assert form_px <= PHONE["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert complaints == []
