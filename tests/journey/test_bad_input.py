"""Bad input gets a clear 4xx, nothing is lost, and nobody else notices (promises P3 and P4)."""

import gzip
import json
import socket
import time
from contextlib import contextmanager
from threading import Event, Thread
from urllib.parse import urlsplit

import httpx
import pytest

READINGS = "/api/v1/readings"


@pytest.fixture(scope="module")
def sender(server):
    return server.bearer(server.add_device())


@pytest.fixture(scope="module")
def neighbour(server):
    return server.bearer(server.add_device())


@contextmanager
def being_served(server, headers):
    """Another device sends all the while; every one of its readings must be acknowledged."""
    began, done, statuses = Event(), Event(), []

    def send():
        with httpx.Client(base_url=server.url, headers=headers, timeout=20) as client:
            while not done.is_set():
                statuses.append(client.post(READINGS, json={"speed": len(statuses)}).status_code)
                began.set()

    thread = Thread(target=send)
    thread.start()
    try:
        assert began.wait(20)
        yield
    finally:
        done.set()
        thread.join()
    assert set(statuses) == {200}


def raw(server, request: bytes, *, pause_s: float = 0, timeout_s: float = 60) -> str:
    """Send bytes as they are, the last one after a pause, and read the answer."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=timeout_s) as connection:
        if pause_s:
            connection.sendall(request[:-1])
            time.sleep(pause_s)
            request = request[-1:]
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer and (piece := connection.recv(65536)):
            answer += piece
        return answer.decode("latin-1")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "empty"),
        (b"{", 400, ""),
        (b"\xef\xbb\xbf{}", 400, "byte order mark"),
        (b'{"speed": NaN}', 400, ""),
        (b'{"speed": Infinity}', 400, ""),
        (b'{"speed": 1e999}', 400, "speed: a number too large"),
        (b'{"speed": "\xff"}', 400, "UTF-8"),
        (b'{"speed": "\\ud800"}', 400, ""),
        (b'{"note": "a\\u0000b"}', 422, "NUL"),
        (b'{"a\\u0000b": 1}', 422, "NUL"),
        (b'{"speed": 9007199254740993}', 422, "2"),
        (b'{"speed": [1]}', 422, "array"),
        (b'{"x": %s1%s}' % (b"[" * 20_000, b"]" * 20_000), 400, "nested"),
        (b"[" * 20_000, 400, ""),
        (b'"text"', 422, "object"),
        (b"{}", 422, "no channel"),
        (b"[]", 422, "no reading"),
        (b'{"id": "", "speed": 1}', 422, "id"),
        (json.dumps({f"c{n}": n for n in range(300)}).encode(), 422, "256"),
        (json.dumps({"note": "x" * 2_000}).encode(), 422, "1024"),
        (json.dumps([{"speed": 1}] * 10_001).encode(), 413, "10000"),
        (b" " * 10_000_000, 413, "larger"),
    ],
    ids=lambda value: repr(value)[:30] if isinstance(value, bytes) else None,
)
def test_what_is_wrong_is_said_while_another_device_is_served(server, sender, neighbour, body, status, words):
    with being_served(server, neighbour):
        answer = httpx.post(f"{server.url}{READINGS}", content=body, headers=sender, timeout=30)

    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_of_a_repeated_key_the_last_value_wins(server, sender):
    httpx.post(f"{server.url}{READINGS}", content=b'{"winner": 1, "winner": 2}', headers=sender)

    assert server.query("SELECT channels::jsonb FROM fresh_reading WHERE channels::jsonb ? 'winner'") == [
        ({"winner": 2},)
    ]


def test_gzip_is_undone_and_a_bomb_is_refused(server, sender):
    headers = {**sender, "Content-Encoding": "gzip"}

    good = httpx.post(f"{server.url}{READINGS}", content=gzip.compress(b'{"zipped": 1}'), headers=headers)
    bomb = httpx.post(f"{server.url}{READINGS}", content=gzip.compress(b" " * 200_000_000), headers=headers)
    broken = httpx.post(f"{server.url}{READINGS}", content=gzip.compress(b"{}")[:-4], headers=headers)
    other = httpx.post(f"{server.url}{READINGS}", content=b"{}", headers={**sender, "Content-Encoding": "br"})

    assert [good.status_code, bomb.status_code, broken.status_code, other.status_code] == [200, 413, 400, 415]


def test_a_slow_body_is_answered_408_while_another_device_is_served(start_server):
    server = start_server(RELEVE_BODY_TIMEOUT_S="1")
    slow, neighbour = server.bearer(server.add_device()), server.bearer(server.add_device())
    head = (
        f"POST {READINGS} HTTP/1.1\r\nHost: x\r\nAuthorization: {slow['Authorization']}\r\nContent-Length: 12\r\n\r\n"
    )

    with being_served(server, neighbour):
        answer = raw(server, head.encode() + b'{"speed": 1', pause_s=0)

    assert answer.startswith("HTTP/1.1 408 ")


def test_headers_that_do_not_end_are_cut_off(start_server):
    server = start_server(RELEVE_HEADER_TIMEOUT_S="1")

    slow = raw(server, b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    large = raw(server, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Large: " + b"x" * 200_000)

    assert slow.startswith("HTTP/1.1 408 ")
    assert large.startswith(("HTTP/1.1 431 ", "HTTP/1.1 400 "))


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        ("TRACE /data HTTP/1.1", "Host: x", 405),
        ("POST /data HTTP/1.1", "Host: x\r\nHost: y\r\nContent-Length: 0", 400),
        ("POST /data HTTP/1.1", "Content-Length: 0", 400),
        ("POST /data HTTP/1.1", "Host: x\r\ntoken: a\r\ntoken: b\r\nContent-Length: 0", 400),
        ("POST /data HTTP/1.1", "Host: x\r\nContent-Length: 1\r\nContent-Length: 2", 400),
        ("POST /data HTTP/1.1", "Host: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", 400),
        ("GET /data HTTP/1.1", "Host: x", 405),
        ("GARBAGE", "", 400),
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused(server, request_line, headers, status):
    answer = raw(server, f"{request_line}\r\n{headers}\r\n\r\n".encode())

    assert answer.startswith(f"HTTP/1.1 {status} ")


def test_a_batch_says_which_items_are_bad_and_stores_the_others(server, sender):
    items = [{"time": f"2026-05-01T00:{n // 60:02}:{n % 60:02}Z", "batch": n} for n in range(1000)]
    items[3], items[333], items[999] = {"batch": {}}, {"batch": 1, "time": "never"}, {"batch": "\0"}

    for headers, content in (
        (sender, json.dumps(items)),
        ({**sender, "Content-Type": "application/x-ndjson"}, "\n".join(map(json.dumps, items))),
    ):
        answer = httpx.post(f"{server.url}{READINGS}", content=content, headers=headers)
        document = answer.json()

        assert answer.status_code == 200
        assert document["stored"] + document["duplicate"] == 997
        assert document["refused"] == 3
        refused = {verdict["index"]: verdict for verdict in document["readings"] if verdict["outcome"] == "refused"}
        assert {index: verdict["field"] for index, verdict in refused.items()} == {
            3: "batch",
            333: "time",
            999: "batch",
        }
        assert all(verdict["reason"] for verdict in refused.values())

    assert server.query("SELECT count(*) FROM fresh_reading WHERE channels::jsonb ? 'batch'") == [(997,)]


def test_a_bad_line_of_ndjson_harms_only_itself(server, sender):
    content = (
        b'{"line": 1, "time": "2026-05-02T00:00:00Z"}\n{"line": NaN}\n{"line": 3, "time": "2026-05-02T00:00:00Z"}\n'
    )
    headers = {**sender, "Content-Type": "application/x-ndjson"}

    document = httpx.post(f"{server.url}{READINGS}", content=content, headers=headers).json()

    assert [verdict["outcome"] for verdict in document["readings"]] == ["stored", "refused", "stored"]


@pytest.mark.parametrize(
    "broken",
    [
        b'{"n": NaN}',
        b'{"n": "a\tb"}',
        b'{"n": "\\x41"}',
        b'{"n": 2,}',
        b'{"n": "open}',
        b'{"n": [2}',
        b'{"n": 2',
        b'{"n": \xff}',
    ],
)
def test_an_element_that_is_no_json_is_refused_alone_and_the_others_are_stored(server, broken):
    sender = server.bearer(server.add_device())
    content = b'[{"n": 1, "time": 1780000001}, %b, {"n": 3, "time": 1780000003},]' % broken

    answer = httpx.post(f"{server.url}{READINGS}", content=content, headers=sender)

    assert answer.status_code == 200
    assert [verdict["outcome"] for verdict in answer.json()["readings"]] == ["stored", "refused", "stored"]
    assert answer.json()["readings"][1]["reason"]


def test_a_byte_order_mark_in_front_of_lines_harms_none_of_them(server):
    sender = server.bearer(server.add_device())
    content = b'\xef\xbb\xbf{"n": 1, "time": 1780000001}\r\n{"n": 2, "time": 1780000002}\r\n'

    answer = httpx.post(
        f"{server.url}{READINGS}", content=content, headers={**sender, "Content-Type": "application/x-ndjson"}
    )

    assert (answer.status_code, answer.json()["stored"]) == (200, 2)


def test_a_batch_that_prefers_a_short_answer_is_told_its_counts_and_what_was_not_stored(server, sender):
    items = [{"time": f"2026-05-02T00:00:{n:02}Z", "short": n} for n in range(20)]
    items[7], items[9] = {"short": {}}, items[3]

    answer = httpx.post(
        f"{server.url}{READINGS}", json=items, headers={**sender, "Prefer": "return=minimal"}, timeout=20
    )

    assert answer.status_code == 200
    assert answer.headers["Preference-Applied"] == "return=minimal"
    told = answer.json()
    assert (told["stored"], told["duplicate"], told["refused"]) == (18, 1, 1)
    assert [(each["index"], each["outcome"]) for each in told["readings"]] == [(7, "refused"), (9, "duplicate")]
    assert (
        "Preference-Applied"
        not in httpx.post(f"{server.url}{READINGS}", json=items, headers=sender, timeout=20).headers
    )


def test_a_batch_of_which_every_item_is_refused_is_422(server, sender):
    answer = httpx.post(f"{server.url}{READINGS}", json=[{"speed": []}, {"speed": {}}], headers=sender)

    assert answer.status_code == 422
    assert answer.json()["refused"] == 2


def test_an_implausible_time_is_quarantined_and_can_be_replayed_with_the_right_one(server):
    device = server.add_device(team="Quarantine")
    editor = server.bearer(server.add_account("editor", team="Quarantine"))
    sent = httpx.post(
        f"{server.url}{READINGS}", json={"time": "1970-01-01T00:00:05Z", "speed": 5}, headers=server.bearer(device)
    )
    assert (sent.status_code, sent.json()["outcome"]) == (200, "quarantined")
    [(device_id,)] = server.query("SELECT id FROM fleet_device WHERE name = %s", device["name"])
    address = f"{server.url}/api/v1/devices/{device_id}/quarantine"
    with httpx.Client(headers=editor) as client:
        [kept] = client.get(address).json()["quarantine"]
        assert "2000" in kept["reason"]
        assert json.loads(kept["payload"]) == {"time": "1970-01-01T00:00:05Z", "speed": 5}

        still = client.post(f"{address}/{kept['id']}/replay")
        replayed = client.post(f"{address}/{kept['id']}/replay", json={"timestamp": "2026-06-01T12:00:05Z"})
        readings = client.get(f"{server.url}/api/v1/devices/{device_id}/readings").json()["readings"]

        assert still.status_code == 422
        assert (replayed.status_code, replayed.json()["outcome"]) == (200, "stored")
        assert [(reading["time"], reading["channels"]) for reading in readings] == [
            ("2026-06-01T12:00:05Z", {"speed": 5})
        ]
        assert client.get(address).json()["quarantine"] == []
