"""`releve history`: the readings that are kept as columns."""
# ruff: noqa: D301, PLC0415 - click reads \b; the work needs numpy, which no other command waits for

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import psycopg

from releve.cli import answer, option
from releve.cli.control_plane import opened
from releve.settings import Settings

COLUMNS = ("device", "fresh_readings", "old_readings", "sealed_readings", "segments", "sealed_bytes", "bytes_a_value")


@click.group()
def command() -> None:
    """Look after readings that are kept as columns.

    A reading is stored as a row. Minutes later the server seals it: it moves it into a segment, which holds some
    32,000 readings of one device as compressed columns, in a fiftieth of the room. Everything reads both; nothing is
    lost on the way, and `unseal` gives the very same rows back.

    Works while the server runs and while it does not.
    """


def device(required: Any) -> Any:
    """Add `--device`."""
    return click.option("--device", "name", metavar="NAME", help="One device only.")(required)


@command.command()
@device
@option.data_dir
@option.as_json
def status(*, name: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Say how many readings are rows, how many are sealed, and in how many bytes.

    A sealed value is one of a channel, a reading's time or its time of receipt. Old readings are rows of an earlier
    release, which the server takes over while it runs.

    \b
    Examples:
      releve history status
      releve history status --device raspberry1 --json
    """
    from releve.cli.work import sealed as work

    with _connected(option.chosen(data_dir=data_dir)) as connection:
        found = work.totals(connection, name)
    if as_json:
        answer.document(found)
        return
    rows = [{**row, "bytes_a_value": _a_value(row)} for row in [*found["devices"], {**found, "device": "(all)"}]]
    answer.table(rows, COLUMNS, empty="There is no reading yet.")
    click.echo(f"Their tables take {found['table_bytes']:,} bytes.")


@command.command()
@device
@click.option("--all", "is_all", is_flag=True, help="Every device.")
@option.data_dir
def seal(*, name: str | None, is_all: bool, data_dir: Path | None) -> None:
    """Seal at once whatever is older than 10 minutes.

    The server does so by itself when a device has 8,000 such readings or the oldest is an hour old.

    \b
    Examples:
      releve history seal --device raspberry1
      releve history seal --all
    """
    from releve.cli.work import sealed as work

    _refuse_neither(name, is_all=is_all)
    with _connected(option.chosen(data_dir=data_dir)) as connection:
        _tell(
            "sealed",
            ((called, work.seal(connection, number)) for number, called in work.chosen(connection, name).items()),
        )


@command.command()
@device
@click.option("--all", "is_all", is_flag=True, help="Every device.")
@click.option(
    "--into-reading", "is_into_old", is_flag=True, help="Into the table of the release before; stop the server first."
)
@option.data_dir
def unseal(*, name: str | None, is_all: bool, is_into_old: bool, data_dir: Path | None) -> None:
    """Turn segments back into rows, the very same to the byte.

    A running server seals them again within minutes. To go back to the release before, stop the server and unseal with
    --all --into-reading; that release then finds every reading where it looks for it. It takes the room of rows, about
    fifty times that of segments.

    \b
    Examples:
      releve history unseal --device raspberry1
      releve history unseal --all --into-reading
    """
    from releve.cli.work import sealed as work

    _refuse_neither(name, is_all=is_all)
    with _connected(option.chosen(data_dir=data_dir)) as connection:
        _tell(
            "made rows again",
            (
                (called, work.unseal(connection, number, called, is_into_old=is_into_old))
                for number, called in work.chosen(connection, name).items()
            ),
        )


@command.command()
@device
@option.data_dir
@option.as_json
def verify(*, name: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Read every byte that is sealed; exits with 1 if something is not as it was written.

    Computes the checksum of every column, makes every reading of it, and compares numbers, instants, order, sizes and
    ladders. It changes nothing. About 300,000 readings a second.

    \b
    Examples:
      releve history verify
      releve history verify --device raspberry1 --json
    """
    from releve.cli.work import sealed as work

    readings, segments, faults = 0, 0, []
    with _connected(option.chosen(data_dir=data_dir)) as connection:
        for number, called in work.chosen(connection, name).items():
            for segment, n, found in work.faults(connection, number):
                readings, segments = readings + n, segments + 1
                faults += [{"device": called, "segment": segment, "fault": fault} for fault in found]
    if as_json:
        answer.document({"segments": segments, "readings": readings, "faults": faults})
    else:
        for fault in faults:
            click.echo(f"{fault['device']}, segment {fault['segment']}: {fault['fault']}")
        click.echo(f"{segments:,} segments with {readings:,} readings: {len(faults) or 'no'} faults")
    if faults:
        raise click.exceptions.Exit(1)


@contextmanager
def _connected(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    with opened(settings) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET timezone TO 'UTC'")
        yield connection


def _refuse_neither(name: str | None, *, is_all: bool) -> None:
    if (name is None) != is_all:
        raise option.Refusal("say which: --device NAME, or --all")


def _tell(what: str, done: Iterable[tuple[str, int]]) -> None:
    """Say of each device that had any how many readings it was, as soon as it is done."""
    total = 0
    for called, readings in done:
        total += readings
        if readings:
            click.echo(f"{called}: {readings:,} readings {what}")
    if not total:
        click.echo(f"There was no reading to be {what}.")


def _a_value(row: dict[str, Any]) -> str | None:
    return f"{row['sealed_bytes'] / row['sealed_values']:.2f}" if row["sealed_values"] else None
