"""Changing a device in a real browser: renamed, undone, deleted by its name, brought back."""

import os

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
TEAM = "Changes devices"


@pytest.fixture(scope="module")
def editor(server):
    return server.add_account("editor", team=TEAM)


@pytest.fixture
def device(server):
    made = server.add_device(team=TEAM)
    headers = {"Authorization": f"Bearer {made['secret']}"}
    httpx.post(f"{server.url}/api/v1/readings", json={"battery": 3704}, headers=headers).raise_for_status()
    return made


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, server, editor) -> Page:
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{server.url}/account/login/")
    page.locator("[name=login]").fill(editor["email"])
    page.locator("[name=password]").fill(editor["password"])
    page.locator("[name=password]").press("Enter")
    expect(page.get_by_role("navigation").first).to_be_visible()
    yield page
    context.close()


def test_a_device_is_renamed_on_its_page_and_the_name_taken_back(page, server, device):
    page.goto(f"{server.url}/devices/{device['id']}/")
    page.get_by_text("Change the device").click()
    name = f"press-{os.urandom(4).hex()}"
    page.locator("#edit_name").fill(name)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()

    page.get_by_role("button", name=f"Undo Name: {device['name']} → {name}").click()

    expect(page.get_by_role("heading", name=device["name"])).to_be_visible()
    expect(page.get_by_text("The change is undone")).to_be_visible()


def test_a_name_that_cannot_be_is_refused_with_its_field(page, server, device):
    page.goto(f"{server.url}/devices/{device['id']}/")
    page.get_by_text("Change the device").click()
    page.locator("#edit_name").fill("no spaces please")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Name: Letters, digits and")).to_be_visible()
    expect(page.get_by_role("heading", name=device["name"])).to_be_visible()


def test_a_device_is_deleted_by_typing_its_name_and_brought_back(page, server, device):
    page.goto(f"{server.url}/devices/{device['id']}/delete/")
    expect(page.get_by_text("1 reading", exact=True)).to_be_visible()
    page.get_by_label("Type the device's name").fill("another")
    page.get_by_role("button", name="Delete the device").click()
    expect(page.get_by_text("That is not its name")).to_be_visible()

    page.get_by_label("Type the device's name").fill(device["name"])
    page.get_by_role("button", name="Delete the device").click()

    expect(page.get_by_text("For a day it can be brought back")).to_be_visible()
    expect(page.get_by_role("link", name=device["name"])).to_have_count(0)
    assert page.goto(f"{server.url}/devices/{device['id']}/").status == 404

    page.goto(server.url)
    page.get_by_role("button", name=f"Bring back {device['name']}").click()
    expect(page.get_by_role("heading", name=device["name"])).to_be_visible()
    expect(page.locator("td", has_text="3704").first).to_be_visible()
