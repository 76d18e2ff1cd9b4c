"""Metrics: which statistics are exported, and whether they can be.

    [metrics]
    statistics = ["Queue:*:CurrNumberWaitingCalls", "GroupAgents:Sales:CurrentReadyAgents"]

Each is looked up as the engine will look it up, in an engine with nothing in it; so a name that
is not there, or a profile that does not fit, is a mistake of the configuration and not a line
in the log of a server that runs. What an extension defines nobody knows before it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import evolve

from ..api.open_spec import parse_open
from ..stats.definitions import StatType
from ..stats.describing import Describer
from ..stats.engine import Engine
from ..stats.extended.registry import Extended
from ..stats.requests import ExtensionMissing, StatisticError, StatisticRequest
from .extensions import switched_on
from .mistakes import Problem
from .schema import Config
from .site import Site, make_site

EVERY = "*"  # as an object id
PLACE = ("metrics", "statistics")


def exported(config: Config) -> list[StatisticRequest]:
    """What is to be exported, of a configuration without mistakes; each once."""
    found = dict.fromkeys(map(parse_open, config.metrics.statistics))
    return [evolve(each, tenant=config.objects.tenant) for each in found]


def no_number(kind: str, stat_type: StatType) -> str:
    """Why a value cannot be a metric; empty if it can.

    Args:
        kind: Of its category.
    """
    if kind == "state":
        return "its value is a state and no number"
    if stat_type.group_by is not None:
        return "it has a value for each key (GroupBy), and not one number"
    return ""


def metrics_problems(config: Config, broken: Iterable[str], is_whole: bool) -> Iterator[Problem]:
    """What is wrong with ``[metrics] statistics``.

    Args:
        is_whole: The rest has no mistakes; else only the spelling is looked at, since what is
            missing may be what could not be read.
    """
    if "metrics" in broken:
        return
    understood = []
    for text in config.metrics.statistics:
        try:
            request = parse_open(text)
        except ValueError as exc:
            yield Problem(PLACE, str(exc))
        else:
            understood.append((text, evolve(request, tenant=config.objects.tenant)))
    if is_whole and understood:
        trial = _Trial(config, make_site(config))
        for text, request in understood:
            if why := trial.refuses(request):
                yield Problem(PLACE, f"{text!r}: {why}")


class _Trial:
    """A server in which nothing happens, and in which it can be tried what can be opened."""

    def __init__(self, config: Config, site: Site) -> None:
        self._has_extensions = bool(switched_on(config))
        self._site = site
        self._describer = Describer()
        self._engine = Engine(site.definitions, site.directory, site.world_options, site.resolution)
        for each in config.tserver:
            self._engine.add_source(each.name, each.switch)

    def refuses(self, request: StatisticRequest) -> str:
        """Why it cannot be exported; empty if it can, or if only an extension would know."""
        site = self._site
        try:
            statistic = self._describer.describe(
                request, site.definitions, Extended(), site.world_options
            )
            if request.object_id != EVERY:
                self._engine.open(request, 0)
        except ExtensionMissing:
            return ""
        except StatisticError as exc:
            if exc.code == "unknown-stat-type" and self._has_extensions:
                return ""
            return exc.message
        return no_number(statistic.category.kind, statistic.stat_type)
