"""Stores: the terms of one role at one source, as the time profile wants them.

* :class:`Interval`, of a growing profile: one cell, emptied where the next interval begins;
* :class:`Window`, of a sliding one: the terms themselves, for as long as they are in it;
* :class:`Selection`: the last n terms.

With ``by_call`` of all terms of one call only the first to complete counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from attrs import frozen

from ..definitions.time_profiles import TimeProfile
from ..definitions.time_ranges import TimeRange
from .cells import Cell
from .terms import Term

# Terms that are kept one by one; the oldest ones are forgotten where there are more, and
# their calls may be counted twice (our decision).
TERMS_MAX = 100_000


@frozen
class How:
    """How terms are kept.

    Attributes:
        by_call: A call counts once.
        tells_apart: Distinct values are wanted.
        range: Of the terms that count only those that lasted so long.
    """

    profile: TimeProfile
    by_call: bool = False
    tells_apart: bool = False
    range: TimeRange | None = None

    def cell_of(self, terms: Iterable[Term], start: int) -> Cell:
        """What these come to in the interval that began at ``start``."""
        cell = Cell(tells_apart=self.tells_apart)
        for term in terms:
            self.add(cell, term, start)
        return cell

    def add(self, cell: Cell, term: Term, start: int) -> None:
        """One more in a cell."""
        if self.range is None or self.range.contains(term.duration):
            cell.add(term, start)


def first_of_each_call(terms: Iterable[Term]) -> list[Term]:
    """Of the terms of one call the one that counts; what belongs to no call counts as it is."""
    chosen: dict[str, Term] = {}
    for number, term in enumerate(terms):
        name = term.conn_id or f" {number}"
        present = chosen.get(name)
        if present is None or term.precedes(present):
            chosen[name] = term
    return list(chosen.values())


class Interval:
    """The terms since the last reset point, added up."""

    def __init__(self, how: How) -> None:
        self._how = how
        self._cell = Cell(tells_apart=how.tells_apart)
        self._calls: dict[str, Term] = {}  # which of their terms counts
        self._rest = Cell(tells_apart=how.tells_apart)  # of terms that are no longer told apart

    def add(self, term: Term, start: int) -> None:
        """One more term of the interval that began at ``start``."""
        if not (self._how.by_call and term.conn_id):
            self._how.add(self._cell, term, start)
            if self._how.by_call:
                self._how.add(self._rest, term, start)
            return
        present = self._calls.get(term.conn_id)
        if present is None:
            self._calls[term.conn_id] = term
            self._how.add(self._cell, term, start)
            if len(self._calls) > TERMS_MAX:
                oldest = next(iter(self._calls))
                self._how.add(self._rest, self._calls.pop(oldest), start)
        elif term.precedes(present):
            self._calls[term.conn_id] = term
            self._cell = self._how.cell_of(self._calls.values(), start)
            self._cell.merge(self._rest)

    def cell(self, start: int) -> Cell:
        """What they come to."""
        return self._cell

    def export(self) -> Any:
        """Plain data."""
        calls = [list(term) for term in self._calls.values()]
        return [self._cell.export(), calls, self._rest.export() if self._how.by_call else None]

    def adopt(self, data: Any) -> None:
        """Be what was exported."""
        cell, calls, rest = data
        tells_apart = self._how.tells_apart
        self._cell = Cell.read(cell, tells_apart)
        self._calls = {term.conn_id: term for term in (Term(*each) for each in calls)}
        if rest is not None:
            self._rest = Cell.read(rest, tells_apart)


class Window:
    """The terms that are in a sliding window, one by one."""

    def __init__(self, how: How) -> None:
        self._how = how
        self._terms: deque[Term] = deque(maxlen=TERMS_MAX)

    def add(self, term: Term, start: int) -> None:
        """One more term; those that ended before ``start`` are never asked for again."""
        while self._terms and self._terms[0].end < start:
            self._terms.popleft()
        self._terms.append(term)

    def cell(self, start: int) -> Cell:
        """What those in the window come to that begins at ``start``."""
        terms: Iterable[Term] = (term for term in self._terms if term.end >= start)
        if self._how.by_call:
            terms = first_of_each_call(terms)
        return self._how.cell_of(terms, start)

    @property
    def newest(self) -> int:
        """When the last term ended, ms."""
        return self._terms[-1].end if self._terms else 0

    def export(self) -> Any:
        """Plain data."""
        return [list(term) for term in self._terms]

    def adopt(self, data: Any) -> None:
        """Be what was exported."""
        self._terms = deque((Term(*each) for each in data), maxlen=TERMS_MAX)


class Selection(Window):
    """The last n terms."""

    def __init__(self, how: How) -> None:
        super().__init__(how)
        self._terms = deque(maxlen=how.profile.count)

    def add(self, term: Term, start: int) -> None:
        """One more term, for the oldest one."""
        if self._how.by_call and term.conn_id:
            for index, present in enumerate(self._terms):
                if present.conn_id == term.conn_id:
                    if term.precedes(present):
                        self._terms[index] = term
                    return
        self._terms.append(term)

    @property
    def terms(self) -> Iterable[Term]:
        """They themselves, the oldest first."""
        return self._terms

    def adopt(self, data: Any) -> None:
        """Be what was exported."""
        self._terms = deque((Term(*each) for each in data), maxlen=self._how.profile.count)


Store = Interval | Window
STORES: dict[str, type[Interval] | type[Window]] = {
    "Growing": Interval,
    "SinceLogin": Interval,
    "Sliding": Window,
    "Selection": Selection,
}
