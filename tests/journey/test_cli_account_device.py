"""`releve account` and `releve device` as a person and a script use them, with the server running and without."""

import json
import secrets
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from releve.serve import migration
from releve.storage.embedded import running_url

PASSWORD = "correct horse battery"


def fresh(kind: str) -> str:
    return f"{kind}-{secrets.token_hex(4)}"


def email() -> str:
    return f"{secrets.token_hex(4)}@example.com"


def sign_in(server, username: str, password: str) -> httpx.Response:
    return httpx.post(f"{server.url}/api/token/", json={"username": username, "password": password})


def test_a_new_account_is_an_object_with_a_password_that_signs_in(server):
    name = email()

    made = server.json("account", "add", name, "--role", "viewer")

    assert made["email"] == name
    assert (made["role"], made["team"], made["is_active"]) == ("viewer", "Home", True)
    assert len(made["password"]) >= 16
    assert sign_in(server, name, made["password"]).status_code == 200


def test_a_chosen_password_is_one_line_of_standard_input(server):
    name = email()

    made = server.json("account", "add", name, "--role", "editor", "--password-stdin", stdin=f"{PASSWORD}\nnot this\n")

    assert made["password"] == PASSWORD
    assert sign_in(server, name, PASSWORD).status_code == 200


def test_a_password_that_was_drawn_is_shown_once_and_a_chosen_one_never(server):
    drawn = server.command("account", "add", email(), "--role", "viewer")
    chosen = server.command("account", "add", email(), "--role", "viewer", "--password-stdin", stdin=PASSWORD)

    assert drawn.stdout.count("Password: ") == 1
    assert chosen.returncode == 0
    assert PASSWORD not in chosen.stdout + chosen.stderr


def test_accounts_are_listed_as_an_array_with_their_teams(server):
    made = server.add_account("editor", team="Workshop")

    rows = {row["email"]: row for row in server.json("account", "list")}

    assert rows[made["email"]]["teams"] == [{"team": "Workshop", "role": "editor"}]
    assert "password" not in rows[made["email"]]
    assert made["email"] in server.command("account", "list").stdout


def test_a_disabled_account_cannot_sign_in_until_it_is_enabled(server):
    made = server.add_account()

    assert server.json("account", "disable", made["email"])["is_active"] is False
    assert sign_in(server, made["email"], made["password"]).status_code == 401
    assert server.json("account", "enable", made["email"])["is_active"] is True
    assert sign_in(server, made["email"], made["password"]).status_code == 200


def test_a_second_factor_that_was_lost_is_taken_away(server):
    made = server.add_account()
    bearer = server.bearer(made)
    server.query(
        "INSERT INTO mfa_authenticator (type, data, user_id, created_at) SELECT 'totp', '{}', id, now()"
        " FROM accounts_account WHERE email = %s RETURNING id",
        made["email"],
    )

    done = server.command("account", "reset-mfa", made["email"])

    assert done.stdout == f"{made['email']} signs in with the password alone; every sign-in has ended.\n"
    assert server.json("account", "reset-mfa", made["email"])["removed"] == 0
    assert httpx.get(f"{server.url}/api/auth/profile/", headers=bearer).status_code == 401
    assert sign_in(server, made["email"], made["password"]).status_code == 200


def test_a_new_password_replaces_the_old_one(server):
    made = server.add_account()

    drawn = server.json("account", "set-password", made["email"])
    assert sign_in(server, made["email"], made["password"]).status_code == 401
    assert sign_in(server, made["email"], drawn["password"]).status_code == 200

    server.json("account", "set-password", made["email"], "--password-stdin", stdin=f"{PASSWORD}\n")
    assert sign_in(server, made["email"], PASSWORD).status_code == 200


def test_a_weak_password_is_warned_about_and_taken(server):
    done = server.command("account", "add", email(), "--role", "viewer", "--password-stdin", stdin="12345\n")

    assert done.returncode == 0
    assert "weak" in done.stderr


def test_a_new_device_is_an_object_with_a_secret_that_logs_in(server):
    name = fresh("pi")

    made = server.json("device", "add", name, "--contract", "gym", "--timezone", "Europe/Paris")

    assert (made["name"], made["contract"], made["timezone"], made["is_enabled"]) == (name, "gym", "Europe/Paris", True)
    reply = httpx.post(f"{server.url}/auth/login", json={"device_id": name, "password": made["secret"]})
    assert reply.status_code == 200
    assert set(reply.json()) == {"token"}


def test_a_chosen_secret_is_one_line_of_standard_input(server):
    name = fresh("esp32")

    made = server.json("device", "add", name, "--secret-stdin", stdin="the old secret\n")

    assert made["secret"] == "the old secret"
    assert sign_in(server, name, "the old secret").status_code == 200


def test_devices_are_listed_as_an_array_with_when_they_were_last_heard(server):
    heard, silent = server.add_device(), server.add_device()
    assert server.command("send", "speed=1", "--device", heard["name"]).returncode == 0

    def rows() -> dict:
        return {row["name"]: row for row in server.json("device", "list")}

    for _ in range(20):  # it is written down about once a second; each look takes longer than that
        if rows()[heard["name"]]["last_seen"]:
            break
    found = rows()
    assert found[heard["name"]]["last_seen"] is not None
    assert found[silent["name"]]["last_seen"] is None
    assert "secret" not in found[silent["name"]]


def test_a_disabled_device_is_refused_with_the_token_that_it_has(server):
    device = server.add_device()
    headers = server.bearer(device)
    assert send(server, headers).status_code == 200

    assert server.json("device", "disable", device["name"])["is_enabled"] is False
    assert {send(server, headers).status_code for _ in range(10)} == {401}  # whichever worker answers

    assert server.json("device", "enable", device["name"])["is_enabled"] is True
    assert sign_in(server, device["name"], device["secret"]).status_code == 200


def test_a_new_secret_replaces_the_old_one(server):
    device = server.add_device()
    headers = server.bearer(device)

    changed = server.json("device", "new-secret", device["name"])

    assert sign_in(server, device["name"], device["secret"]).status_code == 401
    assert sign_in(server, device["name"], changed["secret"]).status_code == 200
    assert send(server, headers).status_code == 401


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["account", "add", "somebody@example.com", "--role", "boss"], "'admin', 'editor', 'viewer'"),
        (["account", "add", "not-an-email", "--role", "admin"], "not-an-email"),
        (["account", "add", "somebody@example.com"], "--role"),
        (["account", "disable", "nobody@example.com"], "nobody@example.com"),
        (["account", "set-password", "nobody@example.com"], "nobody@example.com"),
        (["account", "add", "somebody@example.com", "--role", "admin", "--password-stdin"], "one line"),
        (["device", "add", "a name"], "letters, digits"),
        (["device", "add", "pi", "--timezone", "Mars/Olympus"], "Mars/Olympus"),
        (["device", "add", "pi", "--contract", "rocket"], "'profilometre'"),
        (["device", "add", "pi", "--secret-stdin"], "one line"),
        (["device", "enable", "nobody"], "nobody"),
        (["device", "new-secret", "nobody"], "nobody"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_told_and_ends_with_a_failure(server, arguments, says):
    done = server.command(*arguments)

    assert done.returncode != 0
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_a_taken_name_is_refused_across_accounts_and_devices(server):
    account, device = server.add_account(), server.add_device()

    for arguments in (
        ("account", "add", account["email"].upper(), "--role", "viewer"),
        ("device", "add", device["name"]),
        ("device", "add", account["email"]),
    ):
        done = server.command(*arguments)

        assert done.returncode == 1
        assert "taken" in done.stderr


def test_it_all_works_before_the_first_start_and_beside_the_server(command, start_server, own_data_dir):
    """Three commands at once on an installation that nobody serves, then the server, which has what they made."""
    arguments = ("--data-dir", str(own_data_dir), "--json")
    admin = json.loads(command("account", "add", "first@example.com", "--role", "admin", *arguments).stdout)
    at_once(lambda number: command("device", "add", f"pi{number}", *arguments), 3)
    assert running_url(own_data_dir) is None  # stopped again

    server = start_server(data_dir=own_data_dir)

    assert [row["name"] for row in server.json("device", "list")] == ["pi0", "pi1", "pi2"]
    assert admin["is_superuser"] is True
    assert server.add_account("admin")["is_superuser"] is False
    assert sign_in(server, "first@example.com", admin["password"]).status_code == 200
    assert "Code" not in server.summary


def test_the_cheap_look_at_the_migrations_agrees_with_what_django_applied(server):
    applied = set(server.query("SELECT app, name FROM django_migrations"))

    assert set(migration.known(migration.applications())) == applied
    assert migration.missing(server.database_url, migration.applications()) == set()


def send(server, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(f"{server.url}/api/v1/readings", json={"speed": 1}, headers=headers)


def at_once(work: Callable[[int], object], count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_device_is_changed_and_the_change_undone(server):
    name = server.json("device", "add", "before-it-was-renamed")["name"]

    changed = server.json("device", "change", name, "--name", "renamed", "--timezone", "Europe/Paris")
    undone = server.json("device", "undo", "renamed")

    assert (changed["name"], changed["timezone"]) == ("renamed", "Europe/Paris")
    assert (undone["name"], undone["timezone"]) == (name, "UTC")


def test_a_device_is_deleted_by_its_name_typed_again_and_brought_back(server):
    made = server.json("device", "add", "to-be-deleted")
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert httpx.post(f"{server.url}/api/v1/readings", json={"t": 1}, headers=headers).status_code == 200

    mistyped = server.command("device", "delete", "to-be-deleted", stdin="to-be-kept\n")
    assert (mistyped.returncode, "nothing was deleted" in mistyped.stderr) == (1, True)

    deleted = server.command("device", "delete", "to-be-deleted", stdin="to-be-deleted\n")
    assert deleted.returncode == 0, deleted.stderr
    deadline_s = time.monotonic() + 15
    while httpx.post(f"{server.url}/api/v1/readings", json={"t": 2}, headers=headers).status_code != 401:
        assert time.monotonic() < deadline_s
    assert "to-be-deleted" not in [row["name"] for row in server.json("device", "list")]

    server.json("device", "restore", "to-be-deleted")

    deadline_s = time.monotonic() + 15
    while httpx.post(f"{server.url}/api/v1/readings", json={"t": 3}, headers=headers).status_code != 200:
        assert time.monotonic() < deadline_s
        time.sleep(0.2)
