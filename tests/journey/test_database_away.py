"""While the database is away: what people, programs and the log get to see, and that all comes back."""

import json
import os
import re
import signal
import socket
import struct
import time

import httpx
import pytest

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def signed_in(server):
    """A browser in which a person is signed in."""
    person = server.add_account()
    browser = httpx.Client(base_url=server.url, headers=BROWSER, timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get("/account/login/").text)[1]
    form = {"csrfmiddlewaretoken": token, "login": person["email"], "password": person["password"]}
    assert browser.post("/account/login/", data=form).status_code == 302
    return browser


@pytest.fixture(scope="module")
def away(reachable_directory):
    """A server whose PostgreSQL is kept from coming back, and then let back."""
    from tests.journey.conftest import end, start  # noqa: PLC0415 - its fixtures are found by pytest, these are not

    running = start(reachable_directory() / "data", "--workers", "1")
    running.browser = signed_in(running)
    hidden = running.data_dir / "postgres" / "PG_VERSION"
    hidden.rename(hidden.with_name("PG_VERSION.away"))
    os.kill(running.processes["postgres"], signal.SIGINT)
    deadline_s = time.monotonic() + 60
    while httpx.get(f"{running.url}/account/login/", headers=BROWSER).status_code != 503:
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    yield running
    running.browser.close()
    hidden.with_name("PG_VERSION.away").rename(hidden)
    end(running)


@pytest.mark.parametrize("path", ["/", "/account/login/", "/runs/", "/api/docs/", "/admin/"])
def test_a_browser_gets_a_page_that_tries_again_by_itself(away, path):
    answer = away.browser.get(path)

    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert 'http-equiv="refresh"' in answer.text
    assert "{" not in answer.text
    assert int(answer.headers["retry-after"]) > 0


def test_a_form_is_not_sent_again_by_itself(away):
    token = away.browser.cookies["csrftoken"]

    answer = away.browser.post("/account/logout/", data={"csrfmiddlewaretoken": token})

    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert "refresh" not in answer.text


def test_a_program_gets_a_problem_document(away):
    for path in ("/api/v1/sign-ins", "/api/v1/devices", "/runs/"):
        answer = away.browser.get(path, headers={"Accept": "application/json"})
        assert answer.status_code == 503, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 503


def test_the_log_says_each_trouble_once_and_without_traceback(away):
    before = len(away.errors.read_text())
    began_s = time.monotonic()
    while time.monotonic() - began_s < 5:
        away.browser.get("/")
        time.sleep(0.1)

    said = away.errors.read_text()[before:]
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    troubles = [line for line in lines if line["level"] in {"warning", "error"}]
    assert "Traceback" not in said
    places = [tuple(line.get(name) for name in ("event", "process", "worker", "service", "task")) for line in troubles]
    words = [(*place, line.get("error"), line.get("reason")) for place, line in zip(places, troubles, strict=True)]
    assert len(words) == len(set(words)), troubles  # once a minute each
    assert all(places.count(place) <= 3 for place in places), troubles  # the database has a few words for it


def test_whoever_hangs_up_just_after_the_body_leaves_no_trace(start_server):
    server = start_server()
    device = server.add_device()
    bearer = server.bearer(device)["Authorization"]
    host, port = server.url.removeprefix("http://").split(":")
    body = b'{"speed": 1}'
    request = (
        f"POST /api/v1/readings HTTP/1.1\r\nHost: {host}\r\nAuthorization: {bearer}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    page = f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() * 20

    for number in range(300):
        with socket.create_connection((host, int(port)), timeout=20) as link:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", number % 2, 0))  # a reset, or an end
            link.sendall(page if number % 3 == 0 else request)

    assert httpx.get(f"{server.url}/readyz").status_code == 200
    assert "Traceback" not in server.errors.read_text()
    assert "Exception" not in server.errors.read_text()
