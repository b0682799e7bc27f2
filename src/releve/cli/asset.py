"""`releve asset`: what devices are mounted on."""
# ruff: noqa: D301, PLC0415 - click reads \b; the work needs Django, which is set up by then

from pathlib import Path

import click

from releve.cli import answer, option
from releve.cli.control_plane import opened

COLUMNS = ("id", "kind", "name", "team", "reference")


@click.group()
def command() -> None:
    """List machines and vehicles, and choose the run that others are compared with.

    Works while the server runs and while it does not.
    """


@command.command(name="list")
@option.data_dir
@option.as_json
def list_(*, data_dir: Path | None, as_json: bool) -> None:
    """List the machines, vehicles and profilometres.

    \b
    Example:
      releve asset list
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import asset as work

        rows = work.rows()
    answer.document(rows) if as_json else answer.table(rows, COLUMNS, empty="No assets yet: devices bring them along.")


@command.command()
@click.argument("asset", type=int)
@click.argument("run", type=int)
@option.data_dir
@option.as_json
def reference(*, asset: int, run: int, data_dir: Path | None, as_json: bool) -> None:
    """Choose the run that the others of an asset are compared with, by their numbers; 0 for none.

    \b
    Examples:
      releve asset reference 3 128
      releve asset reference 3 0
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import asset as work

        row = work.set_reference(asset, run)
    if as_json:
        answer.document(row)
        return
    click.echo(f"{row['name']} is compared with run {run}." if run else f"{row['name']} has no reference any more.")
