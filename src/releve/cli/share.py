"""`releve share`: read-only links for people without an account."""
# ruff: noqa: D301, PLC0415 - click reads \b; the work needs Django, which is set up by then

from pathlib import Path

import click

from releve.cli import answer, option
from releve.cli.control_plane import opened, opened_with_keys
from releve.protocol.shared import path_of

COLUMNS = ("id", "shows", "team", "expires", "state", "opened", "by")
MOST_DAYS = 366
DAY_S = 86_400


@click.group()
def command() -> None:
    """Make, list and revoke links that show one thing to whoever has them.

    Works while the server runs and while it does not.
    """


@command.command()
@click.option("--device", metavar="NAME", help="A device, live.")
@click.option("--run", "runs", type=click.IntRange(min=1), multiple=True, help="A run; several are compared.")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=7, show_default=True, help="How long it lives.")
@option.data_dir
@option.as_json
def add(*, device: str | None, runs: tuple[int, ...], days: int, data_dir: Path | None, as_json: bool) -> None:
    """Make a link to a device or to runs; its address is shown once.

    \b
    Examples:
      releve share add --device raspberry1 --days 1
      releve share add --run 12
      releve share add --run 12 --run 15
    """
    settings = option.chosen(data_dir=data_dir)
    if (device is None) == (not runs):
        raise option.Refusal("say what is shared: --device NAME, or --run NUMBER once or several times")
    with opened_with_keys(settings):
        from releve.cli.work import share as work

        made, secret = work.add(device=device, runs=runs, expires_in_s=days * DAY_S)
    address = (settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/") + path_of(secret)
    if as_json:
        answer.document({**made, "address": address})
    else:
        click.echo(f"{address}\nIt shows {made['shows']} until {made['expires']}, and is told this once.")


@command.command("list")
@option.data_dir
@option.as_json
def list_(*, data_dir: Path | None, as_json: bool) -> None:
    """List every link with how often it was opened; none tells its secret.

    \b
    Example:
      releve share list
    """
    settings = option.chosen(data_dir=data_dir)
    with opened(settings):
        from releve.cli.work import share as work

        rows = work.rows()
    if as_json:
        answer.document(rows)
    else:
        answer.table(rows, COLUMNS, empty=f"Nothing is shared: {option.again('share add --device NAME', settings)}")


@command.command()
@click.argument("number", type=click.IntRange(min=1))
@option.data_dir
@option.as_json
def revoke(*, number: int, data_dir: Path | None, as_json: bool) -> None:
    """End a link; whoever has it open sees nothing more within seconds.

    \b
    Example:
      releve share revoke 3
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import share as work

        row = work.revoke(number)
    answer.document(row) if as_json else click.echo(f"Link {number} is revoked.")
