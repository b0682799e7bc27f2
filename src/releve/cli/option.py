"""The options that several commands have, and the settings that come out of them."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from releve.settings import BadSetting, Settings, UnknownSetting

Command = TypeVar("Command", bound=Callable[..., Any])


class Refusal(click.ClickException):
    """A command could not do what was asked; the message says what to do, and the exit status is 1."""

    def show(self, file: Any = None) -> None:
        """Write the message to standard error."""
        click.echo(f"releve: {self.message}", file=file or sys.stderr)


def data_dir(command: Command) -> Command:
    """Add `--data-dir`."""
    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Data directory; by default RELEVE_DATA_DIR, or else ./data.",
    )(command)


def as_json(command: Command) -> Command:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def team(command: Command) -> Command:
    """Add `--team`."""
    return click.option(
        "--team", metavar="NAME", help="The owning team, made when there is none of that name; by default `Home`."
    )(command)


def chosen(**flags: Any) -> Settings:
    """The settings of the environment and the flags above them.

    Raises:
        Refusal: A setting is unknown or has a bad value.
    """
    try:
        settings = Settings.from_environment(**flags)
    except (UnknownSetting, BadSetting) as error:
        raise Refusal(str(error)) from error
    return Settings.from_environment(**{**flags, "data_dir": settings.data_dir.expanduser().resolve()})


def again(words: str, settings: Settings) -> str:
    """A further command for the same installation, as it is typed in the same folder."""
    is_usual = settings.data_dir == Path("data").absolute()
    return f"releve {words}" if is_usual else f"releve {words} --data-dir {shlex.quote(str(settings.data_dir))}"


def one_line(what: str) -> str:
    """Read one line from standard input.

    Raises:
        Refusal: It is empty.
    """
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise Refusal(f"standard input holds no {what}; give it as one line")
    return line
