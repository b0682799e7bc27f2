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
    """Add, list, change, disable and delete devices.

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
@click.argument("name")
@click.option("--name", "new_name", metavar="NEW", help="What it is called from now on.")
@click.option("--contract", type=click.Choice(list(CONTRACTS)), help="The wire format that it speaks.")
@click.option("--timezone", metavar="ZONE", help="Zone of its timestamps that name none, such as Europe/Paris.")
@click.option("--team", metavar="NAME", help="The team that has it from now on; there must be one of that name.")
@click.option("--asset", metavar="NUMBER", type=int, help="What it is mounted on, by its number; 0 for nothing.")
@option.data_dir
@option.as_json
def change(
    *,
    name: str,
    new_name: str | None,
    contract: str | None,
    timezone: str | None,
    team: str | None,
    asset: int | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Rename a device, move it to a team or an asset, change its contract or its time zone.

    `releve device undo` takes it back, apart from a move to another team.

    \b
    Examples:
      releve device change raspberry1 --name leg-press
      releve device change car1 --contract racing --timezone Europe/Paris
    """
    wanted = {"name": new_name, "contract": contract, "timezone": timezone}
    said = {field: value for field, value in wanted.items() if value is not None}
    if not said and team is None and asset is None:
        raise option.Refusal("say what to change: --name, --contract, --timezone, --team or --asset")
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import device as work

        row = work.change(name, team=team, asset=asset, said=said)
    answer.document(row) if as_json else click.echo(
        f"{row['name']} ({row['contract']}, {row['timezone']}) belongs to {row['team']}."
    )


@command.command()
@click.argument("name")
@option.data_dir
@option.as_json
def undo(*, name: str, data_dir: Path | None, as_json: bool) -> None:
    """Take back the last change of a device that still stands: its name, contract, zone, asset or channels.

    \b
    Example:
      releve device undo leg-press
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import device as work

        row = work.undo(name)
    answer.document(row) if as_json else click.echo(f"Undone; the device is {row['name']}.")


@command.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@option.data_dir
@option.as_json
def delete(*, name: str, yes: bool, data_dir: Path | None, as_json: bool) -> None:
    """Delete a device with its readings, its runs and its quarantine, once its name was typed again.

    It is refused within seconds, and its name is free. For a day `releve device restore` brings it back.

    \b
    Examples:
      releve device delete raspberry1
      releve device delete raspberry1 --yes
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import device as work

        lost = work.lost_with(name)
        if not yes:
            said = f"{lost['readings']} readings, {lost['runs']} runs and {lost['quarantined']} quarantined messages"
            if click.prompt(f"{said} go with it. Type its name", err=True) != name:
                raise option.Refusal("that is not its name; nothing was deleted")
        row = work.delete(name)
    answer.document({**row, **lost}) if as_json else click.echo(
        f"{name} is deleted; for a day `releve device restore {name}` brings it back."
    )


@command.command()
@click.argument("name")
@option.data_dir
@option.as_json
def restore(*, name: str, data_dir: Path | None, as_json: bool) -> None:
    """Bring back a device that was deleted less than a day ago, with all that it sent; its sign-ins stay ended.

    \b
    Example:
      releve device restore raspberry1
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import device as work

        row = work.restore(name)
    answer.document(row) if as_json else click.echo(f"{name} is back; it signs in anew with its secret.")


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
