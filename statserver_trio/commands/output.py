"""What every command says in the same way: to a person, or with ``--json`` to a program.

With ``--json`` standard output holds JSON and nothing else: one object a line where there may be
many. What goes wrong, and whatever else is worth knowing, is JSON on standard error, one object a
line::

    {"error": {"code": "unknown-stat-type", "message": "...", "exitCode": 1}}
    {"warning": {"file": "site.toml", "section": "server", "key": "name", "what": "..."}}

The code is one of the client protocol's (protocols.md §2), or one of :data:`CODES`. Exit codes are
the same in both modes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

EX_RUNTIME = 1
EX_USAGE = 2
EX_PORT_BUSY = 75
EX_CONFIG = 78
CODES = {
    EX_RUNTIME: "runtime",
    EX_USAGE: "usage",
    EX_PORT_BUSY: "port-busy",
    EX_CONFIG: "configuration",
}

F = TypeVar("F", bound=Callable[..., Any])


def json_option(what: str) -> Callable[[F], F]:
    """``--json``, in the words all commands share; ``what`` is what standard output then holds."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        help=f"{what}; errors and notes are JSON lines on standard error.",
    )


def wants_json() -> bool:
    """Whether the command that is running was given ``--json``."""
    context = click.get_current_context(silent=True)
    return bool(context and context.params.get("as_json"))


def say(sentence: str, **fields: Any) -> None:
    """On standard error: a sentence for a person, or ``fields`` for a program."""
    click.echo(written(fields) if wants_json() else sentence, err=True)


def announce(sentence: str, **fields: Any) -> None:
    """What a command does, while it goes on: on standard error, or with ``--json`` on output."""
    if wants_json():
        click.echo(written(fields))
    else:
        click.echo(sentence, err=True)


def written(fields: dict[str, Any]) -> str:
    """An object in one line."""
    return json.dumps(fields, ensure_ascii=False)


class Failure(click.ClickException):
    """A command cannot do what it was asked to.

    Args:
        message: For a person, a sentence.
        code: For a program; by default what the exit code stands for.
    """

    exit_code = EX_RUNTIME

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code or CODES[self.exit_code]


def failure_of(group: BaseExceptionGroup[Exception]) -> Failure:
    """How a command ends because of what a server said, or that none can be reached."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    said, code = str(error), getattr(error, "code", "")
    return Failure(f"{said} ({code})" if code else f"{said[:1].upper()}{said[1:]}.", code)


class PortBusy(Failure):
    """Where a server should listen another program does."""

    exit_code = EX_PORT_BUSY


def error_object(error: click.ClickException) -> dict[str, Any]:
    """What a program is told of an error; of what click itself found as well."""
    code = error.code if isinstance(error, Failure) else CODES.get(error.exit_code, "runtime")
    told = {"code": code, "message": error.format_message(), "exitCode": error.exit_code}
    mistakes = getattr(error, "mistakes", None)
    return {"error": told if mistakes is None else {**told, "mistakes": mistakes}}
