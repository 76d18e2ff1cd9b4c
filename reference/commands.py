"""The page of the commands: what each says with ``--help``."""

from __future__ import annotations

import os

import click

from statserver_trio.commands.main import main

from .markdown import head

TITLE = "Commands"
SOURCE = "statserver_trio/commands/"
WIDTH = 92  # characters; fixed, so that the page is the same in every terminal


def page() -> str:
    """Every command, as it says itself."""
    os.environ["COLUMNS"] = str(WIDTH)  # rich would otherwise ask the terminal
    context = click.Context(
        main, info_name="statserver", terminal_width=WIDTH, **main.context_settings
    )
    parts = [
        head(TITLE, SOURCE, "What `statserver COMMAND --help` says."),
        _block(main, context),
    ]
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        below = click.Context(command, info_name=name, parent=context)
        parts += [f"## statserver {name}", _block(command, below)]
    return "\n\n".join(parts) + "\n"


def _block(command: click.Command, context: click.Context) -> str:
    return f"```text\n{command.get_help(context).rstrip()}\n```"
