"""The engine: the door to everything that is counted.

Open a statistic, subscribe to it, let sources speak, and ask for the notices
that are due. ``now`` is milliseconds of wall time, the same clock on every call;
each source keeps its own time besides (see :mod:`.source`).

The engine reads no clock and starts nothing by itself: after every call that
may have changed something, :meth:`Engine.notices` returns what clients are to be
told, and :meth:`Engine.next_deadline` when to ask again although nothing happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..model.directory import Directory
from ..model.population import Topic
from ..model.world import WorldOptions
from ..tlib.codec import Message
from .attaching import Attachments
from .counting.ledger import Ledger
from .definitions import Definitions
from .describing import Describer
from .extended.registry import Extended
from .failing import Failing
from .following import Following
from .open_statistics import OpenStatistics
from .quick import Clocks, interval_of, read_quickly
from .requests import StatisticError, StatisticRequest
from .source import Source
from .statistic import Statistic
from .telling.notifications import (
    MODE_NAMES,
    Mode,
    News,
    Notice,
    Notification,
    Subscription,
    Value,
    one_by_one,
)
from .telling.schedule import Schedule
from .telling.states import View, state_of
from .telling.targets import targets_of

STATISTICS_MAX = 2_000_000  # opened beyond that: refused with ``limit``


class Engine:
    """All sources, all open statistics, and who wants to be told."""

    def __init__(
        self,
        definitions: Definitions,
        directory: Directory,
        options: WorldOptions | None = None,
        resolution: str = "second",
    ) -> None:
        self.definitions = definitions
        self.directory = directory
        self.sources: dict[str, Source] = {}
        self.statistics = OpenStatistics()
        self._options = options or WorldOptions()
        self._resolution = resolution
        self.attachments = Attachments(directory, self.sources)
        self.extended = Extended()
        self.failing = Failing()
        self._schedule = Schedule(self)
        self._following = Following(directory, self.sources)
        self._describer = Describer()
        # A pair closes statistics itself, since the other member's clients may want them.
        self.keeps = False
        self.tells_validity = True  # the vendor's generate-stat-validity-events
        self._changed_hands: dict[Statistic, None] = {}

    # -- sources ---------------------------------------------------------------------

    def add_source(self, name: str, switch: str) -> Source:
        """A feed that will speak of the DNs of ``switch``; one per switch."""
        assert all(source.switch != switch for source in self.sources.values())
        source = Source(name, switch, self.directory, self._options, self._resolution)
        source.before_roll = self._schedule.before_roll
        self.sources[name] = source
        if len(self.sources) == 2:  # with one there was less to follow
            self._following.configure(self.directory)
            for statistic in self.statistics.values():
                self._following.add(statistic)
        return source

    def empty_copy(self) -> Engine:
        """An engine that is configured like this one, with the same sources and nothing in it."""
        copy = Engine(self.definitions, self.directory, self._options, self._resolution)
        for source in self.sources.values():
            copy.add_source(source.name, source.switch)
        return copy

    def configure(self, definitions: Definitions, directory: Directory) -> None:
        """Look names up there from now on; :mod:`.reconfigure` does the rest."""
        self.definitions, self.directory = definitions, directory
        self.attachments.configure(directory)
        self._following.configure(directory)
        for statistic in self.statistics.values():
            self._following.add(statistic)

    def apply(self, source_name: str, events: Iterable[Message], now: int) -> None:
        """Let the events of a source happen, in order."""
        source = self.sources[source_name]
        if len(self.sources) == 1 and not self._following.alone:
            source.apply(events, now)
            return
        for event in events:  # whoever appears counts from then on, wherever the list ends
            source.apply((event,), now)
            changes = source.take_changes()
            if changes:
                self._follow(changes, now)

    def set_connected(self, source_name: str, connected: bool) -> None:
        """The feed of a source was connected or lost; while lost its values are invalid."""
        self.sources[source_name].is_connected = connected
        self._schedule.validity_changed()

    # -- opening and closing ---------------------------------------------------------

    def open(self, request: StatisticRequest, now: int) -> Statistic:
        """The statistic that was asked for, new or shared.

        Raises:
            StatisticError: With a code and a sentence that names the field.
        """
        statistic = self._describer.describe(
            request, self.definitions, self.extended, self._options
        )
        shared = self.statistics.find(statistic.meaning.names, statistic.object_id)
        if shared is not None:
            return shared
        if len(self.statistics) >= STATISTICS_MAX:
            raise StatisticError("limit", f"no more than {STATISTICS_MAX} statistics may be open")
        self.attachments.attach(statistic, now)
        statistic.valid = self.is_valid(statistic)
        self.statistics[statistic.key] = statistic
        self._following.add(statistic)
        self.extended.opened(statistic, now)
        return statistic

    def find_newcomers(self, now: int) -> None:
        """Whatever has appeared in any world may belong to what is open."""
        for source in self.sources.values():
            self._follow(source.take_changes(), now)

    def _follow(self, changes: Iterable[Topic], now: int) -> None:
        for statistic in self._following.concerned(changes):
            self.regroup(statistic, now, by_events=True)

    def regroup(self, statistic: Statistic, now: int, by_events: bool = False) -> tuple[int, int]:
        """Let the nodes of its object contribute from now on; how many came and left.

        Raises:
            StatisticError: There is no such object any more; nothing was changed.
        """
        came, left = self.attachments.regroup(statistic, now, by_events)
        if came or left or statistic.stat_type.subject == "GroupStatus":
            self._schedule.regrouped(statistic)
        return came, left

    def _delete(self, statistic: Statistic) -> None:
        """Nobody wants it any more."""
        del self.statistics[statistic.key]
        self._following.remove(statistic)
        self.attachments.detach(statistic)
        self.extended.closed(statistic)
        self.failing.forget(statistic)

    # -- subscriptions ---------------------------------------------------------------

    def subscribe(
        self, statistic: Statistic, notification: Notification, owner: Any, now: int
    ) -> Subscription:
        """Tell ``owner`` about a statistic from now on.

        The first value is the caller's to ask for (:meth:`value`).

        Raises:
            StatisticError: The mode does not go with the statistic.
        """
        profile = statistic.profile
        if notification.mode is Mode.RESET_BASED and (
            profile is None
            or profile.kind != "Growing"
            or profile.next_reset(statistic.opened_at) is None
        ):
            raise StatisticError(
                "incompatible",
                "notification.mode: ResetBased needs a historical statistic and a growing "
                f"time profile with reset times; allowed here: {', '.join(_other_modes())}",
            )
        subscription = Subscription(statistic, notification, owner)
        if self.keeps and not statistic.subscriptions:
            self._changed_hands[statistic] = None
        if not statistic.subscriptions:
            statistic.valid = self.is_valid(statistic)  # nobody has looked while nobody was told
        statistic.subscribed(subscription)
        self._schedule.add(subscription, now)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop telling; the last subscription takes the statistic with it, unless it is kept."""
        statistic = subscription.statistic
        if subscription not in statistic.subscriptions:
            return
        statistic.unsubscribed(subscription)
        self._schedule.remove(subscription)
        if statistic.subscriptions or self.statistics.get(statistic.key) is not statistic:
            return
        if self.keeps:
            self._changed_hands[statistic] = None
        else:
            self._delete(statistic)

    def take_changed_hands(self) -> list[Statistic]:
        """Open statistics that got their first subscription or lost their last one lately."""
        changed, self._changed_hands = self._changed_hands, {}
        return [s for s in changed if self.statistics.get(s.key) is s]

    def suspend(self, subscription: Subscription, suspended: bool) -> None:
        """Stop or go on telling; what is counted goes on either way."""
        subscription.suspended = suspended
        if not suspended:
            subscription.stir()  # nobody has looked at it meanwhile

    def replaced(self, statistic: Statistic) -> None:
        """What it has counted was replaced by what another server has."""
        self._schedule.stir(statistic)

    def close_all(self, statistics: Iterable[Statistic], reason: str) -> list[Notice]:
        """Delete statistics whose definition is gone; what their clients are to be told."""
        notices = []
        for statistic in list(statistics):
            for subscription in list(statistic.subscriptions):
                notices.append(Notice(subscription, "StatisticClosed", reason=reason))
                self._schedule.remove(subscription)
                statistic.unsubscribed(subscription)
            self._delete(statistic)
        return notices

    # -- values ----------------------------------------------------------------------

    def as_of(self, ledger: Ledger, now: int) -> int:
        """The time of the last event of the source of a ledger."""
        return next(s.world(now).now for s in self.sources.values() if s.ledger is ledger)

    def value(self, statistic: Statistic, now: int) -> Value:
        """What a statistic is worth."""
        self.extended.look(now)
        return self.value_at(statistic, {s.ledger: s.clock(now) for s in self.sources.values()})

    def value_for(self, subscription: Subscription, now: int) -> Value:
        """The value to send at once, at opening or on resuming; later ones are measured by it."""
        value = self.value(subscription.statistic, now)
        if subscription.notification.mode is not Mode.RESET_BASED:
            subscription.last_sent = value.value
            subscription.stir()
        return value

    def value_at(
        self, statistic: Statistic, clocks: dict[Ledger, int], closing: bool = False
    ) -> Value:
        """The same, with the time of every source given; see :mod:`.failing`, too.

        Args:
            closing: The times are reset points, and asked for is what the
                interval came to that ends there.
        """
        try:
            value = self._value_at(statistic, clocks, closing)
        except Exception as error:  # whatever it is: others have to be told what theirs is worth
            if self.failing.failed(statistic, error):
                self._schedule.doubt(statistic)
            return Value(None, max(clocks.values(), default=0) / 1000, 0.0, complete=False)
        if self.failing and self.failing.forget(statistic):
            self._schedule.doubt(statistic)
        return value

    def _value_at(self, statistic: Statistic, clocks: dict[Ledger, int], closing: bool) -> Value:
        if statistic.pushed is not None:
            return self.extended.value(statistic)
        if not closing:
            found = read_quickly(statistic, _with_starts(clocks))
            if found is not None:
                number, interval, time = found
                return self._told(statistic, self._shown(statistic, number), interval, time)
        return self._value_of_any(statistic, clocks, closing)

    def value_still(self, statistic: Statistic, number: Any, clocks: dict[Ledger, int]) -> Value:
        """The same of one that is known to be worth ``number`` still."""
        found = (
            None if statistic.pushed is not None else interval_of(statistic, _with_starts(clocks))
        )
        return (
            self.value_at(statistic, clocks)
            if found is None
            else self._told(statistic, number, *found)
        )

    def _value_of_any(
        self, statistic: Statistic, clocks: dict[Ledger, int], closing: bool
    ) -> Value:
        key = statistic.key
        times = [clocks[ledger] for ledger in statistic.ledgers()]
        time = max(times or clocks.values(), default=statistic.opened_at)
        if statistic.category.kind == "state":
            whose = key.object_type, key.object_id, statistic.nodes
            if statistic.category.name == "CurrentTargetState":
                switches = [source.switch for source in statistic.sources]
                nodes = zip(switches, statistic.nodes, strict=True)
                targets = targets_of(*whose[:2], nodes, self.directory)
                return Value(targets, time / 1000, 0.0)
            view = View(
                statistic.stat_type.subject,
                statistic.stat_type.main_mask & ~statistic.uncounted,
                statistic.category.name == "CurrentStateReasons",
                statistic.stat_type.reason_start_overrides_status_start,
            )
            tree = state_of(*whose, view)
            return Value(tree, time / 1000, 0.0)
        number, interval = statistic.read(clocks.__getitem__, closing)
        return self._told(statistic, self._shown(statistic, number), interval, time)

    def _told(self, statistic: Statistic, shown: Any, interval: int, time: int) -> Value:
        complete = True
        if statistic.category.kind == "historical":
            since, gap = time - interval, statistic.gap_at
            complete = (gap is None or gap < since) and self._is_complete(since)
        return Value(shown, time / 1000, interval / 1000, complete)

    def _shown(self, statistic: Statistic, number: Any) -> Any:
        """Counts are integers, times seconds (whole ones at that resolution), ratios floats.

        A formula is what it comes to, a text too, and 0 where it comes to nothing; what has
        children shows each of them.
        """
        result = statistic.category.result
        if result == "number" and type(number) is int:  # as most are
            return number
        if isinstance(number, dict):
            return {key: self._shown(statistic, each) for key, each in number.items()}
        if result == "any":
            return number if isinstance(number, str) else float(number or 0)
        if result == "ratio":
            return float(number)
        if result == "time":
            return number / 1000 if self._resolution == "millisecond" else int(number) // 1000
        return int(number)

    def _is_complete(self, since: int) -> bool:
        """Whether no event since then was missed, as far as we know."""
        for source in self.sources.values():  # in a loop: every value asks
            if source.last_gap is not None and source.last_gap >= since:
                return False
        return True

    def is_valid(self, statistic: Statistic) -> bool:
        """Whether everything that contributes can be heard (statistics.md §4.9)."""
        return not self.why_invalid(statistic)

    def why_invalid(self, statistic: Statistic) -> str:
        """What cannot be heard, or computed, for a person; empty if it is valid."""
        if self.failing and (why := self.failing.why(statistic)):
            return why
        if statistic.pushed is not None:
            return statistic.pushed.trouble
        for source, node in statistic.places():
            if not source.is_connected:
                return f"T-Server {source.name} is not connected"
            if not node.is_monitored:
                return "a DN it is computed from is not monitored"
        return ""

    # -- what clients are to be told -------------------------------------------------

    def news(self, now: int) -> list[Notice | News]:
        """Everything that is due, in order per subscription."""
        return self._schedule.due(now)

    def notices(self, now: int) -> list[Notice]:
        """The same, one by one."""
        return list(one_by_one(self.news(now)))

    def next_deadline(self, now: int) -> float:
        """When, in ms, something may be due although nothing happens; ``inf`` if never."""
        return min(self._schedule.next_deadline(now), self.extended.next_deadline())


def _with_starts(clocks: dict[Ledger, int]) -> Clocks:
    return clocks if isinstance(clocks, Clocks) else Clocks(clocks)


def _other_modes() -> list[str]:
    return [name for name, mode in MODE_NAMES.items() if mode is not Mode.RESET_BASED]
