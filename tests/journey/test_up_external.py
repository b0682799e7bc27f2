"""`releve up` on a PostgreSQL that somebody else runs."""

import json

import httpx


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
