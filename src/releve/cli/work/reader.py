"""Roles of PostgreSQL that may read: made, told their teams, taken away."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from django.db import connection, transaction
from psycopg import errors, sql

from releve.cli.option import Refusal
from releve.control.accounts import audit
from releve.control.accounts.models import AuditKind
from releve.control.accounts.origin import COMMAND_LINE
from releve.control.teams.models import Team
from releve.settings import Settings
from releve.storage.embedded import running_administrator_url

LONGEST_NAME = 63  # of a role, in bytes
PASSWORD_BYTES = 24
STATEMENT_S = 60
OURS: Final = frozenset({"releve", "postgres", "public"})
SCHEMA: Final = sql.Identifier("telemetry")


def grant(name: str, *, teams: Sequence[str], password: str | None, settings: Settings) -> dict[str, Any]:
    """Let a role read some teams; what it was told is in the answer, its password when it is a new one.

    Raises:
        Refusal: The name cannot be a reader's, a team is not there, or the database's role may make no roles.
    """
    _refuse_name(name)
    chosen = _teams(teams)
    with _administration(settings) as administration:
        is_new = not _exists(administration, name)
        if not is_new and not _is_reader(name):
            raise Refusal(f"there is a role {name} already that is not a reader of ours; choose another name")
        drawn = secrets.token_urlsafe(PASSWORD_BYTES) if is_new and password is None else None
        _make(administration, name, password or drawn, is_new=is_new)
    before = {each.pk: each for each in _teams_of(name)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM sql_reader WHERE role = %s", [name])
        cursor.executemany(
            "INSERT INTO sql_reader (role, team_id) VALUES (%s, %s)", [(name, each.pk) for each in chosen]
        )
        role = sql.Identifier(name)
        cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(SCHEMA, role))
        cursor.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(SCHEMA, role))
        _note(AuditKind.READER_GRANTED, name, [each for each in chosen if each.pk not in before])
        _note(AuditKind.READER_REVOKED, name, [before[pk] for pk in before.keys() - {each.pk for each in chosen}])
    names = [each.name for each in chosen]
    return {"name": name, "teams": names, "password": password or drawn, "address": _address(name, settings)}


def revoke(name: str, *, settings: Settings) -> None:
    """Take a reader's rights away, end its connections, and drop the role.

    Raises:
        Refusal: There is no such reader.
    """
    if not _is_reader(name):
        raise Refusal(f"there is no reader {name}; `releve db readers` lists them")
    role, teams = sql.Identifier(name), _teams_of(name)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM sql_reader WHERE role = %s", [name])
        cursor.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(SCHEMA, role))
        cursor.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(SCHEMA, role))
        _note(AuditKind.READER_REVOKED, name, teams)
    with _administration(settings) as administration:
        administration.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(role))
        administration.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [name])
        administration.execute(sql.SQL("DROP ROLE {}").format(role))


def readers() -> list[dict[str, Any]]:
    """Who may read, with the names of their teams."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT role, array_agg(team.name ORDER BY team.name) FROM sql_reader"
            " JOIN teams_team AS team ON team.id = team_id GROUP BY role ORDER BY role"
        )
        return [{"name": name, "teams": teams} for name, teams in cursor.fetchall()]


def _note(kind: AuditKind, name: str, teams: Sequence[Team]) -> None:
    """Tell each team's audit, as it is the team's readings that the role reads."""
    for team in teams:
        audit.record(kind, COMMAND_LINE, None, team=team, detail={"role": name})


def _teams_of(name: str) -> list[Team]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT team_id FROM sql_reader WHERE role = %s", [name])
        return list(Team.objects.filter(pk__in=[pk for (pk,) in cursor.fetchall()]).order_by("name"))


def _refuse_name(name: str) -> None:
    if not name or len(name.encode()) > LONGEST_NAME or "\0" in name:
        raise Refusal(f"a role's name has 1 to {LONGEST_NAME} bytes")
    if name in OURS or name.startswith("pg_"):
        raise Refusal(f"{name} is PostgreSQL's or the server's own role; choose another name")


def _teams(names: Sequence[str]) -> list[Team]:
    if names:
        found = {team.name: team for team in Team.objects.filter(name__in=names)}
        missing = [name for name in names if name not in found]
        if missing:
            raise Refusal(f"there is no team called {missing[0]!r}")
        return list(found.values())
    every = list(Team.objects.all()[:2])
    if len(every) != 1:
        raise Refusal("there are several teams; say with --team which it may read" if every else "there is no team yet")
    return every


@contextmanager
def _administration(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection that may make roles: the superuser's of the embedded database, our own of an external one."""
    url = None if settings.database_url else running_administrator_url(settings.data_dir)
    with psycopg.connect(url or connection.get_connection_params()["conninfo"], autocommit=True) as administration:
        try:
            yield administration
        except errors.InsufficientPrivilege as error:
            raise Refusal(
                f"the server's database role may not do that ({error.diag.message_primary}); have an administrator of"
                " the database grant it CREATEROLE, or make the role there: CREATE ROLE name LOGIN PASSWORD '…'"
            ) from error


def _make(administration: psycopg.Connection[Any], name: str, password: str | None, *, is_new: bool) -> None:
    role = sql.Identifier(name)
    if is_new:
        administration.execute(sql.SQL("CREATE ROLE {} NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT").format(role))
    if password is not None:  # sent hashed, so that no log of statements can hold it
        scram = administration.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
        administration.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, scram))
    for setting, value in (
        ("search_path", "telemetry"),
        ("default_transaction_read_only", "on"),
        ("statement_timeout", f"{STATEMENT_S}s"),
    ):
        administration.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(setting), sql.Literal(value))
        )


def _exists(administration: psycopg.Connection[Any], name: str) -> bool:
    return administration.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone() is not None


def _is_reader(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM sql_reader WHERE role = %s)", [name])
        return bool(cursor.fetchone()[0])


def _address(name: str, settings: Settings) -> str:
    """Where the reader connects to, without its password."""
    if settings.database_url:
        return f"It connects to the database of DATABASE_URL as {name}."
    if settings.postgres_port:
        return f"postgresql://{name}@127.0.0.1:{settings.postgres_port}/releve"
    return "The embedded PostgreSQL opens no port yet: start the server with RELEVE_POSTGRES_PORT=5433, say."
