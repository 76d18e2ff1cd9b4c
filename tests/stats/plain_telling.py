"""Telling the plain way: in every round everybody is looked at, and every value is read.

This is what :mod:`statserver_trio.stats.telling.schedule` has to come to, whatever it leaves
out: who is told what, when, and in which order.
"""

from __future__ import annotations

from typing import Any

from statserver_trio.stats.counting.ledger import Ledger
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.statistic import Statistic
from statserver_trio.stats.telling.notifications import Mode, Notice, Subscription, Value
from statserver_trio.stats.telling.schedule import Schedule


class PlainSchedule(Schedule):
    """Rounds in which nothing is left out."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._all: dict[int, dict[Subscription, None]] = {}

    def add(self, subscription: Subscription, now: int) -> None:
        super().add(subscription, now)
        mode = subscription.notification.mode
        if mode is Mode.TIME_BASED or (mode is Mode.CHANGES_BASED and subscription.statistic.grows):
            self._all.setdefault(period(subscription), {})[subscription] = None

    def remove(self, subscription: Subscription) -> None:
        super().remove(subscription)
        self._all.get(period(subscription), {}).pop(subscription, None)

    def due(self, now: int) -> list[Notice]:
        self._queue += self._validity.look()
        notices, moved = self._engine.extended.due(now)
        self._queue += notices
        self._regrouped.update(moved)
        clocks = {source.ledger: source.clock(now) for source in self._engine.sources.values()}
        self._close_intervals(clocks)
        changed: dict[Subscription, None] = {}
        for source in self._engine.sources.values():
            for row in source.ledger.take_touched():
                for statistic in row.readers:
                    changed.update(dict.fromkeys(statistic.subscriptions))
        for statistic in self._regrouped:
            changed.update(dict.fromkeys(statistic.subscriptions))
        self._regrouped.clear()
        for resets in self._passed(self._resets, clocks):
            changed.update(resets.subscriptions)
        periodic: dict[Subscription, None] = {}
        for tick in self._ticks.values():
            if tick.next_at <= now:
                periodic.update(self._all[tick.period])
                tick.next_at += ((now - tick.next_at) // tick.period + 1) * tick.period
        self._compute(changed, periodic, clocks)
        queue, self._queue = self._queue, []
        return queue

    def _compute(
        self,
        changed: dict[Subscription, None],
        periodic: dict[Subscription, None],
        clocks: dict[Ledger, int],
    ) -> None:
        values: dict[Statistic, Value] = {}
        for subscription in changed | periodic:
            if subscription.suspended:
                continue
            mode = subscription.notification.mode
            if mode is Mode.TIME_BASED and subscription not in periodic:
                continue
            if mode is Mode.RESET_BASED or mode is Mode.NO_NOTIFICATION:
                continue
            statistic = subscription.statistic
            value = values.get(statistic)
            if value is None:
                value = values[statistic] = self._engine.value_at(statistic, clocks)
            always = mode is Mode.TIME_BASED and not subscription.notification.insensitivity
            if always or subscription.worth_sending(value.value):
                subscription.last_sent = value.value
                self._queue.append(Notice(subscription, "Info", value))


def period(subscription: Subscription) -> int:
    return (subscription.notification.frequency or 1) * 1000


class PlainEngine(Engine):
    """An engine that tells so."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._schedule: Schedule = PlainSchedule(self)

    def value_at(
        self, statistic: Statistic, clocks: dict[Ledger, int], closing: bool = False
    ) -> Value:
        """Every value from spans, as those of groups are."""
        if statistic.pushed is not None:
            return self.extended.value(statistic)
        return self._value_of_any(statistic, clocks, closing)
