"""`releve simulate`: devices that log in and send plausible readings to a running server."""
# ruff: noqa: D301, PLC0415 - click reads \b; the work needs Django, which is set up by then

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any

import click

from releve.cli import answer, option
from releve.cli.control_plane import opened_with_keys
from releve.cli.server import address, mqtt_address
from releve.cli.simulation import over_http, over_mqtt, race
from releve.cli.simulation.gym import GYM
from releve.cli.simulation.kind import Kind
from releve.cli.simulation.load import NotLoggedIn, play
from releve.cli.simulation.profilometre import PROFILOMETRE
from releve.cli.simulation.racing import RACING
from releve.cli.simulation.tally import Tally
from releve.settings import Settings

KINDS = {kind.name: kind for kind in (GYM, RACING, PROFILOMETRE)}
Connecting = AbstractAsyncContextManager[list[Any]]


@click.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option(
    "--transport", type=click.Choice(["http", "mqtt"]), default="http", show_default=True, help="What they speak."
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=5.0, help="Readings a second, together.")
@click.option("--seconds", type=click.FloatRange(min=0), default=10.0, help="How long; 0 is until Ctrl-C.")
@click.option("--devices", type=click.IntRange(min=1, max=1000), default=2, show_default=True, help="How many devices.")
@click.option(
    "--as",
    "email",
    metavar="EMAIL",
    help="Who adds the vehicles and opens the races over HTTP; by default the first who may.",
)
@click.option("--url", metavar="URL", help="Address of the server; by default the running one's.")
@option.data_dir
@option.as_json
def command(  # noqa: PLR0913 - one argument an option
    *,
    kind: str,
    transport: str,
    rate: float,
    seconds: float,
    devices: int,
    email: str | None,
    url: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Play devices of one kind against the running server; exits with 1 when any reading failed.

    The devices are called simulator-KIND-N; they are made when missing, and get new secrets each time. Each does what
    the published client of its contract does:

    \b
      KIND          over HTTP                         over MQTT 5, at QoS 1
      gym           /auth/login, /data                fitbuddy/sensors
      racing        /vehicle, /race, /sensor_data     esp32bis/race, /track, /speed, /distance, /battery
      profilometre  /api/token/, /api/send/data/      releve/<device>/readings

    A reading counts as stored once it is acknowledged: by an answer of success, or by the PUBACK of each message
    that it takes (a car's takes five). With --transport mqtt the URL may be mqtt://, mqtts://, ws:// or wss://.

    \b
    Examples:
      releve simulate gym --rate 5 --seconds 60
      releve simulate racing --transport mqtt --rate 50 --devices 8
      releve simulate profilometre --transport mqtt --url mqtts://telemetry.example.com
      releve simulate racing --as you@example.com --json
    """
    settings = option.chosen(data_dir=data_dir)
    played = KINDS[kind]
    to = mqtt_address(settings, url) if transport == "mqtt" else address(settings, url)
    try:
        with _connecting(played, devices, settings, to=to, transport=transport, email=email) as connect:
            tally = asyncio.run(_played(played, connect, rate_hz=rate, seconds=seconds))
    except NotLoggedIn as error:
        raise option.Refusal(str(error)) from error
    _end(tally, kind=kind, as_json=as_json)


@contextmanager
def _connecting(
    kind: Kind, count: int, settings: Settings, *, to: str, transport: str, email: str | None
) -> Iterator[Callable[[], Connecting]]:
    """How to connect the devices, once a loop runs."""
    names = [f"simulator-{kind.name}-{number}" for number in range(1, count + 1)]
    with opened_with_keys(settings):
        from releve.cli.work.account import signed_in
        from releve.cli.work.device import simulators

        made = simulators(names, contract=kind.name, timezone=kind.zone)
        devices = [(device["name"], device["secret"]) for device in made]
        if transport == "http" and kind is RACING:
            with signed_in(email) as token:
                yield lambda: race.connections(kind, devices, url=to, token=token)
            return
    over = over_mqtt if transport == "mqtt" else over_http
    yield lambda: over.connections(kind, devices, url=to)


async def _played(kind: Kind, connect: Callable[[], Connecting], *, rate_hz: float, seconds: float) -> Tally:
    """Play to the end, or until a signal."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with connect() as connections:
        instruments = [kind.instrument(number) for number in range(1, len(connections) + 1)]
        return await play(instruments, connections, rate_hz=rate_hz, seconds=seconds, progress=_progress, ended=ended)


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
            f" failed {summary['failed']}; acknowledgements {summary['acknowledged']};"
            f" p50 {summary['p50_ms']} ms, p99 {summary['p99_ms']} ms"
        )
        for why, count in tally.failures.most_common():
            click.echo(f"  {count} x {why}")
    if tally.failures or tally.outcomes["quarantined"]:
        raise click.exceptions.Exit(1)
