"""What a browser that was misled, a scanner or a forger sends: refused on both planes with an answer."""

import contextlib
import json
import socket

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

PLANES = ["/metrics", "/readyz", "/sensor_data", "/api/v1/readings", "/vehicles", "/", "/static/nothing.css"]


@pytest.fixture(scope="module")
def open_server(installation):
    """A server where a caller without a token may write the racing routes, as on a trusted network."""
    from tests.journey.conftest import end, start  # noqa: PLC0415 - its fixtures are found by pytest, these are not

    running = start(installation(), RELEVE_ANONYMOUS_ROLE="editor", RELEVE_ALLOWED_HOSTS="board.example.com")
    yield running
    end(running)


@pytest.mark.parametrize("path", PLANES)
def test_a_rebound_name_reaches_neither_plane(open_server, path):
    strange = {"Host": "evil.example"}
    for method in ("GET", "POST"):
        refused = httpx.request(method, f"{open_server.url}{path}", headers=strange, json={"race_id": 1})

        assert refused.status_code == 400, path
        assert "RELEVE_ALLOWED_HOSTS" in refused.json()["message"]


@pytest.mark.parametrize("path", ["/live/ws", "/mqtt"])
def test_a_rebound_name_opens_no_websocket(open_server, path):
    address = open_server.url.replace("http", "ws", 1) + path
    with pytest.raises(InvalidStatus) as refusal, connect(address, additional_headers={"Host": "evil.example"}):
        pass

    assert refusal.value.response.status_code in {400, 403}


@pytest.mark.parametrize(
    "host", ["192.168.1.20:8000", "[fe80::1]", "10.0.0.7", "localhost:1", "releve", "board.example.com", None]
)
def test_clients_that_call_by_address_or_by_a_name_of_ours_are_answered(open_server, host):
    headers = {} if host is None else {"Host": host}

    assert httpx.get(f"{open_server.url}/vehicles", headers=headers).status_code == 200
    assert (
        httpx.post(f"{open_server.url}/sensor_data", headers=headers, json={}).json()["message"].startswith("race_id")
    )


@pytest.mark.parametrize("version", [b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.9"])
@pytest.mark.parametrize("path", [b"/healthz", b"/vehicles"])
def test_a_version_of_http_that_is_not_spoken_gets_no_success(open_server, version, path):
    answer = raw(open_server, b"GET " + path + b" " + version + b"\r\nHost: localhost\r\n\r\n")

    assert answer.split(b" ")[1] in {b"505", b"400"}


@pytest.mark.parametrize("query", ["?q=%00", "?page=1%00", "?version=%01", "?next=%0d%0aX-Forged:1"])
@pytest.mark.parametrize("path", ["/api/schema/", "/accounts/login/", "/vehicles", "/runs/"])
def test_no_query_is_answered_with_a_failure_of_ours_nor_with_nothing(open_server, path, query):
    answer = httpx.get(f"{open_server.url}{path}{query}")

    assert answer.status_code < 500
    assert "x-forged" not in answer.headers
    assert "%00" not in query or answer.status_code == 400


def test_no_answer_of_either_plane_is_taken_for_something_else(open_server):
    for path in ("/healthz", "/readyz", "/vehicles", "/accounts/login/"):
        assert httpx.get(f"{open_server.url}{path}").headers["x-content-type-options"] == "nosniff", path


def raw(server, request):
    """What comes back for some bytes."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65_536):
                answer += piece
                if b"\r\n\r\n" in answer:
                    break
        return answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /sensor_data HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /sensor_data HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"GET /races\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /races HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n",
    ],
)
def test_a_request_that_cannot_be_read_is_refused_by_a_problem_document(open_server, request_bytes):
    head, _, body = raw(open_server, request_bytes).partition(b"\r\n\r\n")

    assert head.split(b" ")[1] in {b"400", b"431"}
    assert b"content-type: application/problem+json" in head
    document = json.loads(body)
    assert document["message"]
    assert document["status"] == int(head.split(b" ")[1])
