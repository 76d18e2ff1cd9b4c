"""The journal: the recent events of one source, for the peer that missed them.

Events are kept as they came, by position, for as long as ``journal-events`` and
``journal-seconds`` allow, whichever is less. A range is given out whole or not at
all: half of what somebody missed is no help.

The journal may have holes itself (what is held back while a hole is being filled
is in here already), so it is a list of runs without holes: mostly one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from attrs import define, field

RUNS_MAX = 1000  # with more holes than that, the oldest run is dropped
# Given out at a time; the rest is asked for again. Some 500 events, which the other side
# applies at once.
RANGE_BYTES_MAX = 128 * 1024

Line = tuple[int, bytes]  # position, and the event as it came


@define
class _Run:
    """Events of all positions from ``first`` to ``last``.

    A source may leave positions out, so there may be fewer events than positions.
    """

    first: int
    last: int
    entries: deque[tuple[int, float, bytes]] = field(factory=deque)  # position, arrival, line


@define
class Journal:
    """What is known of one source.

    Args:
        events_max: Events kept.
        seconds_max: For how long.
        contiguous: Positions grow by one; else a greater one follows any other.
    """

    events_max: int
    seconds_max: float
    contiguous: bool = True
    size: int = field(default=0, init=False)
    _runs: list[_Run] = field(factory=list, init=False)
    _interrupted: bool = field(default=False, init=False)

    @property
    def last(self) -> int | None:
        """The greatest position; None while there is none."""
        return self._runs[-1].last if self._runs else None

    def append(self, position: int, line: bytes, now: float) -> None:
        """An event has arrived. One that is not newer than all others is passed over."""
        runs = self._runs
        if runs:
            last = runs[-1].last
            if position <= last:
                return
            if position > last + 1 and (self.contiguous or self._interrupted):
                runs.append(_Run(position, position))
        else:
            runs.append(_Run(position, position))
        self._interrupted = False
        run = runs[-1]
        run.last = position
        run.entries.append((position, now, line))
        self.size += 1
        self._trim(now)

    def begin_after(self, position: int) -> None:
        """Everything up to there is known, and none of it is here."""
        assert not self._runs
        self._runs.append(_Run(position + 1, position))

    def interrupted(self) -> None:
        """Events may be missing before the next one, whatever its position."""
        self._interrupted = True

    def stands_at(self, position: int) -> None:
        """From that position on, nothing is missing before the next event."""
        if self.contiguous or (self._runs and not self._interrupted):
            return
        self._interrupted = False
        if self.last is None or self.last < position:
            self._runs.append(_Run(position + 1, position))

    def vouch(self, first: int, last: int) -> bool:
        """Nothing more is coming up to ``last``; whether then all from ``first`` on is here.

        For positions that only grow: no event says that there is none between two others.
        """
        if self._interrupted or not self._runs:
            return False
        run = self._runs[-1]
        if not run.first <= first <= run.last + 1:
            return False
        run.last = max(run.last, last)
        return True

    def fill(self, first: int, last: int, lines: Sequence[Line], now: float) -> None:
        """All events from ``first`` to ``last``, got from the peer."""
        runs = [run for run in self._runs if run.last < first - 1]
        after = [run for run in self._runs if run.first > last + 1]
        touching = self._runs[len(runs) : len(self._runs) - len(after)]
        new = _Run(first, last)
        known = {entry[0] for run in touching for entry in run.entries}
        entries = [(p, now, line) for p, line in lines if p not in known]
        self.size += len(entries)
        for run in touching:
            new.first, new.last = min(new.first, run.first), max(new.last, run.last)
            entries.extend(run.entries)
        new.entries = deque(sorted(entries, key=lambda entry: entry[0]))
        self._runs = [*runs, new, *after]
        self._trim(now)

    def range(self, first: int, last: int) -> list[Line] | None:
        """Every event from ``first`` to ``last``; None if one may be missing here."""
        run = self._run_with(first, last)
        if run is None:
            return None
        return list(self._between(run, first, last))

    def piece(self, first: int, last: int) -> tuple[int, list[Line]] | None:
        """The beginning of :meth:`range`, and how far it goes, in bounded size."""
        run = self._run_with(first, last)
        if run is None:
            return None
        lines: list[Line] = []
        room = RANGE_BYTES_MAX
        for position, line in self._between(run, first, last):
            room -= len(line)
            if room < 0 and lines:
                return lines[-1][0], lines
            lines.append((position, line))
        return last, lines

    def after(self, position: int) -> Iterable[Line]:
        """Every event after ``position`` that is here, holes or not."""
        for run in self._runs:
            if run.last > position:
                yield from self._between(run, position + 1, run.last)

    def clear(self) -> None:
        """The source has begun to count anew."""
        self._runs.clear()
        self.size = 0

    def change(self, events_max: int, seconds_max: float, now: float) -> None:
        """New bounds, in effect at once."""
        self.events_max, self.seconds_max = events_max, seconds_max
        self._trim(now)

    def _run_with(self, first: int, last: int) -> _Run | None:
        for run in reversed(self._runs):
            if run.first <= first and last <= run.last:
                return run
        return None

    @staticmethod
    def _between(run: _Run, first: int, last: int) -> Iterator[Line]:
        if not run.entries or first > run.entries[-1][0]:
            return
        if first - run.entries[0][0] <= run.entries[-1][0] - first:
            skipped = (entry for entry in run.entries if entry[0] >= first)
        else:  # what is asked for is mostly near the end; a deque is quick at both ends
            near = list(takewhile(lambda entry: entry[0] >= first, reversed(run.entries)))
            skipped = (entry for entry in reversed(near))
        for position, _, line in skipped:
            if position > last:
                return
            yield position, line

    def _trim(self, now: float) -> None:
        oldest = now - self.seconds_max
        while self._runs:
            run = self._runs[0]
            while run.entries and (self.size > self.events_max or run.entries[0][1] < oldest):
                run.first = run.entries.popleft()[0] + 1
                self.size -= 1
            if len(self._runs) > RUNS_MAX or (not run.entries and len(self._runs) > 1):
                self.size -= len(run.entries)
                del self._runs[0]
            else:
                return
