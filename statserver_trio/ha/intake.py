"""The intake: every event is applied once, in its place, on both members.

Of each source the events arrive here from its feed and leave as ``ApplyEvents``
when it is their turn (:mod:`.source_intake`). Here is what concerns the peer:

* A hole is asked for (``JournalRequest``) and filled from the peer's journal. If
  the peer does not have it, the peer's whole picture is better than nothing: we
  join. If nobody answers within ``gap_timeout``, we go on without.
* Whoever has just been started, or whose picture is worse than the peer's, joins:
  asks for the peer's picture (``JoinRequest``), which comes as of a position not
  lower than ours (``JoinState``), and goes on from there with what has arrived in
  the meantime. If none comes within ``join_timeout``, the sources' own snapshots
  must do. How good the peer's picture is it says in its greeting, and every minute
  when it is asked: one that began anew meanwhile is another one.
* The peer is served in the same two ways (:mod:`.serving`).

Whoever has a backup file does not join but goes on where it was (:class:`Restored`); what
has happened since is a hole like any other.

Two that were started together do not wait for each other: the accepting side
begins alone at once, and the other one joins it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from attrs import define, field

from ..machine import Disconnect, Send
from .clock_offset import WallClock
from .feed_words import (
    Arrived,
    Interrupted,
    PeerAbsent,
    Restored,
    SnapshotsFollow,
    SourceAdded,
    SourceAt,
    SourceAway,
    SourceDescribed,
    SourceResumed,
)
from .intake_options import IntakeOptions
from .journal import Journal
from .lag import Lags
from .messages import JoinRequest, JoinState, JournalRequest, Positions, Standing
from .messages import Journal as JournalAnswer
from .rejoining import Rejoining
from .serving import Serving
from .source_intake import SourceIntake, State
from .store import AdoptWorld, Joined, Log, WorldBuilt

SERVE_SHARE = 0.5  # of join_timeout: then the peer gets what we have, complete or not


@define
class Intake:
    """All sources.

    Args:
        accepts: Whether we are the side that accepts connections.
    """

    accepts: bool
    new_id: Callable[[], str]
    wall: WallClock
    options: IntakeOptions = field(factory=IntakeOptions)
    sources: dict[str, SourceIntake] = field(factory=dict, init=False)
    linked: bool = field(default=False, init=False)
    owes_state: bool = field(default=False, init=False)  # the peer waits for our picture
    _join_until: float = field(default=inf, init=False)
    _asked_to_join: bool = field(default=False, init=False)
    _serving: Serving = field(init=False)
    _owes_until: float = field(default=inf, init=False)
    _rejoining: Rejoining = field(init=False)
    _lags: Lags = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._lags = Lags(self.sources, self.options.gap_timeout)
        self._serving, self._rejoining = Serving(self.sources), Rejoining(self.accepts)

    @property
    def is_joining(self) -> bool:
        """Whether some source waits for the peer's picture."""
        return any(source.state is State.JOINING for source in self.sources.values())

    @property
    def hopes(self) -> bool:
        """Whether a better picture of some source is on its way, or will be asked for again."""
        return self._rejoining.hopes and bool(self._rejoining.worse(self.sources.values()))

    @property
    def is_fresh(self) -> bool:
        """Whether nothing at all has been applied yet."""
        return self.is_joining and all(s.applied is None for s in self.sources.values())

    @property
    def standings(self) -> dict[str, Standing]:
        """Of every source of which we have a picture."""
        return {
            name: source.standing
            for name, source in self.sources.items()
            if source.standing is not None and source.state is not State.JOINING
        }

    @property
    def positions(self) -> Positions:
        """The last position applied, of every source that has one."""
        return {s.name: s.applied for s in self.sources.values() if s.applied is not None}

    def start(self, now: float) -> None:
        """Begin as a joiner; without this call, and a link, nothing is ever applied."""
        self._join_until = now + self.options.join_timeout

    # -- events ----------------------------------------------------------------------

    def handle_event(self, event: object, now: float) -> list[object]:
        """What a feed, the peer or the owner says; then whatever has become possible."""
        return [*self._take(event, now), *self._follow_up(now)]

    def _take(self, event: object, now: float) -> list[object]:
        match event:
            case SourceAdded(name, contiguous):
                self._add(name, contiguous)
            case Restored(name):
                self.sources[name].restored(event)
            case Arrived(name, events):
                return self.sources[name].arrived(events, now)
            case SourceAt(name, position, snapshots_follow):
                source = self.sources[name]
                source.away, source.described = False, not snapshots_follow
                return self._stands_at(source, position, now)
            case SnapshotsFollow(name):
                self.sources[name].described = False
            case SourceDescribed(name):
                self.sources[name].is_described()
            case Interrupted(name):
                self.sources[name].interrupted()
            case SourceAway(name) | SourceResumed(name):
                self.sources[name].comes_or_goes(isinstance(event, SourceAway))
            case PeerAbsent():
                return [] if self.linked else self._alone(now)
            case JournalAnswer():
                return self._journal_came(event, now)
            case JournalRequest():
                return self._serving.journal(event, now, self.options.gap_timeout)
            case JoinRequest(_, positions, standings):
                self._serving.join(event, now + SERVE_SHARE * self.options.join_timeout)
                actions = self._compare(standings, now)
                if not positions:  # it had only asked how good ours are
                    self._join_if_worse(now)
                return actions
            case WorldBuilt():
                return self._world_built(event)
            case JoinState(_, _, _, standings):
                return [*self._compare(standings, now), *self._state_came(event, now)]
            case _:
                return [Disconnect(f"the intake cannot make sense of {type(event).__name__}")]
        return []

    def _stands_at(self, source: SourceIntake, position: int, now: float) -> list[object]:
        restarts, was_heard = source.restarts, source.is_heard
        actions = source.stands_at(position, now)
        if self._counts_anew(source, restarts) and not was_heard:
            self._join(source, now)  # ours is from a file; the peer may have heard all of it
        return actions

    def _counts_anew(self, source: SourceIntake, restarts: int) -> bool:
        """Whether it has begun to since it had restarted so often."""
        if source.restarts == restarts:
            return False
        self._rejoining.theirs.pop(source.name, None)  # that was said in old numbers
        return True

    def _compare(self, theirs: dict[str, Standing], now: float) -> list[object]:
        """The peer says how good its pictures are, and perhaps that ours are in old numbers."""
        outdated = self._rejoining.told(theirs, self.sources)
        return [action for source in outdated for action in source.outdate(now)]

    def _look_behind(self, now: float) -> list[object]:
        actions: list[object] = []
        for source in self.sources.values():
            restarts = source.restarts
            actions += source.look_behind(now)
            self._counts_anew(source, restarts)
        return actions

    def _add(self, name: str, contiguous: bool) -> None:
        assert name not in self.sources
        journal = Journal(self.options.journal_events, self.options.journal_seconds, contiguous)
        source = SourceIntake(name, contiguous, journal, self._new_standing)
        if self._join_until == inf and not self.is_fresh and self.sources:
            source.state = State.LIVE  # added by a reload, long after the start
        self.sources[name] = source

    def _new_standing(self, since: int, now: float) -> Standing:
        self._rejoining.soon(now, self.options.gap_timeout)
        return Standing(self.new_id(), since, self.wall.at(now))

    def open(self, standings: dict[str, Standing], peer_is_fresh: bool, now: float) -> list[object]:
        """A session is open, and that is what the peer said of itself."""
        self.linked = True
        if self._join_until != inf:  # only now can the peer be asked
            for source in self.sources.values():
                if source.state is State.HOLE:
                    source.hole_since = now
        is_first = self.is_fresh and peer_is_fresh and self.accepts
        actions = self._alone(now) if is_first else []
        self.owes_state = peer_is_fresh and not self.is_joining
        self._owes_until = now + self.options.join_timeout
        self._rejoining.begin(standings, now)
        actions += self._compare(standings, now)
        self._join_if_worse(now)
        self._rejoining.tell_if_better(self.sources.values(), now, self.options.gap_timeout)
        return [*actions, *self._follow_up(now)]

    def close(self, now: float) -> list[object]:
        """The link is gone; nobody will answer, and nobody waits for an answer."""
        self.linked = self.owes_state = self._asked_to_join = False
        self._rejoining.stop()
        self._serving.forget()
        actions: list[object] = []
        self._lags.over()
        for source in self.sources.values():
            source.asked = False
            # Who was only about to better its picture goes on with the one it has.
            if source.state is State.JOINING and source.applied is not None:
                actions += source.alone(now)
        return [*actions, *self._follow_up(now)]

    def change(self, options: IntakeOptions, now: float) -> None:
        """New options, in effect at once."""
        if self._join_until != inf:
            self._join_until += options.join_timeout - self.options.join_timeout
        self.options, self._lags.patience = options, options.gap_timeout
        for source in self.sources.values():
            source.journal.change(options.journal_events, options.journal_seconds, now)

    def handle_timer(self, now: float) -> list[object]:
        """Stop waiting, for whatever it was; look whether the peer's picture is better."""
        actions: list[object] = []
        for source in self.sources.values():
            if source.state is State.HOLE and now >= self._hole_until(source):
                actions += self._leave(source, now)
            if now >= source.drain_at:
                actions += source.drain(now)
        for source, position in self._lags.due(now):
            source.suppose(position, now)
        if now >= self._join_until:
            actions += self._alone(now)
        if now >= self._owes_until:
            self.owes_state, self._owes_until = False, inf
        if now >= self._rejoining.at and self._rejoining.looks(now):
            self._join_if_worse(now)
            if not self.is_joining:
                actions.append(self._ask({}, now))  # only how good they are
        return [*actions, *self._follow_up(now)]

    def next_deadline(self) -> float:
        """When the first patience ends."""
        waits = [self._join_until, self._rejoining.at, self._owes_until]
        waits.append(self._lags.next_deadline())
        for source in self.sources.values():
            waits += [self._hole_until(source), source.drain_at, source.behind_until]
        return min(*waits, self._serving.next_deadline())

    def peer_at(self, positions: Positions, now: float) -> None:
        """The peer says where it stands."""
        self._lags.told(positions, self._rejoining.theirs, now)

    def _hole_until(self, source: SourceIntake) -> float:
        if source.hole is None:
            return inf
        until = source.hole_since + self.options.gap_timeout
        # After a restart the peer has not been asked before the first link: as for joining.
        just_started = not self.linked and self._join_until != inf
        return max(until, self._join_until) if just_started else until

    # -- what is asked of the peer ---------------------------------------------------

    def _follow_up(self, now: float) -> list[object]:
        """Ask for what is missing, answer what can be answered now."""
        actions = self._look_behind(now)
        if not self.linked:
            return actions
        for source in self.sources.values():
            if source.state is State.HOLE and not source.asked:
                assert source.hole is not None
                source.asked = True
                actions.append(Send(JournalRequest(source.name, *source.hole)))
        if self.is_joining and not self._asked_to_join:
            self._asked_to_join = True
            positions = {
                source.name: source.applied or 0
                for source in self.sources.values()
                if source.state is State.JOINING
            }
            actions.append(self._ask(positions, now))
        return [*actions, *self._serving.serve(self.is_fresh, now)]

    def _ask(self, positions: Positions, now: float) -> Send:
        number = self._rejoining.asked(bool(positions), now)
        return Send(JoinRequest(number, positions, self.standings))

    def _journal_came(self, answer: JournalAnswer, now: float) -> list[object]:
        source = self.sources.get(answer.source)
        hole = None if source is None else source.hole
        if source is None or hole is None or not hole[0] == answer.first <= answer.last:
            return []  # too late, given up meanwhile; or to an earlier question
        if answer.found:
            actions = source.fill(answer.last, answer.events, now)
            self._join_if_worse(now)  # who has a hole did not look when the session was opened
            return actions
        if source.name in self._rejoining.theirs and not source.is_supposed:
            self._join(source, now)
            return []
        return source.leave(now)

    def _leave(self, source: SourceIntake, now: float) -> list[object]:
        """The missing events will not come; a better picture may, if there is one."""
        is_known = source.name in self._rejoining.theirs and not source.is_supposed
        peer_knows = self.linked and is_known
        actions = source.leave(now, then_join=peer_knows)
        if peer_knows:
            self._join(source, now)
        return actions

    def _join(self, source: SourceIntake, now: float) -> None:
        source.join()
        source.hole_since = inf
        if self._join_until == inf:  # it has a picture to go on with, so it is less patient
            least, most = self.options.gap_timeout, self.options.join_timeout
            self._join_until = now + self._rejoining.patience(least, most)
        self._asked_to_join = False

    def _join_if_worse(self, now: float) -> None:
        for source in self._rejoining.worse(self.sources.values()):
            self._join(source, now)

    def _state_came(self, state: JoinState, now: float) -> list[object]:
        is_latest = self._rejoining.answered(state.number, bool(state.as_of), now)
        if not (self.is_joining or state.as_of):
            self._join_if_worse(now)  # we had only asked how good they are
            return []
        if not (is_latest and self.is_joining):
            if self._rejoining.worse(self.sources.values()):
                self._rejoining.came_late(is_latest, now, self.options.gap_timeout)
            return []  # too late: we have begun alone
        joining = [s for s in self.sources.values() if s.state is State.JOINING]
        adopted = {}
        for source in joining:
            as_of = state.as_of.get(source.name)
            if as_of is None or as_of < (source.applied or 0):
                continue  # nothing for us, or what we have already counted would count twice
            if source.is_worse(state.standings.get(source.name), self.accepts):
                adopted[source.name] = as_of
        if not adopted:
            return self._alone(now)
        began = ((source.name, source.standing) for source in joining)
        since = {name: mine.since for name, mine in began if mine is not None and name in adopted}
        self._rejoining.came()
        actions: list[object] = [AdoptWorld(adopted, state.blob, since)]
        for source in joining:
            if source.name in adopted:
                standing = state.standings[source.name]
                actions += source.adopt(adopted[source.name], standing, now)
        actions.append(Joined(tuple(adopted), "adopted"))
        return [*actions, *self._alone(now)]

    def _alone(self, now: float) -> list[object]:
        """No picture will come for those that still wait for one."""
        self._join_until = inf
        actions: list[object] = []
        alone = [s for s in self.sources.values() if s.state is State.JOINING]
        fresh = tuple(s.name for s in alone if s.applied is None)
        for source in alone:
            actions += source.alone(now)
        if self.linked and self._rejoining.worse(alone):
            self._rejoining.did_not_come(now, self.options.gap_timeout)
        return [Joined(fresh, "alone"), *actions] if fresh else actions

    def _world_built(self, world: WorldBuilt) -> list[object]:
        if not self.linked:
            return []
        self.owes_state = False
        as_of = {name: self.positions[name] for name in world.sources}
        # Also of those that we could not give: we may both be waiting for the other one's, and
        # next time only one of us has to.
        found = ((name, source.standing) for name, source in self.sources.items())
        standings = {name: standing for name, standing in found if standing is not None}
        # It has our picture from now on, unless that comes too late; so one that it had is not
        # forgotten.
        given = {name: standings[name] for name in world.sources}
        self._rejoining.theirs = given | self._rejoining.theirs
        actions: list[object] = [Send(JoinState(world.number, as_of, world.blob, standings))]
        if not standings:
            actions.append(Log("warning", "the peer asked for our picture, and we have none"))
        return actions
