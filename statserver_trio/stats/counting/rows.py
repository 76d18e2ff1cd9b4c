"""Rows: one thing that is counted at one node, and who is told what happens there.

Most rows are *plain*: no filter, no range, no extreme; the source adds to their
columns directly. The others are counted by a counter (:mod:`.counters`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from ...model.nodes import Node
from ..few import Few, added, members, removed
from . import sessions
from .counters import (
    ACTIONS,
    CONTINUITY,
    DN_STATUSES,
    DURATIONS,
    STATUSES,
    TERMS,
    TIME_INTEGRAL,
    Continuity,
    Counter,
    RowKind,
    TimeIntegral,
)
from .ledger import NOTHING, Mark, Sums
from .tally import Tally
from .term_counter import TermCounter

if TYPE_CHECKING:
    from ..source import Source
    from ..statistic import Statistic

NO_ONE: tuple[tuple[int, ...], tuple[Counter, ...]] = ((), ())
SHARED_MAX = 4  # how many sums and marks a row remembers to have given out
T = TypeVar("T", bound=tuple[Any, ...])

COUNTERS: dict[str, type[Counter]] = {
    "": Counter,
    DURATIONS: Counter,
    CONTINUITY: Continuity,
    TIME_INTEGRAL: TimeIntegral,
    TERMS: TermCounter,
}


class Row:
    """One row of a ledger, and what the columns cannot hold."""

    __slots__ = (
        "_patient", "_readers", "_shared", "born", "born_at", "counter", "index", "kind",
        "ledger", "node", "slot", "source", "users",
    )  # fmt: skip

    def __init__(
        self, source: Source, node: Node, kind: RowKind, t: int, tally: Tally | None = None
    ) -> None:
        ledger = source.ledger
        self.source = source
        self.ledger = ledger
        self.node = node
        self.kind = kind
        self.users = 0  # statistics that read it
        self._readers: Few = None
        self._patient: Few = None
        self.index = ledger.new_row(self)
        self.slot = ledger.new_slot() if kind.feature == TIME_INTEGRAL else None
        self.counter: Counter | None = None
        if not kind.is_plain:
            self.counter = COUNTERS[kind.feature](ledger, self.index, self.slot, kind, tally)
        for occurrence, start in self.going_on():
            self._begin(occurrence, start, t)
        self.born_at = t
        self._shared: tuple[Any, ...] = ()  # of those that share() gave out, the last few
        self.born = NOTHING
        self.born = self.base()

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
            self.counter.resume(occurrence, start, t)
            return
        columns = self.ledger.columns
        columns.live[self.index] += 1
        columns.since[self.index] += start

    def release(self, statistic: Statistic, t: int | None = None) -> bool:
        """A statistic reads it no more; whether that was the last one: then it is closed.

        Args:
            t: Where the node leaves a group at that moment: its tally has fewer from then on.
                Else they are forgotten, as the tally may have other rows to live for.
        """
        self.tell_no_more(statistic)
        self.look_no_more(statistic)
        self.node.watch.mind_no_more(statistic)
        sessions.leave(self.ledger, self.node.watch, statistic)
        if isinstance(self.counter, TermCounter) and statistic.book is not None:
            self.counter.forget(statistic.book, t)
        self.users -= 1
        if self.users:
            return False
        self.node.watch.remove(self)
        counter = self.counter
        if counter is not None and counter.tally is not None:
            if t is None:
                counter.tally.withdraw(len(counter.stretches))
            else:
                counter.tally.add(-len(counter.stretches), t)
        self.close()
        return True

    def close(self) -> None:
        """Nobody reads it any more: its place may be another row's."""
        self.ledger.give_up(self.index, self.slot)

    @property
    def readers(self) -> Collection[Statistic]:
        """The statistics whose clients want every change."""
        return members(self._readers)

    def tell(self, statistic: Statistic) -> None:
        """Clients of that statistic want every change from now on."""
        self._readers = added(self._readers, statistic)

    def tell_no_more(self, statistic: Statistic) -> None:
        """They do not want it any more."""
        self._readers = removed(self._readers, statistic)

    @property
    def patient(self) -> Collection[Statistic]:
        """The statistics that are looked at every so often, if the row was touched since."""
        return members(self._patient)

    def look(self, statistic: Statistic) -> None:
        """That statistic is looked at every so often, if the row was touched since."""
        self._patient = added(self._patient, statistic)

    def look_no_more(self, statistic: Statistic) -> None:
        """It is not any more."""
        self._patient = removed(self._patient, statistic)

    @property
    def whole_since(self) -> float:
        """From when on it has counted everything itself; ``inf`` where something was missed."""
        gap = self.source.last_gap
        return self.born_at if gap is None or gap <= self.born_at else inf

    @property
    def knows_starts(self) -> bool:
        """Whether each of what goes on counts from its start on, and none was missed."""
        return self.kind.feature in ("", DURATIONS) and self.whole_since < inf

    @property
    def sums(self) -> Sums:
        """As it stands now."""
        return self.ledger.columns.at(self.index, self.slot)

    def base(self) -> Sums:
        """As it stands now, to be kept."""
        return self.share(self.sums)

    def share(self, numbers: T) -> T:
        """The same, to be kept: if possible the object that another part keeps already.

        Most statistics are opened, and taken over, with many others, and some of those read
        the same row. Sums of their own would be 150 to 200 bytes for each of them.

        Args:
            numbers: Sums, or marks.
        """
        each: T
        for each in (NOTHING, self.born, *self._shared):
            if each == numbers:
                return each
        self._shared = (numbers, *self._shared[: SHARED_MAX - 1])
        return numbers

    def as_of(self, t: int) -> tuple[Mark, ...]:
        """One mark: as it stands now, which is at ``t``. Likewise shared."""
        return self.share((Mark(t, self.base()),))


class Concerned(dict[int, tuple[tuple[int, ...], tuple[Counter, ...]]]):
    """Plain rows and counters by the action, or the status showing it, that concerns them.

    Filled in when an action is first seen, so a mask of a hundred actions costs nothing
    until they happen; and a dictionary, since every event looks here several times.
    """

    __slots__ = ("_of", "_rows")

    def __init__(self, of: int, rows: dict[RowKind, Row]) -> None:
        self._of = of
        self._rows = rows

    def __missing__(self, action: int) -> tuple[tuple[int, ...], tuple[Counter, ...]]:
        of = self._of
        rows = [row for k, row in self._rows.items() if k.of == of and k.mask >> action & 1]
        found = NO_ONE
        if rows:
            found = (
                tuple([row.index for row in rows if row.counter is None]),
                tuple([row.counter for row in rows if row.counter is not None]),
            )
        self[action] = found
        return found


class Watch:
    """What is counted at one node: for every action, who has to be told."""

    __slots__ = ("actions", "dn_statuses", "quiet", "rows_by_kind", "session", "statuses")

    def __init__(self) -> None:
        self.rows_by_kind: dict[RowKind, Row] = {}
        self.actions = Concerned(ACTIONS, self.rows_by_kind)
        self.statuses = Concerned(STATUSES, self.rows_by_kind)
        self.dn_statuses = Concerned(DN_STATUSES, self.rows_by_kind)
        self.session: sessions.Session | None = None  # where statistics begin with a login
        # Statistics whose clients are told other things than that its value has changed.
        self.quiet: Few = None

    def add(self, row: Row) -> None:
        """Count this row from now on."""
        self.rows_by_kind[row.kind] = row
        self._changed(row.node)

    def remove(self, row: Row) -> None:
        """Count this row no more."""
        del self.rows_by_kind[row.kind]
        self._changed(row.node)

    def mind(self, statistic: Statistic) -> None:
        """Its clients do not want to hear of values, but of what else there is."""
        self.quiet = added(self.quiet, statistic)

    def mind_no_more(self, statistic: Statistic) -> None:
        """They want nothing any more."""
        self.quiet = removed(self.quiet, statistic)

    @property
    def told(self) -> dict[Statistic, None]:
        """The statistics that read a row here and whose clients are told anything."""
        told = dict.fromkeys(members(self.quiet))
        for row in self.rows_by_kind.values():
            told.update(dict.fromkeys((*row.readers, *row.patient)))
        return told

    def _changed(self, node: Node) -> None:
        """Other rows: look everything up again, and tell the node what is wanted now."""
        for table in (self.actions, self.statuses, self.dn_statuses):
            table.clear()
        kinds, interest = self.rows_by_kind, 0
        for kind in kinds:
            if kind.of == ACTIONS:
                interest |= kind.mask
        node.interest = interest
        node.wants_status = any(kind.of == STATUSES for kind in kinds)
        node.wants_dn_statuses = any(kind.of == DN_STATUSES for kind in kinds)
        node.wants_facts = any(kind.filter is not None for kind in kinds)
        node.wants_moments = any(row.counter is not None for row in kinds.values())
