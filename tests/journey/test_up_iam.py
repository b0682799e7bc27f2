"""`releve up` on a PostgreSQL that takes tokens of AWS IAM only, as RDS and Aurora with IAM do."""

import json
import time

import httpx
import pytest
from tests.journey.token_gate import CREDENTIALS, TokenGate

PARTS = {"releve writer", "releve pool", "releve-control", "releve revocation feed"}


@pytest.fixture
def gate(database_url, tmp_path):
    made = TokenGate(database_url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def settings(gate, tmp_path):
    nowhere = str(tmp_path / "none")
    files = {"AWS_SHARED_CREDENTIALS_FILE": nowhere, "AWS_CONFIG_FILE": nowhere}
    return {"DATABASE_URL": gate.url, "RELEVE_DATABASE_IAM": "1", **CREDENTIALS, **files}


def names(gate):
    """The connections let in, without the numbers of workers."""
    return {name.rstrip("0123456789. ") for name in gate.let_in}


def test_every_connection_of_every_process_signs_in_with_a_token(start_server, gate, settings, command, own_data_dir):
    server = start_server(data_dir=own_data_dir, **settings)
    here = ("--data-dir", str(own_data_dir))
    made = json.loads(command("device", "add", "pi", "--json", *here, **settings).stdout)
    header = {"Authorization": f"Bearer {server.tokens(made)['access']}"}
    sent = httpx.post(f"{server.url}/api/v1/readings", json={"speed": 1}, headers=header)
    page = httpx.get(f"{server.url}/welcome/")
    doctor = json.loads(command("doctor", "--json", *here, **settings).stdout)

    assert sent.json()["outcome"] == "stored"
    assert page.status_code == 200
    assert [each for each in doctor if each["check"] in {"PostgreSQL", "migrations"} and each["state"] != "ok"] == []
    assert names(gate) >= PARTS
    assert gate.turned_away == []


def test_after_a_failover_everything_signs_in_again(start_server, gate, settings, command, own_data_dir):
    server = start_server(data_dir=own_data_dir, **settings)
    made = json.loads(command("device", "add", "pi", "--json", "--data-dir", str(own_data_dir), **settings).stdout)
    header = {"Authorization": f"Bearer {server.tokens(made)['access']}"}
    httpx.post(f"{server.url}/api/v1/readings", json={"speed": 1}, headers=header)

    gate.let_in.clear()
    gate.cut()
    deadline_s = time.monotonic() + 60
    while httpx.post(f"{server.url}/api/v1/readings", json={"speed": 2}, headers=header, timeout=30).status_code != 200:
        assert time.monotonic() < deadline_s
    httpx.get(f"{server.url}/welcome/")
    while "releve revocation feed" not in names(gate):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)

    assert gate.turned_away == []


def test_the_token_stands_in_one_private_file_and_nowhere_else(start_server, gate, settings, own_data_dir):
    server = start_server(data_dir=own_data_dir, **settings)
    file = own_data_dir / "run" / "database-tokens"

    assert file.stat().st_mode & 0o777 == 0o600
    signature = file.read_text().rpartition("X-Amz-Signature=")[2].strip()
    said = server.summary + server.errors.read_text() + (own_data_dir / "run" / "server.json").read_text()
    assert signature not in said
    assert server.stop() == 0
    assert not file.exists()


def test_an_address_with_a_password_is_refused_before_anything_starts(command, settings, own_data_dir):
    url = "postgresql://releve:secret@db.example.com/releve?sslrootcert=/etc/rds.pem"

    done = command("up", "--data-dir", str(own_data_dir), **{**settings, "DATABASE_URL": url})

    assert done.returncode == 1
    assert "RELEVE_DATABASE_IAM" in done.stderr
    assert "secret" not in done.stderr
