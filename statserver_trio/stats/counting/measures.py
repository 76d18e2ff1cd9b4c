"""Measures: what a set of rows amounts to over one interval.

A :class:`Measure` adds up the parts of a statistic (:mod:`.parts`): one for a queue,
one per member for a group. Groups are added up here and nowhere else. :class:`OneRow` comes
to the same for a single part, and is what most statistics are read with.

Times and durations are milliseconds; the formulas are those of statistics.md
§5.1–5.2. With E, S, L, B for a row's ended, elapsed, live and since, ``x₀`` for
its value when the interval began at R::

    spent so far by what goes on          L·t - B
    all time spent in the interval        S + (L·t - B) - S₀ - (L₀·R - B₀)

An action counts its time when it ends, so from the latter comes off what is
still in progress; a status counts as it goes.
"""

from __future__ import annotations

from ..definitions.time_ranges import TimeRange
from .counters import STATUSES
from .parts import Part, Span, beginning, previous
from .tally import Tally


class Measure:
    """Several spans of the same kind of row, added up.

    What goes on right now is that of ``present``; who has left the group has only a past.
    """

    __slots__ = ("of_status", "present", "spans")

    def __init__(self, spans: list[Span]) -> None:
        self.spans = spans
        self.present = [s for s in spans if not s.is_former]
        self.of_status = bool(spans) and spans[0].kind.of >= STATUSES

    def before(self) -> Measure:
        """The same of the interval before; of nothing, where there was none."""
        found = [previous(span) for span in self.spans]
        return Measure([span for span in found if span is not None])

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

    def time_integral(self) -> float:
        """How long what goes on has lasted, in sum, integrated over the interval; in ms².

        Between two moments u and v that is half of ``(v - start)² - (u - start)²`` for
        everything that goes on, so squares are all that has to be kept.
        """
        return sum(s.squared for s in self.spans) / 2

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
        first = min(self.spans, key=lambda each: each.start)
        return first.start + 1 if first.epoch else first.start

    def _tally(self) -> Tally | None:
        return self.spans[0].part.tally if self.spans else None

    # -- right now -------------------------------------------------------------------

    def current_number(self) -> int:
        """What goes on now."""
        return sum(s.sums.live for s in self.present)

    def current_time(self) -> int:
        """How long what goes on now has lasted, in sum."""
        total = 0
        for s in self.present:
            if s.kind.filter is None:
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
        """How long the status has stayed inside the mask; 0 outside. Of rows for continuity."""
        return sum(s.spent for s in self.present)


class OneRow(Measure):
    """One part of somebody who is there, its sums taken from the columns where they are asked for.

    A span per part and a list of them are more than half of what it costs to read a value; here
    they are made only for those who ask for more than sums.

    Args:
        start: When the interval began that is reported at ``now``.
    """

    __slots__ = ("_base", "_columns", "_index", "_now", "_part", "start")

    def __init__(self, part: Part, start: int, now: int) -> None:
        row = part.row
        self._part = part
        self._now = now
        self._index = row.index
        self._columns = row.ledger.columns
        self.start = start
        self.of_status = row.kind.of >= STATUSES
        self._base = part.base if start == part.opened_at else beginning(part, start)

    def __getattr__(self, name: str) -> list[Span]:
        if name not in ("spans", "present"):
            raise AttributeError(name)
        part = self._part
        epoch = part.epoch if self.start == part.opened_at else 0
        one = Span(part, self.start, self._now, self._base, part.row.sums, epoch)
        self.spans = self.present = [one]
        return self.spans

    def number(self) -> int:
        """Occurrences over; of statuses also those in progress."""
        ended = self._columns.ended[self._index] - self._base.ended
        return ended + self._columns.live[self._index] if self.of_status else ended

    def time(self) -> int:
        """Projected time of what is over; of statuses also of those in progress."""
        if not self.of_status and self._base.live and self._columns.live[self._index]:
            return super().time()
        before = self._base.live * self.start - self._base.since
        elapsed = self.adjusted_time() - before
        return elapsed + self._spent() if self.of_status else elapsed

    def adjusted_number(self) -> int:
        """Occurrences over."""
        return self._columns.ended[self._index] - self._base.ended

    def adjusted_time(self) -> int:
        """Whole durations of occurrences over."""
        return self._columns.elapsed[self._index] - self._base.elapsed

    def current_number(self) -> int:
        """What goes on now."""
        return self._columns.live[self._index]

    def current_time(self) -> int:
        """How long what goes on now has lasted, in sum."""
        return self._spent() if self._part.row.kind.filter is None else super().current_time()

    def _spent(self) -> int:
        return self._columns.live[self._index] * self._now - self._columns.since[self._index]
