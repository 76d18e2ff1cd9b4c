"""Pins: rows of the shadow, and what they came to at the position of a chunk.

A plain row adds up what happens at its node, whoever reads it. So to know what a statistic
that is told as of an earlier position would have been told as now, one need not open it in the
shadow: it is enough that the shadow has the same rows, and to see by how much they have grown
when it has caught up. Thousands of statistics share a row, and the rows stay for as long as the
shadow does, so a chunk mostly finds those of the ones before.
"""

from __future__ import annotations

from attrs import define, field, frozen

from ...model.nodes import Node
from ...stats.counting.counters import RowKind
from ...stats.counting.ledger import Boundary, Sums
from ...stats.counting.parts import Mark, Part
from ...stats.counting.rows import Row, Watch
from ...stats.engine import Engine
from ...stats.objects import Objects
from ...stats.plain import Then
from ...stats.requests import StatisticError
from ...stats.source import Source
from ...stats.statistic import Statistic

# Objects whose nodes are what they are until the next reload, but for those that come later.
STEADY = {"Agent", "GroupAgents", "GroupPlaces", "GroupQueues", "Place", "Queue", "RegDN",
          "RoutePoint"}  # fmt: skip
STANDSTILL = 0  # no time passes in a shadow but by events


@define(eq=False)
class FirstEvent:
    """The next event of a source, once there is one.

    Attributes:
        t: When it happened, ms.
    """

    t: int | None = None

    def open_by(self, t: int) -> None:
        """It has happened."""
        self.t = t


@frozen(eq=False)
class Pin:
    """A row of the shadow that is the same as the one that a part of ours reads.

    Attributes:
        sums: What it came to.
        t: The time of the last event by then, ms.
        boundary: Where later intervals of the part begin, if it has a profile.
        following: The event after that.
    """

    row: Row
    sums: Sums
    t: int
    boundary: Boundary | None
    following: FirstEvent

    def then(self, part: Part) -> Then:
        """The part's row as it stood then, where the shadow stands now where ours does."""
        row, before = self.row, self.sums
        here, there = part.row.sums, row.sums
        ended, elapsed = here.ended - there.ended, here.elapsed - there.elapsed
        marks = []
        for edge, columns in () if self.boundary is None else self.boundary.marks:
            if edge > self.t:
                at = columns.at(row.index, None)
                marks.append(Mark(edge, Sums(at.ended + ended, at.elapsed + elapsed, *at[2:4])))
        sums = Sums(before.ended + ended, before.elapsed + elapsed, before.live, before.since)
        return Then(self.t, sums, marks, self.following.t)


@define
class Pins:
    """Rows that are kept in the shadow's engine."""

    _engine: Engine
    _rows: set[Row] = field(factory=set, init=False)
    # By object and subject; until the shadow moves.
    _nodes: dict[tuple[str, str, str], list[tuple[Source, Node]]] = field(factory=dict, init=False)
    _following: dict[str, FirstEvent] = field(factory=dict, init=False)

    def moving(self) -> None:
        """The shadow is about to move on."""
        self._nodes.clear()
        self._following.clear()

    def of(self, statistic: Statistic) -> list[Pin] | None:
        """A pin for each part of a statistic of ours, role by role; None where that will not do."""
        key, parts = statistic.key, statistic.parts
        if key.object_type not in STEADY or statistic.former or "session" in parts:
            return None
        if any(part.row.counter is not None for found in parts.values() for part in found):
            return None
        nodes = self._find(statistic)
        if nodes is None or not _are_same(statistic, nodes):
            return None
        return [
            self._pin(statistic, source, node, part)
            for found in parts.values()
            for (source, node), part in zip(nodes, found, strict=True)
        ]

    def _find(self, statistic: Statistic) -> list[tuple[Source, Node]] | None:
        """The nodes of its object in the shadow."""
        key, engine = statistic.key, self._engine
        name = key.object_type, key.object_id, statistic.stat_type.subject
        nodes = self._nodes.get(name)
        if nodes is None:
            if key.object_id in engine.directory.virtual_agent_groups:
                return None  # members come and go
            objects = Objects(engine.directory, engine.sources)
            try:
                nodes = objects.find(*name[:2], STANDSTILL, name[2])
            except StatisticError:
                return None
            for source in engine.sources.values():
                source.settle(STANDSTILL)  # if it was the first to name it, it is there now
            self._nodes[name] = nodes
        return nodes

    def _pin(self, statistic: Statistic, source: Source, node: Node, part: Part) -> Pin:
        ledger, t = source.ledger, source.world(STANDSTILL).now
        boundary = None
        if statistic.profile is not None:
            boundary = ledger.boundary(statistic.profile, t)
            boundary.looks_back |= statistic.category.looks_back
        following = self._following.get(source.name)
        if following is None:
            following = self._following[source.name] = FirstEvent()
            ledger.opened(following)
        row = self._row(source, node, part.row.kind, t)
        return Pin(row, row.sums, t, boundary, following)

    def _row(self, source: Source, node: Node, kind: RowKind, t: int) -> Row:
        if node.watch is None:
            node.watch = Watch()
        watch: Watch = node.watch
        row = watch.rows_by_kind.get(kind)
        if row is None:
            row = Row(source.ledger, node, kind, t)
            watch.add(row)
        if row not in self._rows:
            row.users += 1
            self._rows.add(row)
        return row


def _are_same(statistic: Statistic, nodes: list[tuple[Source, Node]]) -> bool:
    """Whether a statistic of ours has just these nodes."""
    ours = zip(statistic.sources, statistic.nodes, strict=True)
    names = [(source.name, node.address) for source, node in ours]
    return names == [(source.name, node.address) for source, node in nodes]
