"""The ledger: what one source's occurrences add up to, in columns that only grow.

Every *row* counts one thing: the occurrences of one mask at one node, perhaps
only those that a filter passes or whose duration lies in a range. A row has four
numbers, kept side by side in arrays::

    ended   how many occurrences are over           elapsed  the sum of their durations
    live    how many go on                          since    the sum of their starts

from which everything else follows without asking what happened when. The time
spent so far by what goes on at t is ``live * t - since``; and because columns are
never reset, a time profile is a difference: the columns now minus the columns as
they stood when its interval began. An event therefore pays once per row, however
many statistics, profiles and clients read it.

Rows that want the integral of the time in progress have two numbers more, in a *slot* of
their own: ``squares``, of the durations of what is over, and ``since_squares``, of the starts
of what goes on. Squares of milliseconds outgrow 64 bits, so those columns are lists.

A :class:`Boundary` keeps those earlier columns for one time profile. It is moved
by the times of events only (:meth:`Ledger.roll`), never by a clock, so what an
event counts for does not depend on when it arrived. Times are milliseconds.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from math import inf
from typing import TYPE_CHECKING, NamedTuple, Protocol
from weakref import WeakSet

from ..definitions.time_profiles import TimeProfile

if TYPE_CHECKING:
    from ..source import Source
    from .rows import Row


class Sums(NamedTuple):
    """The numbers of a row at some moment; without a slot it has no squares."""

    ended: int
    elapsed: int
    live: int
    since: int
    squares: int = 0
    since_squares: int = 0


NOTHING = Sums(0, 0, 0, 0)


class Mark(NamedTuple):
    """A row's sums as they stood when an interval began, or could have."""

    edge: int  # when it began, ms
    sums: Sums


class Columns(NamedTuple):
    """All rows at some moment, and all slots: arrays of 64-bit integers, lists of any."""

    ended: array[int]
    elapsed: array[int]
    live: array[int]
    since: array[int]
    squares: list[int]
    since_squares: list[int]

    def copy(self) -> Columns:
        """As they stand now."""
        return Columns(*(column[:] for column in self))  # type: ignore[arg-type]

    def at(self, index: int, slot: int | None) -> Sums:
        """One row; it must have existed then."""
        sums = self.ended[index], self.elapsed[index], self.live[index], self.since[index]
        if slot is None:
            return Sums(*sums)
        return Sums(*sums, self.squares[slot], self.since_squares[slot])


class Boundary:
    """The columns as they stood at the beginnings of one profile's intervals.

    ``marks`` ascend; each holds for every beginning up to and including its
    moment that comes after the mark before it. A growing profile needs one, a
    sliding one as many as the window has steps with events in them.

    Attributes:
        looks_back: Somebody asks for the interval before the present one, too.
    """

    def __init__(self, profile: TimeProfile, t: int) -> None:
        self.profile = profile
        self.looks_back = False
        self.marks: list[tuple[int, Columns]] = []
        self.next_at = self._after(t)

    def roll(self, t: int, columns: Columns) -> None:
        """An event at ``t`` is about to be applied: ``columns`` is what was before it."""
        if self.profile.kind == "Sliding":
            step = self.profile.step
            self.marks.append((t - t % step, columns))
            oldest = bisect_left(self.marks, self.profile.edge(t), key=lambda mark: mark[0])
            del self.marks[:oldest]
        else:
            last = self.profile.last_reset(t)
            if last is not None:
                kept = self.marks[-1:] if self.looks_back else []
                self.marks = [*kept, (last, columns)]
        self.next_at = self._after(t)

    def begin_anew(self, t: int) -> None:
        """Forget what was before: from ``t`` on, there is nothing yet."""
        self.marks.clear()
        self.next_at = self._after(t)

    def start_of_interval(self, t: int) -> int | None:
        """When the interval that is reported at ``t`` began; None for: at opening."""
        if self.profile.kind == "Sliding":
            return self.profile.edge(t)
        return self.profile.last_reset(t)

    def columns_at(self, start: int) -> Columns | None:
        """The columns at the beginning ``start``; None where nothing happened since."""
        position = bisect_left(self.marks, start, key=lambda mark: mark[0])
        return self.marks[position][1] if position < len(self.marks) else None

    def _after(self, t: int) -> float:
        if self.profile.kind == "Sliding":
            step = self.profile.step
            return t - t % step + step
        following = self.profile.next_reset(t)
        return inf if following is None else following


class Beginning:
    """When first intervals began: one for all parts that began to count at that moment.

    A reader of many rows is opened in one go, and so are many readers of one row. What they
    know of that moment is the same, and a part is a third smaller for not knowing it itself.

    Attributes:
        t: On the clock of the source, ms.
        epoch: Of the ledger, from then on.
        boundary: Where later intervals begin; None without a time profile.
    """

    __slots__ = ("boundary", "epoch", "t")

    def __init__(self, t: int, epoch: int, boundary: Boundary | None) -> None:
        self.t = t
        self.epoch = epoch
        self.boundary = boundary

    def open_by(self, t: int) -> None:
        """Have been at ``t``, if not before; see :meth:`Ledger.opened`."""
        if t < self.t:
            self.t = t


class Opening(Protocol):
    """Something that counts from a moment on that nobody but our clock has named."""

    def open_by(self, t: int) -> None:
        """Have been opened at ``t``, if not before."""


class Ledger:
    """The rows of a source, which has that name.

    ``touched`` lists the rows that changed since it was last taken; ``epoch``
    counts the moments at which an interval may have begun, for the peaks.

    Attributes:
        has_openings: Something was opened after the last event, see :meth:`opened`.
    """

    def __init__(self, source: str, owner: Source) -> None:
        self.source = source
        self.owner = owner
        self.columns = Columns(array("q"), array("q"), array("q"), array("q"), [], [])
        self.rows: list[Row | None] = []
        self._free: list[int] = []
        self._free_slots: list[int] = []
        self.touched: list[int] = []
        self.is_touched = bytearray()
        self.boundaries: dict[TimeProfile, Boundary] = {}
        self.next_boundary: float = inf
        self.epoch = 1  # not 0, which in a span says that the interval began later
        self.sessions = 0  # nodes whose logins somebody waits for
        self.has_openings = False
        self._openings: WeakSet[Opening] = WeakSet()
        self._beginnings: dict[tuple[int, int, Boundary | None], Beginning] = {}

    # -- rows ------------------------------------------------------------------------

    def new_row(self, row: Row) -> int:
        """A place for a row.

        A place that was another row's keeps what that one counted: everything is
        read as a difference, and earlier columns still show it.
        """
        if self._free:
            index = self._free.pop()
            self.rows[index] = row
            return index
        index = len(self.rows)
        self.rows.append(row)
        self.is_touched.append(0)
        for column in self.columns[:4]:
            column.append(0)
        return index

    def new_slot(self) -> int:
        """A place for the squares of a row; like that of the row it may have been another's."""
        if self._free_slots:
            return self._free_slots.pop()
        self.columns.squares.append(0)
        self.columns.since_squares.append(0)
        return len(self.columns.squares) - 1

    def give_up(self, index: int, slot: int | None) -> None:
        """A row is read no more: its places may be another row's."""
        columns = self.columns
        columns.live[index] = columns.since[index] = 0
        self.rows[index] = None
        self._free.append(index)
        if slot is not None:
            columns.since_squares[slot] = 0
            self._free_slots.append(slot)

    def touch(self, index: int) -> None:
        """Note that a row changed."""
        if not self.is_touched[index]:
            self.is_touched[index] = 1
            self.touched.append(index)

    def take_touched(self) -> Iterable[Row]:
        """The rows that changed since the last time."""
        touched, self.touched = self.touched, []
        for index in touched:
            self.is_touched[index] = 0
            row = self.rows[index]
            if row is not None:
                yield row

    # -- openings --------------------------------------------------------------------

    def opened(self, opening: Opening) -> None:
        """Something counts whatever happens from the next event on.

        When that is, our clock can only guess: the source may be slow, or its feed lost, and
        then the next event is of a time before the guess. But it is after the opening, which
        therefore was at that time at the latest (our decision).
        """
        self._openings.add(opening)
        self.has_openings = True

    def beginning(self, t: int, epoch: int, boundary: Boundary | None) -> Beginning:
        """Where a part begins to count; likewise no later than the next event."""
        which = t, epoch, boundary
        found = self._beginnings.get(which)
        if found is None:
            found = self._beginnings[which] = Beginning(t, epoch, boundary)
            self.has_openings = True
        return found

    def end_openings(self, t: int) -> None:
        """The next event is there, of ``t``."""
        for beginning in self._beginnings.values():
            beginning.open_by(t)
        self._beginnings.clear()
        for opening in self._openings:
            opening.open_by(t)
        self._openings.clear()
        self.has_openings = False

    # -- time profiles ---------------------------------------------------------------

    def boundary(self, profile: TimeProfile, t: int) -> Boundary:
        """The boundary of a profile, kept from the first time somebody asks for it."""
        found = self.boundaries.get(profile)
        if found is None:
            found = self.boundaries[profile] = Boundary(profile, t)
            self.next_boundary = min(self.next_boundary, found.next_at)
        return found

    def begin_anew(self, t: int) -> None:
        """There is not a row: what the columns were is nobody's, perhaps at a later time than t."""
        for boundary in self.boundaries.values():
            boundary.begin_anew(t)
        self.next_boundary = min((b.next_at for b in self.boundaries.values()), default=inf)

    def roll(self, t: int) -> None:
        """Pass every boundary at or before ``t``; call before an event of ``t`` is applied."""
        self.epoch += 1
        columns = self.columns.copy()
        for boundary in self.boundaries.values():
            if boundary.next_at <= t:
                boundary.roll(t, columns)
        self.next_boundary = min(b.next_at for b in self.boundaries.values())

    def horizon(self, t: int) -> int:
        """The earliest beginning of an interval that can still be asked for."""
        starts = [b.start_of_interval(t) for b in self.boundaries.values()]
        return min((start for start in starts if start is not None), default=t)
