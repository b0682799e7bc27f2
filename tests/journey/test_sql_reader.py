"""People with SQL: a role that reads the views of its own teams, and nothing else."""

import re
import socket
import time
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import errors

from releve.history.block import Row
from releve.history.pivot import block_of
from releve.protocol.identity import canonical, of_content
from releve.storage import segments
from releve.storage.reader import ConnectionReader, now

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "sql.md"
HOUR_US = 3_600_000_000


@pytest.fixture(scope="module")
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def reading_server(module_start, installation, port):
    return module_start(installation(), RELEVE_POSTGRES_PORT=str(port))


@pytest.fixture(scope="module")
def ours(reading_server):
    return filled(reading_server, "Workshop")


@pytest.fixture(scope="module")
def theirs(reading_server):
    return filled(reading_server, "Rivals")


@pytest.fixture(scope="module")
def reader(reading_server, port, ours):
    granted = reading_server.json("db", "grant-reader", "grafana", "--team", "Workshop")
    return f"postgresql://grafana:{granted['password']}@127.0.0.1:{port}/releve"


def filled(server, team):
    """A device with one sealed hour and a reading of now."""
    device = server.add_device(team=team)
    bearer = server.bearer(device)
    stored = httpx.post(f"{server.url}/api/v1/readings", json={"temperature": 21.5, "note": "a"}, headers=bearer)
    assert stored.status_code == 200
    device_id = server.query("SELECT id FROM fleet_device WHERE name = %s", device["name"])[0][0]
    start_us = (time.time_ns() // 1000 // HOUR_US - 24) * HOUR_US
    rows = []
    for second in range(3600):
        text = canonical({"temperature": second / 10})
        rows.append(Row(start_us + second * 1_000_000, of_content(text), start_us, text))
    with psycopg.connect(server.database_url) as connection:
        now(segments.add(ConnectionReader(connection), device_id, block_of(rows)))
    return device["name"]


def asked(url, query, *values):
    with psycopg.connect(url) as connection:
        return connection.execute(query, values).fetchall()


def test_a_reader_sees_the_devices_readings_and_ladders_of_its_team_and_no_others(reader, ours, theirs):
    assert asked(reader, "SELECT name FROM device") == [(ours,)]
    assert asked(reader, "SELECT device, channels ->> 'temperature' FROM fresh_reading") == [(ours, "21.5")]
    sums = "SELECT sum(n), min(low), max(high), sum(total) FROM ladder WHERE channel = 'temperature'"
    assert asked(reader, sums) == [(3600, 0.0, 359.9, pytest.approx(sum(range(3600)) / 10))]
    assert asked(reader, "SELECT DISTINCT device FROM chart") == [(ours,)]
    assert asked(reader, "SELECT sum(n) FROM chart WHERE channel = 'temperature'") == [(3601,)]
    assert asked(reader, "SELECT name FROM team") == [("Workshop",)]
    assert asked(reader, "SELECT count(*) FROM run") == [(0,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM public.fresh_reading",
        "SELECT * FROM public.fleet_device",
        "SELECT * FROM public.accounts_account",
        "SELECT * FROM public.sql_reader",
        "SET default_transaction_read_only = off; DELETE FROM public.fresh_reading",
        "SET default_transaction_read_only = off; CREATE TABLE telemetry.own (n int)",
        "SET default_transaction_read_only = off; CREATE TABLE public.own (n int)",
        "CREATE ROLE another",
        "COPY telemetry.device TO PROGRAM 'cat'",
    ],
)
def test_a_reader_can_do_nothing_else(reader, statement):
    with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)):
        asked(reader, statement)


@pytest.mark.parametrize("statement", re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
def test_the_statements_of_the_page_run_as_they_stand(reader, ours, statement):
    for variable, value in {"$device": ours, "$channel": "temperature"}.items():
        statement = statement.replace(variable, value)
    in_grafana = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN now() - interval '2 days' AND now()", statement)

    found = asked(reader, in_grafana)

    assert found or "last_seen <" in statement


def test_a_role_cannot_pretend_to_be_another_reader(reading_server, reader, port, theirs):
    granted = reading_server.json("db", "grant-reader", "rival", "--team", "Rivals")
    rival = f"postgresql://rival:{granted['password']}@127.0.0.1:{port}/releve"

    assert asked(rival, "SELECT name FROM team") == [("Rivals",)]
    with pytest.raises(errors.InsufficientPrivilege):
        asked(reader, "SET ROLE rival")
    with pytest.raises(errors.InsufficientPrivilege):
        asked(reader, "SET SESSION AUTHORIZATION rival")


def test_readers_are_listed_and_what_was_revoked_is_out_at_once(reading_server, port, theirs):
    granted = reading_server.json("db", "grant-reader", "leaver", "--team", "Rivals")
    url = f"postgresql://leaver:{granted['password']}@127.0.0.1:{port}/releve"
    assert {"name": "leaver", "teams": ["Rivals"]} in reading_server.json("db", "readers")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT 1")

        assert reading_server.command("db", "revoke-reader", "leaver").returncode == 0

        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_the_teams_of_a_reader_are_changed_without_a_new_password(reading_server, reader, theirs):
    both = reading_server.json("db", "grant-reader", "grafana", "--team", "Workshop", "--team", "Rivals")

    assert both["password"] is None
    assert asked(reader, "SELECT name FROM team ORDER BY name") == [("Rivals",), ("Workshop",)]
    reading_server.json("db", "grant-reader", "grafana", "--team", "Workshop")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("grant-reader", "releve"), "own role"),
        (("grant-reader", "pg_monitor"), "own role"),
        (("grant-reader", "x", "--team", "Nowhere"), "no team called 'Nowhere'"),
        (("revoke-reader", "nobody"), "no reader nobody"),
    ],
)
def test_a_refusal_says_what_is_wrong(reading_server, ours, arguments, says):
    refused = reading_server.command("db", *arguments)

    assert refused.returncode == 1
    assert says in refused.stderr


def test_without_the_setting_no_port_is_open(server):
    assert server.query("SHOW listen_addresses") == [("",)]


def test_the_audit_of_a_team_says_who_may_read_it_with_sql_since_when_and_no_longer(reading_server, ours, theirs):
    reading_server.json("db", "grant-reader", "analyst", "--team", "Workshop", "--team", "Rivals")
    reading_server.json("db", "grant-reader", "analyst", "--team", "Rivals")
    reading_server.json("db", "grant-reader", "analyst", "--team", "Rivals")  # nothing changes, so nothing is noted

    assert reading_server.command("db", "revoke-reader", "analyst").returncode == 0

    administrator = reading_server.add_account(team="Rivals")
    answer = httpx.get(f"{reading_server.url}/api/v1/audit", headers=reading_server.bearer(administrator))
    events = [(each["kind"], each["detail"].get("role")) for each in answer.raise_for_status().json()["data"]]
    assert [kind for kind, role in events if role == "analyst"] == ["reader-revoked", "reader-granted"]
    of_both = (
        "SELECT team.name, kind FROM accounts_auditevent JOIN teams_team AS team ON team.id = team_id"
        " WHERE detail ->> 'role' = 'analyst' ORDER BY accounts_auditevent.id"
    )
    found = reading_server.query(of_both)
    assert sorted(found[:2]) == [("Rivals", "reader-granted"), ("Workshop", "reader-granted")]
    assert found[2:] == [("Workshop", "reader-revoked"), ("Rivals", "reader-revoked")]
