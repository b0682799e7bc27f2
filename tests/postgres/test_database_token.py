"""Tokens of AWS IAM for passwords: signed, written where libpq looks, and new before the old ones end."""

import stat
import threading
import time
from urllib.parse import parse_qs

import psycopg
import pytest
import structlog
from tests.journey.token_gate import CREDENTIALS, REGION, TokenGate

from releve.storage import database_token
from releve.storage.database_token import BadAddress, NoToken, Place

URL = "postgresql://releve@db.example.com:5432/releve?sslrootcert=/etc/rds.pem"
ENDPOINT = "releve.cluster-c9akciq32.eu-west-3.rds.amazonaws.com"


@pytest.fixture
def credentials(monkeypatch, tmp_path):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))


@pytest.fixture
def gate(database_url, tmp_path):
    made = TokenGate(database_url, tmp_path, token_life_s=2.5)
    yield made
    made.close()


def test_a_connection_made_after_the_first_token_ended_is_let_in_with_a_newer_one(gate, credentials, tmp_path):
    file = tmp_path / "tokens"
    with database_token.kept([gate.url], file, every_s=0.3) as (url,):
        first = file.read_text()
        psycopg.connect(url).close()
        deadline_s = time.monotonic() + 60
        ended_s = time.monotonic() + 2 * gate.token_life_s
        while time.monotonic() < ended_s or file.read_text() == first:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        gate.token_life_s, tolerated_s = 60.0, gate.token_life_s  # a busy machine may be slow to connect
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)

    assert gate.turned_away == []
    gate.token_life_s = tolerated_s
    stale = tmp_path / "stale"
    stale.write_text(first)
    stale.chmod(0o600)
    with pytest.raises(psycopg.OperationalError, match="PAM authentication failed"):
        psycopg.connect(psycopg.conninfo.make_conninfo(url, passfile=str(stale)))
    assert gate.turned_away == ["a token that has ended"]


def test_a_server_with_another_certificate_gets_no_token(gate, credentials, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    impostor = TokenGate(psycopg.conninfo.make_conninfo(**gate.behind), other)
    try:
        url = gate.url.replace(str(gate.port), str(impostor.port), 1)  # trusts the first gate's authority only
        with (
            database_token.kept([url], tmp_path / "tokens") as (completed,),
            pytest.raises(psycopg.OperationalError, match="certificate verify failed"),
        ):
            psycopg.connect(completed)
        assert (impostor.let_in, impostor.turned_away) == ([], [])
    finally:
        impostor.close()


async def test_an_asynchronous_connection_reads_the_same_tokens(gate, credentials, tmp_path):
    gate.token_life_s = 900
    with database_token.kept([gate.url], tmp_path / "tokens") as (url,):
        connection = await psycopg.AsyncConnection.connect(url, application_name="a writer")
        await connection.close()

    assert gate.let_in == ["a writer"]


def test_the_file_is_for_this_user_only_and_goes_with_its_holder(tmp_path):
    file = tmp_path / "tokens"
    with database_token.kept([URL], file, token_of=lambda _: "t") as (url,):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "t" not in psycopg.conninfo.conninfo_to_dict(url).get("password", "")
    assert not file.exists()


def test_each_host_of_a_failover_address_has_a_token_of_its_own(tmp_path):
    file = tmp_path / "tokens"
    url = r"postgresql://re%3Aleve@db1,db2:5433/releve?sslrootcert=/etc/rds.pem&target_session_attrs=read-write"
    with database_token.kept([url, URL], file, token_of=lambda place: f"{place.host}:{place.port}\\token"):
        assert file.read_text().splitlines() == [
            r"db1:5432:*:re\:leve:db1\:5432\\token",
            r"db2:5433:*:re\:leve:db2\:5433\\token",
            r"db.example.com:5432:*:releve:db.example.com\:5432\\token",
        ]


def test_a_token_that_cannot_be_renewed_is_tried_again_and_told_once(tmp_path, monkeypatch):
    fails, renewed = threading.Event(), threading.Event()
    asked = []

    def token_of(place: Place) -> str:
        asked.append(place)
        if fails.is_set():
            raise NoToken("AWS credentials: gone")
        if len(asked) > 4:
            renewed.set()
        return f"token{len(asked)}"

    with (
        structlog.testing.capture_logs() as lines,
        database_token.kept([URL], tmp_path / "tokens", token_of=token_of, every_s=0.02),
    ):
        fails.set()
        count = len(asked)
        deadline_s = time.monotonic() + 30
        while len(asked) < count + 4:
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        fails.clear()
        assert renewed.wait(30)
        while len(lines) < 2:
            assert time.monotonic() < deadline_s
            time.sleep(0.01)

    assert [line["event"] for line in lines] == [
        "database tokens cannot be renewed",
        "database tokens are renewed again",
    ]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://releve:secret@db/releve?sslrootcert=/a", "a token is one"),
        ("postgresql://releve@db/releve?sslmode=require&sslrootcert=/a", "write sslmode=verify-full"),
        ("postgresql://releve@db/releve", "sslrootcert"),
        ("postgresql://db/releve?sslrootcert=/a", "names the database user"),
        ("postgresql://releve@/releve?host=/run/postgresql&sslrootcert=/a", "names a host"),
    ],
)
def test_an_address_that_contradicts_tokens_is_refused_with_what_to_write(url, says, tmp_path):
    with pytest.raises(BadAddress, match=says), database_token.kept([url], tmp_path / "t", token_of=lambda _: "t"):
        pass


def test_the_region_is_the_endpoints_own(credentials, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    token = database_token.signer()(Place(ENDPOINT, "5432", "releve"))

    assert token.startswith(f"{ENDPOINT}:5432/?")
    assert f"/{REGION}/rds-db/" in parse_qs(token)["X-Amz-Credential"][0]


def test_without_credentials_it_says_so(credentials, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(NoToken, match="AWS credentials"):
        database_token.signer()(Place(ENDPOINT, "5432", "releve"))
