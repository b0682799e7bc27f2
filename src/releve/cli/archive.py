"""`releve archive`: readings that were written to Parquet before a rule deleted them."""
# ruff: noqa: D301, PLC0415 - click reads \b; the work needs Django, which is set up by then

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from releve.cli import answer, option
from releve.cli.control_plane import opened
from releve.protocol.keeping import MOST_DAYS

COLUMNS = ("device", "first", "last", "readings", "bytes", "file")
KEPT_DAYS = 30
INSTANT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def command() -> None:
    """List and bring back what was archived before it was deleted.

    The files are in the folder `archive` of the data directory, one for some hundred thousand readings of a device.
    They need the extra: pip install 'releve[parquet]'. They are no part of the database's backup.
    """


def chosen(required: Any) -> Any:
    """Add `--device`, `--from` and `--to`."""
    device = click.option("--device", "name", metavar="NAME", help="One device only.")
    since = click.option("--from", "since", type=INSTANT, help="Files with readings from then on, UTC.")
    until = click.option("--to", "until", type=INSTANT, help="Files with readings before then, UTC.")
    return device(since(until(required)))


@command.command("list")
@chosen
@option.data_dir
@option.as_json
def list_(
    *, name: str | None, since: datetime | None, until: datetime | None, data_dir: Path | None, as_json: bool
) -> None:
    """List the files with their readings.

    \b
    Examples:
      releve archive list
      releve archive list --device raspberry1 --from 2026-01-01
    """
    settings = option.chosen(data_dir=data_dir)
    with opened(settings):
        from releve.cli.work import archived as work

        rows = work.files(settings.data_dir / "archive", name, _utc(since), _utc(until))
    if as_json:
        answer.document(rows)
        return
    answer.table(rows, COLUMNS, empty="Nothing was archived.")


@command.command()
@chosen
@click.option(
    "--keep-days",
    type=click.IntRange(1, MOST_DAYS),
    default=KEPT_DAYS,
    show_default=True,
    help="How long rules leave them alone.",
)
@option.data_dir
@option.as_json
def restore(
    *,
    name: str | None,
    since: datetime | None,
    until: datetime | None,
    keep_days: int,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Bring the readings of files back, the very same to the byte; what is there already stays as it is.

    The files stay, too. After --keep-days the rules delete the readings again.

    \b
    Examples:
      releve archive restore --device raspberry1 --from 2026-01-01 --to 2026-02-01
      releve archive restore --keep-days 365
    """
    settings = option.chosen(data_dir=data_dir)
    with opened(settings) as url:
        from releve.cli.work import archived as work

        rows = work.restore(url, settings.data_dir / "archive", name, _utc(since), _utc(until), keep_days=keep_days)
    if as_json:
        answer.document(rows)
        return
    answer.table(rows, ("device", "file", "restored"), empty="There is no such file; see releve archive list.")


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
