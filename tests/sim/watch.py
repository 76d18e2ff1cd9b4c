"""What must hold all the time, not only at the end; each breach is a violation of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statserver_trio.ha.messages import Chunk, ChunkAck, Message
from statserver_trio.ha.session import State as SessionState
from statserver_trio.model.actions import DURABLE
from statserver_trio.server.ha.shadow import LOG_MAX
from statserver_trio.stats.statistic import Statistic

if TYPE_CHECKING:
    from .clients import Client
    from .day import Day
    from .link import SimLink
    from .process import Process

REFUSALS = {  # what a client may be told: what it asks for need not exist on every member
    "incompatible", "unknown-filter", "unknown-time-profile", "unknown-stat-type", "bad-request",
}  # fmt: skip
WAITING_BYTES_MAX = 4 * 1024 * 1024  # on a link of a small pair


def is_count(statistic: Statistic | None) -> bool:
    """Whether it counts what happens at one moment, and does not forget.

    What goes on while a hole is left ends there, and what a snapshot tells of begins anew: so a
    call that lasts may count twice, just as at a server that stands alone.
    """
    return (
        statistic is not None
        and statistic.category.name == "TotalNumber"
        and statistic.book is None
        and statistic.stat_type.subject == "DNAction"
        and not statistic.stat_type.main_mask & DURABLE
        and (statistic.profile is None or statistic.profile.kind == "Growing")
    )


class Watch:
    """Looks on.

    Attributes:
        violations: What went wrong, as sentences; the first one is the interesting one.
    """

    def __init__(self, day: Day) -> None:
        self.day = day
        self.violations: list[str] = []
        self.compared = 0
        self._positions: dict[tuple[Process, str], int] = {}
        self._in_flight: dict[Process, tuple[SimLink, int]] = {}

    def violated(self, what: str) -> None:
        """Something is not as it must be."""
        self.day.note("VIOLATION %s", what)
        self.violations.append(f"{self.day.agenda.now:.3f}: {what}")

    # -- the link -------------------------------------------------------------------------

    def sent(self, link: SimLink, message: Message) -> None:
        """A member has put this on the link."""
        self.day.note("-> %s %s", link.number, message)
        if isinstance(message, Chunk):
            process = link.process
            under_way = self._in_flight.get(process)
            if under_way is not None and under_way[0] is link:
                self.violated(
                    f"{process.host.name} sends chunk {message.seq} with another under way"
                )
            self._in_flight[process] = (link, message.seq)

    def received(self, link: SimLink, message: object) -> None:
        """A member has received this."""
        self.day.note("<- %s %s", link.number, type(message).__name__)
        if isinstance(message, ChunkAck):
            under_way = self._in_flight.get(link.process)
            if under_way is not None and under_way[1] == message.seq:
                del self._in_flight[link.process]

    # -- a member -------------------------------------------------------------------------

    def look(self) -> None:
        """Look at both members."""
        processes = [p for p in self.day.processes.values() if p.alive]
        for process in processes:
            self._positions_grow(process)
            self._memory_is_bounded(process)
            self._what_is_kept_is_open(process)
        if len(processes) == 2:
            self._one_session(*processes)

    def _positions_grow(self, process: Process) -> None:
        for name, source in process.hub.engine.sources.items():
            position = source.position
            before = self._positions.get((process, name))
            fell = before is not None and (position is None or position < before)
            if fell and not self.day.renumbered:
                self.violated(f"{process.host.name}: {name} went back from {before} to {position}")
            if position is not None:
                self._positions[process, name] = position
            applied = process.peer.intake.sources[name].applied
            if position is not None and applied != position:
                self.violated(f"{process.host.name}: {name} is at {position}, not at {applied}")

    def _each_in_its_place(self, process: Process) -> None:
        replication = process.peer.replication
        if not replication._listed:
            return
        pending, known = set(replication._pending), replication._known
        flying, parked = set(replication._in_flight), set(replication.parking.reasons)
        coming = process.peer.installation.under_way()  # their chunk is half installed
        for other in self.day.living():
            if other is not process:  # what came too late comes again
                coming |= other.peer.replication._pending.keys()
                coming |= other.peer.replication._in_flight.keys()
        for text in process.store.open_keys():
            if text in coming:
                continue
            places = [text in place for place in (pending, flying, known, parked)]
            if sum(places) != 1:
                self.violated(f"{process.host.name}: {text} is in {sum(places)} places: {places}")
        for text in known | parked:  # what is pending may be something the peer has asked for
            if process.store.statistic(text) is None:
                self.violated(f"{process.host.name}: {text} is replicated and not open")

    def _memory_is_bounded(self, process: Process) -> None:
        intake = process.peer.intake
        for source in intake.sources.values():
            if source.journal.size > intake.options.journal_events:
                self.violated(
                    f"{process.host.name}: the journal keeps {source.journal.size} events"
                )
        shadow = process.store.shadow
        for name, followed in shadow._sources.items() if shadow is not None else ():
            if len(followed.events) > LOG_MAX:
                self.violated(f"{process.host.name}: the shadow keeps {name}'s events")
        for link in process.links:
            if link.waiting_bytes > WAITING_BYTES_MAX:
                self.violated(f"{process.host.name}: {link.waiting_bytes} bytes wait for the link")
        if len(process.links) > 20:
            self.violated(f"{process.host.name}: {len(process.links)} links")

    def _what_is_kept_is_open(self, process: Process) -> None:
        statistics = process.hub.engine.statistics
        for text in process.store.open_keys():
            statistic = process.store.statistic(text)
            if statistic is not None and statistics.get(statistic.key) is not statistic:
                self.violated(f"{process.host.name}: {text} is replicated, and closed")

    def _one_session(self, first: Process, second: Process) -> None:
        mine, theirs = first.member.link, second.member.link
        if mine is None or theirs is None or mine.end.other is not theirs.end:
            return
        sessions = first.peer.session, second.peer.session
        if all(each.state is SessionState.OPEN for each in sessions):
            if sessions[0].id != sessions[1].id:
                self.violated("the members are in two sessions")
            self._each_in_its_place(first)
            self._each_in_its_place(second)

    # -- values ---------------------------------------------------------------------------

    def compare(self) -> None:
        """Whoever stands where the oracle stands must have its values."""
        day = self.day
        for process in day.living():
            if self.is_comparable(process):
                self.equal(process, day.at(), day.truth.has_exchanged())

    def is_comparable(self, process: Process) -> bool:
        """Whether it stands where the oracle does."""
        here = self.day.oracle.positions()
        return self.day.truth.is_exact(process) and process.store.positions() == here

    def equal(self, process: Process, at: dict[str, int], has_everything: bool) -> bool:
        """Compare a member that is exact with the oracle; whether all that it has is right.

        Args:
            has_everything: Nothing is on its way to it. If something is, it may have begun to
                count by itself what the other one has counted for longer; but what was right
                once, and had all of the other's history, must stay so.
        """
        day, store = self.day, process.store
        lacking = set(store.lacking())
        oracle = day.oracle
        keys = [k for k in store.open_keys() if k in oracle.lives and k not in oracle.free]
        mine = day.values(process, at, keys)
        all_right = True
        for text in keys:
            self.compared += 1
            coverage, statistic = store.coverage(text), store.statistic(text)
            life = oracle.life_of(text, coverage)
            truth = None if life is None else oracle.value(life, at)
            counts = statistic is not None and statistic.counts  # else it is read from the world
            is_poorer = counts and life is not None and oracle.is_better(text, life, coverage)
            if life is None or (mine[text] == truth and not is_poorer):
                if all(day.truth.has_history(process, other, text) for other in day.living()):
                    process.proven[text] = statistic
                continue
            all_right = False
            must = has_everything or process.proven.get(text) is statistic
            if must and text not in lacking:
                should = "have begun earlier" if is_poorer else f"be {truth!r}"
                self.violated(f"{process.host.name}: {text} is {mine[text]!r}, and should {should}")
        return all_right

    def bounded(self, process: Process, at: dict[str, int]) -> None:
        """Whatever was lost, nothing may be counted more often than it happened."""
        day, store = self.day, process.store
        if day.renumbered or store.positions() != day.oracle.positions():
            return
        lives = {
            text: [life for life in day.oracle.lives.get(text, ()) if life.is_told]
            for text in store.open_keys()
            if text not in day.oracle.free and is_count(store.statistic(text))
        }
        mine = day.values(process, at, [text for text, found in lives.items() if found])
        for text, value in mine.items():
            self.compared += 1
            most = max(day.oracle.value(life, at) for life in lives[text])
            if value > most:
                self.violated(f"{process.host.name}: {text} is {value}, and cannot be above {most}")

    # -- clients --------------------------------------------------------------------------

    def refused(self, client: Client, event: dict[str, Any]) -> None:
        """A client's request was refused."""
        self.day.note("%s is refused: %s", client.name, event["message"])
        if event["code"] not in REFUSALS:
            self.violated(f"{client.name} is refused: {event}")

    def grew(self, client: Client, request: dict[str, Any], before: float, value: float) -> None:
        """A client was told a number that can only grow."""
        if value < before:
            self.violated(f"{client.name} was told {before}, then {value} of {request}")
