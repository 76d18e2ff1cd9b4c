"""Attaching: which rows a statistic reads, at which nodes, and since when.

A statistic begins to count when it is attached to the nodes of its object: there is one
row per node and kind, shared by everybody who counts the same there, and one part per
statistic that says where its first interval began. A group's members come and go; then
some of its nodes are attached later than others, and some are left.
"""

from __future__ import annotations

from collections.abc import Mapping
from weakref import WeakValueDictionary

from attrs import evolve

from ..model.directory import Directory
from ..model.nodes import DNNode, Node
from .counting import sessions
from .counting.counters import DN_STATUSES, STATUSES, RowKind
from .counting.ledger import Boundary
from .counting.parts import Part, PartOfSession
from .counting.rows import Row, Watch
from .counting.tally import Tally
from .counting.term_counter import TermCounter
from .objects import Found, Objects
from .source import Source
from .statistic import Statistic


class Attachments:
    """What is attached to the nodes of all sources."""

    def __init__(self, directory: Directory, sources: Mapping[str, Source]) -> None:
        self._objects = Objects(directory, sources)
        self._sources = sources
        self._tallies: WeakValueDictionary[RowKind, Tally] = WeakValueDictionary()
        self._last_time = 0

    def configure(self, directory: Directory) -> None:
        """Look objects up there from now on."""
        self._objects.directory = directory

    def attach(self, statistic: Statistic, now: int) -> None:
        """Begin to count for a statistic, at every node that contributes.

        Raises:
            StatisticError: There is no such object.
        """
        found = self._find(statistic, now)
        for source in self._sources.values():
            source.settle(now)
        clocks = {source: source.clock(now) for source, _ in found}
        opened_at = max(clocks.values()) if clocks else self.latest(now)
        statistic.opened_at = self.same_time(opened_at)
        self._attach_nodes(statistic, found, clocks, now)

    def latest(self, now: int) -> int:
        """What time it is at the source that is ahead: for what nobody contributes to yet."""
        return max((source.clock(now) for source in self._sources.values()), default=now)

    def same_time(self, t: int) -> int:
        """The same, as the object that was given last if it was equal: 32 bytes for many."""
        if t != self._last_time:
            self._last_time = t
        return self._last_time

    def regroup(self, statistic: Statistic, now: int, by_events: bool = False) -> tuple[int, int]:
        """Let the nodes of its object contribute from now on; how many came and left.

        Args:
            by_events: An event brought it about, so it is as of that event. Else somebody
                has ordered it: then what comes late happens after it.

        Raises:
            StatisticError: There is no such object any more; nothing was changed.
        """
        found = self._find(statistic, now)
        wanted, present = {id(n) for _, n in found}, {id(n) for n in statistic.nodes}
        for index in reversed(range(len(statistic.nodes))):
            if id(statistic.nodes[index]) not in wanted:
                statistic.leave(index, statistic.sources[index].clock(now))
        if wanted != present and not by_events:
            for source in {id(source): source for source, _ in found}.values():
                world = source.world(now)
                world.now = max(world.now, source.clock(now))
        newcomers = [(source, node) for source, node in found if id(node) not in present]
        clocks = {source: source.clock(now) for source, _ in newcomers}
        self._attach_nodes(statistic, newcomers, clocks, now)
        if wanted != present:
            statistic.arrange([node for _, node in found])
        return len(wanted - present), len(present - wanted)

    def detach(self, statistic: Statistic) -> None:
        """Count no more for a statistic."""
        for parts in statistic.parts.values():
            for part in parts:
                if part.row.release(statistic):
                    self._tallies.pop(part.row.kind, None)

    def _find(self, statistic: Statistic, now: int) -> Found:
        if statistic.pushed is not None:  # the extension knows what it is about (our decision)
            return []
        subject = statistic.stat_type.subject
        return self._objects.find(statistic.object_type, statistic.object_id, now, subject)

    def _attach_nodes(
        self, statistic: Statistic, found: Found, clocks: dict[Source, int], now: int
    ) -> None:
        parts: list[Part] = []
        for source, node in found:
            parts += self._parts(statistic, source, node, clocks[source], now)
        statistic.join(found, parts)
        if not statistic.follows_sessions:
            return
        for source, node in found:
            if not sessions.follow(source.ledger, node, statistic):
                statistic.log_out(node, clocks[source], was_in=False)

    def _parts(
        self, statistic: Statistic, source: Source, node: Node, t: int, now: int
    ) -> list[Part]:
        """Parts that read what a node has for a statistic, from ``t`` on."""
        # Events may yet come that happened before this moment. What all statistics share goes
        # by events alone: it is as of the last one, whatever the clock says.
        last = source.world(now).now
        ledger, meaning = source.ledger, statistic.meaning
        boundary: Boundary | None = None
        if meaning.profile is not None:
            boundary = ledger.boundary(meaning.profile, last)
            boundary.looks_back |= meaning.category.looks_back
        if meaning.has_peaks:
            ledger.epoch += 1  # an interval begins here, for the peaks
        beginning = ledger.beginning(t, ledger.epoch, boundary)
        kind_of_part = PartOfSession if meaning.follows_sessions else Part
        parts: list[Part] = []
        for role, kind in statistic.row_kinds().items():
            if isinstance(node, DNNode) and kind.of == DN_STATUSES:
                kind = evolve(kind, of=STATUSES)  # a DN's own statuses are its DN statuses
            row = self._row(source, node, kind, last)
            row.users += 1
            part = kind_of_part(row, beginning, row.base())
            parts.append(part)
            if row.counter is not None:
                row.counter.opened(part)
            if statistic.book is not None and isinstance(row.counter, TermCounter):
                row.counter.listen(statistic.book, role, part)
        return parts

    def _row(self, source: Source, node: Node, kind: RowKind, t: int) -> Row:
        if node.watch is None:
            node.watch = Watch()
        watch: Watch = node.watch
        row = watch.find(kind)
        if row is None:
            row = Row(source, node, kind, t, self.tally(kind, t))
            watch.add(row)
        return row

    def tally(self, kind: RowKind, t: int) -> Tally | None:
        """How many go on at once in all rows of that kind; one for everybody who wants it."""
        if not kind.tally:
            return None
        return self._tallies.setdefault(kind, Tally(t))
