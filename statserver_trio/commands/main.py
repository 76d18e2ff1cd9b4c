"""``statserver``: one command line for everything.

Sub-commands live in modules of their own and are imported when they are named,
so that ``--help``, completion and ``check`` start at once.
"""

from __future__ import annotations

import platform
from importlib import import_module
from importlib.metadata import version
from typing import Any

import click
from click.shell_completion import CompletionItem

from .. import __version__
from . import shell_words as shell_words  # so that click knows of it
from .output import error_object, written

COMMANDS = {
    "run": "Run one Stat Server.",
    "check": "Say what is wrong with configuration files.",
    "demo": "Show it all: a simulated contact centre with live statistics.",
    "tserver": "Simulate a T-Server, or write a recording of one.",
    "replay": "Compute statistics from recorded events.",
    "watch": "Show live values from a running server, or a pair.",
    "top": "Show queues, agents and the pair, full screen.",
    "explain": "Say where a value comes from.",
    "completion": "Print what makes a shell complete our command line.",
}
PROGRAM = "statserver"
_AS_JSON = "statserver.json"  # in the context's meta: errors are told to a program


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used, and whose errors may be JSON."""

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

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, or options of our own; without importing anything."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=purpose)
            for name, purpose in COMMANDS.items()
            if name.startswith(incomplete)
        ]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note whether ``--json`` is among them: an error may come before it has been read."""
        ctx.meta[_AS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; with ``--json`` what goes wrong is told as :mod:`.output` says."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            if not ctx.meta[_AS_JSON]:
                raise
            click.echo(written(error_object(error)), err=True)
            ctx.exit(error.exit_code)


def _show_version(context: click.Context, param: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    if context.params["as_json"]:
        needs = {name: version(name) for name in ("trio", "trio-websocket", "msgspec")}
        python = platform.python_version()
        click.echo(written({"name": PROGRAM, "version": __version__, "python": python, **needs}))
    else:
        click.echo(f"{PROGRAM}, version {__version__}")
    context.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, is_eager=True, help="With --version: as JSON.")
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and end.",
)
def main(as_json: bool) -> None:
    """An open Stat Server: T-Server events in, contact-centre statistics out.

    Whatever a command prints it prints as JSON with --json; errors and notes
    are then JSON lines on standard error, {"error": {"code", "message",
    "exitCode"}}.

    Exit codes: 0 ok, 1 runtime error, 2 usage, 75 port busy, 78 bad configuration.
    """
    if as_json:
        raise click.UsageError("--json stands behind the command, or beside --version.")
