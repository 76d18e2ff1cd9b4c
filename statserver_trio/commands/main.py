"""``statserver``: one command line for everything.

Sub-commands live in modules of their own and are imported when they are named,
so that ``--help`` and ``check`` start at once.
"""

from __future__ import annotations

from importlib import import_module

import click

from .. import __version__

COMMANDS = {
    "run": "Run one Stat Server.",
    "check": "Say what is wrong with configuration files.",
    "demo": "Show it all: a simulated contact centre with live statistics.",
    "tserver": "Simulate a T-Server, or write a recording of one.",
    "replay": "Compute statistics from recorded events.",
    "watch": "Show live values from a running server.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The module of that name exports its command as ``command``."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f".{cmd_name}", __package__).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and purposes, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="statserver")
def main() -> None:
    """An open Stat Server: T-Server events in, contact-centre statistics out.

    Exit codes: 0 ok, 1 runtime error, 2 usage, 75 port busy, 78 bad configuration.
    """
