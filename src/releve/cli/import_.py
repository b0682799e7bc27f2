"""`releve import FILE`: history from CSV, NDJSON or Parquet, through the running server as a device."""
# ruff: noqa: D301, PLC0415 - click reads \b; the work needs Django, which is set up by then

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from releve.cli import answer, option
from releve.cli.control_plane import opened
from releve.cli.importing.file import FORMATS, BadFile, opened_file
from releve.cli.importing.history import carry
from releve.cli.importing.reading import Rules
from releve.cli.importing.report import Report
from releve.cli.importing.sending import NotTaken, Rehearsal, Target, Uploads
from releve.cli.server import address


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--device", required=True, metavar="NAME", help="The device whose history it is.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Told by the file's ending for want of it.")
@click.option("--time-column", metavar="NAME", help="The column of the time; `time` or `timestamp` for want of it.")
@click.option(
    "--map", "mapped", multiple=True, metavar="OLD=NEW", help="Call a column something else; may be repeated."
)
@click.option("--dry-run", is_flag=True, help="Check every line and send nothing.")
@click.option("--report", "report_file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write each refused line there: number, field, reason.")  # fmt: skip
@click.option("--url", metavar="URL", help="Address of the server; the running one's for want of it.")
@option.data_dir
@option.as_json
def command(  # noqa: PLR0913 - each option of the command
    *,
    file: Path,
    device: str,
    form: str | None,
    time_column: str | None,
    mapped: tuple[str, ...],
    dry_run: bool,
    report_file: Path | None,
    url: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Read history into a device. Run it again after it broke off: nothing counts twice.

    Every line needs a time: ISO 8601 (in the device's zone when it names none), or epoch s, ms, µs or ns. Each
    further column is a channel; an empty cell was not measured. What Relevé exported comes back as it was.

    \b
    Examples:
      releve import 2025.csv --device car1 --dry-run
      releve import 2025.csv --device car1 --time-column date --map "v (m/s)=speed" --report refused.csv
    """
    settings = option.chosen(data_dir=data_dir)
    rules = Rules(time_column=time_column, names=_names(mapped))
    report = Report(report_file)
    to = None if dry_run else address(settings, url)
    try:
        with opened(settings), report, opened_file(file, form) as source, _target(device, to) as target:
            label = f"{'Checking' if dry_run else 'Importing'} {file.name}"
            with click.progressbar(length=source.length, label=label, file=sys.stderr) as bar:
                carry(source, target, rules=rules, report=report, progress=bar.update)
    except (BadFile, NotTaken) as error:
        raise option.Refusal(str(error)) from error
    except OSError as error:
        raise option.Refusal(f"{error.filename or file}: {error.strerror or error}") from error
    _say(report, as_json=as_json, is_rehearsal=dry_run)


def _say(report: Report, *, as_json: bool, is_rehearsal: bool) -> None:
    if as_json:
        answer.document({"dry_run": is_rehearsal, **report.document()})
    else:
        click.echo("\n".join(report.sentences()))
    if report.is_partial:
        raise click.exceptions.Exit(1)


@contextmanager
def _target(device: str, to: str | None) -> Iterator[Target]:
    """Where readings go: to the server at an address, or nowhere."""
    if to is None:
        from releve.cli.work.history import zone_of

        yield Rehearsal(zone_of(device))
        return
    from releve.cli.work.device import signed_in

    with signed_in(device) as token:
        uploads = Uploads(to, token)
        try:
            yield uploads
        finally:
            uploads.close()


def _names(mapped: Sequence[str]) -> dict[str, str]:
    """The new name of each column.

    >>> _names(["v (m/s)=speed"])
    {'v (m/s)': 'speed'}

    Raises:
        BadParameter: One is not OLD=NEW.
    """
    names = {}
    for text in mapped:
        old, sign, new = text.rpartition("=")
        if not sign or not old or not new:
            raise click.BadParameter(f"{text!r} is not OLD=NEW", param_hint="--map")
        names[old] = new
    return names
