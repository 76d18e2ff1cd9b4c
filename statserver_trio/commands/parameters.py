"""What commands take on the command line, and how a shell completes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ..api.open_spec import OPTIONS, parse_open
from ..stats.definitions.object_types import OBJECT_TYPES
from ..stats.requests import StatisticRequest
from .known import NOTHING, Known, configured, served

if TYPE_CHECKING:
    import ssl

F = TypeVar("F", bound=Callable[..., Any])


class UrlType(click.ParamType[str]):
    """Where a server is, ``ws://host:port/`` or ``host:port``.

    Args:
        before_open: A statistic follows the last one, and a shell cannot tell which is meant.
    """

    name = "URL"

    def __init__(self, before_open: bool = False) -> None:
        self._before_open = before_open

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The address as it is; a usage error where it is none."""
        from ..client import parse_url  # not while a shell waits for a completion

        try:
            parse_url(str(value))
        except ValueError as exc:
            self.fail(str(exc), param, ctx)
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The beginning of one."""
        beginnings = [
            "ws://",
            "wss://",
            *(_opens(incomplete, NOTHING) if self._before_open else ()),
        ]
        return [CompletionItem(each) for each in beginnings if each.startswith(incomplete)]


class AuthoritiesType(click.ParamType["ssl.SSLContext"]):
    """A file of certificates (PEM): whom they have signed is trusted, and nobody else."""

    name = "FILE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> ssl.SSLContext:
        """What a connection is made with; a usage error where the file cannot be used."""
        import ssl  # not while a shell waits for a completion

        if isinstance(value, ssl.SSLContext):
            return value
        try:
            return ssl.create_default_context(cafile=str(value))
        except ssl.SSLError:
            self.fail(f"{str(value)!r} holds no certificates; they must be PEM", param, ctx)
        except OSError as exc:
            self.fail(f"cannot read {str(value)!r}: {exc.strerror}", param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """A file."""
        return [CompletionItem(incomplete, type="file")]


def ca_option(command: F) -> F:
    """``--ca``, of whatever connects to servers."""
    return click.option(
        "--ca",
        "authorities",
        metavar="FILE",
        type=AuthoritiesType(),
        envvar="STATSERVER_CA",
        show_envvar=True,
        help="Certificates (PEM) of the authority that has signed those of the servers, for "
        "wss://.  By default the system's authorities are trusted.",
    )(command)


class ManagementType(click.ParamType[str]):
    """Where operators look at a server, ``http://host:port/`` or ``host:port``."""

    name = "URL"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The address as it is; a usage error where it is none."""
        from .status import parse_management  # not while a shell waits for a completion

        try:
            parse_management(str(value))
        except ValueError as exc:
            self.fail(str(exc), param, ctx)
        return str(value)


class OpenType(click.ParamType[StatisticRequest]):
    """A statistic, as :data:`~.open_spec.SYNTAX` says."""

    name = "OPEN"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> StatisticRequest:
        """What is asked for; a usage error where it is wrong."""
        if isinstance(value, StatisticRequest):
            return value
        try:
            return parse_open(str(value))
        except ValueError as exc:
            self.fail(str(exc), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Object types; then what the ``--config`` or the server knows that stands on the line."""
        words = _opens(incomplete, _known(ctx, incomplete))
        return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def _known(ctx: click.Context, incomplete: str) -> Known:
    """What can be known of the names in a statistic, if it is needed for this part of it."""
    config = ctx.params.get("config_path")
    if ":" not in incomplete or "://" in incomplete:
        return NOTHING
    if config is not None:
        return configured(config)
    # Click gives up on an option without its value before it looks at arguments.
    urls = [each for each in (*(ctx.params.get("urls") or ()), *ctx.args) if "://" in each]
    return served(urls, ctx.params.get("authorities")) if urls else NOTHING


def _opens(text: str, known: Known) -> list[str]:
    """What may follow, up to the end of the part that is being typed."""
    object_type, colon, rest = text.partition(":")
    if not colon:
        return [f"{name}:" for name in OBJECT_TYPES]
    object_id, colon, tail = rest.rpartition(":")
    if not colon:
        return [f"{object_type}:{name}:" for name in known.objects.get(object_type, ())]
    before, comma, last = tail.rpartition(",")
    if not comma:
        return [
            f"{object_type}:{object_id}:{name}"
            for name, object_types in known.stat_types.items()
            if object_type in object_types
        ]
    head = f"{object_type}:{object_id}:{before},"
    option, equals, _ = last.partition("=")
    if not equals:
        return [f"{head}{name}=" for name in OPTIONS]
    return [f"{head}{option}={name}" for name in known.options.get(option, ())]
