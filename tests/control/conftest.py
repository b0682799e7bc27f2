"""Django on the session's real PostgreSQL, and the cast: Alice owns, Bob views, Charlie is an outsider."""

# ruff: noqa: E402 - Django must be configured before its models can be imported

import atexit
import json
import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import django
import pytest

KEYS = tempfile.mkdtemp(prefix="releve-test-")
atexit.register(shutil.rmtree, KEYS)
with pytest.MonkeyPatch.context() as surroundings:  # for Django alone: other tests start processes of their own
    surroundings.setenv("DJANGO_SETTINGS_MODULE", "releve.control.configuration")
    surroundings.setenv("RELEVE_DATA_DIR", KEYS)
    django.setup()

from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.db import connections
from django.test import Client
from django.utils import timezone

from releve.control import configuration
from releve.control.accounts.keys import keyring
from releve.control.accounts.models import Account, SignIn
from releve.control.accounts.sign_in import token_principal
from releve.control.fleet.models import Device
from releve.control.fleet.services import register_device
from releve.control.runs.cut import keep
from releve.control.teams.models import Role, Team
from releve.control.teams.services import give_role
from releve.protocol import token
from releve.protocol.secret import Secret

PASSWORD = "correct horse battery staple"
SECRET = "the machine's own secret"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres, migrated_template):
    connections["default"].settings_dict.update(configuration._database(postgres.url))
    connections["default"].settings_dict["TEST"]["TEMPLATE"] = migrated_template


@pytest.fixture(scope="session", autouse=True)
def _light_hashes():
    """Argon2 as ever, at the thousandth part of its cost; how often it is asked for is counted, not timed."""
    with pytest.MonkeyPatch.context() as patch:
        for name, light in (("time_cost", 1), ("memory_cost", 64), ("parallelism", 1)):
            patch.setattr(Argon2PasswordHasher, name, light)
        yield


@pytest.fixture(scope="session")
def password_hash(_light_hashes):
    """One hash for all the accounts of a session."""
    return make_password(PASSWORD)


@dataclass
class API:
    """A client that speaks JSON and carries a token."""

    token: str | None = None
    client: Client = None

    def __post_init__(self):
        self.client = self.client or Client()

    def request(self, method: str, address: str, body: Any = None, **headers: str):
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.generic(method, address, content, "application/json", headers=headers)

    def get(self, address: str, **headers: str):
        return self.request("GET", address, **headers)

    def post(self, address: str, body: Any = None, **headers: str):
        return self.request("POST", address, body, **headers)

    def patch(self, address: str, body: Any = None, **headers: str):
        return self.request("PATCH", address, body, **headers)

    def delete(self, address: str, **headers: str):
        return self.request("DELETE", address, **headers)


@pytest.fixture
def api():
    return API()


@pytest.fixture
def team(db):
    return Team.objects.create(name="Alice's")


@pytest.fixture
def person(db, password_hash):
    def make(email: str, team: Team, role: str = Role.VIEWER) -> Account:
        account = Account.objects.create(email=email, password=password_hash)
        give_role(account=account, team=team, role=role)
        return account

    return make


@pytest.fixture
def alice(person, team):
    return person("alice@example.com", team, Role.ADMIN)


@pytest.fixture
def bob(person, team):
    return person("bob@example.com", team, Role.VIEWER)


@pytest.fixture
def erin(person, team):
    return person("erin@example.com", team, Role.EDITOR)


@pytest.fixture
def charlie(person):
    return person("charlie@example.com", Team.objects.create(name="Charlie's"), Role.ADMIN)


@pytest.fixture
def device(team) -> Device:
    return register_device(team=team, name="raspberry1", contract="gym", secret=Secret(SECRET))[0]


@pytest.fixture
def signed_in():
    """A client that carries somebody's access token."""

    def make(principal: Account | Device) -> API:
        is_device = isinstance(principal, Device)
        body = {
            "username": principal.name if is_device else principal.email,
            "password": SECRET if is_device else PASSWORD,
        }
        return API(API().post("/api/token/", body).json()["access"])

    return make


@pytest.fixture
def expired_token():
    """An access token of a sign-in that ended a second ago."""

    def make(row: SignIn) -> str:
        now = timezone.now()
        return token.issue_access(
            token_principal(row),
            row.id,
            issued_at=now - timedelta(minutes=15),
            expires_at=now - timedelta(seconds=1),
            keyring=keyring(),
        )

    return make


@pytest.fixture(autouse=True)
def background_work(request, monkeypatch):
    """Runs are cut before each look, as background work does it all the time; `looks_only` leaves it out."""
    is_about_runs = any(word in request.module.__name__ for word in ("_run", "racing"))
    if not is_about_runs or "looks_only" in request.fixturenames:
        return
    original = Client.request

    def after_a_round(client, **environ):
        if environ.get("REQUEST_METHOD") == "GET":
            keep.cut()
        return original(client, **environ)

    monkeypatch.setattr(Client, "request", after_a_round)


@pytest.fixture
def looks_only():
    """No background work is done: what is seen is what a look alone finds."""
