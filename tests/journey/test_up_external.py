"""`releve up` on a PostgreSQL that somebody else runs."""

import json
import shutil
import signal
import time

import httpx
import pytest


def test_it_serves_from_an_external_database_and_makes_none(start_server, database_url, own_data_dir):
    server = start_server(data_dir=own_data_dir, DATABASE_URL=database_url)

    assert server.document["database"] == "external"
    assert set(server.processes) == {"worker-0", "control", "maintenance"}
    assert not (own_data_dir / "postgres").exists()
    assert httpx.get(f"{server.url}/readyz").status_code == 200
    assert "releve-test" not in server.errors.read_text()


def test_commands_use_the_same_database_or_say_that_they_must(start_server, migrated_url, command):
    server = start_server(DATABASE_URL=migrated_url)
    arguments = ("device", "add", "pi", "--json", "--data-dir", str(server.data_dir))

    without = command(*arguments)
    made = command(*arguments, DATABASE_URL=migrated_url)
    sent = command("send", "speed=1", "--device", "pi", "--data-dir", str(server.data_dir), DATABASE_URL=migrated_url)

    assert without.returncode == 1
    assert "set DATABASE_URL" in without.stderr
    assert json.loads(made.stdout)["name"] == "pi"
    assert sent.stdout.startswith("stored")


def test_its_password_is_printed_nowhere(start_server, migrated_url, own_data_dir):
    password = migrated_url.split("@")[0].rpartition(":")[2]
    server = start_server(data_dir=own_data_dir, DATABASE_URL=migrated_url)

    assert len(password) > 10
    assert password not in server.summary + server.errors.read_text()
    assert password not in (own_data_dir / "run" / "server.json").read_text()


def test_each_process_may_run_on_a_machine_of_its_own(start_server, database_url, reachable_directory, free_port):
    def machine(*arguments, **settings):
        data_dir = reachable_directory() / "data"
        data_dir.mkdir(mode=0o700)
        if machines:
            shutil.copytree(machines[0].data_dir / "keys", data_dir / "keys")
        machines.append(start_server(*arguments, data_dir=data_dir, DATABASE_URL=database_url, **settings))
        return machines[-1]

    machines, port = [], free_port()
    control = machine("--only", "control", "--port", str(port))
    maintenance = machine("--only", "maintenance")
    ingest = machine("--only", "ingest", RELEVE_CONTROL_URL=f"http://127.0.0.1:{port}")
    device, person = ingest.bearer(ingest.add_device()), ingest.bearer(ingest.add_account())

    assert [set(each.processes) for each in machines] == [{"control"}, {"maintenance"}, {"worker-0"}]
    assert httpx.post(f"{ingest.url}/api/v1/readings", json={"n": 1}, headers=device).json()["outcome"] == "stored"
    assert httpx.get(f"{ingest.url}/api/v1/runs", headers=person).status_code == 200
    assert httpx.get(f"http://127.0.0.1:{port}/api/v1/runs", headers=person).status_code == 403
    assert httpx.get(f"{ingest.url}/readyz").status_code == 200
    assert f"RELEVE_CONTROL_URL=http://127.0.0.1:{port}" in control.summary
    assert maintenance.document["urls"] == []

    control.stop(signal.SIGTERM)

    assert httpx.post(f"{ingest.url}/api/v1/readings", json={"n": 2}, headers=device).json()["outcome"] == "stored"
    assert httpx.get(f"{ingest.url}/api/v1/runs", headers=person).json()["type"] == "urn:releve:problem:control-away"
    assert "control process" in httpx.get(f"{ingest.url}/readyz").text


def test_of_two_machines_with_background_work_one_works_and_the_other_takes_over(
    start_server, database_url, reachable_directory
):
    def machine():
        return start_server("--only", "maintenance", data_dir=reachable_directory() / "data", DATABASE_URL=database_url)

    def works(server):
        return "background work is done by this process" in server.errors.read_text()

    first, second = machine(), machine()
    until(lambda: works(first) or works(second))
    holder, other = (first, second) if works(first) else (second, first)
    assert not works(other)

    holder.stop(signal.SIGKILL)

    until(lambda: works(other))


def until(holds, within_s=60):
    deadline_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("process", "settings", "says"),
    [
        ("control", {}, "needs DATABASE_URL"),
        ("ingest", {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "needs RELEVE_CONTROL_URL"),
    ],
)
def test_a_process_alone_says_what_it_needs(command, own_data_dir, process, settings, says):
    refused = command("up", "--only", process, "--data-dir", str(own_data_dir), **settings)

    assert refused.returncode == 1
    assert says in refused.stderr
    assert not own_data_dir.exists()
