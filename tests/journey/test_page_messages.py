"""The messages of a device on their page: what became of each, why, and a correction that stores it."""

import secrets

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(params=["en-GB", "fr-FR"])
def language(request):
    return request.param


@pytest.fixture
def team():
    return f"Inspectors {secrets.token_hex(4)}"


@pytest.fixture
def device(server, team):
    return server.add_device(team=team)


@pytest.fixture
def page(chromium, server, team, device, language):
    account = server.add_account("editor", team=team)
    context = chromium.new_context(locale=language, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(f"{server.url}/account/login/")
    page.locator("[name=login]").fill(account["email"])
    page.locator("[name=password]").fill(account["password"])
    page.locator("[name=password]").press("Enter")
    expect(page.get_by_role("navigation").first).to_be_visible()
    yield page
    context.close()


def send(server, device, **reading):
    sent = httpx.post(f"{server.url}/api/v1/readings", json=reading, headers=server.bearer(device))
    assert sent.status_code == 200, sent.text
    return sent.json()["outcome"]


def test_each_message_says_what_became_of_it_and_a_wrong_one_can_be_corrected(server, page, device, language):
    assert send(server, device, speed=1) == "stored"
    assert send(server, device, speed=2, time="1970-01-01T00:04:12Z", name="<b>x</b>") == "quarantined"
    number = server.query("SELECT id FROM fleet_device WHERE name = %s", device["name"])[0][0]
    page.goto(f"{server.url}/devices/{number}/messages/")
    rows = page.locator("#message-table tbody tr")
    expect(rows).to_have_count(2)
    aside = rows.nth(0)
    expect(aside).to_contain_text({"en-GB": "quarantined", "fr-FR": "mise à l"}[language])
    expect(aside).to_contain_text("<b>x</b>")
    expect(aside.locator("b")).to_have_count(0)
    assert device["secret"] not in page.content()
    assert server.tokens(device)["access"] not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    expect(page.locator("#live-state")).to_have_class("state live")
    assert send(server, device, speed=77.5) == "stored"
    expect(rows.nth(0)).to_contain_text('{"speed":77.5}')
    expect(rows).to_have_count(3)

    aside = rows.filter(has=page.locator("textarea"))
    aside.locator("summary").click()
    aside.locator("textarea").fill('{"speed": 2.25}')
    with page.expect_navigation():
        aside.locator("button[data-reading]").click()
    expect(page.locator("textarea")).to_have_count(0)
    expect(page.locator("#message-table")).to_contain_text('{"speed":2.25}')
    assert not page.complaints


def test_the_clock_is_told_by_how_far_it_is_off(server, page, device, language):
    send(server, device, speed=1, time="2026-01-01T00:00:00Z")
    number = server.query("SELECT id FROM fleet_device WHERE name = %s", device["name"])[0][0]

    page.goto(f"{server.url}/devices/{number}/messages/")

    expect(page.locator("dl.facts")).to_contain_text({"en-GB": "behind", "fr-FR": "en retard"}[language])
    expect(page.locator("dl.facts")).to_contain_text({"en-GB": "with a zone", "fr-FR": "avec fuseau"}[language])
