"""`releve account`: people who sign in."""
# ruff: noqa: D301, PLC0415 - click reads \b; the work needs Django, which is set up by then

from pathlib import Path

import click

from releve.cli import answer, option
from releve.cli.control_plane import opened, opened_or_made

ROLES = ("admin", "editor", "viewer")
COLUMNS = ("email", "teams", "is_active", "is_superuser", "date_joined")


@click.group()
def command() -> None:
    """Add, list and disable people's accounts.

    Works while the server runs and while it does not.
    """


@command.command()
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the person may do in the team.")
@option.team
@click.option("--password-stdin", is_flag=True, help="Read the password as one line; without it one is drawn.")
@click.option("--superuser", is_flag=True, help="Administer the whole installation, as the first admin does anyway.")
@option.data_dir
@option.as_json
def add(
    *,
    email: str,
    role: str,
    team: str | None,
    password_stdin: bool,
    superuser: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Add a person to a team; a password that was drawn is shown once.

    \b
    Examples:
      releve account add anna@example.com --role admin
      echo 'a long passphrase' | releve account add ben@example.com --role viewer --password-stdin
      releve account add cleo@example.com --role editor --team Workshop --json
    """
    settings = option.chosen(data_dir=data_dir)
    password = option.one_line("password") if password_stdin else None
    with opened_or_made(settings):
        from releve.cli.work import account as work

        made = work.add(email=email, role=role, team=team, password=password, wants_superuser=superuser)
        _warn(work.weakness_of(password) if password else None)
    if as_json:
        answer.document(made)
        return
    click.echo(f"{made['email']} is {role} of {made['team']}{_and_of_all(made['is_superuser'])}.")
    _show_drawn(made["password"] if password is None else None)


@command.command("list")
@option.data_dir
@option.as_json
def list_(*, data_dir: Path | None, as_json: bool) -> None:
    """List every account.

    \b
    Example:
      releve account list --json
    """
    settings = option.chosen(data_dir=data_dir)
    with opened(settings):
        from releve.cli.work import account as work

        rows = work.rows()
    if as_json:
        answer.document(rows)
    else:
        first = option.again("account add EMAIL --role admin", settings)
        answer.table(rows, COLUMNS, empty=f"No accounts yet: {first}")


@command.command()
@click.argument("email")
@option.data_dir
@option.as_json
def disable(*, email: str, data_dir: Path | None, as_json: bool) -> None:
    """Refuse a person everywhere within seconds; what it owns stays.

    \b
    Example:
      releve account disable ben@example.com
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import account as work

        row = work.disable(email)
    answer.document(row) if as_json else click.echo(f"{row['email']} is disabled and signed out everywhere.")


@command.command()
@click.argument("email")
@option.data_dir
@option.as_json
def enable(*, email: str, data_dir: Path | None, as_json: bool) -> None:
    """Let a disabled person sign in again.

    \b
    Example:
      releve account enable ben@example.com
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import account as work

        row = work.enable(email)
    answer.document(row) if as_json else click.echo(f"{row['email']} may sign in again.")


@command.command()
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password as one line; without it one is drawn.")
@option.data_dir
@option.as_json
def set_password(*, email: str, password_stdin: bool, data_dir: Path | None, as_json: bool) -> None:
    """Give a person a new password; every earlier sign-in ends.

    \b
    Examples:
      releve account set-password anna@example.com
      echo 'a long passphrase' | releve account set-password anna@example.com --password-stdin
    """
    settings = option.chosen(data_dir=data_dir)
    password = option.one_line("password") if password_stdin else None
    with opened(settings):
        from releve.cli.work import account as work

        changed = work.set_password(email, password)
        _warn(work.weakness_of(password) if password else None)
    if as_json:
        answer.document(changed)
        return
    click.echo(f"{changed['email']} has a new password.")
    _show_drawn(changed["password"] if password is None else None)


@command.command("reset-mfa")
@click.argument("email")
@option.data_dir
@option.as_json
def reset_mfa(*, email: str, data_dir: Path | None, as_json: bool) -> None:
    """Take a lost second factor away: authenticator, passkeys and recovery codes; every sign-in ends.

    Make sure that whoever asks is who they say, and give them a new password too.

    \b
    Example:
      releve account reset-mfa anna@example.com
    """
    with opened(option.chosen(data_dir=data_dir)):
        from releve.cli.work import account as work

        row = work.reset_mfa(email)
    if as_json:
        answer.document(row)
        return
    what = "had no second factor" if not row["removed"] else "signs in with the password alone"
    click.echo(f"{row['email']} {what}; every sign-in has ended.")


def _and_of_all(is_superuser: object) -> str:
    return " and administers the whole installation" if is_superuser else ""


def _show_drawn(password: str | None) -> None:
    if password is not None:
        click.echo(f"Password: {password}\nIt is shown this once; `releve account set-password` draws another.")


def _warn(weakness: str | None) -> None:
    if weakness is not None:
        click.echo(f"releve: the password is weak: {weakness}", err=True)
