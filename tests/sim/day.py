"""One day of a pair, from its seed: it starts, lives through trouble, heals, and is compared."""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil, inf
from random import Random
from typing import Any

from attrs import define, evolve, field

from statserver_trio.ha.session import State as SessionState
from statserver_trio.ha.source_intake import State
from statserver_trio.ha.status import is_synchronised
from statserver_trio.server.link_definitions import key_text
from tests.strict import be_strict

from .agenda import Agenda
from .clients import Client
from .network import Host, Network
from .oracle import Oracle
from .plan import Plan, make_plan
from .process import Process
from .site import SWITCHES, config_of
from .switch import Switch
from .trouble import Trouble
from .truth import Truth
from .watch import Watch

be_strict()

ROLES = {"A": "primary", "B": "backup"}
LOOK_SECONDS = 1.0  # between two looks at both members
COMPARE_LOOKS = 15  # looks between two comparisons of values
START_SECONDS = 120.0  # to come up, without any trouble
HEAL_SECONDS = 400.0  # to be equal again
LATE_SECONDS = 10.0  # until what was under way has arrived, and the next event tells of a hole
LINE_CHARACTERS = 600  # of a line of the trace
QUICK = 2 * 2.0 + 2 * 1.0 + 1  # seconds: addp-timeout at most 2 s, connect-timeout 1 s
AHEAD_MS = 5000  # values are compared as of some time after the last event


@define
class Outcome:
    """What came of a day.

    Attributes:
        violations: None means that all is well.
        lines: The trace, if one was asked for.
        digest: Of the trace.
    """

    seed: int
    rough: bool
    violations: list[str] = field(factory=list)
    seconds: float = 0.0  # virtual
    convergence: float | None = None  # seconds from the end of all trouble ...
    besides_pace: float | None = None  # ... and those of them that no chunk had to wait for
    is_quick: bool = False  # a dead link is noticed, and made anew, soon: see QUICK
    is_slow: bool = False  # it took longer than reliability.md says
    figures: Counter[str] = field(factory=Counter)
    faults: Counter[str] = field(factory=Counter)
    lines: list[str] = field(factory=list)
    digest: str = ""


class Day:
    """Everything of one seed.

    Args:
        plan: Of a day that somebody makes up; by the seed if there is none.

    Attributes:
        speaker: Whose turn it is, for the trace.
    """

    def __init__(
        self, seed: int, rough: bool = False, tracing: bool = False, plan: Plan | None = None
    ) -> None:
        self.outcome = Outcome(seed, rough)
        self.rng = Random(f"{seed}/{rough}")
        self.plan = plan or make_plan(self.rng, rough)
        self.tracing = tracing
        self.speaker = ""
        self.agenda = Agenda()
        self.epoch = self.plan.start
        self.network = Network(self.agenda, self.rng)
        self.watch = Watch(self)
        self.hosts = {name: Host(name) for name in ROLES}
        self.wall_ahead = {"A": 0.0, "B": self.plan.wall_ahead}
        self.wall_jump = dict.fromkeys(ROLES, 0.0)
        self.ha = evolve(config_of("backup", self.plan.variant).ha, **self.plan.options)
        self.variant = self.plan.variant
        self.switches = {
            name: Switch(
                self,
                name,
                SWITCHES[name],
                Random(f"{seed}/{name}"),
                self.plan.recent,
                self.plan.source_ahead if name == "ts2" else 0.0,
            )
            for name in self.plan.variant.sources
        }
        self.processes: dict[str, Process] = {}
        self.oracle: Oracle = None  # type: ignore[assignment]
        self.lineages: dict[str, str] = {}  # of the pictures that lack nothing
        self.unsure: dict[tuple[str, str], float] = {}  # host, source: until that position
        self.clients = [Client(self, f"client{n}") for n in range(self.plan.clients)]
        self.truth = Truth(self)
        self.trouble = Trouble(self)
        self.renumbered = False  # positions do not mean what they did
        self._ids = 0
        self._hash = hashlib.blake2b(digest_size=16)
        self._looks = 0

    # -- the day --------------------------------------------------------------------------

    def run(self) -> Outcome:
        """Live it."""
        with self._traced():
            try:
                self._live()
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
                self.watch.violated(f"{self.speaker}: {type(error).__name__}: {error} ({place})")
                if self.tracing:
                    self.outcome.lines += traceback.format_exc().splitlines()
        outcome = self.outcome
        outcome.violations = self.watch.violations
        outcome.seconds = self.agenda.now
        self._count()
        outcome.digest = self._hash.hexdigest()
        return outcome

    def _live(self) -> None:
        self.come_up()
        for client in self.clients:
            client.come(self.rng.choice(list(self.processes.values())))
        end = self.agenda.now + self.plan.length
        self.agenda.after(LOOK_SECONDS, self._look)
        self.trouble.begin(end)
        self.agenda.run(end)
        self.trouble.end()
        self.note("all trouble is over")
        self.become_equal()

    def become_equal(self) -> None:
        """Wait until the members are, or should be, and compare them."""
        healed = self.agenda.now
        self._wait_for_equality(healed)
        self.outcome.convergence = seconds = self.agenda.now - healed
        pace, besides = self._patience()
        self.outcome.besides_pace = max(0.0, seconds - pace)
        self.outcome.is_quick = besides <= QUICK
        self.outcome.is_slow = seconds > pace + besides
        besides += self.ha.gap_timeout + (self.ha.join_timeout if self.outcome.rough else 0)
        besides += LATE_SECONDS
        if seconds > pace + besides and not self.renumbered:
            self.watch.violated(f"equal after {seconds:g} s, and {pace:g} + {besides:g} s may pass")
        for switch in self.switches.values():
            switch.is_open = False
            switch.shout()  # who has missed the last ones finds out
        self.agenda.run(self.agenda.now + 10)
        self._wait_for_equality(healed)
        self._final()

    def _patience(self) -> tuple[float, float]:
        """Seconds that may pass until they are equal: by the pace of chunks, and besides.

        Besides, a dead link may have to be noticed, and made anew, twice (reliability.md §5).
        """
        pace = besides = 0.0
        for process in self.living():
            ha, statistics = process.config.ha, len(process.store.open_keys())
            pace = max(pace, ceil(statistics / ha.chunk_size) * ha.chunk_timeout)
            addp = max(ha.addp_timeout, ha.addp_remote_timeout)
            besides = max(besides, 2 * addp + 2 * ha.connect_timeout + 1)
        return pace, besides

    def _wait_for_equality(self, since: float) -> None:
        while not self.is_converged():
            self.agenda.run(self.agenda.now + 0.5)
            if self.agenda.now > since + HEAL_SECONDS:
                self.watch.violated(f"not equal after {HEAL_SECONDS:g} s: {self.why_not()}")
                return

    def come_up(self) -> None:
        """Both come up, and agree about a first picture; the oracle begins with it."""
        for name, at in self.plan.starts.items():
            self.agenda.after(at, lambda name=name: self.start(name))
        while self.agenda.now < START_SECONDS and not self._is_up():
            self.agenda.run(self.agenda.now + 0.5)
        assert self._is_up(), f"the pair does not come up: {self.why_not()}"
        self.agenda.run(self.agenda.now + 1)
        first = self.processes["A"]
        self.lineages = {n: s.lineage for n, s in first.peer.intake.standings.items()}
        engine = first.hub.engine
        self.oracle = Oracle(engine, self.switches, self.plan.variant.resolution)
        self.note("the oracle begins at %s", self.oracle.positions())

    def _is_up(self) -> bool:
        return len(self.processes) == 2 and not self.why_not()

    def start(self, name: str) -> None:
        """A process begins."""
        host = self.hosts[name]
        host.up, host.frozen = True, False
        self.speaker = name
        self.note("%s starts", name)
        process = self.processes[name] = Process(self, host, ROLES[name], self.variant_of(name))
        process.start()

    def variant_of(self, name: str) -> Any:
        """The configuration that a member reads at its start: what it read last."""
        before = self.processes.get(name)
        return self.plan.variant if before is None else before.variant

    def listener(self, dialler: Process) -> Process | None:
        """Who accepts the backup's connections, if anybody does."""
        process = self.processes.get("A")
        return process if process is not None and process.alive else None

    def new_id(self) -> str:
        """An id that is never the same twice."""
        self._ids += 1
        return f"{self._ids:04d}-{self.rng.getrandbits(32):08x}"

    def opened(self, process: Process, statistic: Any) -> None:
        """A client's request has opened a statistic on a member that did not have it."""
        text = key_text(statistic.key)
        self.note("opened %s", text)
        self.outcome.figures["opened by clients"] += 1
        oracle = self.oracle
        was_deleted = text in process.peer.deletion.tombstones
        if was_deleted or not any(
            p.store.statistic(text) for p in self.living() if p is not process
        ):
            oracle.forget(text)  # what is deleted and created again counts from zero on both
            for each in self.living():
                each.proven.pop(text, None)
        positions = process.store.positions()
        here = oracle.positions()
        is_exact = self.truth.is_exact(
            process
        )  # or its feed is away, and it stands where it was lost
        knows = is_exact or self.truth.is_exact(process, while_deaf=True)
        if knows and all(positions[name] >= position for name, position in here.items()):
            oracle.open(statistic, positions, is_exact)
        elif text not in oracle.lives:
            oracle.lives[text] = []
            oracle.free.add(text)

    def deleted(self, process: Process, texts: set[str]) -> None:
        """A member's configuration has closed these.

        Where no client of the other one wants it, each lets go of it in its own time: what
        comes back with the definition may or may not have in it what was before.
        """
        others = [other for other in self.living() if other is not process]
        for text in texts & self.oracle.lives.keys() if self.oracle is not None else ():
            holders = [other for other in others if other.peer.holds.ours(text)]
            if holders:  # they keep what they have; what they had not been given yet is gone
                stores = (other.store for other in holders)
                self.oracle.keep_only(text, [s.coverage(text) for s in stores if s.statistic(text)])
            else:
                self.oracle.forget(text)
                self.oracle.lives[text] = []
                self.oracle.free.add(text)

    def living(self) -> list[Process]:
        """The processes that are not dead."""
        return [process for process in self.processes.values() if process.alive]

    # -- the oracle's walk ------------------------------------------------------------------

    def forget_closed(self) -> None:
        for text in list(self.oracle.lives):
            if not any(process.store.statistic(text) for process in self.living()):
                self.oracle.forget(text)

    def walk(self) -> None:
        """Let the oracle walk as far as it may: nobody will open anything before that."""
        if self.renumbered:
            return
        standing = [p.store.positions() for p in self.living()]
        here = self.oracle.positions()
        self.oracle.advance(
            {
                name: max(min((p[name] for p in standing if name in p), default=0), here[name])
                for name in self.switches
            }
        )

    def at(self) -> dict[str, int]:
        """A time of every source at which values can be compared."""
        engines = [p.hub.engine for p in self.living()] + [self.oracle.engine]
        worlds = {n: [e.sources[n]._world for e in engines] for n in self.switches}
        return {
            name: max(world.now for world in found if world is not None) + AHEAD_MS
            for name, found in worlds.items()
        }

    def values(self, process: Process, at: dict[str, int], keys: Any) -> dict[str, Any]:
        """What a member's statistics are worth."""
        engine, store = process.hub.engine, process.store
        clocks = {source.ledger: at[name] for name, source in engine.sources.items()}
        return {text: engine.value_at(store.statistic(text), clocks).value for text in keys}

    # -- looking on -----------------------------------------------------------------------

    def _look(self) -> None:
        self.agenda.after(LOOK_SECONDS, self._look)
        self._looks += 1
        self.watch.look()
        if self._looks % COMPARE_LOOKS == 0:
            self.forget_closed()
            self.walk()
            if not self.outcome.rough:
                self.watch.compare()
            else:
                for process in self.living():
                    self.watch.bounded(process, self.at())

    def is_converged(self) -> bool:
        """Whether nothing is left to do."""
        return not self.why_not()

    def why_not(self) -> str:
        """What is left to do."""
        if len(self.living()) < 2:
            return "somebody is dead"
        for process in self.living():
            name = process.host.name
            if process.peer.session.state is not SessionState.OPEN:
                return f"{name} is {process.peer.session.state.value}"
            if process.peer.replication.parking.reasons or process.peer.deletion.tombstones:
                return f"{name} has something parked, or deleted"
            if not is_synchronised(process.peer):
                return f"{name} has {process.peer.replication.pending} pending"
            for source in process.peer.intake.sources.values():
                if source.standing is None:
                    return f"{name}: {source.name} has not begun"
                if source.state is not State.LIVE or not process.feeds[source.name].connected:
                    return f"{name}: {source.name} is {source.state.value}"
                if source.behind_until < inf:
                    return f"{name}: {source.name} stands behind what it told, in new numbers"
            if process.installer._more.is_set():
                return f"{name} works"
        first, second = self.living()
        if first.peer.intake.standings != second.peer.intake.standings:
            return f"{first.peer.intake.standings} and {second.peer.intake.standings}"
        return ""

    def _final(self) -> None:
        """Both members must have everything, and the same, and the oracle's."""
        self.watch.look()
        first, second = self.living()
        self.forget_closed()
        last = {name: switch.position for name, switch in self.switches.items()}
        for process in (first, second):
            if process.store.positions() != last:
                self.watch.violated(
                    f"{process.host.name} stands at {process.store.positions()}, not at {last}"
                )
                return
        if not self.renumbered:
            self.oracle.advance(last)
        at = self.at()
        mine, theirs = (self.values(p, at, p.store.open_keys()) for p in (first, second))
        # What no client wants any more is let go of by each in its own time.
        wanted = {t for p in (first, second) for t in p.store.open_keys() if p.peer.holds.ours(t)}
        only = sorted((mine.keys() ^ theirs.keys()) & wanted)
        if only:
            self.watch.violated(f"{len(only)} are open on one side only: {only[:3]}")
        for text in mine.keys() & theirs.keys():
            if mine[text] != theirs[text]:
                self.watch.violated(f"{text} is {mine[text]!r} on A and {theirs[text]!r} on B")
        for process in (first, second):
            if self.outcome.rough:
                self.watch.bounded(process, at)
            else:
                self.watch.equal(process, at, True)
        self.outcome.figures["statistics"] += len(mine)

    # -- the trace ------------------------------------------------------------------------

    def note(self, text: str, *args: object) -> None:
        """A line of the trace."""
        if self.tracing:
            line = f"{self.agenda.now:11.4f} {self.speaker:2} {text % args}"
            self._hash.update(line.encode())
            self.outcome.lines.append(line[:LINE_CHARACTERS])

    @contextmanager
    def _traced(self) -> Iterator[None]:
        root = logging.getLogger("statserver_trio")
        handler, level, propagate = _ToTrace(self), root.level, root.propagate
        disabled = logging.root.manager.disable
        if self.tracing:
            root.addHandler(handler)
            root.setLevel(logging.DEBUG)
            root.propagate = False
        else:
            logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
            root.propagate = propagate
            logging.disable(disabled)

    def _count(self) -> None:
        figures = self.outcome.figures
        figures["events"] += sum(switch.position for switch in self.switches.values())
        figures["compared"] += self.watch.compared
        for process in self.processes.values():
            self.count(process)

    def count(self, process: Process) -> None:
        """Add what a process has to tell to the figures; once per process."""
        figures, peer = self.outcome.figures, process.peer
        figures["sessions new"] += peer.session.new
        figures["sessions restored"] += peer.session.restored
        for source in peer.intake.sources.values():
            figures["holes repaired"] += source.repaired
            figures["holes left"] += source.left
        for result, number in peer.installation.results.items():
            figures[result.value] += number
        figures["inexact"] += process.store.inexact


class _ToTrace(logging.Handler):
    """The product's log, in the trace."""

    def __init__(self, day: Day) -> None:
        super().__init__()
        self._day = day

    def emit(self, record: logging.LogRecord) -> None:
        """A line."""
        self._day.note("# %s", record.getMessage())


def live(seed: int, rough: bool = False, tracing: bool = False) -> Outcome:
    """A day by its seed."""
    return Day(seed, rough, tracing).run()
