"""`releve doctor`: looks at an installation and says how to mend it."""
# ruff: noqa: D301 - click reads \b

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
import psycopg

from releve.cli import answer, option
from releve.cli.check import database as database_checks
from releve.cli.check import history as history_checks
from releve.cli.check import journal as journal_checks
from releve.cli.check import machine, place
from releve.cli.check.finding import Finding, State, fail
from releve.cli.control_plane import database
from releve.serve.process import logs
from releve.settings import Settings
from releve.storage.embedded.location import cluster_of

COLOURS = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red"}


@click.command()
@option.data_dir
@option.as_json
def command(*, data_dir: Path | None, as_json: bool) -> None:
    """Check durability, clock, disk, ports, keys, revocations, tables, history and the server.

    It exits with 1 if something fails. It changes nothing; a database that does not run is started for the moment.

    \b
    Examples:
      releve doctor
      releve doctor --data-dir /srv/releve --json
    """
    settings = option.chosen(data_dir=data_dir)
    logs.configure(level="error", log_format="text")
    findings = list(examined(settings))
    if as_json:
        answer.document([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _show(finding)
    if any(finding.state is State.FAIL for finding in findings):
        raise click.exceptions.Exit(1)


def examined(settings: Settings) -> Iterator[Finding]:
    """Every finding, from the ground up."""
    try:
        yield from place.directory(settings.data_dir)
        yield from place.keys(settings.data_dir)
        yield from machine.clock(settings)
        yield from _database(settings)
        yield from machine.server(settings)
    except PermissionError as error:
        yield fail("permissions", f"{error.filename} is another user's", "run this as the user who runs the server")


def _database(settings: Settings) -> Iterator[Finding]:
    """What is found in the database, and on the disk that it is on."""
    if not settings.database_url and not (settings.data_dir / "postgres").exists():
        yield from place.room(settings.data_dir, None)
        return
    try:
        with database(settings) as url, psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            yield from database_checks.version(connection)
            yield from database_checks.durability(connection)
            yield from database_checks.clock(connection)
            yield from database_checks.migrations(url)
            yield from database_checks.device_tokens(connection)
            yield from database_checks.counters(connection)
            yield from journal_checks.revocations(connection, settings.data_dir / "keys")
            yield from history_checks.sealed(connection)
            yield from history_checks.taken_over(connection, settings.data_dir)
            growth = database_checks.growth_a_day(connection)
            if settings.database_url:
                yield from database_checks.disk(connection, growth)
            else:
                yield from place.room(cluster_of(settings.data_dir), growth)
    except (option.Refusal, psycopg.Error) as error:
        reason = error.message if isinstance(error, option.Refusal) else str(error).strip()
        yield fail("PostgreSQL", reason, "mend the reason; its log is log/postgres.log in the data directory")
        if not settings.database_url:
            yield from place.room(cluster_of(settings.data_dir), None)


def _show(finding: Finding) -> None:
    state = click.style(f"{finding.state:<5}", fg=COLOURS[finding.state])
    click.echo(f"{state} {finding.check:<15} {finding.detail}")
    if finding.mend:
        click.echo(f"{'':21} {finding.mend}")
