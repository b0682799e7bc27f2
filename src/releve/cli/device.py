"""`releve device`: what sends readings."""
# ruff: noqa: D301, PLC0415 - click reads \b; the work needs Django, which is set up by then

from pathlib import Path

import click

from releve.cli import answer, option
from releve.cli.control_plane import opened, opened_or_made, opened_with_keys
from releve.protocol.contract import CONTRACTS, GENERIC

CERTIFICATE_COLUMNS = ("fingerprint", "device", "state", "subject", "address", "since")
COLUMNS = ("name", "contract", "timezone", "team", "is_enabled", "last_seen")


@click.group()
def command() -> None:
    """Add, list and disable devices.

    Works while the server runs and while it does not.
    """


@command.command()
@click.argument("name")
@click.option(
    "--contract", type=click.Choice(list(CONTRACTS)), default=GENERIC.name, help="The wire format that it speaks."
)
@click.option("--timezone", metavar="ZONE", help="Zone of its timestamps that name none, such as Europe/Paris.")
@option.team
@click.option("--secret-stdin", is_flag=True, help="Read the secret as one line; without it one is drawn.")
@option.data_dir
@option.as_json
def add(
    *,
    name: str,
    contract: str,
    timezone: str | None,
    team: str | None,
    secret_stdin: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Add a device; it signs in by its name and its secret, which is shown once.

    The name has letters, digits and @ . _ - : only, and is unique on the installation.

    \b
    Examples:
      releve device add raspberry1 --contract gym
      releve device add pi@workshop --contract profilometre --timezone Europe/Paris
      echo 'the secret that is in the device' | releve device add car1 --contract racing --secret-stdin
    """
    settings = option.chosen(data_dir=data_dir)
    secret = option.one_line("secret") if secret_stdin else None
    with opened_or_made(settings):
        from releve.cli.work import device as work

        made = work.add(name=name, contract=contract, timezone=timezone, team=team, secret=secret)
    if as_json:
        answer.document(made)
        return
    click.echo(f"{made['name']} ({made['contract']}, {made['timezone']}) belongs to {made['team']}.")
    _show_drawn(made["secret"] if secret is None else None)


@command.command("list")
@option.data_dir
@option.as_json
def list_(*, data_dir: Path | None, as_json: bool) -> None:
    """List every device, with when it was last heard.

    \b
    Example:
      releve device list --json
    """
    settings = option.chosen(data_dir=data_dir)
    with opened(settings):
        from releve.cli.work import device as work

        rows = work.rows()
    if as_json:
        answer.document(rows)
    else:
        answer.table(rows, COLUMNS, empty=f"No devices yet: {option.again('device add NAME --contract gym', settings)}")


@command.command()
@click.argument("name")
@option.data_dir
@option.as_json
def disable(*, name: str, data_dir: Path | None, as_json: bool) -> None:
    """Refuse a device everywhere within seconds; its readings stay.

    \b
    Example:
      releve device disable raspberry1
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import device as work

        row = work.disable(name)
    answer.document(row) if as_json else click.echo(f"{name} is disabled; its tokens are refused within seconds.")


@command.command()
@click.argument("name")
@option.data_dir
@option.as_json
def enable(*, name: str, data_dir: Path | None, as_json: bool) -> None:
    """Let a disabled device log in again.

    \b
    Example:
      releve device enable raspberry1
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import device as work

        row = work.enable(name)
    answer.document(row) if as_json else click.echo(f"{name} may log in again; its earlier tokens stay refused.")


@command.command()
@click.argument("name")
@click.option("--secret-stdin", is_flag=True, help="Read the secret as one line; without it one is drawn.")
@option.data_dir
@option.as_json
def new_secret(*, name: str, secret_stdin: bool, data_dir: Path | None, as_json: bool) -> None:
    """Replace a device's secret; every earlier token is refused within seconds.

    \b
    Examples:
      releve device new-secret raspberry1
      echo 'the secret that is in the device' | releve device new-secret raspberry1 --secret-stdin
    """
    settings = option.chosen(data_dir=data_dir)
    secret = option.one_line("secret") if secret_stdin else None
    with opened_with_keys(settings):
        from releve.cli.work import device as work

        changed = work.new_secret(name, secret)
    if as_json:
        answer.document(changed)
        return
    click.echo(f"{name} has a new secret.")
    _show_drawn(changed["secret"] if secret is None else None)


@command.command()
@option.data_dir
@option.as_json
def certificates(*, data_dir: Path | None, as_json: bool) -> None:
    """List client certificates: those that sign in, and those that wait for an editor or for their holder.

    One without a device was shown by a client that gave no claim code; the device's page tells it.

    \b
    Example:
      releve device certificates
    """
    settings = option.chosen(data_dir=data_dir)
    with opened(settings):
        from releve.cli.work import device as work

        rows = work.certificates()
    if as_json:
        answer.document(rows)
    else:
        answer.table(rows, CERTIFICATE_COLUMNS, empty="No client certificates are known.")


def _show_drawn(secret: str | None) -> None:
    if secret is not None:
        click.echo(f"Secret: {secret}\nIt is shown this once; `releve device new-secret` draws another.")
