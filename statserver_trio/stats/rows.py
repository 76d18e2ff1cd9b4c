"""Rows: one thing that is counted at one node, and how an occurrence changes it.

Most rows are *plain*: no filter, no range, no extreme; the engine adds to their
columns directly. The others are counted by a :class:`Counter`, which knows about

* a filter: a durable occurrence is replaced by the stretches during which the
  filter was true, each an occurrence of its own; an instantaneous one is looked
  at once (statistics.md §5.1);
* a range: only what lasted so long counts, by its full duration;
* peaks of durations and of the number going on;
* since when a status has stayed inside the mask.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ..model.actions import NAMES
from ..model.nodes import Node
from ..model.occurrences import Facts, Occurrence, Status
from .filters import Filter
from .ledger import Ledger, Sums
from .peaks import DepthPeaks, DurationPeaks
from .time_ranges import TimeRange

if TYPE_CHECKING:
    from .statistic import Statistic


# What is counted: the actions at the node, its own statuses, or the statuses of its DNs.
ACTIONS, STATUSES, DN_STATUSES = range(3)


@frozen
class RowKind:
    """What a row counts, apart from where.

    Attributes:
        mask: Action codes, one bit each.
        of: ACTIONS, STATUSES or DN_STATUSES.
        filter: Only while this is true.
        range: Only what lasted so long.
        feature: ``"durations"`` or ``"continuity"`` where peaks or the time
            inside the mask are wanted besides.
        tally: Whose number of occurrences at once is wanted besides, as object
            type and id: a group's is not the sum of what its members had at most.
    """

    mask: int
    of: int = ACTIONS
    filter: Filter | None = None
    range: TimeRange | None = None
    feature: str = ""
    tally: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether adding to the columns is all there is to do."""
        return self.filter is None and self.range is None and not self.feature and not self.tally


def identity(each: Occurrence | Status) -> tuple[Any, ...]:
    """What tells the things that go on at one node apart, on any server."""
    source = each.source if isinstance(each, Status) else each
    if source is None:
        return (NAMES[each.action], "", "")
    return (NAMES[each.action], source.conn_id, source.dn.key.number)


class Tally:
    """How many occurrences go on at once, over one or more rows, and its extremes."""

    __slots__ = ("__weakref__", "number", "peaks")

    def __init__(self, t: int) -> None:
        self.number = 0
        self.peaks = DepthPeaks(t)

    def add(self, change: int, t: int) -> None:
        """One more or one less from ``t`` on."""
        self.peaks.changing(self.number, t)
        self.number += change


class Row:
    """One row of a ledger, and what the columns cannot hold."""

    __slots__ = (
        "born", "born_at", "counter", "index", "kind", "ledger", "node", "readers", "users"
    )  # fmt: skip

    def __init__(
        self, ledger: Ledger, node: Node, kind: RowKind, t: int, tally: Tally | None = None
    ) -> None:
        self.ledger = ledger
        self.node = node
        self.kind = kind
        self.users = 0  # statistics that read it
        self.readers: dict[Statistic, None] = {}  # those whose clients want every change
        self.index = ledger.new_row(self)
        self.counter = None if kind.is_plain else Counter(self, tally)
        for occurrence, start in self.going_on():
            self._begin(occurrence, start, t)
        self.born_at = t
        self.born = ledger.sums(self.index)

    def going_on(self) -> list[tuple[Any, int]]:
        """What goes on at the node and is in the mask, filter aside."""
        mask, node = self.kind.mask, self.node
        found: Iterable[tuple[Any, int]]
        if self.kind.of == ACTIONS:
            found = node.going_on()
        elif self.kind.of == STATUSES:
            found = [(node.status, node.status.start)]
        else:
            found = node.dn_statuses()
        return [pair for pair in found if mask >> pair[0].action & 1]

    def _begin(self, occurrence: Any, start: int, t: int) -> None:
        if self.counter is not None:
            if self.kind.filter is not None:
                start = _true_since(self.kind.filter, occurrence, start)
            self.counter.begin(occurrence, start, t)
            return
        columns = self.ledger.columns
        columns.live[self.index] += 1
        columns.since[self.index] += start

    def release(self, statistic: Statistic, t: int | None = None) -> bool:
        """A statistic reads it no more; whether that was the last one: then it is closed.

        Args:
            t: Where the node leaves a group at that moment: it no longer adds to its tally.
        """
        self.readers.pop(statistic, None)
        self.users -= 1
        if self.users:
            return False
        self.node.watch.remove(self)
        counter = self.counter
        if t is not None and counter is not None and counter.tally is not None:
            counter.tally.add(-len(counter.stretches), t)
        self.close()
        return True

    def close(self) -> None:
        """Nobody reads it any more: its place may be another row's."""
        columns = self.ledger.columns
        columns.live[self.index] = columns.since[self.index] = 0
        self.ledger.rows[self.index] = None
        self.ledger.free.append(self.index)

    @property
    def sums(self) -> Sums:
        """As it stands now."""
        return self.ledger.sums(self.index)


def _true_since(test: Filter, occurrence: Occurrence | Status, start: int) -> int:
    """When the stretch began that goes on now; whoever opens later sees the same one."""
    for until, facts in reversed(occurrence.former_facts):
        if until <= start:
            break
        if not test.matches(facts):
            return until
    return start


class Counter:
    """How a row that is not plain counts."""

    __slots__ = (
        "_index", "_ledger", "_of", "_range", "_stretches", "_test", "durations", "inside_since",
        "left_at", "tally",
    )  # fmt: skip

    def __init__(self, row: Row, tally: Tally | None) -> None:
        kind = row.kind
        self._ledger = row.ledger
        self._index = row.index
        self._test = kind.filter
        self._range = kind.range
        self._of = kind.of
        self._stretches: dict[Occurrence | Status, int] = {}  # what counts now, since when
        self.durations = DurationPeaks() if kind.feature == "durations" else None
        self.tally = tally
        self.inside_since: int | None = None  # since when a status stays inside the mask
        self.left_at = -1

    @property
    def stretches(self) -> dict[Occurrence | Status, int]:
        """What counts now, and since when it does."""
        return self._stretches

    def restart(self, starts: dict[tuple[Any, ...], int]) -> None:
        """Let what counts now have begun when another server saw it begin.

        Args:
            starts: By :func:`identity`; what is missing there began as it did here.
        """
        since = self._ledger.columns.since
        for occurrence, start in self._stretches.items():
            told = starts.get(identity(occurrence), start)
            since[self._index] += told - start
            self._stretches[occurrence] = told

    def begin(self, occurrence: Any, start: int, t: int) -> None:
        """An occurrence began at ``start``; ``t`` is now.

        One that counts already was found when its data changed in the same event.
        """
        if occurrence in self._stretches:
            return
        if self._test is None or self._test.matches(occurrence.facts):
            self._open(occurrence, start, t)

    def end(self, occurrence: Any, t: int) -> None:
        """An occurrence ended at ``t``."""
        if occurrence in self._stretches:
            self._close(occurrence, t)

    def look_again(self, occurrence: Any, t: int) -> None:
        """The facts of an occurrence changed: the filter may have turned."""
        if self._test is None:
            return
        passes = self._test.matches(occurrence.facts)
        if passes and occurrence not in self._stretches:
            self._open(occurrence, t, t)
        elif not passes and occurrence in self._stretches:
            self._close(occurrence, t)

    def happen(self, facts: Facts, duration: int, t: int) -> None:
        """Something happened at once."""
        if self._test is not None and not self._test.matches(facts):
            return
        if self._range is not None and not self._range.contains(duration):
            return
        columns = self._ledger.columns
        columns.ended[self._index] += 1
        columns.elapsed[self._index] += duration
        self._ledger.touch(self._index)
        if self.durations is not None:
            self.durations.happened(t, duration, self._ledger.epoch)

    def _open(self, occurrence: Any, start: int, t: int) -> None:
        columns = self._ledger.columns
        if self.tally is not None:
            self.tally.add(1, t)
        if self._stretches and self.inside_since is not None:
            self.inside_since = min(self.inside_since, start)
        elif self.left_at != t:
            self.inside_since = start
        self._stretches[occurrence] = start
        columns.live[self._index] += 1
        columns.since[self._index] += start
        self._ledger.touch(self._index)

    def _close(self, occurrence: Any, t: int) -> None:
        start = self._stretches.pop(occurrence)
        columns = self._ledger.columns
        if self.tally is not None:
            self.tally.add(-1, t)
        columns.live[self._index] -= 1
        columns.since[self._index] -= start
        self._ledger.touch(self._index)
        self.left_at = t
        duration = t - start
        if self._of != ACTIONS and not duration:
            return  # a status of no duration is none
        if self._range is not None and not self._range.contains(duration):
            return
        columns.ended[self._index] += 1
        columns.elapsed[self._index] += duration
        if self.durations is not None:
            self.durations.ended(start, t, self._ledger.epoch)

    def trim(self, horizon: int) -> None:
        """Forget peaks that no interval can reach any more."""
        if self.durations is not None:
            self.durations.trim(horizon)
        if self.tally is not None:
            self.tally.peaks.trim(horizon)


Concerned = tuple[tuple[int, ...], tuple[Counter, ...]]


class Watch:
    """What is counted at one node: for every action, who has to be told.

    The tables are filled in when an action is first seen, so a mask of a hundred
    actions costs nothing until they happen.
    """

    __slots__ = ("_rows", "_tables", "rows_by_kind")

    def __init__(self) -> None:
        self.rows_by_kind: dict[RowKind, Row] = {}
        self._rows: list[Row] = []
        self._tables: tuple[dict[int, Concerned], ...] = ({}, {}, {})

    def add(self, row: Row) -> None:
        """Count this row from now on."""
        self.rows_by_kind[row.kind] = row
        self._rows.append(row)
        self._changed(row.node)

    def remove(self, row: Row) -> None:
        """Count this row no more."""
        del self.rows_by_kind[row.kind]
        self._rows.remove(row)
        self._changed(row.node)

    def concerned(self, of: int, action: int) -> Concerned:
        """Plain rows and counters that an action, or a status showing it, concerns."""
        table = self._tables[of]
        found = table.get(action)
        if found is None:
            rows = [r for r in self._rows if r.kind.of == of and r.kind.mask >> action & 1]
            found = table[action] = (
                tuple(row.index for row in rows if row.counter is None),
                tuple(row.counter for row in rows if row.counter is not None),
            )
        return found

    def _changed(self, node: Node) -> None:
        """Other rows: look everything up again, and tell the node what is wanted now."""
        for table in self._tables:
            table.clear()
        kinds = [row.kind for row in self._rows]
        interest = 0
        for kind in kinds:
            if kind.of == ACTIONS:
                interest |= kind.mask
        node.interest = interest
        node.wants_status = any(kind.of == STATUSES for kind in kinds)
        node.wants_dn_statuses = any(kind.of == DN_STATUSES for kind in kinds)
        node.wants_facts = any(kind.filter is not None for kind in kinds)
