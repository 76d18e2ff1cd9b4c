"""``statserver completion``: what makes a shell complete our command line."""

from __future__ import annotations

import click

from .main import PROGRAM, main
from .shell_words import SHELLS

COMPLETE = f"_{PROGRAM.upper()}_COMPLETE"  # in the environment: click answers instead of running


@click.command("completion")
@click.argument("shell", type=click.Choice(list(SHELLS)))
def command(shell: str) -> None:
    """Print the script that makes SHELL complete our commands, options and values.

    Statistics are completed, too: object types, and then the objects, stat
    types, profiles, ranges and filters of the --config or the server that
    stands before them on the line.

    \b
    Example:
      eval "$(statserver completion bash)"         # in ~/.bashrc
      eval "$(statserver completion zsh)"          # in ~/.zshrc
      statserver completion fish > ~/.config/fish/completions/statserver.fish
    """
    click.echo(SHELLS[shell](main, {}, PROGRAM, COMPLETE).source())
