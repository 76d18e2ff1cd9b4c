"""Measures: what a set of rows amounts to over one interval.

A :class:`Part` is one row as one statistic reads it: with the row's sums at the
moment the statistic was opened, which is where its first interval begins. A
:class:`Measure` adds up the parts of a statistic: one for a queue, one per member
for a group. Groups are added up here and nowhere else.

Times and durations are milliseconds; the formulas are those of statistics.md
§5.1–5.2. With E, S, L, B for a row's ended, elapsed, live and since, ``x₀`` for
its value when the interval began at R::

    spent so far by what goes on          L·t - B
    all time spent in the interval        S + (L·t - B) - S₀ - (L₀·R - B₀)

An action counts its time when it ends, so from the latter comes off what is
still in progress; a status counts as it goes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from copy import deepcopy
from typing import NamedTuple

from attrs import define, evolve, field, frozen

from .ledger import Boundary, Sums
from .peaks import DurationPeaks
from .rows import STATUSES, Row, Tally
from .time_ranges import TimeRange

NOTHING = Sums(0, 0, 0, 0)


class Mark(NamedTuple):
    """A row's sums as they stood when an interval began, or could have."""

    edge: int  # when it began, ms
    sums: Sums


@frozen(eq=False)
class Left:
    """A row as it stood when its node left the group; see :func:`freeze`.

    Attributes:
        at: When that was, ms.
        starts: Of what went on then.
    """

    at: int
    sums: Sums
    starts: tuple[int, ...]
    durations: DurationPeaks | None


@define(eq=False)
class Part:
    """One row, and where its first interval begins for the one statistic that reads it.

    ``marks`` ascend, and are there where the statistic was taken over from another
    server: what this server's own columns cannot know of the time before. Each holds for
    every beginning up to its edge that comes after the one before it.
    """

    row: Row
    opened_at: int
    base: Sums
    boundary: Boundary | None  # where later intervals begin; None without a time profile
    epoch: int  # of the ledger, from the opening on
    marks: list[Mark] = field(factory=list)
    left: Left | None = None  # of a former member of a group: how it stood when it left


@define
class Span:
    """One part over one interval: from ``start``, where it had ``base``, to ``now``."""

    row: Row
    start: int
    now: int
    base: Sums
    sums: Sums
    epoch: int = 0  # where the interval began with the opening: the first that belongs to it
    left: Left | None = None  # it ended early, when the node left the group

    @property
    def ended(self) -> int:
        """How many occurrences ended."""
        return self.sums.ended - self.base.ended

    @property
    def elapsed(self) -> int:
        """Their whole durations, also what lies before the interval."""
        return self.sums.elapsed - self.base.elapsed

    @property
    def before(self) -> int:
        """What had been spent when the interval began by what went on then."""
        return self.base.live * self.start - self.base.since

    @property
    def spent(self) -> int:
        """What has been spent up to now by what goes on."""
        return self.sums.live * self.now - self.sums.since

    def live(self) -> Iterator[int]:
        """The starts of what counts as going on; of stretches with a filter."""
        counter = self.row.counter
        if self.left is not None:
            if self.sums.live:
                yield from self.left.starts
        elif counter is not None:
            yield from counter.stretches.values()
        elif self.sums.live:
            for _, start in self.row.going_on():
                yield start

    @property
    def durations(self) -> DurationPeaks:
        """The longest and shortest of what is over; of rows that keep them."""
        keeper = self.row.counter if self.left is None else self.left
        found = None if keeper is None else keeper.durations
        assert found is not None
        return found

    def in_progress(self) -> Iterator[int]:
        """The starts of what goes on now; with a filter still those of the whole action.

        A current value looks at actions, not at stretches: one counts if the
        filter is true now, and has lasted since it began (our decision, §6.4).
        """
        if not self.sums.live:
            return
        counter = self.row.counter
        for occurrence, start in self.row.going_on():
            if counter is None or occurrence in counter.stretches:
                yield start


def span(part: Part, now: int, closing: bool = False) -> Span:
    """The interval that is reported at ``now``: since the last reset, or since opening.

    With ``closing``, ``now`` is a reset point and meant is the interval that ends there.
    """
    row, boundary = part.row, part.boundary
    start = None if boundary is None else boundary.start_of_interval(now - closing)
    if part.left is not None:
        return _span_of_former(part, part.left, start, now)
    sums = row.sums
    if boundary is None or start is None or start <= part.opened_at:
        return Span(row, part.opened_at, now, part.base, sums, part.epoch)
    if part.marks and start <= part.marks[-1].edge:
        position = bisect_left(part.marks, start, key=lambda mark: mark.edge)
        return Span(row, start, now, part.marks[position].sums, sums)
    if start <= row.born_at:
        return Span(row, start, now, row.born, sums)
    columns = boundary.columns_at(start)
    base = sums if columns is None else columns.at(row.index)
    return Span(row, start, now, base, sums)


def marks_of(part: Part) -> list[Mark]:
    """Every beginning of an interval after the opening that can still be asked for."""
    row, marks = part.row, list(part.marks)
    last = marks[-1].edge if marks else part.opened_at
    for edge, columns in part.boundary.marks if part.boundary is not None else ():
        if edge > last:
            then = columns.at(row.index) if edge > row.born_at else row.born
            marks.append(Mark(edge, then))
    return marks


def freeze(part: Part, t: int) -> Part:
    """What stays of a part when its node leaves the group at ``t``.

    Everything that can still be asked of it is written down, because its row may be given
    up or go on counting for others: its last sums, and the sums at every beginning of an
    interval that may still be reported. It keeps contributing to intervals that began
    before ``t``, as if time had stopped for it then; to later ones it adds nothing.
    """
    row, counter = part.row, part.row.counter
    sums = row.sums
    starts = tuple(Span(row, t, t, sums, sums).live())
    durations = deepcopy(counter.durations) if counter is not None else None
    left = Left(t, sums, starts, durations)
    return evolve(part, marks=[*marks_of(part), Mark(t, sums)], left=left)


def _span_of_former(part: Part, left: Left, start: int | None, now: int) -> Span:
    end = min(now, left.at)
    if start is None or start <= part.opened_at:
        return Span(part.row, part.opened_at, end, part.base, left.sums, part.epoch, left)
    if start > left.at:
        return Span(part.row, start, start, NOTHING, NOTHING, 0, left)
    position = bisect_left(part.marks, start, key=lambda mark: mark.edge)
    return Span(part.row, start, end, part.marks[position].sums, left.sums, 0, left)


class Measure:
    """Several spans of the same kind of row, added up.

    What goes on right now is that of ``present``; who has left the group has only a past.
    """

    def __init__(self, spans: list[Span]) -> None:
        self.spans = spans
        self.present = [s for s in spans if s.left is None]
        self.of_status = bool(spans) and spans[0].row.kind.of >= STATUSES

    # -- over the interval -----------------------------------------------------------

    def number(self) -> int:
        """Occurrences over; of statuses also those in progress."""
        ended = sum(s.ended for s in self.spans)
        return ended + sum(s.sums.live for s in self.spans) if self.of_status else ended

    def time(self) -> int:
        """Projected time of what is over; of statuses also of those in progress."""
        total = 0
        for s in self.spans:
            total += s.elapsed - s.before
            if self.of_status:
                total += s.spent
            elif s.base.live and s.sums.live:
                total += sum(s.start - start for start in s.live() if start < s.start)
        return total

    def adjusted_number(self) -> int:
        """Occurrences over."""
        return sum(s.ended for s in self.spans)

    def adjusted_time(self) -> int:
        """Whole durations of occurrences over."""
        return sum(s.elapsed for s in self.spans)

    def integral(self) -> int:
        """The number going on, integrated over the interval; in ms."""
        return sum(s.elapsed + s.spent - s.before for s in self.spans)

    def greatest_time(self) -> int:
        """The longest projected time; of statuses also of those in progress."""
        found = [0]
        for s in self.spans:
            best = s.durations.greatest(s.start, s.epoch)
            if best is not None:
                found.append(best)
            if self.of_status:
                found += [s.now - max(start, s.start) for start in s.live()]
        return max(found)

    def least_time(self) -> int:
        """The shortest projected time of what is over; 0 where nothing is."""
        found = []
        for s in self.spans:
            best = s.durations.least(s.start, s.epoch)
            if best is not None:
                found.append(best)
        return min(found, default=0)

    def greatest_number(self) -> int:
        """The most that went on at once."""
        tally = self._tally()
        return 0 if tally is None else tally.peaks.greatest(self._since(), tally.number)

    def least_number(self) -> int:
        """The fewest that went on at once."""
        tally = self._tally()
        return 0 if tally is None else tally.peaks.least(self._since(), tally.number)

    def _since(self) -> int:
        """A number that ended as the statistic was opened is none of its own."""
        first = self.spans[0]
        return first.start + 1 if first.epoch else first.start

    def _tally(self) -> Tally | None:
        counter = self.spans[0].row.counter if self.spans else None
        return None if counter is None else counter.tally

    # -- right now -------------------------------------------------------------------

    def current_number(self) -> int:
        """What goes on now."""
        return sum(s.sums.live for s in self.present)

    def current_time(self) -> int:
        """How long what goes on now has lasted, in sum."""
        total = 0
        for s in self.present:
            if s.row.kind.filter is None:
                total += s.spent
            else:
                total += sum(s.now - start for start in s.in_progress())
        return total

    def current_times(self) -> list[int]:
        """How long each of what goes on now has lasted."""
        return [s.now - start for s in self.present for start in s.in_progress()]

    def current_in_range(self, time_range: TimeRange) -> int:
        """What goes on now and has lasted so long."""
        return sum(time_range.contains(duration) for duration in self.current_times())

    def inside_time(self) -> int:
        """How long the status has stayed inside the mask; 0 outside."""
        total = 0
        for s in self.present:
            counter = s.row.counter
            assert counter is not None
            if s.sums.live and counter.inside_since is not None:
                total += s.now - counter.inside_since
        return total
