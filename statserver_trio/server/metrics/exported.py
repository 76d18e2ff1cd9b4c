"""Exported statistics: those that ``[metrics]`` names, open as a client would have them open.

They are the engine's own: shared with clients who have opened the same, replicated in a pair,
kept in the backup file, closed by a reload that deletes their definition and opened by one that
defines it. Nobody is told their values; they are read when somebody scrapes, so a queue where
nothing happens has a series all the same, with 0, and an alert on it does not fall silent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import inf, nan

import trio
from attrs import evolve, frozen

from ...api import profiles
from ...api.open_spec import format_open
from ...config.metrics import EVERY, exported, no_number
from ...config.schema import Config
from ...stats.requests import StatisticError, StatisticRequest
from ...stats.statistic import Statistic
from ...stats.telling.notifications import Subscription
from ..hub import Hub
from .exposition import ExportedValue

log = logging.getLogger(__name__)

REFRESH_SECONDS = 15.0  # between two looks at which objects there are
OPENED_AT_A_TIME = 20  # a few milliseconds; then other tasks get their turn
READ_AT_A_TIME = 100  # likewise
NAMED_MAX = 10  # refusals that are logged one by one


# By what is asked for, with * as its object, the ids of the objects.
Wanted = dict[StatisticRequest, dict[str, None]]


class _Owner:
    """Of the subscriptions. Its session is none of a client's: so the hub tells it nothing."""

    session = None


@frozen(eq=False)
class _Held:
    """One that is open."""

    labels: dict[str, str]
    subscription: Subscription


class Exported:
    """All of them.

    Args:
        config: What is in effect at the moment.

    Attributes:
        omitted: How many there are beyond the limit.
        refused: Why some cannot be opened, by what was asked for and of whom.
    """

    def __init__(self, hub: Hub, config: Callable[[], Config]) -> None:
        self.omitted = 0
        self.refused: dict[tuple[StatisticRequest, str], str] = {}
        self._hub = hub
        self._config = config
        self._held: dict[StatisticRequest, dict[str, _Held]] = {}  # as in Wanted
        self._again = trio.Event()

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    def look_again(self) -> None:
        """Another configuration is in force, or something was closed."""
        self._again.set()

    async def run(self) -> None:
        """Keep open what is to be exported, until cancelled."""
        while True:
            self._again = trio.Event()
            await self._refresh()
            with trio.move_on_after(REFRESH_SECONDS if self._is_open_ended() else inf):
                await self._again.wait()

    def _is_open_ended(self) -> bool:
        """Whether there may be more, or others, without a reload."""
        is_every = any(each.object_id == EVERY for each in exported(self._config()))
        return is_every or bool(self.refused)

    # -- what is to be open --------------------------------------------------------------------

    async def _refresh(self) -> None:
        wanted = self._wanted()
        for request, held in list(self._held.items()):
            ids = wanted.get(request, {})
            for object_id in [each for each in held if each not in ids]:
                self._release(held.pop(object_id))
            if not ids:
                del self._held[request]
        refused: dict[tuple[StatisticRequest, str], str] = {}
        opened = 0
        for request, ids in wanted.items():
            held = self._held.setdefault(request, {})
            for object_id in ids:
                if object_id in held and _is_open(held[object_id]):
                    continue
                try:
                    held[object_id] = self._open(evolve(request, object_id=object_id))
                except StatisticError as error:
                    held.pop(object_id, None)
                    refused[request, object_id] = error.message
                opened += 1
                if not opened % OPENED_AT_A_TIME:
                    await trio.lowlevel.checkpoint()
        self._say(refused)
        self.refused = refused

    def _wanted(self) -> Wanted:
        """What is to be exported, of every object that exists, up to the limit."""
        config = self._config()
        requests = exported(config)
        by_type: dict[str, list[str]] = {}
        if any(request.object_id == EVERY for request in requests):
            for item in profiles.items(self._hub.engine, "Objects", self._hub.clock.now_ms())[1]:
                by_type.setdefault(item["objectType"], []).append(item["objectId"])
        wanted: Wanted = {}
        room, omitted = config.metrics.series_max, 0
        for request in requests:
            ids = wanted.setdefault(evolve(request, object_id=EVERY), {})
            is_every = request.object_id == EVERY
            names = by_type.get(request.object_type, []) if is_every else [request.object_id]
            new = [name for name in names if name not in ids]
            ids.update(dict.fromkeys(new[:room]))
            omitted += max(0, len(new) - room)
            room -= min(room, len(new))
        if omitted and not self.omitted:
            log.warning("[metrics] series-max: %d statistics are not exported", omitted)
        self.omitted = omitted
        return wanted

    def _open(self, request: StatisticRequest) -> _Held:
        owner = _Owner()
        subscription = self._hub.hold(request, owner)
        statistic = subscription.statistic
        if why := no_number(statistic.category.kind, statistic.stat_type):
            self._hub.release(subscription)
            raise StatisticError("incompatible", why)
        return _Held(_labels(statistic), subscription)

    def _release(self, held: _Held) -> None:
        self._hub.release(held.subscription)

    def _say(self, refused: dict[tuple[StatisticRequest, str], str]) -> None:
        """Log what cannot be opened, once."""
        news = [each for each in refused if self.refused.get(each) != refused[each]]
        for request, object_id in news[:NAMED_MAX]:
            where = format_open(evolve(request, object_id=object_id))
            log.warning("[metrics] %s is not exported: %s", where, refused[request, object_id])
        if len(news) > NAMED_MAX:
            log.warning("[metrics] and %d more are not exported", len(news) - NAMED_MAX)

    # -- what they are worth -------------------------------------------------------------------

    async def read(self) -> list[ExportedValue]:
        """The value of each, now; other tasks get their turn in between."""
        found: dict[Statistic, ExportedValue] = {}  # some may be named in several ways
        everything = [each for held in self._held.values() for each in held.values()]
        for number, held in enumerate(everything, 1):
            if not number % READ_AT_A_TIME:
                await trio.lowlevel.checkpoint()
            if _is_open(held):
                found[held.subscription.statistic] = self._value(held)
            else:
                self.look_again()
        return list(found.values())

    def _value(self, held: _Held) -> ExportedValue:
        engine, statistic = self._hub.engine, held.subscription.statistic
        value = engine.value(statistic, self._hub.clock.now_ms())
        number = float(value.value) if isinstance(value.value, int | float) else nan
        return ExportedValue(held.labels, number, value.complete, engine.is_valid(statistic))


def _is_open(held: _Held) -> bool:
    """Whether nobody has closed it, as a reload does or the other member of the pair."""
    return held.subscription in held.subscription.statistic.subscriptions


def _labels(statistic: Statistic) -> dict[str, str]:
    """Those that tell it apart from others; what it does not have is no label."""
    ranges = [each.name for each in (statistic.time_range, statistic.time_range2) if each]
    labels = {
        "statistic": statistic.stat_type.name,
        "object_type": statistic.object_type,
        "object": statistic.object_id,
        "profile": statistic.profile.name if statistic.profile else "",
        "range": ",".join(ranges),
        "filter": statistic.filter.name if statistic.filter else "",
    }
    return {name: text for name, text in labels.items() if text}
