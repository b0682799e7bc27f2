"""Every command explains itself."""

import click
import pytest
from click.testing import CliRunner

from releve import __version__
from releve.cli import COMMANDS, main


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        found += leaves(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


@pytest.mark.parametrize("path", leaves(main), ids=" ".join)
def test_every_command_shows_an_example_of_itself(path):
    done = CliRunner().invoke(main, [*path, "--help"])

    assert done.exit_code == 0
    assert "Example" in done.output
    assert f"releve {' '.join(path)}" in done.output


def test_every_command_takes_a_data_directory():
    for path in leaves(main):
        assert "--data-dir" in CliRunner().invoke(main, [*path, "--help"]).output


def test_the_command_alone_lists_what_there_is():
    done = CliRunner().invoke(main, ["--help"])

    assert [name for name in COMMANDS if name not in done.output] == []


def test_an_unknown_command_is_refused():
    done = CliRunner().invoke(main, ["serve"])

    assert done.exit_code == 2
    assert "No such command" in done.output


def test_it_says_its_version():
    assert __version__ in CliRunner().invoke(main, ["--version"]).output
