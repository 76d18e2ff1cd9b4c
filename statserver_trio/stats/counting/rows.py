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
    DURATIONS,
    STATUSES,
    TERMS,
    TIME_INTEGRAL,
    Continuity,
    Counter,
    RowKind,
    TimeIntegral,
)
from .layouts import NOTHING_COUNTED, Layout
from .ledger import NOTHING, Mark, Sums
from .tally import Tally
from .term_counter import TermCounter

if TYPE_CHECKING:
    from ..source import Source
    from ..statistic import Statistic

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

    # Twelve of them are 128 bytes.
    __slots__ = (
        "_patient", "_readers", "_shared", "born", "born_at", "counter", "index", "kind",
        "ledger", "node", "slot", "users",
    )  # fmt: skip

    def __init__(
        self, source: Source, node: Node, kind: RowKind, t: int, tally: Tally | None = None
    ) -> None:
        ledger = source.ledger
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

    @property
    def source(self) -> Source:
        """Whose ledger it is in."""
        return self.ledger.owner

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


class Watch:
    """What is counted at one node: its rows, in the order of their layout.

    Attributes:
        layout: Says of every action which of them it concerns; shared by many nodes.
        rows: All of them.
        indexes: Where each of them is in the ledger.
        session: Where statistics begin with a login.
    """

    __slots__ = ("_quiet", "indexes", "layout", "rows", "session")

    def __init__(self) -> None:
        self.layout = NOTHING_COUNTED
        self.rows: tuple[Row, ...] = ()
        self.indexes: tuple[int, ...] = ()
        self.session: sessions.Session | None = None
        # Statistics whose clients are told other things than that its value has changed.
        self._quiet: Few = None

    def find(self, kind: RowKind) -> Row | None:
        """The row of that kind; None if nobody counts it here."""
        place = self.layout.places.get(kind)
        return None if place is None else self.rows[place]

    def counter(self, place: int) -> Counter:
        """Of the row at that place, which has one."""
        counter = self.rows[place].counter
        assert counter is not None
        return counter

    def add(self, row: Row) -> None:
        """Count this row from now on."""
        self._arrange(self.layout.with_kind(row.kind), (*self.rows, row), row.node)

    def remove(self, row: Row) -> None:
        """Count this row no more."""
        left = tuple(each for each in self.rows if each is not row)
        self._arrange(self.layout.without(row.kind), left, row.node)

    def _arrange(self, layout: Layout, rows: tuple[Row, ...], node: Node) -> None:
        """These are the rows now; tell the node what is wanted of it."""
        if layout.kinds != tuple([row.kind for row in rows]):
            found = {row.kind: row for row in rows}
            rows = tuple([found[kind] for kind in layout.kinds])
        self.layout, self.rows = layout, rows
        self.indexes = tuple([row.index for row in rows])
        node.interest, node.wants_status = layout.interest, layout.wants_status
        node.wants_dn_statuses, node.wants_facts = layout.wants_dn_statuses, layout.wants_facts
        node.wants_moments = layout.wants_moments

    def mind(self, statistic: Statistic) -> None:
        """Its clients do not want to hear of values, but of what else there is."""
        self._quiet = added(self._quiet, statistic)

    def mind_no_more(self, statistic: Statistic) -> None:
        """They want nothing any more."""
        self._quiet = removed(self._quiet, statistic)

    @property
    def told(self) -> dict[Statistic, None]:
        """The statistics that read a row here and whose clients are told anything."""
        told = dict.fromkeys(members(self._quiet))
        for row in self.rows:
            told.update(dict.fromkeys((*row.readers, *row.patient)))
        return told
