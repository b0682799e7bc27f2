"""`/readyz` says what a sender would be told, within two seconds, and goes green by itself."""

import os
import signal
import time
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import conninfo

from releve.storage.embedded import EmbeddedPostgres

READINGS = "/api/v1/readings"


@pytest.fixture(scope="module")
def own_server(installation, module_start):
    return module_start(installation())


@pytest.fixture
def sender(own_server):
    return own_server.bearer(own_server.add_device())


def superuser(server, *statements):
    address = conninfo.make_conninfo(EmbeddedPostgres(server.data_dir).administrator_url, dbname="releve")
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def readiness(server):
    began_s = time.monotonic()
    answer = httpx.get(f"{server.url}/readyz", timeout=30)
    return answer.status_code, " ".join(answer.json()["reasons"]), time.monotonic() - began_s


def until(holds, within_s=60):
    deadline_s = time.monotonic() + within_s
    while not (held := holds()):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    return held


def sent(server, sender):
    return httpx.post(f"{server.url}{READINGS}", json={"n": 1}, headers=sender, timeout=30)


@pytest.mark.parametrize(
    ("breaks", "mends", "says"),
    [
        (
            ["REVOKE INSERT ON fresh_reading FROM PUBLIC, releve"],
            ["GRANT INSERT ON fresh_reading TO releve"],
            "permission denied",
        ),
        (
            ["ALTER ROLE releve SET default_transaction_read_only = on", "SELECT pg_reload_conf()"],
            ["ALTER ROLE releve RESET default_transaction_read_only"],
            "read-only",
        ),
    ],
)
def test_after_a_commit_that_failed_it_is_red_with_the_reason_until_one_would_succeed(
    own_server, sender, breaks, mends, says
):
    superuser(own_server, *breaks)
    superuser(own_server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'releve'")
    try:
        until(lambda: sent(own_server, sender).status_code == 503 and says in readiness(own_server)[1])
        assert "retry-after" in sent(own_server, sender).headers
        assert readiness(own_server)[0] == 503
    finally:
        superuser(own_server, *mends)
        superuser(own_server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'releve'")

    own_server.wait_until_ready(60)  # though nobody sends
    assert httpx.post(f"{own_server.url}{READINGS}", json={"n": 2}, headers=sender, timeout=30).status_code == 200


def test_while_the_database_stands_still_it_answers_within_two_seconds(own_server):
    postgres = own_server.processes["postgres"]
    children = Path(f"/proc/{postgres}/task/{postgres}/children").read_text().split()
    everyone = [postgres, *map(int, children)]
    for pid in everyone:
        os.kill(pid, signal.SIGSTOP)
    try:
        status, reasons, took_s = readiness(own_server)
        again = readiness(own_server)
    finally:
        for pid in everyone:
            os.kill(pid, signal.SIGCONT)

    assert (status, again[0]) == (503, 503)
    assert "database" in reasons
    assert max(took_s, again[2]) < 2.5  # 2 s, and some for a busy machine
    own_server.wait_until_ready(60)


def test_background_work_that_was_killed_is_back_and_nobody_else_notices(own_server, sender):
    killed = own_server.processes["maintenance"]
    others = {name: pid for name, pid in own_server.processes.items() if name != "maintenance"}

    os.kill(killed, signal.SIGKILL)
    assert httpx.post(f"{own_server.url}{READINGS}", json={"n": 3}, headers=sender).status_code == 200
    until(lambda: own_server.processes.get("maintenance") not in (killed, None))

    assert {name: pid for name, pid in own_server.processes.items() if name != "maintenance"} == others
    until(lambda: 'releve_maintenance_rounds_total{result="done",service="presence"}' in metrics(own_server))


def metrics(server):
    return httpx.get(f"{server.url}/metrics").text


def test_the_first_who_is_let_in_after_a_worker_died_is_answered_and_not_refused(own_server, sender):
    os.kill(own_server.processes["worker-0"], signal.SIGKILL)

    first = until(lambda: _answer(own_server, sender))

    assert first.status_code == 200, first.text  # the published clients never try again


def _answer(server, sender):
    """Whoever listens at all answers; until then nobody does."""
    try:
        return sent(server, sender)
    except httpx.TransportError:
        return None
