"""Commands at a place where no installation is: they make none, and say what to do."""

import json
import re
import shlex
import subprocess
import sys

import httpx
import psycopg
import pytest
from tests.journey.conftest import environment

NOT_THERE = [
    ("device", "list"),
    ("account", "list"),
    ("account", "list", "--json"),
    ("device", "disable", "pi"),
    ("device", "new-secret", "pi"),
    ("account", "set-password", "anna@example.com"),
    ("send", "speed=1", "--device", "pi", "--url", "http://127.0.0.1:9"),
    ("simulate", "gym", "--url", "http://127.0.0.1:9"),
    ("bridge", "--confirmations"),
    ("doctor",),
]


@pytest.mark.parametrize("arguments", NOT_THERE, ids=" ".join)
def test_only_adding_makes_an_installation(command, own_data_dir, arguments):
    done = command(*arguments, "--data-dir", str(own_data_dir))

    assert not own_data_dir.exists()
    if arguments[0] in {"device", "account", "send", "simulate"}:
        assert done.returncode == 1
        assert f"no installation in {own_data_dir}" in done.stderr
        assert "--data-dir" in done.stderr
        assert f"releve up --data-dir {own_data_dir}" in done.stderr


def test_a_bridge_without_its_server_makes_nothing(command, own_data_dir, tmp_path):
    config = tmp_path / "bridge.toml"
    config.write_text('[[broker]]\nname = "b"\nurl = "mqtt://127.0.0.1:9"\nteam = "Home"\n'
                      '[[broker.topic]]\nfilter = "pi/#"\ndevice = "pi"\n')  # fmt: skip

    done = command("bridge", "--config", str(config), "--data-dir", str(own_data_dir))

    assert done.returncode == 1
    assert not own_data_dir.exists()


def test_a_list_of_an_external_database_makes_neither_tables_nor_a_folder(command, own_data_dir, database_url):
    here = ("--data-dir", str(own_data_dir))

    done = command("device", "list", *here, DATABASE_URL=database_url)

    assert done.returncode == 1
    assert "`releve up` makes them" in done.stderr
    assert not own_data_dir.exists()
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_secret_is_not_made_with_the_keys_of_another_directory(start_server, command, own_data_dir, migrated_url):
    server = start_server(DATABASE_URL=migrated_url)
    elsewhere = ("--data-dir", str(own_data_dir))

    listed = command("device", "list", "--json", *elsewhere, DATABASE_URL=migrated_url)
    refused = command("device", "add", "pi", *elsewhere, DATABASE_URL=migrated_url)
    made = command("device", "add", "pi", "--data-dir", str(server.data_dir), DATABASE_URL=migrated_url)

    assert json.loads(listed.stdout) == []
    assert refused.returncode == 1
    assert "--data-dir" in refused.stderr
    assert made.returncode == 0, made.stderr
    assert not own_data_dir.exists()


def test_a_list_starts_a_database_that_is_there_and_leaves_it_as_it_is(start_server, command, own_data_dir):
    start_server(data_dir=own_data_dir).stop()

    done = command("device", "list", "--data-dir", str(own_data_dir))

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"No devices yet: releve device add NAME --contract gym --data-dir {own_data_dir}\n"


def test_the_command_of_the_first_page_adds_a_device_to_this_very_server(start_server, reachable_directory):
    server = start_server(data_dir=reachable_directory() / "a place of its own")
    person = server.add_account()
    with httpx.Client(base_url=server.url) as browser:
        page = browser.get("/account/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
        form = {"csrfmiddlewaretoken": token, "login": person["email"], "password": person["password"]}
        browser.post("/account/login/", data=form)
        home = browser.get("/").text
    typed = shlex.split(re.search(r'id="step-add"><code>([^<]+)<', home)[1].replace("&#x27;", "'"))

    assert typed[:3] == ["./releve", "device", "add"]
    again = [sys.executable, "-m", "releve", *typed[1:], "--json"]
    done = subprocess.run(again, capture_output=True, text=True, check=False, env=environment(), cwd="/")

    assert done.returncode == 0, done.stderr
    assert [row["name"] for row in server.json("device", "list")] == [typed[3]]


def test_the_forgotten_password_page_names_the_directory_to_whoever_sits_at_the_machine(server, start_server):
    near = httpx.get(f"{server.url}/account/password/reset/").text
    public = start_server(RELEVE_PUBLIC_URL="https://telemetry.example.com")
    far = httpx.get(f"{public.url}/account/password/reset/").text

    assert f"--data-dir {server.data_dir}<" in near
    assert "--data-dir DIR<" in far
    assert str(public.data_dir) not in far
