"""The pages in a real browser: what a person does, that nothing leaves this host, and that a phone shows it whole."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EMAIL, PASSWORD = "ada@example.com", "a calm instrument"
PHONE = {"width": 360, "height": 740}
# This server is the control plane alone; what a chart asks the data plane is held by test_chart_browser.py.
NO_SERIES = {"raw": True, "from": None, "to": None, "width_us": 1, "series": [], "gaps": []}
PAGES = [
    "/",
    "/devices/1/",
    "/devices/add/",
    "/runs/",
    "/team/",
    "/account/sign-ins/",
    "/about/",
    "/account/2fa/",
    "/account/password/change/",
]


@dataclass
class Site:
    """The running server."""

    address: str
    code: str


@dataclass
class Watch:
    """What a browser asked for and complained about."""

    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> Page:
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def foreign(self, address: str) -> list[str]:
        home = urlsplit(address).netloc
        return [url for url in self.requested if urlsplit(url).netloc not in {home, ""}]

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" or "Content Security Policy" in text:
            self.complaints.append(text)


@pytest.fixture(scope="module")
def site(module_migrated_url, reachable_directory):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RELEVE_")}
    environment |= {"DATABASE_URL": module_migrated_url, "RELEVE_DATA_DIR": str(reachable_directory())}
    script = Path(__file__).with_name("page_server.py")
    with subprocess.Popen(
        [sys.executable, str(script)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        said = json.loads(process.stdout.readline())
        yield Site(f"http://127.0.0.1:{said['port']}", said["code"])
        process.stdin.close()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def administrator(site, chromium):
    """The state of the browser in which the welcome made the first administrator."""
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(site.address)
    expect(page).to_have_url(f"{site.address}/welcome/")
    page.get_by_label("One-time code").fill(site.code)
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the administrator").click()
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()
    yield context.storage_state()
    context.close()


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def open_page(chromium, administrator, watch):
    contexts = []

    def make(**options) -> Page:
        contexts.append(chromium.new_context(**{"locale": "en-GB", "storage_state": administrator, **options}))
        contexts[-1].route("**/api/v1/devices/*/series?*", lambda route: route.fulfill(json=NO_SERIES))
        contexts[-1].route("**/api/v1/live?*", lambda route: route.fulfill(body=": heard\n\n"))
        return watch.follow(contexts[-1].new_page())

    yield make
    for context in contexts:
        context.close()


def test_the_welcome_makes_the_first_administrator_who_sees_the_devices(site, open_page, watch):
    page = open_page()

    page.goto(site.address)

    expect(page.get_by_role("listitem").filter(has_text="profilo-4")).to_contain_text("Reporting")
    expect(page.get_by_role("listitem").filter(has_text="spare")).to_contain_text("Never heard")
    expect(page.locator("svg.spark").first).to_be_visible()
    assert watch.complaints == []


def test_a_person_signs_in_follows_a_device_and_signs_out(site, open_page, watch):
    page = open_page(storage_state=None)

    page.goto(site.address)
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name="raspberry1").click()
    expect(page.get_by_role("heading", name="The last 50 readings")).to_be_visible()
    page.get_by_text(EMAIL).click()
    page.get_by_role("button", name="Sign out").click()

    page.goto(f"{site.address}/devices/1/")
    expect(page).to_have_url(f"{site.address}/account/login/?next=/devices/1/")
    assert watch.complaints == []


def test_a_new_secret_is_shown_once(site, open_page):
    page = open_page()
    page.goto(f"{site.address}/devices/1/")

    page.get_by_role("button", name="New secret").click()
    expect(page.get_by_role("heading", name="The device's new secret")).to_be_visible()

    page.goto(f"{site.address}/devices/1/")
    expect(page.get_by_role("heading", name="The device's new secret")).to_have_count(0)


def test_a_replay_asks_the_data_plane_with_a_token_of_this_sign_in(site, open_page):
    page, asked = open_page(), []

    def data_plane(route):
        asked.append(route.request)
        route.fulfill(status=422, json={"detail": "timestamp: still before 2000"})

    page.route("**/api/v1/devices/1/quarantine/*/replay", data_plane)
    page.goto(f"{site.address}/devices/1/")
    page.get_by_role("button", name="Replay 1").click()

    expect(page.get_by_role("alert")).to_contain_text("still before 2000")
    assert asked[0].headers["authorization"].startswith("Bearer ey")


@pytest.mark.parametrize(
    ("path", "ready"), [("/api/docs/", "#swagger-ui .opblock"), ("/api/redoc/", "#redoc [data-section-id]")]
)
def test_the_api_viewers_ask_no_other_host_and_break_no_policy(site, open_page, watch, path, ready):
    page = open_page(storage_state=None)

    page.goto(f"{site.address}{path}")
    page.locator(ready).first.wait_for()
    page.wait_for_load_state("networkidle")

    assert watch.foreign(site.address) == []
    assert watch.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_no_page_is_wider_than_a_phone(site, open_page, watch, locale, scheme):
    page = open_page(locale=locale, color_scheme=scheme, viewport=PHONE)

    for path in PAGES:
        page.goto(f"{site.address}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
    assert watch.complaints == []
    assert watch.foreign(site.address) == []


def test_a_french_browser_is_spoken_to_in_french_until_it_switches(site, open_page):
    page = open_page(locale="fr-FR")

    page.goto(site.address)
    expect(page.get_by_role("heading", name="Appareils")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.get_by_role("button", name="English").click()

    expect(page.get_by_role("heading", name="Devices")).to_be_visible()


def test_the_keyboard_alone_reaches_the_content_and_a_device(site, open_page):
    page = open_page()
    page.goto(site.address)

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Add a device")).to_be_focused()
    for label in ("Find a device", "State", "Kind", "Order"):
        page.keyboard.press("Tab")
        expect(page.get_by_label(label).first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Facts")).to_be_visible()


def test_every_control_of_every_page_has_a_name(site, open_page):
    page = open_page()

    for path in [*PAGES, "/account/login/", "/nowhere/"]:
        page.goto(f"{site.address}{path}")
        nameless = page.evaluate(
            """[...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea")].filter(
                 (control) => !(control.labels?.length || control.ariaLabel || control.textContent.trim()),
               ).map((control) => control.outerHTML)"""
        )
        assert nameless == [], path
