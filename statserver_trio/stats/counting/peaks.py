"""Peaks: extremes over any interval that is still of interest, from one list.

An extreme cannot be taken as a difference of columns. But of all the durations
seen so far only those can ever be a maximum that are longer than everything
after them; they form a list that gets shorter towards the end, the well-known
queue of a sliding maximum. One such list answers for every time profile at once,
and a new duration costs a comparison or two, whatever is open.

Durations of durable actions are projected on the interval: what began before it
counts from its start on. Retrospective durations never are (statistics.md §5.1),
so they have lists of their own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from math import inf
from operator import itemgetter
from typing import Any

# When it ended or happened, in which epoch (what was opened at the same moment begins a new
# one), and how much it was.
Peak = tuple[int, int, int]

Renumbered = Callable[[int], int]

_END = itemgetter(0, 1)
TRIM_AT = 256  # from this length on, what no interval can reach any more is dropped


def _as_it_is(epoch: int) -> int:
    return epoch


class PeakList:
    """What can still be the greatest (or, with ``sign`` -1, the least) of an interval."""

    __slots__ = ("_peaks", "_sign", "_trim_at")

    def __init__(self, sign: int = 1) -> None:
        self._peaks: list[Peak] = []  # ascending in time, descending in sign * amount
        self._sign = sign
        self._trim_at = TRIM_AT

    def add(self, end: int, amount: int, epoch: int = 0) -> None:
        """Something of that amount ended at ``end``, not before what was added last."""
        peaks, signed = self._peaks, self._sign * amount
        while peaks and self._sign * peaks[-1][2] <= signed:
            peaks.pop()
        peaks.append((end, epoch, amount))

    def best(self, since: int, epoch: int = 0) -> int | None:
        """The extreme of what ended at ``since`` or later; None where nothing did."""
        position = bisect_left(self._peaks, (since, epoch), key=_END)
        return self._peaks[position][2] if position < len(self._peaks) else None

    def best_projected(self, since: int, epoch: int = 0) -> int | None:
        """The greatest of ``min(amount, end - since)``: what lies inside the interval."""
        best: int | None = None
        first = bisect_left(self._peaks, (since, epoch), key=_END)
        for position in range(first, len(self._peaks)):
            end, _, amount = self._peaks[position]
            if end - since >= amount:
                return amount if best is None else max(best, amount)
            best = end - since if best is None else max(best, end - since)
        return best

    def export(self) -> list[list[int]]:
        """As plain data."""
        return [list(peak) for peak in self._peaks]

    def adopt(
        self, peaks: list[list[int]], renumbered: Renumbered = _as_it_is, keep: bool = False
    ) -> None:
        """Be what another server exported.

        Args:
            renumbered: Its epochs in our numbers.
            keep: What is here counts as well: somebody else began to count earlier.
        """
        known = self._peaks if keep else []
        told = [(end, renumbered(epoch), amount) for end, epoch, amount in peaks]
        self._peaks = []
        for end, epoch, amount in sorted([*known, *told]):
            self.add(end, amount, epoch)

    def trim(self, horizon: int) -> None:
        """Drop what ended before ``horizon``, now and then."""
        if len(self._peaks) >= self._trim_at:
            del self._peaks[: bisect_left(self._peaks, (horizon, 0), key=_END)]
            self._trim_at = max(TRIM_AT, 2 * len(self._peaks))


class DurationPeaks:
    """MaxTime and MinTime of one row."""

    __slots__ = ("_epoch", "_first_ends", "_instant_max", "_instant_min", "_max", "_min")

    def __init__(self) -> None:
        self._max, self._min = PeakList(), PeakList(-1)
        self._instant_max, self._instant_min = PeakList(), PeakList(-1)
        # The first end after each possible beginning of an interval: what had begun before
        # it is cut there, and the one that ended first is cut the most.
        self._first_ends: list[tuple[int, int]] = []  # with their epochs
        self._epoch = -1

    def ended(self, start: int, end: int, epoch: int) -> None:
        """A durable occurrence ended; ``epoch`` counts the beginnings of intervals so far."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._first_ends.append((end, epoch))
        self._max.add(end, end - start, epoch)
        self._min.add(end, end - start, epoch)

    def happened(self, at: int, duration: int, epoch: int) -> None:
        """A retrospective action happened."""
        self._instant_max.add(at, duration, epoch)
        self._instant_min.add(at, duration, epoch)

    def greatest(self, since: int, epoch: int = 0) -> int | None:
        """The longest of the interval; None where nothing ended in it.

        The interval has all of the moment ``since``, or what is left of it in ``epoch``.
        """
        durable = self._max.best_projected(since, epoch)
        return _extreme(max, durable, self._instant_max.best(since, epoch))

    def least(self, since: int, epoch: int = 0) -> int | None:
        """The shortest of the interval; None where nothing ended in it."""
        position = bisect_left(self._first_ends, (since, epoch))
        cut = self._first_ends[position][0] - since if position < len(self._first_ends) else None
        durable = _extreme(min, self._min.best(since, epoch), cut)
        return _extreme(min, durable, self._instant_min.best(since, epoch))

    def export(self) -> dict[str, list[list[int]]]:
        """As plain data."""
        return {
            "max": self._max.export(),
            "min": self._min.export(),
            "instant_max": self._instant_max.export(),
            "instant_min": self._instant_min.export(),
            "first_ends": [list(each) for each in self._first_ends],
        }

    def adopt(
        self,
        data: dict[str, list[list[int]]],
        renumbered: Renumbered = _as_it_is,
        keep: bool = False,
        until: float = inf,
    ) -> None:
        """Be what another server exported, up to some moment; see :meth:`PeakList.adopt`."""
        told = {name: [e for e in ended if e[0] <= until] for name, ended in data.items()}
        self._max.adopt(told["max"], renumbered, keep)
        self._min.adopt(told["min"], renumbered, keep)
        self._instant_max.adopt(told["instant_max"], renumbered, keep)
        self._instant_min.adopt(told["instant_min"], renumbered, keep)
        known = self._first_ends if keep else []
        ends = [(end, renumbered(epoch)) for end, epoch in told["first_ends"]]
        # Of ends at one moment the one of the latest epoch is found whenever another one would
        # be. Each server counts epochs of its own: kept apart, they would double every time.
        self._first_ends = list(dict(sorted([*known, *ends])).items())
        self._epoch = -1  # whether the next end is the first of its epoch, the other one knows

    def trim(self, horizon: int) -> None:
        """Forget what no interval can reach any more."""
        for peaks in (self._max, self._min, self._instant_max, self._instant_min):
            peaks.trim(horizon)
        if len(self._first_ends) > TRIM_AT:
            del self._first_ends[: bisect_left(self._first_ends, (horizon, 0))]


class DepthPeaks:
    """MaxNumber and MinNumber of one row: extremes of how many went on at once.

    The number is a function of time, so values that lasted no time at all (one
    call ends as the next begins) do not exist, in whatever order we heard of
    them. The number at the beginning of the interval is the one found there,
    before the events of that very moment (our decision).
    """

    __slots__ = ("_max", "_min", "_since")

    def __init__(self, t: int) -> None:
        self._max, self._min = PeakList(), PeakList(-1)
        self._since = t

    def changing(self, number: int, t: int) -> None:
        """``number`` went on until ``t``; another number follows."""
        if t > self._since:
            self._max.add(t, number)
            self._min.add(t, number)
            self._since = t

    def greatest(self, since: int, number: int) -> int:
        """The most of the interval, with ``number`` going on now."""
        return _extreme(max, number, self._max.best(since)) or 0

    def least(self, since: int, number: int) -> int:
        """The fewest of the interval, with ``number`` going on now."""
        return _extreme(min, number, self._min.best(since)) or 0

    def export(self) -> dict[str, Any]:
        """As plain data."""
        return {"max": self._max.export(), "min": self._min.export(), "since": self._since}

    def adopt(self, data: dict[str, Any], keep: bool = False) -> None:
        """Be what another server exported; with ``keep``, what is here counts as well."""
        self._max.adopt(data["max"], keep=keep)
        self._min.adopt(data["min"], keep=keep)
        self._since = max(data["since"], self._since) if keep else data["since"]

    def trim(self, horizon: int) -> None:
        """Forget what no interval can reach any more."""
        self._max.trim(horizon)
        self._min.trim(horizon)


def _extreme(choose: type | object, *amounts: int | None) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return choose(known) if known else None  # type: ignore[operator]
