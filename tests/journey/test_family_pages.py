"""The pages of machines, races and captures in a real browser, fed by the simulators that are published with Relevé."""

import contextlib
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from releve.cli.simulation.gym import Machine

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
TEAM = "Families in a browser"
WAIT_MS = 60_000
expect.set_options(timeout=WAIT_MS)
STEP = timedelta(milliseconds=200)


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def viewer(server):
    """Whoever only looks: that is all these pages ask for."""
    return server.add_account("viewer", team=TEAM)


@pytest.fixture
def complaints():
    return []


@pytest.fixture(scope="module")
def signed_in_state(chromium, server, viewer):
    context = chromium.new_context(locale="fr-FR")
    page = context.new_page()
    page.goto(f"{server.url}/account/login/")
    page.locator("[name=login]").fill(viewer["email"])
    page.locator("[name=password]").fill(viewer["password"])
    page.locator("[name=password]").press("Enter")
    expect(page.get_by_role("navigation").first).to_be_visible(timeout=WAIT_MS)
    yield context.storage_state()
    context.close()


@pytest.fixture
def browse(chromium, signed_in_state, complaints):
    """A browser of the viewer's; the page says nothing on its console but what the test then finds in `complaints`."""
    contexts = []

    def make(**options) -> Page:
        whole = {"locale": "fr-FR", "viewport": PHONE, "storage_state": signed_in_state, **options}
        contexts.append(chromium.new_context(**whole))
        page = contexts[-1].new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()


@contextlib.contextmanager
def playing(server, device, instrument, path, began):
    """Send what the instrument measures: at once what it measured since then, and then as it goes on."""
    bearer, ended = server.bearer(device), threading.Event()
    headers = {**bearer, "token": bearer["Authorization"].removeprefix("Bearer ")} if path == "/data" else bearer
    headers = {name: value for name, value in headers.items() if path != "/data" or name == "token"}
    failures = []

    def send():
        at = began
        with httpx.Client(base_url=server.url, headers=headers) as client:
            while not ended.is_set():
                if at > datetime.now(UTC):
                    ended.wait(STEP.total_seconds() / 4)
                    continue
                answer = client.post(path, json=instrument.measure(at))
                if not answer.is_success:
                    failures.append(answer.text)
                at += STEP

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert failures == []


def whole_on_every_screen(page, tmp_path, name):
    """Nothing is wider than the screen, light and dark, on a phone and on a desk; pictures are left to be looked at."""
    for size, viewport in (("phone", PHONE), ("desktop", DESKTOP)):
        for scheme in ("light", "dark"):
            page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=tmp_path / f"{name}-{size}-{scheme}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], (name, size)
    page.set_viewport_size(PHONE)


def asset_of(server, viewer, kind, of=""):
    found = httpx.get(f"{server.url}/api/v1/assets", headers=server.bearer(viewer)).json()["data"]
    [asset] = [each for each in found if each["kind"] == kind and each["name"].endswith(of)]
    return asset["id"]


def figure(page, label):
    return page.locator("#machine .readout", has=page.get_by_text(label, exact=True)).locator("dd")


def test_a_machine_counts_live_and_its_rest_starts_by_itself(server, viewer, browse, complaints, tmp_path):
    pi, machine = server.add_device("gym", team=TEAM), Machine(4)
    work = timedelta(seconds=machine._wanted * machine._tempo_s)
    began = datetime.now(UTC) - work + timedelta(seconds=20)  # twenty seconds of the set are still to come

    with playing(server, pi, machine, "/data", began):
        page = browse()
        page.goto(f"{server.url}/machines/")
        page.get_by_role("link", name="Machine 4").click()

        page.get_by_role("status").get_by_text("Utilisée", exact=True).wait_for()
        count = page.locator("[data-when=working] .huge")
        first = int(count.inner_text())
        assert first >= 1
        page.wait_for_function("(first) => Number(document.querySelector('.huge').textContent) > first", arg=first)
        page.screenshot(path=tmp_path / "machine-working.png", full_page=True)

        rest = page.locator("[data-when=resting] .huge")
        expect(rest).to_be_visible()
        expect(rest).to_have_text("0:05")
        page.get_by_role("status").get_by_text("Utilisée : repos").wait_for()

    server.cut_runs()
    page.reload()
    expect(figure(page, "Répétitions")).to_have_text(str(machine._wanted))
    expect(figure(page, "Accélération, pic")).to_contain_text("m/s²")
    expect(page.locator("#series tbody tr")).to_have_count(1)
    expect(page.locator("#bests [data-when=repetitions]:visible")).to_have_text("Plus de répétitions dans une série")
    assert page.locator("text=machine_id").count() == 0
    assert page.locator("main form").count() == 0
    whole_on_every_screen(page, tmp_path, "machine")
    page.goto(f"{server.url}/machines/")
    page.get_by_role("link", name="Machine 4").wait_for()
    whole_on_every_screen(page, tmp_path, "machines")
    assert complaints == []
