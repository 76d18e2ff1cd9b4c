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
from .counting.counters import DN_STATUSES, STATUSES, RowKind, Tally
from .counting.ledger import Boundary, Ledger
from .counting.parts import Part
from .counting.rows import Row, Watch
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
        clocks = [source.clock(now) for source, _ in found]
        statistic.opened_at = max(clocks, default=now)
        for role in statistic.row_kinds():
            statistic.parts[role] = []
        for source, node in found:
            self._attach_node(statistic, source, node, now)

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
        for source, node in found:
            if id(node) not in present:
                self._attach_node(statistic, source, node, now)
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
        key, subject = statistic.key, statistic.stat_type.subject
        return self._objects.find(key.object_type, key.object_id, now, subject)

    def _attach_node(self, statistic: Statistic, source: Source, node: Node, now: int) -> None:
        statistic.sources.append(source)
        statistic.nodes.append(node)
        t = source.clock(now)
        # Events may yet come that happened before this moment. What all statistics share goes
        # by events alone: it is as of the last one, whatever the clock says.
        last = source.world(now).now
        ledger = source.ledger
        boundary: Boundary | None = None
        if statistic.profile is not None:
            boundary = ledger.boundary(statistic.profile, last)
            boundary.looks_back |= statistic.category.looks_back
        ledger.epoch += 1  # an interval begins here, for the peaks
        for role, kind in statistic.row_kinds().items():
            if isinstance(node, DNNode) and kind.of == DN_STATUSES:
                kind = evolve(kind, of=STATUSES)  # a DN's own statuses are its DN statuses
            row = self._row(ledger, node, kind, last)
            row.users += 1
            part = Part(row, t, row.sums, boundary, ledger.epoch)
            statistic.parts[role].append(part)
            ledger.opened(part)
            if row.counter is not None:
                row.counter.opened(part)
            if statistic.book is not None and isinstance(row.counter, TermCounter):
                row.counter.listen(statistic.book, role, part)
        if statistic.follows_sessions and not sessions.follow(ledger, node, statistic):
            statistic.log_out(node, t, was_in=False)

    def _row(self, ledger: Ledger, node: Node, kind: RowKind, t: int) -> Row:
        if node.watch is None:
            node.watch = Watch()
        watch: Watch = node.watch
        row = watch.rows_by_kind.get(kind)
        if row is None:
            row = Row(ledger, node, kind, t, self.tally(kind, t))
            watch.add(row)
        return row

    def tally(self, kind: RowKind, t: int) -> Tally | None:
        """How many go on at once in all rows of that kind; one for everybody who wants it."""
        if not kind.tally:
            return None
        return self._tallies.setdefault(kind, Tally(t))
