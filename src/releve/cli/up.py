"""`releve up`: the server in the foreground, and what to know about it."""
# ruff: noqa: D301 - click reads \b

from pathlib import Path

import click

from releve import __version__
from releve.cli import option
from releve.protocol.site import is_loopback
from releve.serve.address import EVERYWHERE, from_elsewhere
from releve.serve.external_database import DatabaseAway
from releve.serve.instance import InUse, NotOurs
from releve.serve.migration import DidNotMigrate
from releve.serve.process.port import PortProblem
from releve.serve.process.supervisor import PartFailed
from releve.serve.up import Started, up
from releve.settings import NONE, Settings
from releve.storage.database_token import BadAddress, NoToken
from releve.storage.embedded import EmbeddedPostgresError

OBSTACLES = (
    *(NotOurs, InUse, PortProblem, EmbeddedPostgresError),
    *(DatabaseAway, DidNotMigrate, PartFailed, OSError, BadAddress, NoToken),
)
PORT = click.IntRange(0, 65535)
PROCESSES = ("ingest", "control", "maintenance")
DEMO = {
    "gym": ("--rate", "4"),
    "racing": ("--rate", "5", "--transport", "mqtt"),  # over HTTP somebody would have to open the races
    "profilometre": ("--rate", "2"),
}


@click.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", "port_", type=PORT, metavar="N", help="HTTP port; 0 picks a free one.  [default: 8000]")
@click.option("--also-port", "also_ports", type=PORT, metavar="N", multiple=True, help="Another HTTP port; repeatable.")
@click.option("--mqtt-port", type=PORT, metavar="N", help="Plain MQTT port; 0 picks a free one.  [default: 1883]")
@click.option("--no-mqtt", is_flag=True, help="No plain MQTT port; WebSocket and TLS stay. RELEVE_MQTT_PORT=none.")
@click.option("--workers", type=click.IntRange(1, 64), metavar="N", help="Ingest processes.  [default: 1]")
@click.option("--only", type=click.Choice(PROCESSES), help="Run one process of the three alone; needs DATABASE_URL.")
@click.option("--demo", is_flag=True, help="Play simulated devices beside the server.")
@option.data_dir
def command(  # noqa: PLR0913 - a parameter an option
    *,
    host: str | None,
    port_: int | None,
    also_ports: tuple[int, ...],
    mqtt_port: int | None,
    no_mqtt: bool,
    workers: int | None,
    only: str | None,
    demo: bool,
    data_dir: Path | None,
) -> None:
    """Run the server until Ctrl-C: database, migrations, and the processes ingest, control and maintenance.

    Every option is also a setting RELEVE_... in the environment; DATABASE_URL uses an external PostgreSQL.

    \b
    Examples:
      releve up
      releve up --demo
      releve up --port 0 --no-mqtt --data-dir /srv/releve
      releve up --host 0.0.0.0 --port 8000 --also-port 5000 --workers 2
      releve up --only control --host 10.0.0.5
    """
    if no_mqtt and mqtt_port is not None:
        raise click.UsageError("--mqtt-port and --no-mqtt ask for opposite things; leave one of them out")
    settings = option.chosen(
        host=host,
        port=port_,
        also_ports=",".join(map(str, also_ports)) or None,
        mqtt_port=NONE if no_mqtt else mqtt_port,
        workers=workers,
        only=only,
        data_dir=data_dir,
    )
    _warn(settings)
    simulations = [(kind, *how, "--seconds", "0") for kind, how in DEMO.items()] if demo else []
    try:
        code = up(settings, simulations=simulations, say=_say_demo if demo else _say)
    except OBSTACLES as error:
        raise option.Refusal(str(error)) from error
    raise click.exceptions.Exit(code)


def _warn(settings: Settings) -> None:
    if settings.mqtt_port is not None and not is_loopback(settings.mqtt_host):
        click.echo(
            f"releve: MQTT without TLS on {settings.mqtt_host}: passwords travel readable. Set RELEVE_MQTT_CERTIFICATE"
            " and RELEVE_MQTT_KEY for a port with TLS.",
            err=True,
        )
    if settings.anonymous_devices and _is_mqtt_public(settings):
        click.echo(
            f"releve: RELEVE_ANONYMOUS_DEVICES={settings.anonymous_devices} lets whoever reaches the MQTT port send as"
            " these devices, without a password; leave it empty unless the network is yours.",
            err=True,
        )
    if is_loopback(settings.host) or settings.only == "maintenance":
        return
    if settings.only == "control":
        click.echo(
            f"releve: listening on {settings.host} for the ingest processes, in plain HTTP: whoever can listen on that"
            " network reads what people send. Let nothing but those machines reach the port.",
            err=True,
        )
        return
    click.echo(
        f"releve: listening on {settings.host}: whoever reaches this machine reaches the pages and the API, in plain"
        " HTTP. Put a proxy with TLS in front and set RELEVE_PUBLIC_URL, or listen on 127.0.0.1.",
        err=True,
    )
    if settings.mqtt_port is not None and is_loopback(settings.mqtt_host):
        click.echo(
            f"releve: plain MQTT stays on {settings.mqtt_host}, as passwords would travel readable."
            f" RELEVE_MQTT_HOST={settings.host} opens it, on a network that is yours; RELEVE_MQTT_CERTIFICATE and"
            " RELEVE_MQTT_KEY open a port with TLS.",
            err=True,
        )
    if settings.anonymous_role != "none":
        click.echo(
            f"releve: RELEVE_ANONYMOUS_ROLE={settings.anonymous_role} lets anybody who reaches this machine be"
            f" {settings.anonymous_role} of the races, without signing in; set it to none unless the network is yours.",
            err=True,
        )


def _is_mqtt_public(settings: Settings) -> bool:
    """Whether other machines reach an MQTT port, over WebSocket on the HTTP port included."""
    plain = settings.mqtt_host if settings.mqtt_port is not None else "localhost"
    with_tls = (settings.mqtt_tls_host or settings.host) if settings.mqtt_certificate else "localhost"
    return not all(is_loopback(host) for host in (plain, with_tls, settings.host))


def _say(started: Started) -> None:
    lines = {
        **_pages(started),
        **({"Also": " ".join(started.urls[1:])} if started.urls[1:] else {}),
        **_from_elsewhere(started),
        **({"MQTT": " ".join(_mqtt(started))} if started.mqtt_urls else {}),
        "Data": started.database,
        **_first_steps(started),
        "Stop": "Ctrl-C; everything acknowledged is already on the disk",
    }
    click.echo(f"\nRelevé {__version__} {_state(started)} after {started.after_s:.1f} s.\n")
    for heading, text in lines.items():
        click.echo(f"  {heading:<8}{text}")
    click.echo()


def _pages(started: Started) -> dict[str, str]:
    settings = started.settings
    if started.urls:
        return {"Pages": settings.public_url or f"{started.urls[0]}/", "API": f"{started.urls[0]}/api/docs/"}
    if settings.only == "control":
        return {"Only": f"control, for ingest with RELEVE_CONTROL_URL=http://{settings.host}:{settings.port}"}
    return {"Only": settings.only}


def _from_elsewhere(started: Started) -> dict[str, str]:
    """What to type on another machine, when every address of this one is listened on."""
    settings = started.settings
    reached = from_elsewhere(settings.host) if settings.host in EVERYWHERE else []
    return {"Network": " ".join(f"http://{host}:{settings.port}/" for host in reached)} if reached else {}


def _mqtt(started: Started) -> list[str]:
    """The addresses of MQTT, those for other machines too."""
    settings = started.settings
    listening = {"mqtt": settings.mqtt_host, "mqtts": settings.mqtt_tls_host or settings.host}
    urls = list(started.mqtt_urls)
    for url in started.mqtt_urls:
        scheme, _, rest = url.partition("://")
        hosts = from_elsewhere(listening[scheme]) if listening[scheme] in EVERYWHERE else []
        urls += [f"{scheme}://{host}:{rest.rpartition(':')[2]}" for host in hosts]
    return urls


def _state(started: Started) -> str:
    if not started.obstacles:
        return "is ready"
    return f"runs, but acknowledges nothing ({'; '.join(started.obstacles)}; see `releve doctor`)"


def _say_demo(started: Started) -> None:
    _say(started)
    click.echo(f"  Demo    open {started.urls[0]}/ and sign in to watch simulated devices arrive: {', '.join(DEMO)}\n")


def _first_steps(started: Started) -> dict[str, str]:
    if started.administrator_code is None or not started.urls:
        return {}
    return {
        "Welcome": f"nobody has an account yet: open {started.urls[0]}/welcome/",
        "Code": f"{started.administrator_code}  (works once, for the first administrator)",
    }
