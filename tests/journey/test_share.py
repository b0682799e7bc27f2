"""Shared links in a real browser: a private window sees one thing, moving, until the link is revoked."""

import json
import secrets
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PHONE = {"width": 360, "height": 740}


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
def window(chromium, complaints):
    """A window that knows nobody."""
    contexts = []

    def make(**options) -> Page:
        contexts.append(chromium.new_context(**{"locale": "en-GB", **options}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def team():
    return f"Sharers {secrets.token_hex(4)}"


@pytest.fixture
def editor(server, team):
    return server.add_account("editor", team=team)


@pytest.fixture
def device(server, team):
    return server.add_device(team=team)


@pytest.fixture
def api(server, editor):
    with httpx.Client(base_url=server.url, headers=server.bearer(editor)) as client:
        yield client


def number_of(server, device):
    return server.query("SELECT id FROM fleet_device WHERE name = %s", device["name"])[0][0]


def send(server, device, **channels):
    sent = httpx.post(f"{server.url}/api/v1/readings", json=channels, headers=server.bearer(device))
    assert sent.json()["outcome"] == "stored", sent.text


def signed_in(server, page, account):
    page.goto(f"{server.url}/account/login/")
    page.locator("[name=login]").fill(account["email"])
    page.locator("[name=password]").fill(account["password"])
    page.locator("[name=password]").press("Enter")
    expect(page.get_by_role("navigation").first).to_be_visible()


def make(api, **body):
    answer = api.post("/api/v1/shares", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def races(server, api, device, team):
    """Two races, one of which ended with more speed."""
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
    numbers = []
    for place, factor in enumerate((1, 2)):
        start = begin + timedelta(minutes=10 * place)
        readings = [
            {
                "time": (start + timedelta(seconds=second)).isoformat(),
                "speed": 10.0 * factor,
                "distance": second * factor,
            }
            for second in range(10)
        ]
        assert api.post("/api/v1/readings", json=readings, headers=server.bearer(device)).json()["stored"] == 10
        body = {
            "kind": "race", "device": number_of(server, device), "name": f"Heat {place}",
            "started_at": start.isoformat(), "ended_at": (start + timedelta(minutes=1)).isoformat(),
        }  # fmt: skip
        opened = api.post("/api/v1/runs", json=body)
        assert opened.status_code == 201, opened.text
        numbers.append(opened.json()["id"])
    return numbers


def test_a_link_opens_in_a_private_window_moves_and_dies_on_its_revocation(server, window, editor, device, complaints):
    send(server, device, speed=12.5)
    page = window()
    signed_in(server, page, editor)
    page.goto(f"{server.url}/devices/{number_of(server, device)}/")
    page.get_by_role("button", name="Make a link").click()
    address = page.locator("#link-text").inner_text()
    secret = address.rstrip("/").rpartition("/")[2]

    guest = window(viewport=PHONE)
    guest.goto(address)
    expect(guest.get_by_role("heading", name=device["name"])).to_be_visible()
    expect(guest.locator("[data-channel=speed]")).to_have_text("12.5")
    assert secret not in guest.url
    assert guest.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(guest.locator("#shared-state")).to_have_text("Live")
    send(server, device, speed=99.25)
    expect(guest.locator("[data-channel=speed]")).to_have_text("99.25")

    page.goto(f"{server.url}/shares/")
    expect(page.get_by_role("row", name=device["name"])).to_contain_text("1")
    page.get_by_role("button", name="Revoke").click()
    began_s = time.monotonic()
    expect(guest.locator("#shared-over")).to_be_visible(timeout=5_000)
    expect(guest.locator("#shared")).to_have_count(0)
    assert time.monotonic() - began_s < 5
    for place in (address, guest.url):
        guest.goto(place)
        expect(guest.get_by_role("heading", name="The link is over")).to_be_visible()
    assert secret not in server.errors.read_text()
    said = "SELECT kind FROM accounts_auditevent WHERE device_id = %s AND kind LIKE 'share-%%' ORDER BY id"
    assert server.query(said, number_of(server, device)) == [("share-made",), ("share-revoked",)]
    assert not complaints


def test_a_link_shows_its_own_thing_and_nothing_else(server, window, api, device, team):
    other = server.add_device(team=team)
    send(server, device, speed=1)
    send(server, other, speed=2)
    first, second = races(server, api, device, team)
    of_device = make(api, device=number_of(server, device))
    of_run = make(api, runs=[first])
    guest = window()
    for made in (of_device, of_run):
        assert guest.goto(made["address"]).status == 200
    asked = guest.context.request

    def status(path, **options):
        return asked.get(f"{server.url}{path}", max_redirects=0, **options).status

    device_id, other_id = number_of(server, device), number_of(server, other)
    for path in ("/", f"/devices/{device_id}/", f"/runs/{first}/", "/shares/", "/team/"):
        assert status(path, headers={"Accept": "text/html"}) == 302, path
    for path in (
        "/api/v1/devices", f"/api/v1/devices/{device_id}/readings", f"/api/v1/runs/{first}", "/api/v1/shares",
        f"/api/v1/runs/{first}/export", "/api/v1/live", f"/api/v1/live?device={device_id}",
    ):  # fmt: skip
        assert status(path) == 401, path
    live, ran = f"share={of_device['id']}", f"share={of_run['id']}"
    for query in (
        live, f"{live}&device={other_id}", f"{live}&run={first}", f"{live}&device={device_id}&device={other_id}",
        f"{ran}&run={second}", f"{ran}&device={device_id}", f"{ran}&asset=1", f"share={of_run['id'] + 1}&run={first}",
    ):  # fmt: skip
        assert status(f"/api/v1/live?{query}") == 404, query
    assert guest.goto(f"{server.url}/shared/{of_run['id'] + 1}/").status == 404


def test_a_run_and_a_comparison_are_shown_with_their_figures_in_both_languages(
    server, window, api, device, team, complaints
):
    first, second = races(server, api, device, team)
    run, comparison = make(api, runs=[first]), make(api, runs=[first, second])
    guest = window()

    guest.goto(run["address"])
    expect(guest.get_by_role("heading", name="Heat 0")).to_be_visible()
    expect(guest.get_by_role("heading", name="Channels")).to_be_visible()
    expect(guest.get_by_role("heading", name="speed")).to_be_visible()
    guest.goto(comparison["address"])
    expect(guest.get_by_role("row", name="Top speed")).to_contain_text("+10")

    french = window(locale="fr-FR", viewport=PHONE)
    french.goto(comparison["address"])
    expect(french.get_by_role("heading", name="Comparaison")).to_be_visible()
    expect(french.get_by_role("row", name="Vitesse maximale")).to_contain_text("+10")
    assert french.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not complaints


def test_names_are_text_on_a_shared_page(server, window, api, device, complaints):
    evil = "<img src=x onerror=alert(1)>\u202e"
    send(server, device, **{evil: 1.5, "__proto__": 3})
    guest = window()
    guest.goto(make(api, device=number_of(server, device))["address"])
    expect(guest.locator("#shared-state")).to_have_text("Live")
    send(server, device, **{evil: 2.5, "__proto__": 4, "<b>new</b>": "<i>text</i>"})

    expect(guest.locator("[data-values]")).to_contain_text("<i>text</i>")
    expect(guest.locator("[data-values]")).to_contain_text("<img src=x")
    assert guest.locator("[data-values] img, [data-values] b, [data-values] i").count() == 0
    assert not complaints


def test_the_command_line_makes_lists_and_revokes_links(server, device, window):
    send(server, device, speed=5)
    made = server.json("share", "add", "--device", device["name"], "--days", "1")
    path = made["address"].partition("//")[2].partition("/")[2]
    guest = window()

    assert guest.goto(f"{server.url}/{path}").status == 200
    rows = {row["id"]: row for row in server.json("share", "list")}
    assert rows[made["id"]] == {**rows[made["id"]], "shows": device["name"], "state": "open", "opened": 1}
    assert path.split("/")[1] not in json.dumps(list(rows.values()))
    server.json("share", "revoke", str(made["id"]))
    assert guest.goto(f"{server.url}/{path}").status == 404
