"""`releve db`: the database for people with SQL, and for installations that outgrow one machine."""
# ruff: noqa: D301, PLC0415 - click reads \b; the work needs Django, which is set up by then

from pathlib import Path

import click

from releve.cli import answer, option
from releve.cli.control_plane import opened
from releve.storage.distribution import SHARDS

COLUMNS = ("name", "teams")


@click.group()
def command() -> None:
    """Let people read with SQL; spread the readings over several machines.

    Works while the server runs and while it does not.
    """


@command.command()
@click.argument("name")
@click.option("--team", "teams", multiple=True, metavar="NAME", help="What it may read; several times for several.")
@click.option("--password-stdin", is_flag=True, help="Read its password as one line; without it one is drawn.")
@option.data_dir
@option.as_json
def grant_reader(
    *, name: str, teams: tuple[str, ...], password_stdin: bool, data_dir: Path | None, as_json: bool
) -> None:
    """Let a role of PostgreSQL read the views of the schema `telemetry`, and nothing else.

    It sees the teams that are named, or the only one there is. A role that exists already keeps its password unless a
    new one is given, and reads the teams that are named from now on. The embedded PostgreSQL opens a port for it when
    RELEVE_POSTGRES_PORT is set.

    \b
    Examples:
      releve db grant-reader grafana --team Home
      RELEVE_POSTGRES_PORT=5433 releve up
      psql postgresql://grafana:…@127.0.0.1:5433/releve -c 'SELECT * FROM device'
    """
    settings = option.chosen(data_dir=data_dir)
    password = option.one_line("password") if password_stdin else None
    with opened(settings):
        from releve.cli.work import reader as work

        granted = work.grant(name, teams=teams, password=password, settings=settings)
    if as_json:
        answer.document(granted)
        return
    click.echo(f"{granted['name']} reads the schema telemetry, of {', '.join(granted['teams'])}.")
    if granted["password"] is not None:
        click.echo(f"Its password, shown this once: {granted['password']}")
    click.echo(granted["address"])


@command.command()
@click.argument("name")
@option.data_dir
def revoke_reader(*, name: str, data_dir: Path | None) -> None:
    """Take a role's right to read away, and the role; its connections end at once.

    \b
    Example:
      releve db revoke-reader grafana
    """
    settings = option.chosen(data_dir=data_dir)
    with opened(settings):
        from releve.cli.work import reader as work

        work.revoke(name, settings=settings)
    click.echo(f"{name} reads nothing any more.")


@command.command()
@option.data_dir
@option.as_json
def readers(*, data_dir: Path | None, as_json: bool) -> None:
    """List the roles that may read, with their teams.

    \b
    Example:
      releve db readers
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import reader as work

        rows = work.readers()
    if as_json:
        answer.document(rows)
        return
    answer.table(rows, COLUMNS, empty="Nobody reads with SQL; see releve db grant-reader --help.")


@command.command()
@click.option("--shards", type=click.IntRange(1, 1024), default=SHARDS, show_default=True, help="Parts of each table.")
@option.data_dir
@option.as_json
def distribute(*, shards: int, data_dir: Path | None, as_json: bool) -> None:
    """Spread the tables of readings over the workers of a Citus cluster, by device.

    DATABASE_URL names its coordinator, where the extension is installed and the workers are added. All other tables
    stay there. Stop the server first. It may be run again: what is distributed already stays as it is.

    \b
    Example:
      DATABASE_URL=postgresql://releve:…@coordinator/releve releve db distribute --shards 64
    """
    settings = option.chosen(data_dir=data_dir)
    if not settings.database_url:
        raise option.Refusal(
            "the embedded PostgreSQL has no Citus: move to a coordinator of your own first (DATABASE_URL)"
        )
    with opened(settings) as url:
        from releve.cli.work import distributed as work

        rows = work.distribute(url, shards=shards)
    if as_json:
        answer.document(rows)
        return
    answer.table(rows, ("table", "shards", "was_so"), empty="")
