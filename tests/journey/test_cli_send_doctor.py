"""`releve send` and `releve doctor` against a real server."""

import json

import httpx
import psycopg

from releve.storage.embedded import EmbeddedPostgres

NO_PORTS = {"RELEVE_PORT": "0", "RELEVE_MQTT_PORT": "none"}  # of which another program could have one


def test_a_reading_is_sent_as_a_device_and_its_verdict_told(server):
    device = server.add_device()
    arguments = ("send", "temperature=21.5", "on=true", "note=warm", "--device", device["name"], "--id", "m1")

    first, again = server.json(*arguments), server.json(*arguments)

    assert (first["outcome"], again["outcome"]) == ("stored", "duplicate")
    rows = server.query("SELECT channels::jsonb FROM fresh_reading WHERE device_id = %s", device["id"])
    assert rows == [({"temperature": 21.5, "on": True, "note": "warm"},)]


def test_a_reading_lands_at_the_time_that_is_given(server):
    device = server.add_device()

    sent = server.json("send", "speed=1", "--device", device["name"], "--time", "2026-03-01T12:00:00+01:00")

    assert sent["time"] == "2026-03-01T11:00:00Z"
    assert "stored at 2026-03-01T11:00:01Z" in (
        server.command("send", "speed=1", "--device", device["name"], "--time", "1772362801").stdout
    )


def test_the_sign_in_of_a_sending_is_kept_and_ended(server):
    device = server.add_device()

    server.json("send", "speed=1", "--device", device["name"])

    rows = server.query(
        "SELECT user_agent, revoked_at IS NOT NULL FROM accounts_signin WHERE device_id = %s", device["id"]
    )
    assert rows == [("releve command", True)]


def test_what_cannot_be_sent_is_told_and_ends_with_a_failure(server):
    device, disabled = server.add_device(), server.add_device()
    server.json("device", "disable", disabled["name"])

    for arguments, says in (
        (["speed", "--device", device["name"]], "KEY=VALUE"),
        (["speed=1", "--device", "nobody"], "nobody"),
        (["speed=1", "--device", disabled["name"]], "disabled"),
        (["speed=1", "--device", device["name"], "--time", "yesterday"], "ISO 8601"),
        (["speed=1", "--device", device["name"], "--url", "http://127.0.0.1:9"], "does not answer"),
    ):
        done = server.command("send", *arguments)

        assert done.returncode != 0
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_without_a_server_there_is_nothing_to_send_to(command, own_data_dir):
    done = command("send", "speed=1", "--device", "pi", "--data-dir", str(own_data_dir))

    assert done.returncode == 1
    assert "releve up" in done.stderr
    assert not own_data_dir.exists()


def test_the_doctor_finds_a_running_server_well(server):
    findings = server.json("doctor")

    assert {finding["state"] for finding in findings} <= {"ok", "warn"}
    assert {"data directory", "keys", "clock", "PostgreSQL", "durability", "migrations", "disk", "server"} <= {
        finding["check"] for finding in findings
    }
    assert all(finding["mend"] for finding in findings if finding["state"] != "ok")


def test_the_doctor_works_without_a_server_and_without_an_installation(command, own_data_dir):
    done = command("doctor", "--json", "--data-dir", str(own_data_dir), **NO_PORTS)

    assert done.returncode == 0, done.stdout
    assert {"warn"} == {row["state"] for row in json.loads(done.stdout) if row["check"] in {"server", "keys"}}
    assert not own_data_dir.exists()


def test_the_doctor_says_how_to_mend_weakened_durability_and_open_keys(command, installation):
    directory = installation()
    weaken(directory)
    (directory / "keys" / "pepper").touch(mode=0o644)
    (directory / "keys" / "pepper").write_text("a key that everybody knows")

    done = command("doctor", "--json", "--data-dir", str(directory), **NO_PORTS)

    failures = {finding["check"]: finding for finding in json.loads(done.stdout) if finding["state"] == "fail"}
    assert done.returncode == 1
    assert set(failures) == {"durability", "keys"}
    assert "synchronous_commit = off" in failures["durability"]["detail"]
    assert "RESET synchronous_commit" in failures["durability"]["mend"]
    assert failures["keys"]["mend"].startswith("chmod 600 ")


def test_a_server_with_weakened_durability_says_so_and_the_doctor_too(start_server, installation):
    directory = installation()
    weaken(directory)
    server = start_server(data_dir=directory)

    done = server.command("doctor", "--json")

    assert httpx.get(f"{server.url}/readyz").status_code == 503
    assert done.returncode == 1
    details = [finding["detail"] for finding in json.loads(done.stdout) if finding["state"] == "fail"]
    assert len([detail for detail in details if "synchronous_commit" in detail]) == 2


def test_with_an_external_database_the_doctor_looks_at_the_disk_that_is_the_database_s(
    command, own_data_dir, database_url, postgres
):
    done = command("doctor", "--json", "--data-dir", str(own_data_dir), DATABASE_URL=database_url, **NO_PORTS)

    (disk,) = [finding for finding in json.loads(done.stdout) if finding["check"] == "disk"]
    assert str(own_data_dir) not in disk["detail"]
    if postgres.cluster is not None:  # our own role may ask where the data is
        assert f"free at {postgres.cluster}" in disk["detail"]


def weaken(data_dir) -> None:
    postgres = EmbeddedPostgres(data_dir)
    postgres.start()
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_commit = off")
    postgres.stop()
