"""A page of another site may call the API where the operator names it, and only with a token of its own."""

import contextlib
import functools
import http.server
import threading

import httpx
import pytest
from playwright.sync_api import sync_playwright
from tests.journey.mqtt_client import signed_in
from tests.journey.test_page_browser import ARGUMENTS, CHROMIUM

from releve.settings import BadSetting, Settings

BOARD = """<!doctype html><meta charset="utf-8"><script>
const call = (path, options) => fetch(base + path, options).then(answer => answer.json());
const base = new URLSearchParams(location.search).get("base");
async function run() {
  const added = await call("/vehicle", {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({name: "Board's own"}),
  });
  const vehicles = await call("/vehicles");
  const socket = new WebSocket(base.replace("http", "ws") + "/live/ws");
  const frame = await new Promise((heard, failed) => {
    socket.onopen = () => { document.title = "watching"; };
    socket.onmessage = event => heard(JSON.parse(event.data));
    socket.onerror = failed;
  });
  return {added, vehicles, frame};
}
run().then(found => { window.found = found; }, error => { window.found = {failed: String(error)}; });
</script>"""


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """The address of another site on this machine, whose page is a client of contract B."""
    folder = tmp_path_factory.mktemp("board")
    (folder / "index.html").write_text(BOARD, "utf-8")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def asked(server, path, method, origin):
    question = {"Origin": origin, "Access-Control-Request-Method": method}
    return httpx.options(f"{server.url}{path}", headers=question)


@contextlib.contextmanager
def opened(board, server):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(f"{board}/?base={server.url}")
        yield page
        browser.close()


@pytest.mark.browser
def test_a_board_on_another_site_reads_writes_and_watches(start_server, board):
    server = start_server("--workers", "1", RELEVE_ALLOWED_ORIGINS=board, RELEVE_ANONYMOUS_ROLE="editor")
    car = server.add_device("racing")
    with opened(board, server) as page:
        page.wait_for_function("document.title === 'watching' || window.found")
        with signed_in(server, car) as client:
            client.publish("esp32bis/speed", b"12.3")
        page.wait_for_function("window.found")
        found = page.evaluate("window.found")

    assert found["added"]["message"] == "Vehicle successfully added"
    assert found["added"]["data"] in found["vehicles"]["data"]
    assert found["frame"] == {"topic": "esp32bis/speed", "message": "12.3"}
    for path in ("/vehicles", "/api/v1/readings", "/data"):  # both planes
        assert asked(server, path, "POST", board).headers["access-control-allow-origin"] == board
        other = asked(server, path, "POST", "http://elsewhere.example")
        assert "access-control-allow-origin" not in other.headers
        assert "Origin" in other.headers["vary"]
    answer = httpx.get(f"{server.url}/vehicles", headers={"Origin": board})
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.browser
def test_without_the_setting_no_other_site_reads_anything(server, board):
    with opened(board, server) as page:
        page.wait_for_function("window.found")

        assert "failed" in page.evaluate("window.found")
    assert "access-control-allow-origin" not in asked(server, "/vehicles", "GET", board).headers


@pytest.mark.parametrize(
    "origin",
    ["board.example.com", "https://board.example.com/", "https://a.example/app", "*", "null", "HTTPS://a.example"],
)
def test_what_no_browser_would_send_is_no_origin(origin):
    with pytest.raises(BadSetting, match="RELEVE_ALLOWED_ORIGINS"):
        Settings.from_environment({"RELEVE_ALLOWED_ORIGINS": f"https://good.example, {origin}"})


def test_origins_are_told_apart_by_commas():
    settings = Settings.from_environment({"RELEVE_ALLOWED_ORIGINS": "https://a.example, http://127.0.0.1:3000,"})

    assert settings.origins == {"https://a.example", "http://127.0.0.1:3000"}
