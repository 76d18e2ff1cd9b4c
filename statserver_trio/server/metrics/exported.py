"""Exported statistics: those that ``[metrics]`` names, open as a client would have them open.

They are the engine's own: shared with clients who have opened the same, replicated in a pair,
kept in the backup file, closed by a reload that deletes their definition and opened by one that
defines it. Nobody is told their values; they are read when somebody scrapes, so a queue where
nothing happens has a series all the same, with 0, and an alert on it does not fall silent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from math import inf, nan
from numbers import Real

import trio
from attrs import define, evolve

from ...api import profiles
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


@define(eq=False)
class _Held:
    """One that is open.

    Attributes:
        session: None: the hub tells this owner nothing.
    """

    labels: dict[str, str]
    session: None = None
    subscription: Subscription | None = None


class Exported:
    """All of them.

    Args:
        config: What is in effect at the moment.

    Attributes:
        omitted: How many there are beyond the limit.
        refused: Why some cannot be opened, by what was asked for.
    """

    def __init__(self, hub: Hub, config: Callable[[], Config]) -> None:
        self.omitted = 0
        self.refused: dict[StatisticRequest, str] = {}
        self._hub = hub
        self._config = config
        self._held: dict[StatisticRequest, _Held] = {}
        self._again = trio.Event()

    def __len__(self) -> int:
        return len(self._held)

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
        for request in [each for each in self._held if each not in wanted]:
            subscription = self._held.pop(request).subscription
            assert subscription is not None
            self._hub.release(subscription)
        refused: dict[StatisticRequest, str] = {}
        opened = 0
        for request in wanted:
            held = self._held.get(request)
            if held is not None and self._is_open(held):
                continue
            try:
                self._held[request] = self._open(request)
            except StatisticError as error:
                self._held.pop(request, None)
                refused[request] = error.message
            opened += 1
            if not opened % OPENED_AT_A_TIME:
                await trio.lowlevel.checkpoint()
        self._say(refused)
        self.refused = refused

    def _wanted(self) -> dict[StatisticRequest, None]:
        """What is to be exported, of every object that exists, up to the limit."""
        config = self._config()
        found = dict.fromkeys(self._each_object(exported(config)))
        most = config.metrics.series_max
        omitted = max(0, len(found) - most)
        if omitted and not self.omitted:
            log.warning("[metrics] series-max: %d statistics are not exported", omitted)
        self.omitted = omitted
        return dict.fromkeys(list(found)[:most])

    def _each_object(self, requests: list[StatisticRequest]) -> Iterator[StatisticRequest]:
        by_type: dict[str, list[str]] = {}
        if any(request.object_id == EVERY for request in requests):
            for item in profiles.items(self._hub.engine, "Objects", self._hub.clock.now_ms())[1]:
                by_type.setdefault(item["objectType"], []).append(item["objectId"])
        for request in requests:
            if request.object_id != EVERY:
                yield request
            else:
                for object_id in by_type.get(request.object_type, ()):
                    yield evolve(request, object_id=object_id)

    def _open(self, request: StatisticRequest) -> _Held:
        held = _Held({})
        held.subscription = self._hub.hold(request, held)
        statistic = held.subscription.statistic
        if why := no_number(statistic.category.kind, statistic.stat_type):
            self._hub.release(held.subscription)
            raise StatisticError("incompatible", why)
        held.labels = _labels(request, statistic)
        return held

    def _is_open(self, held: _Held) -> bool:
        assert held.subscription is not None
        return held.subscription in held.subscription.statistic.subscriptions

    def _say(self, refused: dict[StatisticRequest, str]) -> None:
        """Log what cannot be opened, once."""
        news = [each for each in refused if self.refused.get(each) != refused[each]]
        for request in news[:NAMED_MAX]:
            where = f"{request.object_type}:{request.object_id}:{request.stat_type}"
            log.warning("[metrics] %s is not exported: %s", where, refused[request])
        if len(news) > NAMED_MAX:
            log.warning("[metrics] and %d more are not exported", len(news) - NAMED_MAX)

    # -- what they are worth -------------------------------------------------------------------

    async def read(self) -> list[ExportedValue]:
        """The value of each, now; other tasks get their turn in between."""
        found = []
        for number, held in enumerate(list(self._held.values()), 1):
            if not number % READ_AT_A_TIME:
                await trio.lowlevel.checkpoint()
            if self._is_open(held):
                found.append(self._value(held))
            else:
                self.look_again()
        return found

    def _value(self, held: _Held) -> ExportedValue:
        assert held.subscription is not None
        value = self._hub.engine.value(held.subscription.statistic, self._hub.clock.now_ms())
        number = float(value.value) if isinstance(value.value, Real) else nan
        return ExportedValue(held.labels, number, value.complete)


def _labels(request: StatisticRequest, statistic: Statistic) -> dict[str, str]:
    """Those that tell it apart from others; what it does not have is no label."""
    ranges = [each.name for each in (statistic.time_range, statistic.time_range2) if each]
    labels = {
        "statistic": statistic.stat_type.name,
        "object_type": request.object_type,
        "object": statistic.object_id,
        "profile": statistic.profile.name if statistic.profile else "",
        "range": ",".join(ranges),
        "filter": request.filter or "",
    }
    return {name: text for name, text in labels.items() if text}
