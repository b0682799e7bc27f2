"""The pages of machines, races and captures in a real browser, fed by the simulators that are published with Relevé."""

import contextlib
import re
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from releve.cli.simulation.gym import Machine
from releve.cli.simulation.profilometre import PROFILOMETRE, SPEED_MPS, Profilometre
from releve.cli.simulation.race import SAMPLE
from releve.cli.simulation.racing import Car

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
def playing(server, path, headers, measured, began):
    """Send what an instrument measures: at once what it measured since then, and then as it goes on."""
    ended, failures = threading.Event(), []

    def send():
        at = began
        with httpx.Client(base_url=server.url, headers=headers) as client:
            while not ended.is_set():
                if at > datetime.now(UTC):
                    ended.wait(STEP.total_seconds() / 4)
                    continue
                answer = client.post(path, json=measured(at))
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


def figure(page, label):
    return page.locator("#machine .readout", has=page.get_by_text(label, exact=True)).locator("dd")


def test_a_machine_counts_live_and_its_rest_starts_by_itself(server, viewer, browse, complaints, tmp_path):
    pi, machine = server.add_device("gym", team=TEAM), Machine(4)
    token = {"token": server.tokens(pi)["access"]}
    work = timedelta(seconds=machine._wanted * machine._tempo_s)
    began = datetime.now(UTC) - work + timedelta(seconds=20)  # twenty seconds of the set are still to come

    with playing(server, "/data", token, machine.measure, began):
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
    assert page.locator("main form:not(#zone-offer)").count() == 0
    whole_on_every_screen(page, tmp_path, "machine")
    page.goto(f"{server.url}/machines/")
    page.get_by_role("link", name="Machine 4").wait_for()
    whole_on_every_screen(page, tmp_path, "machines")
    assert complaints == []


@pytest.fixture
def race(server):
    """A car, its vehicle and its race, which began a minute and a half ago; its battery is in percent."""
    editor, car = server.bearer(server.add_account("editor", team=TEAM)), server.add_device("racing", team=TEAM)
    began = datetime.now(UTC) - timedelta(seconds=90)
    vehicle = httpx.post(f"{server.url}/vehicle", json={"name": "Hirondelle"}, headers=editor).json()["data"]["id"]
    wanted = {
        "device": car["id"],
        "asset": vehicle,
        "kind": "race",
        "name": "Vendredi",
        "started_at": began.isoformat(),
    }
    made = httpx.post(f"{server.url}/api/v1/runs", json=wanted, headers=editor)
    assert made.status_code == 201, made.text
    return {"car": car, "vehicle": vehicle, "began": began, "id": made.json()["id"], "editor": editor}


def test_a_race_shows_speed_laps_and_the_delta_as_the_car_drives(server, race, browse, complaints, tmp_path):
    car, bearer = Car(2), server.bearer(race["car"])

    def sample(at):
        measured = car.measure(at)
        return {"race_id": race["id"], **{name: measured[name] for name in SAMPLE}}

    with playing(server, "/sensor_data", bearer, sample, race["began"]):
        page = browse()
        page.goto(f"{server.url}/racing/")
        page.get_by_role("link", name="Hirondelle").click()

        big = {
            label: page.locator(".big", has=page.get_by_text(label, exact=True)).locator("dd")
            for label in ("Vitesse", "Batterie", "Tour", "Meilleur tour", "Dernier tour", "Énergie par tour")
        }
        expect(big["Meilleur tour"]).to_have_text(re.compile(r"^0:\d\d,\d\d$"))
        expect(big["Tour"]).to_have_text(re.compile(r"^[4-9]$"))
        expect(page.locator("[data-sign]")).to_have_text(re.compile(r"^[+-]?\d+,\d\ds$"))
        assert page.get_by_text("Tours restants", exact=True).is_hidden()
        expect(page.get_by_text("en quoi la batterie est mesurée")).to_be_visible()

        unit = {"battery": {"unit": "%"}, "speed": {"unit": "m/s"}}
        said = httpx.patch(
            f"{server.url}/api/v1/devices/{race['car']['id']}/channels", json=unit, headers=race["editor"]
        )
        assert said.is_success, said.text
        expect(page.get_by_text("Tours restants", exact=True)).to_be_visible()
        expect(big["Vitesse"]).to_have_text(re.compile(r"\dm/s$"))
        expect(big["Énergie par tour"]).to_have_text(re.compile(r"\d%$"))

        before = page.locator("[data-timer]").inner_text()
        page.wait_for_function("(before) => document.querySelector('[data-timer]').textContent !== before", arg=before)
        whole_on_every_screen(page, tmp_path, "race")

    page.goto(f"{server.url}/racing/")
    page.get_by_role("link", name="Hirondelle").wait_for()
    whole_on_every_screen(page, tmp_path, "vehicles")
    assert complaints == []


def test_a_capture_is_drawn_along_its_way_and_told_in_numbers(server, browse, complaints, tmp_path):
    device, instrument = server.add_device("profilometre", team=TEAM, zone=PROFILOMETRE.zone), Profilometre(3)
    began = datetime.now(UTC) - timedelta(seconds=60)

    def walked(at):
        """At walking pace, with a wheel that counts the metres."""
        return {**instrument.measure(at), "distance": round(SPEED_MPS * (at - began).total_seconds(), 2)}

    with playing(server, "/api/send/data/", server.bearer(device), walked, began):
        page = browse()
        page.goto(f"{server.url}/profilometres/")
        page.get_by_role("link", name=device["name"]).click()

        page.get_by_role("status").get_by_text("En cours").wait_for()
        strip = page.get_by_role("img", name=re.compile("^Profil, valeur efficace de .* plus haut pic"))
        expect(strip).to_be_visible()
        expect(page.locator(".big", has=page.get_by_text("Température", exact=True)).locator("dd")).to_contain_text(
            "°C"
        )
        expect(page.locator(".big", has=page.get_by_text("Humidité", exact=True)).locator("dd")).to_contain_text("%")
        page.wait_for_function("() => document.querySelectorAll('svg .rms').length > 60")

        expect(page.locator("#earlier tr")).to_have_count(1)
        page.get_by_label("la distance").check()
        expect(page.locator("#strip-table th").first).to_have_text(re.compile(r"^Début\s*$"))
        page.get_by_text("La même chose en chiffres").click()
        page.wait_for_function("""() => {
            const [bars, rows] = [document.querySelectorAll("svg .rms"), document.querySelectorAll("#strip-table tr")];
            return bars.length > 20 && rows.length === bars.length + 1;
        }""")
        whole_on_every_screen(page, tmp_path, "capture")

    page.goto(f"{server.url}/profilometres/")
    page.get_by_role("link", name=device["name"]).wait_for()
    whole_on_every_screen(page, tmp_path, "profilometres")
    assert complaints == []
