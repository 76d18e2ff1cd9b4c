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
from ...stats.counting.ledger import Beginning, Boundary, Sums
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
NEVER = 2**62  # ms


@frozen(eq=False)
class Pin:
    """A row of the shadow that is the same as the one that a part of ours reads.

    Attributes:
        sums: What it came to.
        t: The time of the last event by then, ms.
        boundary: Where later intervals of the part begin, if it has a profile.
        following: What the event after that begins at the latest, else never.
    """

    row: Row
    sums: Sums
    t: int
    boundary: Boundary | None
    following: Beginning

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
        opened_by = self.following.t
        return Then(self.t, sums, marks, opened_by if opened_by < NEVER else None)


@define
class _Moment:
    """Where a source of the shadow stands."""

    t: int
    following: Beginning


@define
class Pins:
    """Rows that are kept in the shadow's engine."""

    _engine: Engine
    # By the row, or boundary, of ours that they are the same as; for as long as the shadow lives.
    _rows: dict[Row, Row] = field(factory=dict, init=False)
    _boundaries: dict[Boundary, Boundary] = field(factory=dict, init=False)
    _moments: dict[str, _Moment] = field(factory=dict, init=False)  # until the shadow moves

    def moving(self) -> None:
        """The shadow is about to move on."""
        self._moments.clear()

    def of(self, statistic: Statistic) -> list[Pin] | None:
        """A pin for each part of a statistic of ours, role by role; None where that will not do."""
        if statistic.object_type not in STEADY or statistic.former:
            return None
        parts = [part for found in statistic.parts.values() for part in found]
        if not all(part.row in self._rows for part in parts) and not self._keep(statistic):
            return None
        return [self._pin(statistic, part) for part in parts]

    def _pin(self, statistic: Statistic, part: Part) -> Pin:
        name, row = part.ledger.source, self._rows[part.row]
        moment = self._moments.get(name)
        if moment is None:
            source = self._engine.sources[name]
            following = source.ledger.beginning(NEVER, 0, None)
            moment = self._moments[name] = _Moment(source.world(STANDSTILL).now, following)
        boundary = None
        if part.boundary is not None:
            boundary = self._boundaries.get(part.boundary)
            if boundary is None:
                boundary = row.ledger.boundary(part.boundary.profile, moment.t)
                self._boundaries[part.boundary] = boundary
            boundary.looks_back |= statistic.category.looks_back
        return Pin(row, row.sums, moment.t, boundary, moment.following)

    def _keep(self, statistic: Statistic) -> bool:
        """Have the same rows as a statistic of ours; whether that will do."""
        nodes = self._find(statistic)
        if nodes is None or not _are_same(statistic, nodes):
            return False
        for parts in statistic.parts.values():
            if any(part.row.counter is not None for part in parts):
                return False
            for (source, node), part in zip(nodes, parts, strict=True):
                if part.row not in self._rows:
                    self._rows[part.row] = _row(source, node, part.row.kind)
        return True

    def _find(self, statistic: Statistic) -> list[tuple[Source, Node]] | None:
        """The nodes of its object in the shadow."""
        object_id, engine = statistic.object_id, self._engine
        if object_id in engine.directory.virtual_agent_groups:
            return None  # members come and go
        objects = Objects(engine.directory, engine.sources)
        subject = statistic.stat_type.subject
        try:
            nodes = objects.find(statistic.object_type, object_id, STANDSTILL, subject)
        except StatisticError:
            return None
        for source in engine.sources.values():
            source.settle(STANDSTILL)  # if it was the first to name it, it is there now
        return nodes


def _row(source: Source, node: Node, kind: RowKind) -> Row:
    if node.watch is None:
        node.watch = Watch()
    watch: Watch = node.watch
    row = watch.find(kind)
    if row is None:
        row = Row(source, node, kind, source.world(STANDSTILL).now)
        watch.add(row)
    row.users += 1  # for good
    return row


def _are_same(statistic: Statistic, nodes: list[tuple[Source, Node]]) -> bool:
    """Whether a statistic of ours has just these nodes."""
    names = [(source.name, node.address) for source, node in statistic.places()]
    return names == [(source.name, node.address) for source, node in nodes]
