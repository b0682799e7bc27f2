"""The list of devices in a real browser: it moves by itself, is searched as one types, and keeps its address."""

import os

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PHONE = {"width": 360, "height": 740}
WITHIN_MS = 30_000
MANY = 8  # more than are in the page itself


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def team():
    return f"Fleet {os.urandom(4).hex()}"


@pytest.fixture
def complaints():
    return []


@pytest.fixture
def browse(chromium, server, team, complaints):
    contexts = []

    def make(**options) -> Page:
        account = server.add_account("editor", team=team)
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


def send(server, device, **channels):
    headers = {"Authorization": f"Bearer {device['secret']}"}
    httpx.post(f"{server.url}/api/v1/readings", json=channels, headers=headers).raise_for_status()


def test_a_card_shows_a_new_value_by_itself(browse, server, team, complaints):
    device = server.add_device(team=team)
    send(server, device, level=1.5, mode="auto")
    page = browse()
    page.goto(server.url)
    card = page.locator(f"[data-device='{device['id']}']")
    expect(card).to_contain_text("1.5")
    expect(page.locator("#fleet[data-live=open]")).to_be_attached(timeout=WITHIN_MS)

    send(server, device, level=2.25, mode="hand")

    expect(card.locator("dt[title=level] + dd")).to_contain_text("2.25", timeout=WITHIN_MS)
    expect(card.locator("dt[title=mode] + dd")).to_contain_text("hand")
    assert complaints == []


def test_a_live_value_is_shown_in_the_units_that_the_team_said(browse, server, team):
    device = server.add_device(team=team)
    send(server, device, battery=3704)
    headers = server.bearer(server.add_account("editor", team=team))
    said = {"battery": {"unit": "V", "scale": 0.001, "decimals": 2}}
    httpx.patch(f"{server.url}/api/v1/devices/{device['id']}/channels", json=said, headers=headers).raise_for_status()
    page = browse(locale="fr-FR")
    page.goto(server.url)
    value = page.locator("dt[title=battery] + dd")
    expect(value).to_contain_text("3,7")
    expect(page.locator("#fleet[data-live=open]")).to_be_attached(timeout=WITHIN_MS)

    send(server, device, battery=3918)

    expect(value).to_contain_text("3,92", timeout=WITHIN_MS)


def test_many_devices_are_fetched_searched_as_one_types_and_found_again_by_the_address(
    browse, server, team, complaints
):
    names = [server.add_device(team=team)["name"] for _ in range(MANY)]
    page = browse()
    page.goto(server.url)
    expect(page.locator("#fleet .device")).to_have_count(MANY, timeout=WITHIN_MS)

    page.get_by_label("Find a device").fill(names[3][-6:])

    expect(page.locator("#fleet .device")).to_have_count(1, timeout=WITHIN_MS)
    expect(page.get_by_role("link", name=names[3])).to_be_visible()
    page.reload()
    expect(page.locator("#fleet .device")).to_have_count(1, timeout=WITHIN_MS)
    page.locator("[name=q]").fill("")
    page.locator("[name=state]").select_option("live")
    expect(page.get_by_text("No device of your teams is like that")).to_be_visible(timeout=WITHIN_MS)
    assert page.url.endswith("?state=live")
    assert complaints == []


@pytest.mark.parametrize(("locale", "scheme"), [("en-GB", "light"), ("fr-FR", "dark")])
def test_the_list_fits_a_phone(browse, server, team, complaints, locale, scheme):
    for _ in range(2):
        send(server, server.add_device("profilometre", team=team), temperature=21.5, humidite=40)
    page = browse(locale=locale, color_scheme=scheme, viewport=PHONE)

    page.goto(server.url)

    expect(page.locator("#fleet .device")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert complaints == []


def test_the_browsers_time_zone_is_offered_and_taken(browse, server, team, complaints):
    device = server.add_device(team=team)
    send(server, device, level=1.5)
    page = browse(timezone_id="Asia/Tokyo")
    page.goto(f"{server.url}/devices/{device['id']}/")
    expect(page.locator("#zone-offer")).to_contain_text("Asia/Tokyo")

    page.get_by_role("button", name="Use it").click()

    expect(page).to_have_url(f"{server.url}/devices/{device['id']}/")
    expect(page.locator("body")).to_have_attribute("data-zone", "Asia/Tokyo")
    expect(page.get_by_text("JST").first).to_be_visible()
    expect(page.locator("#zone-offer")).to_have_count(0)
    assert complaints == []
