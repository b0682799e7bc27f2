"""`releve retention`: how long readings are kept."""
# ruff: noqa: D301, PLC0415 - click reads \b; the work needs Django, which is set up by then

from pathlib import Path
from typing import Any

import click

from releve.cli import answer, option
from releve.cli.control_plane import opened
from releve.protocol.keeping import MOST_DAYS

RULE_COLUMNS = ("team", "device", "channel", "raw_days", "ladder_days", "archive")
GOING_COLUMNS = ("device", "readings", "bytes", "thinned", "thinned_bytes")
DONE_COLUMNS = ("device", "readings", "thinned", "ladders")
DAYS = click.IntRange(1, MOST_DAYS)


@click.group()
def command() -> None:
    """Say how long readings are kept; without a rule they are kept for ever.

    A rule is of a team, of a device, or of a channel of a device, and the narrower one counts. The server deletes what
    is too old within the hour. Ladders, which charts are drawn from, stay as long as their own days say.

    Works while the server runs and while it does not.
    """


def about(required: Any) -> Any:
    """Add `--team`, `--device` and `--channel`."""
    channel = click.option("--channel", default="", metavar="NAME", help="One channel of the device only.")
    device = click.option("--device", metavar="NAME", help="One device only.")
    team = click.option("--team", metavar="NAME", help="Every device of the team.")
    return team(device(channel(required)))


@command.command("list")
@option.data_dir
@option.as_json
def list_(*, data_dir: Path | None, as_json: bool) -> None:
    """List the rules of all teams.

    \b
    Example:
      releve retention list
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import kept as work

        rows = work.rules()
    if as_json:
        answer.document(rows)
        return
    answer.table(rows, RULE_COLUMNS, empty="There is no rule: everything is kept for ever.")


@command.command("set")
@about
@click.option("--raw-days", type=DAYS, metavar="DAYS", help="How long readings are kept; without it for ever.")
@click.option("--ladder-days", type=DAYS, metavar="DAYS", help="How long their ladders are; without it for ever.")
@click.option("--archive", "is_archived", is_flag=True, help="Write readings to Parquet before they are deleted.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Only say what would be deleted.")
@option.data_dir
@option.as_json
def set_(  # noqa: PLR0913 - each is an option of the command
    *,
    team: str | None,
    device: str | None,
    channel: str,
    raw_days: int | None,
    ladder_days: int | None,
    is_archived: bool,
    is_dry: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Keep the readings of a team, a device or a channel so long.

    What is deleted does not come back, unless it was archived. Look first with --dry-run.

    \b
    Examples:
      releve retention set --team Home --raw-days 365 --dry-run
      releve retention set --team Home --raw-days 365 --archive
      releve retention set --device raspberry1 --channel noise --raw-days 7
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import kept as work

        subject = work.subject(team=team, device=device, channel=channel)
        wanted = work.Wanted(raw_days, ladder_days, is_archived=is_archived)
        done: Any = work.going_with(subject, wanted) if is_dry else work.set_rule(subject, wanted)
        words = str(subject)
    if as_json:
        answer.document(done)
    elif is_dry:
        answer.table(done, GOING_COLUMNS, empty="Nothing would be deleted now.")
    else:
        click.echo(f"{words} is kept so from now on; the server deletes what is too old within the hour.")


@command.command()
@about
@option.data_dir
def remove(*, team: str | None, device: str | None, channel: str, data_dir: Path | None) -> None:
    """Take a rule back; the next wider one counts, or none.

    \b
    Example:
      releve retention remove --device raspberry1 --channel noise
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import kept as work

        subject = work.subject(team=team, device=device, channel=channel)
        work.remove(subject)
        words = str(subject)
    click.echo(f"There is no rule of {words} any more.")


@command.command()
@click.option("--dry-run", "is_dry", is_flag=True, help="Only say what would be deleted.")
@option.data_dir
@option.as_json
def run(*, is_dry: bool, data_dir: Path | None, as_json: bool) -> None:
    """Delete at once what the rules ask for, as the server does within the hour.

    \b
    Examples:
      releve retention run --dry-run
      releve retention run
    """
    settings = option.chosen(data_dir=data_dir)
    with opened(settings) as url:
        from releve.cli.work import kept as work

        done = work.going() if is_dry else work.run(url, settings.data_dir / "archive")
    if as_json:
        answer.document(done)
        return
    empty = "Nothing would be deleted now." if is_dry else "There was nothing to delete."
    answer.table(done, GOING_COLUMNS if is_dry else DONE_COLUMNS, empty=empty)
