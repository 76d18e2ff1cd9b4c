"""The schedule: which subscriptions have to be looked at, and when.

Four things make a client hear of a statistic:

* a row it reads was touched by an event (ChangesBased);
* a period is over: one tick per period for all who share it, never a timer per
  statistic (TimeBased, and ChangesBased values that change with time alone);
* a reset point was passed (ChangesBased values fall, ResetBased ones are told
  what the interval came to);
* what contributes can no longer be heard, or can be again.

A value is computed once per look, however many clients share the statistic, and in a
round only where it may have changed since the last one (:mod:`.ticks`).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import TYPE_CHECKING

from attrs import define, field

from ..counting.ledger import Ledger
from ..counting.rows import Row
from ..definitions.time_profiles import TimeProfile
from ..quick import Clocks
from ..source import Source
from ..statistic import Statistic
from .notifications import (
    FREQUENCY_DEFAULT,
    Mode,
    News,
    Notice,
    Subscription,
    Value,
    tell_change,
)
from .standing import Manner, patience
from .ticks import Tick
from .validity import Validity

if TYPE_CHECKING:
    from ..engine import Engine

# How long after a reset point a closing value waits for events that are still on their way
# (our decision); an event stamped after the point ends the wait.
CLOSING_GRACE_MS = 1000
CLOSINGS_MAX = 100  # reset points that are told one by one after a long silence; then the last


@define
class Resets:
    """All who have to hear of the resets of one profile."""

    next_at: int  # on the clocks of the sources
    subscriptions: dict[Subscription, None] = field(factory=dict)


class Schedule:
    """Who is due."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ticks: dict[int, Tick] = {}
        self._resets: dict[TimeProfile, Resets] = {}
        self._closings: dict[TimeProfile, Resets] = {}
        self._queue: list[Notice | News] = []  # worked out already, to be handed over next
        self._regrouped: dict[Statistic, None] = {}  # to be looked at without an event
        self._validity = Validity(engine)
        self._added = 0  # subscriptions so far
        self._touched: dict[Row, None] = {}  # since the last round, of those looked at in rounds

    # -- who is on it ----------------------------------------------------------------

    def add(self, subscription: Subscription, now: int) -> None:
        """Look after a subscription from now on."""
        statistic, mode = subscription.statistic, subscription.notification.mode
        # Of an extension's statistic the registry watches the resets: they are on our clock.
        profile = statistic.profile if statistic.pushed is None else None
        self._added += 1
        subscription.order = self._added
        if mode is Mode.CHANGES_BASED:
            if statistic.grows:
                self._tick(subscription, now).add(subscription, anyway=False)
            if profile is not None and profile.kind == "Growing":
                self._resets_of(self._resets, statistic).subscriptions[subscription] = None
        elif mode is Mode.TIME_BASED:
            self._tick(subscription, now).add(subscription, subscription.is_told_anyway)
        elif mode is Mode.RESET_BASED and profile is not None:
            self._resets_of(self._closings, statistic).subscriptions[subscription] = None
        self._listen(statistic, mode is Mode.CHANGES_BASED, subscription.tick is not None)

    def reattached(self, statistic: Statistic) -> None:
        """Let every row of a statistic know who wants to hear when it is touched."""
        if statistic.subscriptions:
            self._listen(statistic, *_wanted(statistic))

    def _listen(self, statistic: Statistic, at_once: bool, in_rounds: bool) -> None:
        for parts in statistic.parts.values():
            for part in parts:
                if at_once:
                    part.row.tell(statistic)
                if in_rounds:
                    part.row.look(statistic)
                if not (at_once or in_rounds):
                    part.row.node.watch.mind(statistic)

    def regrouped(self, statistic: Statistic) -> None:
        """Other nodes contribute to a statistic now: its value may have changed."""
        self.reattached(statistic)
        self._regrouped[statistic] = None
        self.stir(statistic)
        self._validity.is_unsure(statistic)

    def doubt(self, statistic: Statistic) -> None:
        """Whether it is valid may have changed: look, and tell, without an event."""
        self._validity.is_unsure(statistic)

    def stir(self, statistic: Statistic) -> None:
        """Its value may have changed although no row was touched: look in the next round."""
        for subscription in statistic.subscriptions:
            subscription.stir()

    def remove(self, subscription: Subscription) -> None:
        """Forget a subscription."""
        statistic, tick = subscription.statistic, subscription.tick
        if tick is not None:
            tick.remove(subscription)
            if tick.is_empty:
                del self._ticks[tick.period]
            if not self._ticks:
                self._touched.clear()
        _drop(self._resets, subscription)
        _drop(self._closings, subscription)
        at_once, in_rounds = _wanted(statistic)
        for parts in statistic.parts.values():
            for part in parts:
                if not at_once:
                    part.row.tell_no_more(statistic)
                if not in_rounds:
                    part.row.look_no_more(statistic)
                if not statistic.subscriptions:
                    part.row.node.watch.mind_no_more(statistic)

    def _tick(self, subscription: Subscription, now: int) -> Tick:
        period = _period(subscription)
        tick = self._ticks.get(period)
        if tick is None:
            tick = self._ticks[period] = Tick(period, now + period)
        return tick

    def _resets_of(self, group: dict[TimeProfile, Resets], statistic: Statistic) -> Resets:
        profile = statistic.profile
        assert profile is not None
        found = group.get(profile)
        if found is None:
            following = profile.next_reset(statistic.opened_at)
            # A profile without reset points never comes due.
            found = Resets(-1 if following is None else following)
            group[profile] = found
        return found

    # -- what is due -----------------------------------------------------------------

    def due(self, now: int) -> list[Notice | News]:
        """The notices that are due, and nothing that is not worth sending."""
        self._queue += self._validity.look()
        notices, moved = self._engine.extended.due(now)
        self._queue += notices
        self._regrouped.update(moved)
        clocks = Clocks(
            {source.ledger: source.clock(now) for source in self._engine.sources.values()}
        )
        self._close_intervals(clocks)
        touched: dict[Statistic, None] = {}
        for source in self._engine.sources.values():
            for row in source.ledger.take_touched():
                if row.patient:
                    self._touched[row] = None
                touched.update(dict.fromkeys(row.readers))
        touched.update(self._regrouped)
        self._regrouped.clear()
        values = self._tell_changes(touched, clocks)
        changed: dict[Subscription, None] = {}
        for resets in self._passed(self._resets, clocks):
            changed.update(resets.subscriptions)
        rounds = [tick for tick in self._ticks.values() if tick.next_at <= now]
        for subscription in changed:
            if _wants(subscription, rounds):
                self._look(subscription, clocks, values)
        if rounds:
            self._stir_touched()
        for tick in rounds:
            tick.next_at += ((now - tick.next_at) // tick.period + 1) * tick.period
            self._look_round(tick, changed, clocks, values)
        if self._validity.doubts:  # of what could not be read just now, or could again
            self._queue += self._validity.look()
        queue, self._queue = self._queue, []
        return queue

    def _tell_changes(
        self, touched: Iterable[Statistic], clocks: dict[Ledger, int]
    ) -> dict[Statistic, Value]:
        """Tell all who want to hear of changes; the values of these statistics."""
        values: dict[Statistic, Value] = {}
        for statistic in touched:
            if all(subscription.suspended for subscription in statistic.subscriptions):
                continue
            value = values[statistic] = self._engine.value_at(statistic, clocks)
            told = tell_change(statistic.subscriptions, value.value)
            if told:
                self._queue.append(News(value, told))
        return values

    def _stir_touched(self) -> None:
        for row in self._touched:
            if row.patient:
                for tick in self._ticks.values():
                    tick.stir(row.patient)
        self._touched.clear()

    def _look_round(
        self,
        tick: Tick,
        changed: dict[Subscription, None],
        clocks: dict[Ledger, int],
        values: dict[Statistic, Value],
    ) -> None:
        """Look at whoever may have changed, and tell it in the order of their coming."""
        before = len(self._queue)
        due = tick.take_due(clocks)
        for subscription in due:
            if subscription.suspended:
                continue  # it is stirred when it goes on
            if subscription not in changed:
                self._look(subscription, clocks, values)
            if subscription.manner is Manner.GROWING:
                value = values[subscription.statistic]
                tick.wait(subscription, patience(subscription, value, clocks), clocks)
        for subscription in tick.told_anyway():
            if subscription not in due and subscription not in changed:
                self._tell_again(subscription, clocks, values)
        told = [each for each in self._queue[before:] if isinstance(each, Notice)]
        told.sort(key=_order)
        self._queue[before:] = told

    def _look(
        self,
        subscription: Subscription,
        clocks: dict[Ledger, int],
        values: dict[Statistic, Value],
    ) -> None:
        """Tell the value, if that is worth it; ``values`` are those that are known already."""
        if subscription.suspended:
            return
        statistic = subscription.statistic
        value = values.get(statistic)
        if value is None:
            value = values[statistic] = self._engine.value_at(statistic, clocks)
        if subscription.is_told_anyway or subscription.worth_sending(value.value):
            subscription.last_sent = value.value
            self._queue.append(Notice(subscription, "Info", value))

    def _tell_again(
        self,
        subscription: Subscription,
        clocks: dict[Ledger, int],
        values: dict[Statistic, Value],
    ) -> None:
        """Tell a value that is the one that was told last, as of now."""
        if subscription.suspended:
            return
        statistic = subscription.statistic
        value = values.get(statistic)
        if value is None:
            number = subscription.last_sent
            value = values[statistic] = self._engine.value_still(statistic, number, clocks)
        self._queue.append(Notice(subscription, "Info", value))

    # -- resets ----------------------------------------------------------------------

    def _passed(self, group: dict[TimeProfile, Resets], clocks: dict[Ledger, int]) -> list[Resets]:
        """Those whose reset point any source has passed; the next one is set."""
        latest = max(clocks.values(), default=0)
        passed = []
        for profile, resets in group.items():
            if 0 <= resets.next_at <= latest:
                following = profile.next_reset(latest)
                resets.next_at = -1 if following is None else following
                passed.append(resets)
        return passed

    def before_roll(self, source: Source, t: int) -> None:
        """An event of ``source`` passes a reset point: what was before it is final now."""
        for profile, resets in self._closings.items():
            for subscription in resets.subscriptions:
                self._close(subscription, profile, source.ledger, t)

    def _close_intervals(self, clocks: dict[Ledger, int]) -> None:
        latest = max(clocks.values(), default=0) - CLOSING_GRACE_MS
        for profile, resets in self._closings.items():
            if not 0 <= resets.next_at <= latest:
                continue
            for ledger, clock in clocks.items():
                for subscription in resets.subscriptions:
                    self._close(subscription, profile, ledger, clock - CLOSING_GRACE_MS)
            # The slowest clock decides when there is something to tell again.
            following = profile.next_reset(min(clocks.values()) - CLOSING_GRACE_MS)
            resets.next_at = -1 if following is None else following

    def _close(
        self, subscription: Subscription, profile: TimeProfile, ledger: Ledger, t: int
    ) -> None:
        """Tell the closing value of every interval that is over by ``t``, each once."""
        statistic = subscription.statistic
        if all(part.ledger is not ledger for part in statistic.all_parts("main")):
            return
        told = subscription.last_sent or statistic.opened_at
        reset = profile.next_reset(told)
        for _ in range(CLOSINGS_MAX):
            if reset is None or reset > t:
                return
            subscription.last_sent = reset
            if not subscription.suspended:
                clocks = dict.fromkeys((s.ledger for s in self._engine.sources.values()), reset)
                value = self._engine.value_at(statistic, clocks, closing=True)
                self._queue.append(Notice(subscription, "Info", value))
            reset = profile.next_reset(reset)
        subscription.last_sent = profile.last_reset(t)

    # -- validity --------------------------------------------------------------------

    def validity_changed(self) -> None:
        """A source was connected or lost: tell those whose statistics are concerned."""
        self._queue += self._validity.look_at_all()

    # -- when to look again ----------------------------------------------------------

    def next_deadline(self, now: int) -> float:
        """When something may be due although nothing happens, in ms; ``inf`` if never."""
        if self._queue or self._validity.doubts:
            return now
        deadline: float = min((tick.next_at for tick in self._ticks.values()), default=inf)
        clocks = [source.clock(now) for source in self._engine.sources.values()]
        latest = max(clocks, default=now)
        for resets in self._resets.values():
            if resets.next_at >= 0:
                deadline = min(deadline, now + resets.next_at - latest)
        for profile in self._closings:
            following = profile.next_reset(latest - CLOSING_GRACE_MS)
            if following is not None:
                deadline = min(deadline, now + following + CLOSING_GRACE_MS - latest)
        return deadline


def _order(notice: Notice) -> int:
    """When who is told it came, compared to the others."""
    return notice.subscription.order


def _period(subscription: Subscription) -> int:
    """How often to look at it, ms."""
    return round((subscription.notification.frequency or FREQUENCY_DEFAULT) * 1000)


def _wanted(statistic: Statistic) -> tuple[bool, bool]:
    """Whether somebody wants to hear of its changes at once, and whether in rounds."""
    at_once = any(s.notification.mode is Mode.CHANGES_BASED for s in statistic.subscriptions)
    return at_once, any(s.tick is not None for s in statistic.subscriptions)


def _wants(subscription: Subscription, rounds: Iterable[Tick]) -> bool:
    """Whether it is to hear of a change now, with those whose round it is."""
    mode = subscription.notification.mode
    return mode is Mode.CHANGES_BASED or (
        mode is Mode.TIME_BASED and any(subscription.tick is tick for tick in rounds)
    )


def _drop(group: dict[TimeProfile, Resets], subscription: Subscription) -> None:
    """Forget a subscription, and whatever nobody is left for."""
    for key, members in list(group.items()):
        members.subscriptions.pop(subscription, None)
        if not members.subscriptions:
            del group[key]
