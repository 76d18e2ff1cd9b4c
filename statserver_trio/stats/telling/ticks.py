"""Ticks: who is looked at every so often, and who of them need not be looked at this time.

All who are to be looked at with the same period share one :class:`Tick`. In a round of a
million statistics few have changed, so nobody is looked at whose value is surely not worth
telling, given that it was told when he was looked at last. That is so where

* no row that he reads was touched since, and nobody said otherwise (:meth:`Tick.stir`);
* his value stands still, or has not had the time to grow enough (:mod:`.standing`);
* his interval has not begun anew.

A look that was not necessary tells nothing and does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import TYPE_CHECKING

from attrs import define, field

from ..counting.ledger import Ledger
from ..definitions.time_profiles import TimeProfile
from .standing import Manner, manner_of

if TYPE_CHECKING:
    from ..statistic import Statistic
    from .notifications import Subscription

Beginnings = dict[Ledger, int | None]  # when the interval began that is reported now


@define
class Patient:
    """Those who wait for a moment on the clock of one source, by the period that it is in."""

    period: int
    clock: int = 0
    _by_number: dict[int, dict[Subscription, None]] = field(factory=dict)

    def add(self, subscription: Subscription, until: float) -> dict[Subscription, None]:
        """Let one wait; with whom it does."""
        found = self._by_number.setdefault(int(until // self.period), {})
        found[subscription] = None
        return found

    def take(self, clock: int) -> list[dict[Subscription, None]]:
        """Those whose moment has come; all where the clock was set back."""
        last, self.clock = self.clock, clock
        number = inf if clock < last else clock // self.period
        return [self._by_number.pop(each) for each in list(self._by_number) if each <= number]


@define(eq=False)
class Tick:
    """All who are looked at with the same period, in ms."""

    period: int
    next_at: int
    _members: dict[TimeProfile | None, dict[Subscription, None]] = field(factory=dict)
    _told_anyway: dict[Subscription, None] = field(factory=dict)
    _stirred: dict[Statistic, None] = field(factory=dict)
    _restless: dict[Subscription, None] = field(factory=dict)
    _patient: dict[Ledger, Patient] = field(factory=dict)
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
        subscription.manner = manner_of(statistic)
        if subscription.manner is Manner.RESTLESS:
            self._restless[subscription] = None
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
        if subscription.among is not None:
            subscription.among.pop(subscription, None)
        if all(each.tick is not self for each in subscription.statistic.subscriptions):
            self._stirred.pop(subscription.statistic, None)

    def stir(self, statistics: Iterable[Statistic]) -> None:
        """Look at them in the next round, if they are ours."""
        self._stirred.update(dict.fromkeys(statistics))

    def wait(self, subscription: Subscription, patience: float, clocks: dict[Ledger, int]) -> None:
        """A growing one was looked at, and told where that was worth it.

        Args:
            patience: For how long, in ms, it need not be looked at.
        """
        if subscription.among is not None:
            subscription.among.pop(subscription, None)
            subscription.among = None
        if patience < self.period:
            subscription.among = self._restless
            self._restless[subscription] = None
        elif patience < inf:
            ledger = subscription.statistic.sources[0].ledger
            clock = clocks[ledger]
            patient = self._patient.setdefault(ledger, Patient(self.period, clock))
            subscription.among = patient.add(subscription, clock + patience)

    def take_due(self, clocks: dict[Ledger, int]) -> dict[Subscription, None]:
        """Whose value may be worth telling; in no order."""
        stirred, self._stirred = self._stirred, {}
        found = self._restless.copy()
        for statistic in stirred:
            for subscription in statistic.subscriptions:
                if subscription.tick is self:
                    found[subscription] = None
        for profile in self._take_rolled(clocks):
            found.update(self._members[profile])
        for ledger, patient in self._patient.items():
            for those in patient.take(clocks[ledger]):
                found.update(those)
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
