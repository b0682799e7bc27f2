"""The `releve` command; each subcommand is a file of its own, loaded when it is asked for."""
# ruff: noqa: D301 - click reads \b

import importlib

import click

from releve import __version__

COMMANDS = {
    "up": ("releve.cli.up", "Run the server."),
    "account": ("releve.cli.account", "Add, list and disable people's accounts."),
    "device": ("releve.cli.device", "Add, list and disable devices."),
    "share": ("releve.cli.share", "Show a run or a live device to people without an account."),
    "asset": ("releve.cli.asset", "List machines and vehicles, and choose their reference runs."),
    "send": ("releve.cli.send", "Send one reading as a device."),
    "import": ("releve.cli.import_", "Read history from CSV, NDJSON or Parquet."),
    "simulate": ("releve.cli.simulate", "Play devices that send plausible readings."),
    "bridge": ("releve.cli.bridge", "Read the topics of brokers that already exist."),
    "db": ("releve.cli.db", "Let people read with SQL; spread readings over machines."),
    "retention": ("releve.cli.retention", "Say how long readings are kept."),
    "archive": ("releve.cli.archive", "List and bring back what was archived before it was deleted."),
    "history": ("releve.cli.history", "Look after readings that are kept as columns."),
    "doctor": ("releve.cli.doctor", "Check an installation and say how to mend it."),
}


class Commands(click.Group):
    """Loads a subcommand at its use, so that `releve up` need not wait for what only others want."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the subcommands in the order of a first day."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load one."""
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = importlib.import_module(module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of subcommands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="releve")
def main() -> None:
    """Relevé, a telemetry backend whose acknowledgement means committed.

    \b
    A first day:
      releve up                                    start the server (data in ./data)
      releve account add you@example.com --role admin
      releve device add raspberry1 --contract gym
      releve send temperature=21.5 --device raspberry1
      releve doctor                                is all well?
    """
