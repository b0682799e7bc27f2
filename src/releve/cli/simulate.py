"""`releve simulate`: devices that log in and send plausible readings to a running server."""
# ruff: noqa: D301, PLC0415 - click reads \b; the work needs Django, which is set up by then

import asyncio
import signal
import sys
from pathlib import Path

import click

from releve.cli import answer, option
from releve.cli.control_plane import opened
from releve.cli.server import address
from releve.cli.simulation.gym import GYM
from releve.cli.simulation.kind import Kind
from releve.cli.simulation.load import NotLoggedIn, Tally, play
from releve.cli.simulation.profilometre import PROFILOMETRE
from releve.cli.simulation.racing import RACING
from releve.settings import Settings

KINDS = {kind.name: kind for kind in (GYM, RACING, PROFILOMETRE)}


@click.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=5.0, help="Readings a second, together.")
@click.option("--seconds", type=click.FloatRange(min=0), default=10.0, help="How long; 0 is until Ctrl-C.")
@click.option("--devices", type=click.IntRange(min=1, max=1000), default=2, show_default=True, help="How many devices.")
@click.option("--url", metavar="URL", help="Address of the server; the running one's for want of it.")
@option.data_dir
@option.as_json
def command(
    *,
    kind: str,
    rate: float,
    seconds: float,
    devices: int,
    url: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Play devices of one kind against the running server; exits with 1 when any reading failed.

    The devices are called simulator-KIND-N; they are made when missing, and get new secrets each time.

    \b
    Examples:
      releve simulate gym --rate 5 --seconds 60
      releve simulate racing --rate 50 --seconds 10 --devices 8 --json
    """
    settings = option.chosen(data_dir=data_dir)
    to = address(settings, url)
    played = KINDS[kind]
    credentials = _devices(played, devices, settings)
    try:
        tally = asyncio.run(_played(played, credentials, url=to, rate_hz=rate, seconds=seconds))
    except NotLoggedIn as error:
        raise option.Refusal(str(error)) from error
    _end(tally, kind=kind, as_json=as_json)


def _devices(kind: Kind, count: int, settings: Settings) -> list[tuple[str, str]]:
    names = [f"simulator-{kind.name}-{number}" for number in range(1, count + 1)]
    with opened(settings):
        from releve.cli.work.device import simulators

        made = simulators(names, contract=kind.name, timezone=kind.zone)
    return [(device["name"], device["secret"]) for device in made]


async def _played(kind: Kind, devices: list[tuple[str, str]], *, url: str, rate_hz: float, seconds: float) -> Tally:
    """Play to the end, or until a signal."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    return await play(kind, devices, url=url, rate_hz=rate_hz, seconds=seconds, progress=_progress, ended=ended)


def _progress(tally: Tally) -> None:
    stored, failed = tally.outcomes["stored"], tally.failures.total()
    ending = "\r" if sys.stderr.isatty() else "\n"
    sys.stderr.write(f"sent {tally.sent}, stored {stored}, failed {failed}   {ending}")
    sys.stderr.flush()


def _end(tally: Tally, *, kind: str, as_json: bool) -> None:
    summary = {"kind": kind, **tally.summary()}
    if as_json:
        answer.document(summary)
    else:
        click.echo(
            f"{kind}: sent {summary['sent']}, stored {summary['stored']}, duplicate {summary['duplicate']},"
            f" failed {summary['failed']}; p50 {summary['p50_ms']} ms, p99 {summary['p99_ms']} ms"
        )
        for why, count in tally.failures.most_common():
            click.echo(f"  {count} x {why}")
    if tally.failures or tally.outcomes["quarantined"]:
        raise click.exceptions.Exit(1)
