"""Ticks: who is looked at every so often, and who of them need not be looked at this time.

All who are to be looked at with the same period share one :class:`Tick`. In a round of a
million statistics few have changed, so nobody is looked at whose value is surely the one it
had when he was looked at last. That is so where

* no row that he reads was touched since, and nobody said otherwise (:meth:`Tick.stir`);
* his value stands still while nothing happens (:func:`.standing.stands_still`);
* his interval has not begun anew.

The others are looked at: who was *stirred*, who is *restless*, and those of a time profile
that *rolled*.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import define, field

from ..counting.ledger import Ledger
from ..definitions.time_profiles import TimeProfile

if TYPE_CHECKING:
    from ..statistic import Statistic
    from .notifications import Subscription

Beginnings = dict[Ledger, int | None]  # when the interval began that is reported now


@define(eq=False)
class Tick:
    """All who are looked at with the same period, in ms."""

    period: int
    next_at: int
    _members: dict[TimeProfile | None, dict[Subscription, None]] = field(factory=dict)
    _told_anyway: dict[Subscription, None] = field(factory=dict)
    _stirred: dict[Statistic, None] = field(factory=dict)
    _restless: dict[Subscription, None] = field(factory=dict)
    _beginnings: dict[TimeProfile, Beginnings] = field(factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nobody is left."""
        return not self._members

    def add(self, subscription: Subscription, anyway: bool) -> None:
        """Look at it from now on.

        Args:
            anyway: It is told in every round, changed or not.
        """
        statistic = subscription.statistic
        subscription.tick = self
        self._members.setdefault(statistic.profile, {})[subscription] = None
        if anyway:
            self._told_anyway[subscription] = None
        self.stir((statistic,))

    def remove(self, subscription: Subscription) -> None:
        """Look at it no more."""
        profile = subscription.statistic.profile
        subscription.tick = None
        del self._members[profile][subscription]
        if not self._members[profile]:
            del self._members[profile]
            if profile is not None:
                self._beginnings.pop(profile, None)
        self._told_anyway.pop(subscription, None)
        self._restless.pop(subscription, None)
        if all(each.tick is not self for each in subscription.statistic.subscriptions):
            self._stirred.pop(subscription.statistic, None)

    def stir(self, statistics: Iterable[Statistic]) -> None:
        """Their values may have changed; they need not be ours."""
        self._stirred.update(dict.fromkeys(statistics))

    def rest(self, subscription: Subscription, stands_still: bool, settled: bool) -> None:
        """It was looked at, and told where that was worth it.

        Args:
            stands_still: It is worth the same until something happens.
            settled: Since when it counts can change no more.
        """
        if stands_still:
            self._restless.pop(subscription, None)
        else:
            self._restless[subscription] = None
        if not settled:
            self._stirred[subscription.statistic] = None

    def take_due(self, clocks: dict[Ledger, int]) -> dict[Subscription, None]:
        """Whose value may be another one than when they were looked at last; in no order."""
        found = self._restless.copy()
        stirred, self._stirred = self._stirred, {}
        for statistic in stirred:
            for subscription in statistic.subscriptions:
                if subscription.tick is self:
                    found[subscription] = None
        for profile in self._take_rolled(clocks):
            found.update(self._members[profile])
        return found

    def told_anyway(self) -> Iterable[Subscription]:
        """Those who are told in every round."""
        return self._told_anyway

    def _take_rolled(self, clocks: dict[Ledger, int]) -> list[TimeProfile]:
        """The growing profiles of which at any source another interval goes on than last time.

        That may be an earlier one, where a clock that we had to guess is set right by an event.
        """
        rolled = []
        for profile in self._members:
            if profile is None or profile.kind != "Growing":
                continue
            now: Beginnings = {
                ledger: profile.last_reset(clock) for ledger, clock in clocks.items()
            }
            if self._beginnings.get(profile) != now:
                self._beginnings[profile] = now
                rolled.append(profile)
        return rolled
