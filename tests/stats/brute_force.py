"""Statistics the slow way: everything that ever happened in one list, and the book's formulas.

Nothing is clever here. :class:`Observer` watches a world of its own and writes
down, per node, every occurrence from beginning to end with the data it had on
the way, and with what else a filter may look at (``@ANI``); :func:`value` reads
the list from the first line to the last for every number that is asked for. The
formulas are those of statistics.md §5.1-5.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import define, field

from statserver_trio.model.actions import ALL_ACTIONS, CODES, NAMES
from statserver_trio.model.directory import Directory
from statserver_trio.model.nodes import AgentNode, DNNode, Node, PlaceNode
from statserver_trio.model.occurrences import (
    BEGAN,
    DN_STATUS,
    ENDED,
    FACTS,
    HAPPENED,
    STATUS,
)
from statserver_trio.model.world import World, WorldOptions
from statserver_trio.tlib import events as e

Test = Callable[[Mapping[str, Any]], bool]
Range = tuple[int, int | None]  # ms


# -- the list -----------------------------------------------------------------------------


@define(eq=False)
class Durable:
    """One durable action, or one status period, as one object sees it."""

    action: int
    start: int
    end: int | None = None
    ended_at: int = 0  # its place in the order of everything that ends or happens
    facts: list[tuple[int, int, Mapping[str, Any]]] = field(factory=list)  # when, order, what
    conn_id: str = ""
    dn: str = ""


@define(eq=False)
class Instant:
    """One instantaneous action."""

    action: int
    at: int
    duration: int
    facts: Mapping[str, Any]
    ended_at: int
    conn_id: str = ""
    dn: str = ""


@define(eq=False)
class Diary:
    """Everything that one object has seen, by what is counted of it."""

    actions: list[Durable] = field(factory=list)
    instants: list[Instant] = field(factory=list)
    statuses: list[Durable] = field(factory=list)
    dn_statuses: list[Durable] = field(factory=list)

    def durables(self, of: str) -> list[Durable]:
        """``"actions"``, ``"statuses"`` or ``"dn_statuses"``."""
        found: list[Durable] = getattr(self, of)
        return found


class Observer:
    """A world in which every object writes a diary."""

    def __init__(self, switch: str, directory: Directory, t: int, options: WorldOptions) -> None:
        self.diaries: dict[str, Diary] = {}
        self.order = 0
        self.events: list[int] = []  # the order before each event
        self._open: dict[tuple[Node, int, Any], Durable] = {}
        self._watched: set[Node] = set()
        self._sources: dict[Durable, Any] = {}
        self._groups = {
            **{f"group {g}": [f"agent {a}" for a in m] for g, m in directory.agent_groups.items()},
            **{f"group {g}": [f"place {p}" for p in m] for g, m in directory.place_groups.items()},
        }
        self.world = World(switch, directory, t, options)
        make_dn, make_agent = self.world._new_dn, self.world.agent

        def new_dn(number: str, dn_type: str) -> DNNode:
            dn = make_dn(number, dn_type)
            self.watch(dn)
            return dn

        def agent(agent_id: str) -> AgentNode | None:
            found = make_agent(agent_id)
            if found is not None:
                self.watch(found)
            return found

        self.world._new_dn = new_dn  # type: ignore[method-assign]
        self.world.agent = agent  # type: ignore[method-assign]
        for node in [*self.world.dns(), *self.world._places.values()]:
            self.watch(node)
        for group, members in self._groups.items():
            first = Durable(self._group_status(members), t, facts=[(t, 0, {})])
            self.diaries[group] = Diary(statuses=[first])

    def watch(self, node: Node) -> None:
        """Let a node write its diary, from what goes on there on."""
        if node in self._watched:
            return
        self._watched.add(node)
        node.interest = ALL_ACTIONS
        node.wants_status = node.wants_dn_statuses = True
        node.wants_facts = node.wants_moments = True
        self.diaries.setdefault(name_of(node), Diary())
        for occurrence, start in node.going_on():
            self._begin(node, BEGAN, occurrence, start)
        self._begin(node, STATUS, node.status, node.status.start)
        if isinstance(node, AgentNode | PlaceNode):
            for status, start in node.dn_statuses():
                self._begin(node, DN_STATUS, status, start)

    def apply(self, event: e.TEvent, t: int) -> None:
        """Let an event happen; what is stuck at a full minute before it is cleaned first."""
        t = max(t, self.world.now)
        while self.world.next_check <= t:
            at = self.world.next_check
            self._write(self.world.check(), at)
        self._write(self.world.apply(event, t), t)

    def check(self, t: int) -> None:
        """Time passes."""
        while self.world.next_check <= t:
            at = self.world.next_check
            self._write(self.world.check(), at)

    def settle(self) -> None:
        """A DN may have been named for the first time."""
        self._write(self.world.chronicle.take(), self.world.now)

    def _write(self, records: Iterable[tuple[Any, ...]], t: int) -> None:
        self.events.append(self.order)
        for record in records:
            kind, node = record[:2]
            self.order += 1
            if kind == BEGAN:
                self._begin(node, kind, record[2], record[3])
            elif kind == ENDED:
                self._end(node, kind, record[2], t)
            elif kind == HAPPENED:
                _, _, action, duration, about = record
                instants = self.diaries[name_of(node)].instants
                where = about.conn_id, about.dn.key.number
                instants.append(Instant(action, t, duration, known(about), self.order, *where))
            elif kind == STATUS:
                self._end(node, kind, record[2], t)
                self._begin(node, kind, record[3], record[3].start)
            elif kind == DN_STATUS:
                _, _, old, _, new, new_start = record
                if old is not None:
                    self._end(node, kind, old, t)
                if new is not None:
                    self._begin(node, kind, new, new_start)
            elif kind == FACTS:
                for (whose, _, what), durable in self._open.items():
                    if whose is node and record[2] in (what, self._sources.get(durable)):
                        durable.facts.append((t, self.order, known(record[2])))
        self._look_at_groups(t)

    def _group_status(self, members: list[str]) -> int:
        """By the members' own diaries, from the first to the last."""
        found = []
        for member in members:
            diary = self.diaries.get(member)
            found.append("LoggedOut" if diary is None else NAMES[diary.statuses[-1].action])
        if all(status == "NotMonitored" for status in found):
            return CODES["NotMonitored"]
        if "WaitForNextCall" in found:
            return CODES["WaitForNextCall"]
        everybody_left = all(status == "LoggedOut" for status in found)
        return CODES["LoggedOut" if everybody_left else "NotReadyForNextCall"]

    def _look_at_groups(self, t: int) -> None:
        """Every group writes its own diary, once per event."""
        for group, members in self._groups.items():
            statuses = self.diaries[group].statuses
            action = self._group_status(members)
            if action != statuses[-1].action:
                self.order += 1
                statuses[-1].end, statuses[-1].ended_at = t, self.order
                statuses.append(Durable(action, t, facts=[(t, self.order, {})]))

    def _begin(self, node: Node, kind: int, what: Any, start: int) -> None:
        source = what if kind == BEGAN else what.source
        where = ("", "") if source is None else (source.conn_id, source.dn.key.number)
        facts = [(start, self.order, known(source))]
        durable = Durable(what.action, start, None, 0, facts, *where)
        diary = self.diaries[name_of(node)]
        lists = {BEGAN: diary.actions, STATUS: diary.statuses, DN_STATUS: diary.dn_statuses}
        lists[kind].append(durable)
        key = (node, BEGAN if kind == BEGAN else kind, what)
        assert key not in self._open, "began twice"
        self._open[key] = durable
        if kind != BEGAN:
            self._sources[durable] = what.source

    def _end(self, node: Node, kind: int, what: Any, t: int) -> None:
        durable = self._open.pop((node, BEGAN if kind == ENDED else kind, what))
        durable.end, durable.ended_at = t, self.order


def known(source: Any) -> Mapping[str, Any]:
    """What a filter may look at: attached data, and attributes where they are known."""
    if source is None:
        return {}
    found = {**source.facts, "@AgentID": source.agent_id}
    if source.call is not None:
        number = source.dn.key.number
        found["@ANI"], found["@CallType"] = source.call.ani, source.call.call_type
        found["@OtherDN"] = source.call.others.get(number, "")
        found["@ThisQueue"] = source.call.queues.get(number, "")
    return {key: value for key, value in found.items() if value != "" or key[0] != "@"}


def name_of(node: Node) -> str:
    """The object a node stands for."""
    if isinstance(node, AgentNode):
        return f"agent {node.id}"
    if isinstance(node, PlaceNode):
        return f"place {node.name}"
    assert isinstance(node, DNNode)
    return f"dn {node.key.number}"


# -- the formulas -------------------------------------------------------------------------


@define
class Piece:
    """A stretch during which something counts: the whole occurrence, without a filter."""

    start: int
    end: int | None
    whole_start: int  # of the occurrence it is part of
    ended_at: int
    of: Durable


@define(frozen=True)
class Question:
    """What is asked: the interval ``[since, now]``, and of what."""

    of: str
    mask: int
    test: Test | None
    opened: int
    since: int
    now: int
    opened_order: int = 0


def pieces(diary: Diary, q: Question) -> list[Piece]:
    """The occurrences that were not over when the statistic was opened, sliced by the filter."""
    found = []
    for d in diary.durables(q.of):
        if not q.mask >> d.action & 1:
            continue
        if d.end is not None and d.ended_at <= q.opened_order:
            continue
        if q.test is None:
            found.append(Piece(d.start, d.end, d.start, d.ended_at, d))
            continue
        since: int | None = None
        for t, order, facts in d.facts:
            if q.test(facts):
                since = t if since is None else since
            elif since is not None:
                if order > q.opened_order:  # else it was over when the statistic was opened
                    found.append(Piece(since, t, d.start, order, d))
                since = None
        if since is not None:
            found.append(Piece(since, d.end, d.start, d.ended_at, d))
    return found


def ended(diary: Diary, q: Question) -> list[Piece]:
    """Those that ended in the interval."""
    return [p for p in pieces(diary, q) if p.end is not None and p.end >= q.since]


def live(diary: Diary, q: Question) -> list[Piece]:
    """Those in progress."""
    return [p for p in pieces(diary, q) if p.end is None]


def instants(diary: Diary, q: Question) -> list[Instant]:
    """What happened at once in the interval."""
    if q.of != "actions":
        return []
    return [
        i
        for i in diary.instants
        if q.mask >> i.action & 1
        and i.at >= q.since
        and i.ended_at > q.opened_order
        and (q.test is None or q.test(i.facts))
    ]


def in_range(duration: int, wanted: Range) -> bool:
    """Half open."""
    return wanted[0] <= duration and (wanted[1] is None or duration < wanted[1])


class Numbers:
    """The base aggregates of several diaries (one, or one per member of a group)."""

    def __init__(self, diaries: list[Diary], q: Question) -> None:
        self.q = q
        self.diaries = diaries
        self.is_status = q.of != "actions"
        # A status that lasted no time was none.
        self.ended = [
            p for d in diaries for p in ended(d, q) if not self.is_status or p.end != p.start
        ]
        self.live = [p for d in diaries for p in live(d, q)]
        self.instants = [i for d in diaries for i in instants(d, q)]
        self.everything = [p for d in diaries for p in pieces(d, q)]

    def number(self) -> int:
        if self.is_status:
            return len(self.ended) + len(self.live)
        return len(self.ended) + len(self.instants)

    def projected(self) -> list[int]:
        """Lengths inside the interval of what ended, and durations of instants."""
        cut = [(p.end or 0) - max(p.start, self.q.since) for p in self.ended]
        return cut + [i.duration for i in self.instants]

    def progress(self) -> list[int]:
        """Lengths inside the interval of statuses in progress; actions have none."""
        if not self.is_status:
            return []
        return [self.q.now - max(p.start, self.q.since) for p in self.live]

    def time(self) -> int:
        return sum(self.projected()) + sum(self.progress())

    def greatest(self) -> int:
        return max(self.projected() + self.progress(), default=0)

    def least(self) -> int:
        return min(self.projected(), default=0)

    def whole(self) -> list[int]:
        """Uncut durations of what is over."""
        durations = [(p.end or 0) - p.start for p in self.ended]
        return durations + [i.duration for i in self.instants]

    def depths(self) -> list[int]:
        """How many went on at once, at every moment of the interval at which that may change."""
        q = self.q
        moments = {q.since, q.now}
        for p in self.everything:
            moments |= {t for t in (p.start, p.end) if t is not None and q.since <= t <= q.now}
        found = []
        # each lasts until the next moment; the last one is the present
        found += [self.depth_after(t) if t < q.now else len(self.live) for t in sorted(moments)]
        if q.since > q.opened:
            found.append(self.depth_before(q.since))
        return found

    def depth_after(self, t: int) -> int:
        return sum(p.start <= t and (p.end is None or p.end > t) for p in self.everything)

    def depth_before(self, t: int) -> int:
        return sum(p.start < t and (p.end is None or p.end >= t) for p in self.everything)

    def inside(self) -> int:
        """Since when, without a gap, at least one of them went on; 0 if none does."""
        if not self.live:
            return 0
        since = min(p.start for p in self.live)
        for _ in self.everything:
            reaching = [p.start for p in self.everything if p.end is not None and p.end >= since]
            since = min([since, *reaching])
        return self.q.now - since

    def continuous(self) -> int:
        """How many times without a gap lie in the interval, or in part; of each object its own."""
        return sum(
            end is None or end >= self.q.since
            for diary in self.diaries
            for start, end in without_gaps(pieces(diary, self.q))
            if end != start
        )

    def time_integral(self) -> float:
        """How long each has lasted, since it began, integrated over its part of the interval."""
        total = 0.0
        for p in self.ended + self.live:
            until = self.q.now if p.end is None else p.end
            since = max(p.start, self.q.since)
            total += (until - since) * ((until - p.whole_start) + (since - p.whole_start)) / 2
        return total

    def integral(self) -> int:
        q = self.q
        return sum(
            (q.now if p.end is None else p.end) - max(p.start, q.since)
            for p in self.ended + self.live
        )


def without_gaps(found: list[Piece]) -> list[tuple[int, int | None]]:
    """The times in which at least one of them went on, each from its beginning to its end."""
    times: list[tuple[int, int | None]] = []
    for p in sorted(found, key=lambda p: p.start):
        start, end = times[-1] if times else (0, -1)
        if end is None:
            continue
        if p.start <= end:
            times[-1] = (start, None if p.end is None else max(end, p.end))
        else:
            times.append((p.start, p.end))
    return times


def ratio(numerator: float, denominator: float, factor: float = 1) -> float:
    return factor * numerator / denominator if denominator else 0.0


def service_factor(answered: Numbers, lost: Numbers, limit: Range, excused: Range | None) -> float:
    """Answered in time, of all but those lost so early that it does not matter."""
    good = [d for d in answered.whole() if in_range(d, limit)]
    bad = [d for d in lost.whole() if excused is None or not in_range(d, excused)]
    return ratio(len(good), len(answered.whole()) + len(bad), 100)


NEVER = 10_000


def estimate(category: str, waiting: int, ready: int, positions: int, handle_time: float) -> float:
    """How long the next caller waits, by the calls that do and those who take them."""
    if category == "LoadBalance" and ready and not waiting:
        return -ready
    if positions and not (ready and not waiting):
        return waiting * handle_time / positions
    return NEVER if waiting else 0


def value(category: str, main: Numbers, rel: Numbers, wanted: Range | None, interval: int) -> float:
    """What a category comes to; times in ms."""
    ranged = [d for d in main.whole() if wanted is not None and in_range(d, wanted)]
    waits = [main.q.now - p.whole_start for p in main.live]
    match category:
        case "TotalNumber":
            return main.number()
        case "TotalTime":
            return main.time()
        case "TotalAdjustedNumber":
            return len(main.whole())
        case "TotalAdjustedTime":
            return sum(main.whole())
        case "MaxTime":
            return main.greatest()
        case "MinTime":
            return main.least()
        case "MaxNumber":
            return max(main.depths())
        case "MinNumber":
            return min(main.depths())
        case "TotalNumberInTimeRange":
            return len(ranged)
        case "TotalTimeInTimeRange":
            return sum(ranged)
        case "TotalNumberInTimeRangePercentage":
            return ratio(len(ranged), rel.number(), 100)
        case "AverageTime":
            return ratio(sum(main.whole()) / 1000, len(rel.whole()))
        case "RelativeNumber":
            return ratio(main.number(), rel.number())
        case "RelativeNumberPercentage":
            return ratio(main.number() if wanted is None else len(ranged), rel.number(), 100)
        case "RelativeTimePercentage":
            return ratio(main.time(), rel.time(), 100)
        case "AverageNumberPerRelativeHour":
            return ratio(main.number(), rel.time() / 1000, 3600)
        case "ElapsedTimePercentage":
            return ratio(main.time(), interval, 100)
        case "TotalNumberPerSecond":
            return ratio(main.number(), interval / 1000)
        case "AverageOfCurrentNumber":
            return ratio(main.integral(), interval)
        case "AverageOfCurrentTime":
            return ratio(main.time_integral() / 1000, interval)
        case "TotalContinuousNumber":
            return main.continuous()
        case "CurrentNumber":
            return len(main.live)
        case "CurrentTime":
            return sum(waits)
        case "CurrentMaxTime":
            return max(waits, default=0)
        case "CurrentMinTime":
            return min(waits, default=0)
        case "CurrentAverageTime":
            return ratio(sum(waits) / 1000, len(rel.live))
        case "CurrentNumberInTimeRange":
            assert wanted is not None
            return sum(in_range(wait, wanted) for wait in waits)
        case "CurrentNumberInTimeRangePercentage":
            assert wanted is not None
            return ratio(sum(in_range(wait, wanted) for wait in waits), len(waits), 100)
        case "CurrentContinuousTime":
            return main.inside()
        case "CurrentRelativeNumberPercentage":
            return ratio(len(main.live), len(rel.live), 100)
        case "CurrentRelativeTimePercentage":
            return ratio(sum(waits), sum(rel.q.now - p.whole_start for p in rel.live), 100)
        case "EstimTimeToEndCurrentNumber":
            return ratio(len(main.live) * interval / 1000, rel.number())
    raise AssertionError(category)
