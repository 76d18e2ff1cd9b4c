"""Notifications: which new values a client is told, and when.

A subscription is one client's interest in one statistic. It remembers the last
value it sent, and decides whether a new one is worth sending. Any number of
subscriptions share a statistic; none of them disturbs the others.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

if TYPE_CHECKING:
    from ..statistic import Statistic
    from .standing import Manner
    from .ticks import Tick


class Mode(enum.Enum):
    """When a client wants to be told. The second spelling is the Platform SDK's."""

    CHANGES_BASED = "ChangesBased"  # Immediate
    TIME_BASED = "TimeBased"  # Periodical
    RESET_BASED = "ResetBased"  # Reset
    NO_NOTIFICATION = "NoNotification"


MODE_NAMES: dict[str, Mode] = {
    **{mode.value: mode for mode in Mode},
    "Immediate": Mode.CHANGES_BASED,
    "Periodical": Mode.TIME_BASED,
    "Reset": Mode.RESET_BASED,
}

FREQUENCY_DEFAULT = 1  # seconds between looks at a value that grows by itself (our decision)


@frozen
class Notification:
    """How one client wants to be told.

    Attributes:
        frequency: Seconds, rounded to milliseconds; TimeBased needs at least 1. For ChangesBased
            values that change with time alone it is how often to look, 0 = 1 s.
        insensitivity: Integers change by at least this much, other numbers by
            at least this many percent; 0 means any change.
    """

    mode: Mode = Mode.CHANGES_BASED
    frequency: float = 0
    insensitivity: float = 0


@define  # and Notice: not frozen, since millions are made, and that takes a third of the time
class Value:
    """What a statistic was worth at some moment.

    Attributes:
        value: An integer, a float, a string, or a tree of dicts and lists.
        time: Unix seconds, on the clock of the statistic's source.
        interval: Seconds the value covers; 0 for current statistics.
        complete: False where events of the interval were missed.
    """

    value: Any
    time: float
    interval: float
    complete: bool = True


@define
class Notice:
    """Something to tell a client about one of its subscriptions.

    Attributes:
        kind: ``"Info"``, ``"StatisticInvalid"``, ``"StatisticValid"`` or
            ``"StatisticClosed"``.
        value: With ``Info`` only.
        reason: With the others: why, in words for a person.
    """

    subscription: Subscription
    kind: str
    value: Value | None = None
    reason: str = ""


@frozen
class News:
    """A value that all these subscriptions, of one statistic, are to be told.

    The same as an ``Info`` for each, in this order; thousands may share a statistic.
    """

    value: Value
    subscriptions: list[Subscription]

    def notices(self) -> list[Notice]:
        """The same, one by one."""
        return [Notice(subscription, "Info", self.value) for subscription in self.subscriptions]


def one_by_one(told: Iterable[Notice | News]) -> Iterator[Notice]:
    """Notices, and news as notices."""
    for each in told:
        if isinstance(each, News):
            yield from each.notices()
        else:
            yield each


@define(eq=False, weakref_slot=False)  # there is one for each statistic at least: 112 bytes
class Subscription:
    """One client's interest in one statistic."""

    statistic: Statistic
    notification: Notification
    owner: Any  # whoever subscribed; handed back with every notice
    suspended: bool = False
    last_sent: Any = None
    is_told_anyway: bool = field(init=False)  # also what has not changed, when it is looked at
    order: int = 0  # the later it came, the higher; told in this order
    tick: Tick | None = None  # with whom it is looked at, where that is every so often
    manner: Manner | None = None  # in which its value changes, where it has a tick
    among: dict[Subscription, None] | None = None  # and with whom of them next, if it grows

    def __attrs_post_init__(self) -> None:
        wanted = self.notification
        self.is_told_anyway = wanted.mode is Mode.TIME_BASED and not wanted.insensitivity

    def stir(self) -> None:
        """Be looked at in the next round, if there is one."""
        if self.tick is not None:
            self.tick.stir((self.statistic,))

    def worth_sending(self, value: Any) -> bool:
        """Whether ``value`` differs enough from the last one sent.

        Integers by at least ``max(1, insensitivity)``, floats by at least
        ``insensitivity`` percent of the last one; everything else by any change
        (statistics.md §7.1, our reading). What has children is sent whole where any of
        them passes, has come or has gone (§9).
        """
        last, limit = self.last_sent, self.notification.insensitivity
        if type(value) is int and type(last) is int:  # as nearly all are
            return value != last and abs(value - last) >= max(1, limit)
        if isinstance(value, dict) and isinstance(last, dict) and self._has_children:
            if value.keys() != last.keys():
                return True
            return any(_differs(each, last[key], limit) for key, each in value.items())
        return _differs(value, last, limit)

    @property
    def _has_children(self) -> bool:
        return self.statistic.stat_type.group_by is not None


def tell_change(subscriptions: Iterable[Subscription], value: Any) -> list[Subscription]:
    """Those of a statistic's subscriptions that want to be told its changes, and this one.

    They count as told. Most of them were told the same object last and want to be told in the
    same way, so what was decided for one holds for the next.
    """
    told: list[Subscription] = []
    notification, last, worthy = None, None, False
    for subscription in subscriptions:
        if subscription.last_sent is not last or subscription.notification is not notification:
            notification, last = subscription.notification, subscription.last_sent
            is_asked = notification.mode is Mode.CHANGES_BASED
            worthy = is_asked and subscription.worth_sending(value)
        if worthy and not subscription.suspended:
            subscription.last_sent = value
            told.append(subscription)
    return told


def _differs(value: Any, last: Any, limit: float) -> bool:
    if value == last and type(value) is type(last):
        return False
    if value is None or last is None or isinstance(value, str | dict | list):
        return True
    if isinstance(last, str):
        return True
    if isinstance(value, int):
        return bool(abs(value - last) >= max(1, limit))
    if not limit or not last:
        return bool(value != last)
    return bool(abs(value - last) >= abs(last) * limit / 100)
