"""Devices notice nothing of what happens to the process that answers people; people are told in their own words."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest
from tests.journey.mqtt_client import signed_in
from websockets.asyncio.client import connect

READINGS = "/api/v1/readings"
BROWSER = {"Accept": "text/html,application/xhtml+xml", "Accept-Language": "fr"}
WITHIN_S = 60
DEAF = 12  # more than the control process has threads


@pytest.fixture(scope="module")
def apart(installation, module_start):
    return module_start(installation())


@pytest.fixture(scope="module")
def car(apart):
    return apart.add_device("racing")


@pytest.fixture(scope="module")
def headers(apart, car):
    return apart.bearer(car)


@pytest.fixture(scope="module")
def person(apart):
    return apart.bearer(apart.add_account())


def until(holds, within_s=WITHIN_S):
    deadline_s = time.monotonic() + within_s
    while not (held := holds()):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    return held


def reasons(server):
    return " ".join(httpx.get(f"{server.url}/readyz", timeout=20).json()["reasons"])


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def is_pushed(server, page, car):
    """Whether what the car says over MQTT reaches a live page that was open already."""

    def say():
        with signed_in(server, car) as client:
            client.publish("esp32bis/speed", b"12.3")  # and waits until it is acknowledged

    await asyncio.to_thread(say)
    async with asyncio.timeout(WITHIN_S):
        return await page.recv()


async def test_while_the_control_process_stands_still_devices_go_on_and_people_are_told(apart, car, headers, person):
    address = f"ws{apart.url.removeprefix('http')}/live/ws"
    async with connect(address, additional_headers=person) as page, httpx.AsyncClient(timeout=WITHIN_S) as client:
        await is_pushed(apart, page, car)
        with stopped(apart.processes["control"]):
            for number in range(20):
                sent = await client.post(f"{apart.url}{READINGS}", json={"n": number}, headers=headers)
                assert sent.json()["outcome"] == "stored"
            assert "12.3" in await is_pushed(apart, page, car)
            assert (await client.get(f"{apart.url}/healthz")).status_code == 200
            assert (await client.get(f"{apart.url}/readyz?of=ingest")).json()["status"] == "ready"
            state = await client.get(f"{apart.url}/readyz")
            assert state.status_code == 503
            assert "the control process does not answer" in state.text

            shown = await client.get(f"{apart.url}/account/login/", headers=BROWSER)
            refused = await client.get(f"{apart.url}/api/v1/runs", headers=person)

        assert (shown.status_code, refused.status_code) == (503, 503)
        assert "Indisponible pour le moment" in shown.text
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["type"] == "urn:releve:problem:control-away"

    await asyncio.to_thread(apart.wait_until_ready)
    again = await asyncio.to_thread(httpx.get, f"{apart.url}/api/v1/runs", headers=person, timeout=WITHIN_S)
    assert again.status_code == 200


def test_a_control_process_that_is_killed_is_back_by_itself_and_no_reading_is_refused_meanwhile(apart, headers):
    killed, worker = apart.processes["control"], apart.processes["worker-0"]
    os.kill(killed, signal.SIGKILL)
    until(lambda: "control process" in reasons(apart))
    outcomes = set()
    while apart.processes.get("control") in (killed, None):
        outcomes.add(httpx.post(f"{apart.url}{READINGS}", json={"n": time.time()}, headers=headers).json()["outcome"])

    assert outcomes == {"stored"}
    assert apart.processes["worker-0"] == worker
    apart.wait_until_ready(WITHIN_S)
    assert httpx.get(f"{apart.url}/account/login/", headers=BROWSER, timeout=WITHIN_S).status_code == 200


def test_the_control_process_listens_on_no_port_and_answers_nobody_who_was_not_handed_over(apart):
    path = apart.data_dir / "run" / "control.sock"
    assert path.stat().st_mode & 0o777 == 0o600

    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://control") as stranger:
        refused = stranger.get("/account/login/")
        guessed = stranger.get("/", headers={"X-Releve-Hand-Over": '["guess","-",0,"http","1.1","-","session"]'})

    assert (refused.status_code, guessed.status_code) == (403, 403)


def test_what_a_client_says_of_itself_in_our_header_is_not_believed(apart):
    forged = {"X-Releve-Hand-Over": '["guess","10.1.2.3",0,"https","1.1","-","session"]'}
    before = [address for (address,) in apart.query("SELECT DISTINCT address FROM accounts_auditevent")]

    answer = httpx.get(f"{apart.url}/account/login/", headers=forged)
    httpx.post(f"{apart.url}/api/token/", json={"username": "nobody", "password": "x"}, headers=forged)

    after = [address for (address,) in apart.query("SELECT DISTINCT address FROM accounts_auditevent")]
    assert answer.status_code == 200
    assert "10.1.2.3" not in {*before, *after}


def test_clients_that_ask_and_read_nothing_keep_nobody_from_the_pages(apart):
    shown = httpx.get(f"{apart.url}/api/docs/", headers=BROWSER, timeout=WITHIN_S)
    scripts = [part.split('"')[0] for part in shown.text.split('src="')[1:]]
    paths = [*scripts, "/api/schema/", "/account/login/"]
    with contextlib.ExitStack() as deaf:
        for number in range(DEAF * len(paths)):
            one = deaf.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            one.connect(("127.0.0.1", int(apart.url.rpartition(":")[2])))
            one.sendall(f"GET {paths[number % len(paths)]} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

        for _ in range(5):
            assert httpx.get(f"{apart.url}/account/login/", headers=BROWSER, timeout=WITHIN_S).status_code == 200
        assert httpx.get(f"{apart.url}{paths[0]}", timeout=WITHIN_S).status_code == 200
        assert reasons(apart) == ""


def test_where_cores_are_short_devices_come_first(apart):
    priority = {name: os.getpriority(os.PRIO_PROCESS, pid) for name, pid in apart.processes.items()}

    assert priority["worker-0"] < priority["control"] < priority["maintenance"]
    assert priority["postgres"] == priority["worker-0"]


def test_priorities_count_among_the_parts_which_share_a_session_and_ctrl_c_reaches_none_of_them(apart):
    sessions = {os.getsid(pid) for pid in apart.processes.values()}
    groups = {os.getpgid(pid) for pid in (*apart.processes.values(), apart.process.pid)}

    assert sessions == {os.getsid(apart.process.pid)}  # the kernel shares by session before it looks at niceness
    assert len(groups) == len(apart.processes) + 1  # a terminal's signals go to a group


def test_at_rest_everything_but_postgresql_fits_into_260_mb(start_server):
    server = start_server()
    server.wait_until_background_works()  # it has loaded what it needs then
    assert httpx.get(f"{server.url}/welcome/", headers=BROWSER, timeout=WITHIN_S).status_code == 200

    ours = {name: pid for name, pid in server.processes.items() if name != "postgres"} | {"up": server.process.pid}
    used_mb = {name: proportional_mb(pid) for name, pid in ours.items()}

    assert sum(used_mb.values()) < 260, used_mb


def proportional_mb(pid):
    """What a process uses, with its part of what it shares."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def test_the_counts_of_every_process_are_in_the_metrics(apart, person):
    def counted():
        return httpx.get(f"{apart.url}/metrics", timeout=WITHIN_S).text

    until(lambda: 'releve_sign_in_events_total{event="sign_ins"}' in counted())
    until(lambda: 'releve_maintenance_rounds_total{result="done",service="presence"}' in counted())
    until(lambda: 'releve_task_restarts_total{process="control",task="revocation feed"} 0.0' in counted())
    assert "releve_workers 1.0" in counted()
    assert "releve_disk_free_ratio{place=" in counted()
