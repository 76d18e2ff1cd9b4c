"""The intake of one source: its events leave in the order of their positions.

    JOINING  everything is kept, nothing is applied: our picture is to come from the peer
    LIVE     what arrives is applied, or soon, if a lot has been held
    HOLE     positions are missing: what arrives is kept until they have come from
             the peer, or are given up

                    adopted, or alone              a position is skipped
        JOINING ----------------------> LIVE ----------------------------> HOLE
           ^                             ^   ----------------------------<--+ filled, or left
           +--- the peer's picture is the better one; also out of HOLE -----+

Kept are also the snapshots that a feed sends after it was reconnected, or has lost events. They
say what *is*, not what *happened*, so they are needed where a picture begins or a hole cannot be
filled, and dropped where nothing is missing: they would only spoil true start times.

A *fact* is an event that the feed gave no number although it happened: that the link to the switch
is lost, mostly. It is applied where it comes, between the same two events on both members if both
hear it, and the snapshots after it are needed.

A picture has a **lineage**. Two members whose pictures are folds of the same events have the same
one; where a hole is left, or a picture begins from snapshots, a new one begins. ``since`` says from
which position on nothing is missing, so of two lineages the one with the lower ``since`` knows
more. Where that is the same nothing happened between the two beginnings, but whoever began earlier
knows since when things go on (a snapshot says only that they do). All this is our decision.

A source may *count anew*, as after a restart. Its feed greets with a lower number than it told
before; or we had no feed then, and it stands behind what the peer has told us, and stays there:
those were the old numbers (our decision, for no number says which kind it is). Whoever hears it
only when its numbers have come to where ours are, or beyond, learns from the peer that it does.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import inf

from attrs import define, field
from msgspec import structs

from .coverage import better, extended
from .feed_words import Restored
from .held import FACT, INTERRUPTION, Held, is_past
from .journal import Journal, Line
from .messages import Event, Ranges, Standing
from .store import ApplyEvents, BeginAt, HoleLeft, Log

HELD_EVENTS_MAX = 1_000_000  # kept while waiting; then we wait no longer
DRAIN_EVENTS_MAX = 500  # applied at a time, some ten milliseconds; the others have to wait ...
DRAIN_PAUSE = 0.001  # ... for so many seconds, in which the owner can do something else
BEHIND_SECONDS = 30.0  # after which a feed that stands behind our picture must count anew


class State(enum.Enum):
    """What is done with what arrives."""

    JOINING = "joining"
    LIVE = "live"
    HOLE = "hole"


@define
class SourceIntake:
    """One source.

    Args:
        contiguous: Its positions grow by one. If not, only an :meth:`interrupted`
            stream can have a hole.
        new_standing: Of a picture that begins after that position, now; its lineage
            is never the same twice.

    Attributes:
        applied: The last position that was applied; None before the first.
        coverage: The positions that our picture contains.
        away: The feed is not connected.
        described: All snapshots that the present connection was asked for have arrived.
        is_heard: Its feed has said something; else all we know is from a backup file.
        hole: The missing positions that are being waited for.
        outdated: The lineage of the picture that we had when the source began to count anew:
            a peer with that one has not noticed yet, and its numbers are the old ones.
        repaired, left, restarts: Holes filled and given up, and how often the
            source began to count anew.
    """

    name: str
    contiguous: bool
    journal: Journal
    new_standing: Callable[[int, float], Standing]
    state: State = State.JOINING
    applied: int | None = None
    standing: Standing | None = None
    coverage: Ranges = field(factory=list)
    hole: tuple[int, int] | None = None
    hole_since: float = inf
    asked: bool = False  # the peer, for the hole
    away: bool = True
    described: bool = True
    is_heard: bool = True
    duplicates: int = 0
    repaired: int = 0
    left: int = 0
    restarts: int = 0
    outdated: str = ""
    is_supposed: bool = False  # the hole: only the peer says that there are such events
    _held: Held = field(factory=deque)
    _wants_snapshots: bool = True  # our picture was not, or is not, exact
    _drained_at: float = -inf
    _told: int | None = None  # the last position that the feed itself told, since it greeted
    _stood: int | None = None  # where it stood when it greeted us last, whether it is there or not
    _behind_since: float = inf  # that is behind ``applied``
    _supposed: int | None = None  # the first event that the peer gave us and our feed may have lost
    _found_at: float = 0.0  # when there was a hole before what is held
    _doubtful: bool = False  # what comes next may have a hole before it, contiguous or not

    def is_worse(self, theirs: Standing | None, i_accept: bool) -> bool:
        """Whether the peer's picture is to replace ours; ours with a hole in it is none."""
        if theirs is not None and theirs.lineage == self.outdated:
            return False
        return better(theirs, None if self.hole else self.standing, i_accept)

    @property
    def is_whole(self) -> bool:
        """Whether our picture does not wait for snapshots, of what went on when it began.

        Nor, after a restart, for the first word of the feed: there may be a hole before it.
        """
        return self.is_heard and (self.described or not self._wants_snapshots)

    def comes_or_goes(self, away: bool) -> None:
        """The feed was lost; or it is back, and has told us all that we missed."""
        self.away = away
        if away:
            self._told = self._supposed = None
        self.is_heard = self.is_heard or not away

    def is_described(self) -> None:
        """All snapshots of the present connection have arrived."""
        self.described = self.is_heard = True

    def is_outdated(self, theirs: Standing) -> bool:
        """Whether the peer has noticed that the source counts anew, and we have not."""
        return self.standing is not None and theirs.replaces == self.standing.lineage

    def outdate(self, now: float) -> list[object]:
        """Our numbers are old; where the source stands now is known if its feed is there."""
        if self.away or self._told is None:
            self._told, self._stood = 0, None  # whatever it says next is new
        return [*self._finish(now), *self._begin_anew(self._told, now)]

    # -- over a restart --------------------------------------------------------------

    def restored(self, event: Restored) -> None:
        """Go on where we were before a restart."""
        assert self.applied is None, "something has happened already"
        assert not self._held, "something has arrived already"
        self.state, self.applied, self.standing = State.LIVE, event.position, event.standing
        self.coverage, self.described = list(event.coverage), event.described
        self._wants_snapshots, self.is_heard = event.wants_snapshots, False
        self.journal.begin_after(event.position)

    def as_of_now(self) -> Restored | None:
        """What to tell after a restart; None without a picture.

        What waits is lost with our process, so where anything does the snapshots are
        needed again.
        """
        if self.applied is None or self.standing is None:
            return None
        wants = self.state is not State.LIVE or self._wants_snapshots
        ours = list(self.coverage)
        return Restored(self.name, self.applied, self.standing, ours, wants, self.described)

    # -- what the feed says ----------------------------------------------------------

    def arrived(self, events: Iterable[Event], now: float) -> list[object]:
        """Events of the feed, in the order in which it sent them."""
        self.is_heard = True
        supposed = self.leave(now) if self.is_supposed else []  # here they come themselves
        for event in events:
            position, line = event
            if position is not None and position != FACT:
                self.journal.append(position, line, now)
                self._told = position
                first, self._supposed = self._supposed, None
                self._wants_snapshots &= first in (None, position)  # else it has lost them
            self._held.append(event)
        return [*supposed, *self._next(now)]

    def stands_at(self, position: int, now: float) -> list[object]:
        """The feed was connected anew, and its last event had that position.

        Snapshots follow. What we have not applied up to there we have missed.
        """
        self.is_heard = True
        heard = max((p for p in (self.journal.last, self._stood) if p is not None), default=None)
        self._told = self._stood = position
        # The peer may have told us more than our own feed could know when it greeted us.
        if heard is not None and position < heard:
            if self.applied is not None:
                return [*self._finish(now), *self._begin_anew(position, now)]
            self.journal.clear()  # nothing has begun, and what was held is worth nothing
            self._held.clear()
        self.journal.stands_at(position)
        self._held.append((position, None))
        return self._next(now)

    def _finish(self, now: float) -> list[object]:
        """Apply whatever is held, without waiting for anything of the peer."""
        actions: list[object] = []
        while self._held or self.state is not State.LIVE:
            is_live = self.state is State.LIVE
            actions += self.drain(now, len(self._held)) if is_live else self.alone(now)
        return actions

    def interrupted(self) -> None:
        """The feed was away, and cannot say what happened meanwhile."""
        self.journal.interrupted()
        self._held.append(INTERRUPTION)

    def _begin_anew(self, position: int, now: float) -> list[object]:
        """The source counts from the beginning, as after a restart."""
        self.restarts += 1
        self.journal.clear()
        self.journal.stands_at(position)
        self.coverage = []
        self.applied = position
        self._wants_snapshots = True
        self.outdated = "" if self.standing is None else self.standing.lineage
        self.standing = self._standing_after(position, now)
        text = f"{self.name} counts anew from {position}: what was before cannot be compared"
        return [Log("alarm", text), BeginAt(self.name, position)]

    def _standing_after(self, since: int, now: float) -> Standing:
        """Of a picture that begins; the peer learns from it that older numbers are old."""
        return structs.replace(self.new_standing(since, now), replaces=self.outdated)

    # -- what is done with it --------------------------------------------------------

    def _next(self, now: float) -> list[object]:
        if self.state is State.LIVE:
            return self.drain(now)
        if len(self._held) <= HELD_EVENTS_MAX:
            return []
        text = f"{self.name}: more than {HELD_EVENTS_MAX} events are waiting; going on without"
        actions = self.leave(now) if self.state is State.HOLE else self.alone(now)
        return [Log("alarm", text), *actions]

    @property
    def drain_at(self) -> float:
        """When :meth:`drain` has something to do although nothing arrives."""
        return self._drained_at + DRAIN_PAUSE if self._held and self.state is State.LIVE else inf

    @property
    def behind_until(self) -> float:
        """When :meth:`look_behind` has something to do, if nothing comes before."""
        return self._behind_since + BEHIND_SECONDS if self.state is State.LIVE else inf

    def look_behind(self, now: float) -> list[object]:
        """Find out whether the source counts anew, from how long its feed has been behind us."""
        told, applied = self._told, self.applied
        is_heard = self.contiguous and not self.away
        if not is_heard or told is None or applied is None or told >= applied:
            self._behind_since = inf
            return []
        self._behind_since = min(self._behind_since, now)
        if now < self.behind_until:
            return []
        self._behind_since = inf
        return self._begin_anew(told, now)

    def drain(self, now: float, at_most: int = DRAIN_EVENTS_MAX) -> list[object]:
        """Apply what is held, up to the next hole."""
        self._drained_at = now
        actions: list[object] = []
        batch: list[Event] = []
        held, applied = self._held, self.applied
        while held and len(batch) < at_most:
            position, line = held[0]
            if position is None:
                if line is None:
                    self._doubtful = True
                elif self._wants_snapshots:
                    batch.append((None, line))
            elif position == FACT:
                if not is_past(held, applied):
                    batch.append((None, line or b""))
                    self._wants_snapshots = True
            elif applied is None:
                applied = max(position if line is None else position - 1, 0)
                self.standing = self._standing_after(applied, now)
                actions += [*self._batch(batch), BeginAt(self.name, applied)]
                batch = []
                self._wants_snapshots = True
                if line is not None:
                    continue
            elif position <= applied:
                self.duplicates += line is not None
                if line is None:  # connected anew, and nothing was missed
                    self._wants_snapshots = False
            elif (hole := self._hole_before(position, line, applied)) is not None:
                self.state, self.hole, self.asked = State.HOLE, hole, False
                self.hole_since = self._found_at = now
                break
            elif line is not None:
                batch.append((position, line))
                self.coverage = extended(self.coverage, applied + 1, position)
                applied = position
            if position is not None and position != FACT:
                self._doubtful = False  # from here on the stream, or that of this connection
            held.popleft()
        self.applied = applied
        return [*actions, *self._batch(batch)]

    def _batch(self, events: list[Event]) -> list[object]:
        return [ApplyEvents(self.name, events)] if events else []

    def _hole_before(self, position: int, line: bytes | None, here: int) -> tuple[int, int] | None:
        """What is missing before ``position``; a mark's own position is missing as well."""
        last = position if line is None else position - 1
        if last <= here:
            return None
        if self.contiguous or self._doubtful or line is None:
            return here + 1, last
        return None

    # -- the hole --------------------------------------------------------------------

    def fill(self, last: int, lines: Sequence[Line], now: float) -> list[object]:
        """The peer's events from the beginning of the hole to ``last``."""
        assert self.hole is not None
        first, end = self.hole
        last = min(last, end)
        lines = sorted({p: line for p, line in lines if first <= p <= last}.items())
        if not self.is_supposed:
            self.journal.fill(first, last, lines, now)
        else:
            self._supposed = self._supposed or first
            if self._told == self.applied:
                self._told = last  # our feed is not behind: it has lost them
        self.coverage = extended(self.coverage, first, last)
        self.applied = last
        applied = self._batch(list(lines))
        if last < end:
            self.hole, self.hole_since, self.asked = (last + 1, end), now, False
            return applied
        self.repaired += 1
        self._wants_snapshots &= self.is_supposed
        return [*applied, *self._go_on(now)]

    def suppose(self, last: int, now: float) -> None:
        """The peer has been ahead of us for long: we may have missed what is up to there."""
        assert self.applied is not None
        self.state, self.hole_since, self.asked, self.is_supposed = State.HOLE, now, False, True
        self.hole = self.applied + 1, last

    def leave(self, now: float, then_join: bool = False) -> list[object]:
        """Go on without, from the snapshots that are held, or wait for a better picture."""
        assert self.hole is not None
        if self.is_supposed:
            return self._go_on(now)  # nothing has shown that anything is missing
        first, last = self.hole
        self.left += 1
        self._wants_snapshots = True
        if self._held and self._held[0] == (last, None):
            self._held.popleft()  # the mark has done its work
        self.applied = last
        self.standing = self._standing_after(last, now)
        left = HoleLeft(self.name, first, last, now - self._found_at)
        if then_join:
            self.hole, self.hole_since = None, inf
            self.join()
            return [left]
        return [left, *self._go_on(now)]

    def _go_on(self, now: float, doubtful: bool = False) -> list[object]:
        self.state, self.hole, self.hole_since = State.LIVE, None, inf
        self._doubtful, self.is_supposed = doubtful, False
        return self.drain(now)

    # -- joining ---------------------------------------------------------------------

    def join(self) -> None:
        """Wait for the peer's picture."""
        self.state = State.JOINING

    def adopt(self, as_of: int, standing: Standing, now: float) -> list[object]:
        """Our picture is the peer's, as of that position, and goes on from there."""
        assert self.state is State.JOINING
        assert self.applied is None or as_of >= self.applied, "would count twice"
        self.applied, self.standing = as_of, standing
        self._wants_snapshots = False
        return self._go_on(now, doubtful=True)

    def alone(self, now: float) -> list[object]:
        """There will be no picture of the peer: go on with what we have."""
        if self.hole is not None:
            return self.leave(now)
        return self._go_on(now)
