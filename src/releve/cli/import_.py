"""`releve import FILE`: history from CSV, NDJSON or Parquet, through the running server as a device."""
# ruff: noqa: D301, PLC0415 - click reads \b; the work needs Django, which is set up by then

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from releve.cli import answer, option
from releve.cli.control_plane import opened
from releve.cli.importing import wish
from releve.cli.importing.file import FORMATS, BadFile, opened_file
from releve.cli.importing.history import carry
from releve.cli.importing.line import Source
from releve.cli.importing.meaning import meaning_of
from releve.cli.importing.progress import shown
from releve.cli.importing.reading import Rules
from releve.cli.importing.report import Report
from releve.cli.importing.sending import NotTaken, Rehearsal, Target, Uploads
from releve.cli.importing.understanding import sentences, understood
from releve.cli.importing.wish import Wishes
from releve.cli.server import address
from releve.protocol.twice import Passes


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--device", required=True, metavar="NAME", help="The device whose history it is.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="By default told by the file's ending.")
@click.option("--separator", metavar="CHAR", help="Between two cells: `,`, `;`, `tab`, `|` or another character.")
@click.option("--decimal", metavar="SIGN", type=click.Choice(list(wish.DECIMALS)), help="Decimal sign: point or comma.")
@click.option("--encoding", metavar="NAME", help="Of the text: utf-8, utf-16, cp1252 (Windows, Western) and so on.")
@click.option("--skip", type=click.IntRange(0), metavar="N", help="Lines before the one that names the columns.")
@click.option("--time-column", metavar="NAME", help="The column of the time.")
@click.option("--date-column", metavar="NAME", help="The column of the date, where the time stands in another.")
@click.option(
    "--time-format",
    metavar="FORMAT",
    help="day-first, month-first, excel (days since 1899-12-30), or a pattern such as '%d.%m.%Y %H:%M'.",
)
@click.option(
    "--rename", "--map", "renamed", multiple=True, metavar="OLD=NEW",
    help="Call a column something else, or leave it out with `OLD=`; may be repeated.",
)  # fmt: skip
@click.option("--tall", metavar="NAME,VALUE,TIME", help="One value a line: the columns of its name, value and time.")
@click.option("--dry-run", is_flag=True, help="Say what is understood, check every line, and send nothing.")
@click.option("--report", "report_file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write each refused line there: number, field, reason.")  # fmt: skip
@click.option("--url", metavar="URL", help="Address of the server; by default the running one's.")
@option.data_dir
@option.as_json
def command(
    *,
    file: Path,
    device: str,
    form: str | None,
    dry_run: bool,
    report_file: Path | None,
    url: str | None,
    data_dir: Path | None,
    as_json: bool,
    **said: Any,
) -> None:
    """Read history into a device. Run it again after it broke off: nothing counts twice.

    Begin with --dry-run. It says what it takes the file for, shows the first three readings, and checks every line as
    the server would. Separator, decimal sign, encoding, the line that names the columns, the column of the time and the
    order of day and month are found out; there is an option for each that was found wrong.

    Every line needs a time: a date and a time of day (in the device's zone when it names none), or epoch s, ms, µs or
    ns. Each further column is a channel; an empty cell was not measured. A file may be compressed with gzip. What
    Relevé exported comes back as it was.

    \b
    Examples:
      releve import 2025.csv --device car1 --dry-run
      releve import 2025.csv --device car1 --time-column date --rename "v (m/s)=speed" --report refused.csv
      releve import log.csv --device pi --date-column Date --time-column Heure --time-format day-first
      releve import states.csv --device house --tall entity_id,state,last_changed
      releve import old.csv.gz --device pi --separator tab --decimal comma --encoding cp1252 --skip 3
    """
    wishes = _wishes(said)
    settings = option.chosen(data_dir=data_dir)
    report = Report(report_file)
    to = None if dry_run else address(settings, url)
    label = f"{'Checking' if dry_run else 'Importing'} {file.name}"
    try:
        with opened(settings), report, opened_file(file, form, wishes) as source, _target(device, to) as target:
            from releve.cli.work.history import zone_of

            rules = meaning_of(source, wishes)
            with shown(label, source) as progress:
                passes = Passes(zone_of(device))
                carry(source, target, rules=rules, passes=passes, report=report, progress=progress)
            _say(report, source, rules, as_json=as_json, is_rehearsal=dry_run)
    except (BadFile, NotTaken) as error:
        raise option.Refusal(str(error)) from error
    except OSError as error:
        raise option.Refusal(f"{error.filename or file}: {error.strerror or error}") from error


def _say(report: Report, source: Source, rules: Rules, *, as_json: bool, is_rehearsal: bool) -> None:
    document = understood(source, rules)
    unmeasured = dict(source.missing)
    if as_json:
        shown_too = {"understood": document, "first_readings": report.readings} if is_rehearsal else {}
        missing = {"not_measured": unmeasured} if unmeasured else {}
        answer.document({"dry_run": is_rehearsal, **report.document(), **missing, **shown_too})
    else:
        first = ["The first readings:", *report.shown_readings()] if report.readings else []
        lines = [*sentences(document), *first] if is_rehearsal else []
        lines += report.sentences()
        lines += [_unmeasured(text, count) for text, count in unmeasured.items()]
        click.echo("\n".join(map(answer.printable, lines)))
    if report.is_partial:
        raise click.exceptions.Exit(1)


def _unmeasured(text: str, count: int) -> str:
    cells = f"{count} cells with {text!r} were" if count > 1 else f"1 cell with {text!r} was"
    return f"{cells} taken for not measured"


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


def _wishes(said: dict[str, Any]) -> Wishes:
    """What the options say about the file.

    Raises:
        BadParameter: One of them says nothing that can be.
    """
    return Wishes(
        separator=_checked("--separator", wish.separator, said["separator"]),
        decimal=_checked("--decimal", wish.DECIMALS.__getitem__, said["decimal"]),
        encoding=_checked("--encoding", wish.encoding, said["encoding"]),
        skip=said["skip"],
        time_format=_checked("--time-format", wish.time_format, said["time_format"]),
        time_column=said["time_column"],
        date_column=said["date_column"],
        names=_names(said["renamed"]),
        tall=_checked("--tall", wish.tall, said["tall"]),
    )


def _checked(name: str, read: Callable[[str], Any], text: str | None) -> Any:
    if text is None:
        return None
    try:
        return read(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=name) from error


def _names(renamed: Sequence[str]) -> dict[str, str]:
    """The new name of each column.

    >>> _names(["v (m/s)=speed", "note="])
    {'v (m/s)': 'speed', 'note': ''}

    Raises:
        BadParameter: One is not OLD=NEW.
    """
    names = {}
    for text in renamed:
        old, sign, new = text.rpartition("=")
        if not sign or not old:
            raise click.BadParameter(f"{text!r} is not OLD=NEW", param_hint="--rename")
        names[old] = new
    return names
