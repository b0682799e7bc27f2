"""What the journeys do on a chart: wait for it, drag over it, look into it."""

import time

import pytest
from playwright.sync_api import Page

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
MOST_ON_THE_WIRE = 60_000
PATIENCE_MS = 120_000  # a first page loads all of Django, and this machine may be busy
CHART = "import('/static/pages/chart/mount.js').then(m => m.mount(document.querySelector('[data-chart]')))"


def signed_in(page: Page, server, account, path: str) -> Page:
    """Sign somebody in, who comes to a page then."""
    page.set_default_timeout(PATIENCE_MS)
    page.set_default_navigation_timeout(PATIENCE_MS)
    way = path.replace("?", "%3F").replace("&", "%26")
    page.goto(f"{server.url}/account/login/?next={way}")
    page.locator("[name=login]").fill(account["email"])
    page.locator("[name=password]").fill(account["password"])
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(f"**{path.partition('?')[0]}*")
    return page


def settled(page: Page) -> None:
    page.locator("[data-chart][aria-busy=false]").wait_for(timeout=30_000)


def span(page: Page) -> list[float]:
    return page.evaluate(f"{CHART}.then(chart => [chart.view.from, chart.view.to])")


def plot(page: Page, place: int = 0):
    over = page.locator(".chart-panel .u-over").nth(place)
    over.scroll_into_view_if_needed()
    return over.bounding_box()


def drag(page: Page, start: float, end: float) -> None:
    box = plot(page)
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (start + end) / 2, y, steps=4)
    page.mouse.move(box["x"] + box["width"] * end, y, steps=4)
    page.mouse.up()


def weight(page: Page) -> dict[str, int]:
    """Bytes on the wire of everything that a page brings, read anew, by address: without uPlot and the readings."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    addresses: dict[str, str] = {}
    sizes: dict[str, int] = {}
    session.on("Network.responseReceived", lambda told: addresses.update({told["requestId"]: told["response"]["url"]}))
    session.on("Network.loadingFinished", lambda told: sizes.update({told["requestId"]: told["encodedDataLength"]}))
    page.reload()
    page.locator(".chart[aria-busy=false]").wait_for()
    told = {addresses[each]: size for each, size in sizes.items() if each in addresses}
    readings = ("/static/uplot/", "/series?", "/compare?")
    return {url: size for url, size in told.items() if not any(each in url for each in readings)}


def until(page: Page, script: str, *, within_s: float = 20):
    """What a script answers as soon as it is true; the page's policy allows no other way to wait."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = page.evaluate(script)
        if found:
            return found
        page.wait_for_timeout(50)
    return pytest.fail(f"never true: {script}")
