"""Merging: what both members of a pair say about one statistic, as one stream.

Both members count the same, and tell the same changes, but not at the same moment, and either
may be cut off. So one of them *leads*, and what it says is delivered; what the other one says is
compared with that::

    leader       5   6   7   8              delivered: 5 6 7 8
    other one    5   6                      owes 7 and 8: when it says so they are old news

    leader       5   6                      delivered: 5 6
    other one    5   6   7   8              is ahead by 7 and 8: delivered if the leader is lost

When the leader is lost, says that it cannot vouch for the value, or closes the statistic while the
other one goes on, the other one leads: what it is ahead by is delivered at once, and what it owes
is not delivered again. So no change is lost, none is told twice, and no switch goes back in time
(protocols.md §2 says what a change is: value, time, interval, and whether it is complete).

A member that comes back begins with what is current, and one that was late tells several changes
as one: in both cases it says of a later moment what has been delivered already. Where only changes
are told (ChangesBased), what says the same as the word before it is none.

Values that grow with time are told by each member at moments of its own, so they match nothing:
whatever is older than the newest that was delivered is of no use to anybody and is dropped. The
leader's word is always delivered: the clock of a source may go back a little where events are late.

Nothing here waits or reads a clock: events in, events to deliver out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from attrs import define, field

from ..api import messages as m
from .targets import TARGET_EVENTS, applied

# Changes by which members may be apart, for each statistic; of more the oldest are forgotten.
APART_MAX = 1000

Deliver = list[m.StatisticEvent]


def _changes() -> deque[m.Info]:
    return deque(maxlen=APART_MAX)


@define(eq=False)
class _Side:
    """What one member said.

    Attributes:
        is_open: It has the statistic open for us.
        is_valid: It can vouch for the value.
        ahead: Changes that it told and that were not delivered.
        owed: Changes that were delivered and that it has not told yet.
        is_leaving: It will not say much more.
        targets: Of a CurrentTargetState, all of them, and as of when.
    """

    is_open: bool = False
    is_valid: bool = True
    is_leaving: bool = False
    reason: str = ""
    ahead: deque[m.Info] = field(factory=_changes)
    owed: deque[m.Info] = field(factory=_changes)
    targets: Any = None
    targets_at: float = 0.0


class MergedStatistic:
    """One statistic, as all members tell it.

    Args:
        members: How many there are; they are known by number.
        changes_only: Who says the same value again has nothing new to say.

    Attributes:
        leader: Whose word is delivered; None while nobody has the statistic open.
        latest: The last change that was delivered.
        is_valid: What was delivered last about that.
    """

    def __init__(self, members: int, changes_only: bool = False) -> None:
        self._changes_only = changes_only
        self.leader: int | None = None
        self.latest: m.Info | None = None
        self.is_valid = True
        self._recent = _changes()  # those of the latest moment that were delivered
        self._is_anew = False  # the next word is the first one since nobody was there
        self._targets: Any = None  # as delivered
        self._sides = [_Side() for _ in range(members)]

    @property
    def is_open(self) -> bool:
        """Whether any member has it open."""
        return any(side.is_open for side in self._sides)

    def is_open_with(self, member: int) -> bool:
        """Whether this one has it open."""
        return self._sides[member].is_open

    # -- what members say ----------------------------------------------------------------

    def opened(self, member: int) -> Deliver:
        """A member has opened it; its first value is on the way."""
        side = self._sides[member] = _Side(is_open=True)
        if self.leader is None:  # what nobody could vouch for when all were lost, this one can
            self.leader, self._is_anew = member, True
            return [*self._news_of_validity(side)]
        side.owed.extend(self._recent)  # what is current there may be old news
        return []

    def lost(self, member: int) -> Deliver:
        """There is no connection to a member any more."""
        self._sides[member] = _Side()
        return self._another_leads() if member == self.leader else []

    def leaves(self, member: int) -> Deliver:
        """A member is about to stop: whoever else can vouch for the value leads."""
        self._sides[member].is_leaving = True
        is_left = member == self.leader and self._best() != member
        return self._another_leads() if is_left else []

    def told(self, member: int, event: m.StatisticEvent) -> Deliver:
        """A member says something; what is to be delivered."""
        match event:
            case m.Info():
                return self._change(member, event)
            case m.StatisticInvalid():
                return self._validity(member, event, False)
            case m.StatisticValid():
                return self._validity(member, event, True)
            case m.StatisticClosed():
                return self._closed(member, event)
            case _ if isinstance(event, TARGET_EVENTS):
                return self._target(member, event)
        return [event]

    # -- changes --------------------------------------------------------------------------

    def _change(self, member: int, event: m.Info) -> Deliver:
        side, latest = self._sides[member], self.latest
        if self._is_anew and member == self.leader:  # it may be of an earlier time
            if latest is None or not _same(event, latest):
                return [self._delivered(event)]
            self._is_anew = False
            return []
        if _passes(side.owed, event):
            side.ahead.clear()
            # Where it told other changes of the same moment meanwhile, this one is news again.
            if member != self.leader or side.owed or latest is None or _same(event, latest):
                return []
        elif side.owed and event.time < side.owed[-1].time:
            return []  # it is behind
        if member != self.leader:
            _forget_before(side.owed, event.time)
            if self._is_news(event, side.ahead[-1] if side.ahead else latest):
                side.ahead.append(event)
            return []
        if side.owed and not self._is_news(event, latest):
            return []
        if side.owed:  # of the moment of the latest: before it, or after it and others left out
            self._recent.clear()
        return [self._delivered(event)]

    def _is_news(self, event: m.Info, before: m.Info | None) -> bool:
        """Whether it says anything else than the word before it."""
        if before is None or not self._changes_only:
            return True
        return event.value != before.value or event.complete is not before.complete

    def _delivered(self, event: m.Info) -> m.Info:
        if self.latest is None or event.time != self.latest.time:
            self._recent.clear()
        self._recent.append(event)
        self.latest, self._is_anew = event, False
        for number, side in enumerate(self._sides):
            if number != self.leader and side.is_open and not _passes(side.ahead, event):
                _forget_before(side.ahead, event.time)
                side.owed.append(event)
        return event

    # -- everything else --------------------------------------------------------------------

    def _validity(
        self, member: int, event: m.StatisticInvalid | m.StatisticValid, is_valid: bool
    ) -> Deliver:
        side = self._sides[member]
        side.is_valid, side.reason = is_valid, event.reason
        if member == self.leader:
            if not is_valid and self._best() != member:
                return self._another_leads()
        elif is_valid and not self.is_valid:
            return self._another_leads()
        else:
            return []
        self.is_valid = is_valid
        return [event]

    def _closed(self, member: int, event: m.StatisticClosed) -> Deliver:
        """Both members delete what the configuration deletes, one after the other."""
        self._sides[member] = _Side()
        if not self.is_open:
            self.leader = None
            return [event]
        return self._another_leads() if member == self.leader else []

    def _target(self, member: int, event: Any) -> Deliver:
        side = self._sides[member]
        side.targets, side.targets_at = applied(side.targets, event), event.time
        if member != self.leader:
            return []
        self._targets = side.targets
        return [event]

    # -- who leads ------------------------------------------------------------------------

    def _best(self) -> int | None:
        """Who should lead: whoever does, as long as nobody can vouch for more, or longer."""
        able = [number for number, side in enumerate(self._sides) if side.is_open]

        def rank(number: int) -> tuple[bool, bool, bool]:
            side = self._sides[number]
            return (not side.is_valid, side.is_leaving, number != self.leader)

        return min(able, key=rank, default=None)

    def _another_leads(self) -> Deliver:
        self.leader = self._best()
        if self.leader is None:
            return []
        side = self._sides[self.leader]
        return [*self._news_of_validity(side), *self._news_of(side)]

    def _news_of_validity(self, side: _Side) -> Iterator[m.StatisticEvent]:
        if side.is_valid is self.is_valid:
            return
        self.is_valid = side.is_valid
        kind = m.StatisticValid if side.is_valid else m.StatisticInvalid
        yield kind(reference_id=0, statistic_id=0, reason=side.reason)

    def _news_of(self, side: _Side) -> Iterator[m.StatisticEvent]:
        ahead, side.ahead = side.ahead, _changes()
        for event in ahead:
            if self._is_news(event, self.latest):
                yield self._delivered(event)
        if side.targets is not None and side.targets != self._targets:
            self._targets = side.targets
            yield m.CurrentTargetStateSnapshot(
                reference_id=0,
                statistic_id=0,
                targets=side.targets["targets"],
                time=side.targets_at,
            )


def _same(one: m.Info, other: m.Info) -> bool:
    return (
        one.time == other.time
        and one.value == other.value
        and one.interval == other.interval
        and one.complete == other.complete
    )


def _passes(changes: deque[m.Info], event: m.Info) -> bool:
    """Whether it is one of these; then it is passed, and what lies before it was skipped."""
    if not any(_same(each, event) for each in changes):
        return False
    while not _same(changes.popleft(), event):
        pass
    return True


def _forget_before(changes: deque[m.Info], time: float) -> None:
    while changes and changes[0].time < time:
        changes.popleft()
