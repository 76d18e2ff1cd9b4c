"""What commands take on the command line, and how a shell completes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from ..api.open_spec import OPTIONS, parse_open
from ..stats.definitions.object_types import OBJECT_TYPES
from ..stats.requests import StatisticRequest

if TYPE_CHECKING:
    from ..config.site import Site


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
        beginnings = ["ws://", "wss://", *(_opens(incomplete, None) if self._before_open else ())]
        return [CompletionItem(each) for each in beginnings if each.startswith(incomplete)]


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
        """Object types; with ``--config`` also the objects, stat types and options it knows."""
        config = ctx.params.get("config_path")
        site = _site(config) if config is not None else None
        words = [word for word in _opens(incomplete, site) if word.startswith(incomplete)]
        return [CompletionItem(word) for word in words]


def _site(path: Path) -> Site | None:
    """What a configuration defines; None where it is wrong: no place to complain."""
    from ..config.load import load
    from ..config.mistakes import ConfigError
    from ..config.site import make_site

    try:
        return make_site(load(path))
    except ConfigError:
        return None


def _opens(text: str, site: Site | None) -> list[str]:
    """What may follow, up to the end of the part that is being typed."""
    object_type, colon, rest = text.partition(":")
    if not colon:
        return [f"{name}:" for name in OBJECT_TYPES]
    if site is None:
        return []
    object_id, colon, tail = rest.rpartition(":")
    if not colon:
        return [f"{object_type}:{name}:" for name in _ids(site, object_type)]
    definitions = site.definitions
    before, comma, last = tail.rpartition(",")
    if not comma:
        return [
            f"{object_type}:{object_id}:{name}"
            for name, stat_type in definitions.stat_types.items()
            if object_type in stat_type.objects
        ]
    known = {
        "profile": definitions.time_profiles,
        "range": definitions.time_ranges,
        "range2": definitions.time_ranges,
        "filter": definitions.filters,
    }
    head = f"{object_type}:{object_id}:{before},"
    option, equals, _ = last.partition("=")
    if not equals:
        return [f"{head}{name}=" for name in OPTIONS]
    return [f"{head}{option}={name}" for name in known.get(option, ())]


def _ids(site: Site, object_type: str) -> list[str]:
    """The objects of a type that are configured."""
    directory = site.directory
    named: dict[str, list[str]] = {
        "Agent": list(directory.agents),
        "Place": list(directory.places),
        "GroupAgents": [*directory.agent_groups, *directory.virtual_agent_groups],
        "GroupPlaces": list(directory.place_groups),
        "GroupQueues": list(directory.queue_groups),
    }
    if object_type in named:
        return named[object_type]
    from ..api.profiles import object_type_of

    return [str(key) for key, dn in directory.dns.items() if object_type_of(dn.type) == object_type]
