"""Counters: how a row that is not plain counts what begins, ends and happens at its node.

A plain row needs none: the source adds to its columns directly. A :class:`Counter` knows about

* a filter: a durable occurrence is replaced by the stretches during which the
  filter was true, each an occurrence of its own; an instantaneous one is looked
  at once (statistics.md §5.1);
* a range: only what lasted so long counts, by its full duration;
* peaks of durations and of the number going on.

:class:`Continuity` and :class:`TimeIntegral` count something else of the same occurrences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from ...model.actions import NAMES
from ...model.occurrences import Occurrence, Status
from ..definitions.restrictions import Condition
from ..definitions.time_ranges import TimeRange
from .ledger import Ledger
from .peaks import DurationPeaks
from .tally import Tally

if TYPE_CHECKING:
    from .parts import Part


# What is counted: the actions at the node, its own statuses, or the statuses of its DNs.
ACTIONS, STATUSES, DN_STATUSES = range(3)

# What is wanted of a row besides number and time of its occurrences.
DURATIONS = "durations"  # the longest and the shortest
CONTINUITY = "continuity"  # instead of them, the times without a gap in between
TIME_INTEGRAL = "time integral"  # how long what went on had lasted, at every moment
TERMS = "terms"  # each of them, for the books of statistics


@frozen(cache_hash=True)  # looked up whenever anything is opened
class RowKind:
    """What a row counts, apart from where.

    Attributes:
        mask: Action codes, one bit each.
        of: ACTIONS, STATUSES or DN_STATUSES.
        filter: Only while this is true.
        range: Only what lasted so long.
        feature: One of the above, or nothing.
        tally: Whose number of occurrences at once is wanted besides, as object
            type and id: a group's is not the sum of what its members had at most.
    """

    mask: int
    of: int = ACTIONS
    filter: Condition | None = None
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


def _passes(test: Condition, each: Occurrence | Status) -> bool:
    source = each.source if isinstance(each, Status) else each
    return test.matches(each.facts, source)


def _true_since(test: Condition, occurrence: Occurrence | Status, start: int) -> int:
    """When the stretch began that goes on now; whoever opens later sees the same one."""
    source = occurrence.source if isinstance(occurrence, Status) else occurrence
    if source is not None:
        for until, former in source.formerly():
            if until <= start:
                break
            if not test.matches(former.facts, former):
                return until
    return start


class Counter:
    """Counts occurrences, or with a filter the stretches of them that pass it.

    Attributes:
        is_doubtful: Its durations are of a picture that was replaced: whoever brings those of
            the better one replaces them, even where others share the row.
    """

    __slots__ = (
        "_index", "_ledger", "_of", "_range", "_stretches", "_test", "durations", "is_doubtful",
        "tally",
    )  # fmt: skip

    def __init__(
        self, ledger: Ledger, index: int, slot: int | None, kind: RowKind, tally: Tally | None
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._test = kind.filter
        self._range = kind.range
        self._of = kind.of
        self._stretches: dict[Occurrence | Status, int] = {}  # what counts now, since when
        self.durations = DurationPeaks() if kind.feature == DURATIONS else None
        self.is_doubtful = False
        self.tally = tally

    @property
    def stretches(self) -> dict[Occurrence | Status, int]:
        """What counts now, and since when it does."""
        return self._stretches

    # -- what happens ----------------------------------------------------------------

    def resume(self, occurrence: Any, start: int, t: int) -> None:
        """An occurrence that began at ``start`` goes on as counting begins at ``t``."""
        if self._test is None:
            self._open(occurrence, start, t)
        elif _passes(self._test, occurrence):
            self._open(occurrence, _true_since(self._test, occurrence, start), t)

    def begin(self, occurrence: Any, start: int, t: int) -> None:
        """An occurrence began at ``start``; ``t`` is now."""
        if self._test is None or _passes(self._test, occurrence):
            self._open(occurrence, start, t)

    def end(self, occurrence: Any, t: int) -> None:
        """An occurrence ended at ``t``."""
        if occurrence in self._stretches:
            self._close(occurrence, t)

    def look_again(self, occurrence: Any, t: int) -> None:
        """The facts of an occurrence changed: the filter may have turned."""
        if self._test is None:
            return
        passes = _passes(self._test, occurrence)
        if passes and occurrence not in self._stretches:
            self._open(occurrence, t, t)
        elif not passes and occurrence in self._stretches:
            self._close(occurrence, t)

    def happen(self, about: Occurrence, duration: int, t: int) -> None:
        """Something happened at once."""
        if self._test is not None and not self._test.matches(about.facts, about):
            return
        if self._range is not None and not self._range.contains(duration):
            return
        columns = self._ledger.columns
        columns.ended[self._index] += 1
        columns.elapsed[self._index] += duration
        self._ledger.touch(self._index)
        self._happened(about, duration, t)

    def _open(self, occurrence: Any, start: int, t: int) -> None:
        columns = self._ledger.columns
        if self.tally is not None:
            self.tally.add(1, t)
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
        duration = t - start
        if self._of != ACTIONS and not duration:
            return  # a status of no duration is none
        if self._range is not None and not self._range.contains(duration):
            return
        columns.ended[self._index] += 1
        columns.elapsed[self._index] += duration
        self._ended(occurrence, start, t)

    def _happened(self, about: Occurrence, duration: int, t: int) -> None:
        """It counts what happened at once."""
        if self.durations is not None:
            self.durations.happened(t, duration, self._ledger.epoch)

    def _ended(self, occurrence: Occurrence | Status, start: int, t: int) -> None:
        """It counts what is over."""
        if self.durations is not None:
            self.durations.ended(start, t, self._ledger.epoch)

    def trim(self, horizon: int) -> None:
        """Forget peaks that no interval can reach any more."""
        if self.durations is not None:
            self.durations.trim(horizon)
        if self.tally is not None:
            self.tally.peaks.trim(horizon)

    # -- who reads it ----------------------------------------------------------------

    def opened(self, part: Part) -> None:
        """A statistic begins to read the row."""

    # -- the pair --------------------------------------------------------------------

    def export(self, part: Part) -> dict[str, Any]:
        """What another server has to know of the present to go on alike, as plain data."""
        return {"stretches": [[list(identity(o)), start] for o, start in self._stretches.items()]}

    def adopt(self, data: dict[str, Any], part: Part) -> None:
        """Let what counts now have begun when another server saw it begin.

        Without a filter it began when the world says; what is missing there, too. What began
        before the occurrence did is of an earlier one that was alike: of a picture that was
        replaced, which may have missed that it ended and another one began.
        """
        if self._test is None:
            return
        starts = {tuple(each): start for each, start in data["stretches"]}
        since = self._ledger.columns.since
        for occurrence, start in self._stretches.items():
            told = starts.get(identity(occurrence), start)
            if told < occurrence.start:
                continue
            since[self._index] += told - start
            self._stretches[occurrence] = told


class Continuity(Counter):
    """Counts the time during which anything at all in the mask goes on without a gap.

    Its columns are those of such times: one that goes on is one that is live. What ends
    and begins in the same moment leaves no gap, so an end is taken back when the next
    occurrence begins right then. Who began to read in between is none the wiser: for him
    what ended had ended before.
    """

    __slots__ = ("_left_at", "_openers", "_since")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._since = 0  # when the present time began, or the last one
        self._left_at = -1  # when that one ended
        self._openers: list[Part] = []  # who began to read after that

    def _open(self, occurrence: Any, start: int, t: int) -> None:
        columns, index = self._ledger.columns, self._index
        if self._stretches:
            self._begin_at(min(self._since, start))
        else:
            if self._left_at == t:
                self._count(-1, t)
            else:
                self._since = start
            columns.live[index] += 1
            columns.since[index] += self._since
        self._stretches[occurrence] = start
        self._ledger.touch(index)

    def _close(self, occurrence: Any, t: int) -> None:
        columns, index = self._ledger.columns, self._index
        del self._stretches[occurrence]
        self._ledger.touch(index)
        if self._stretches:
            return
        columns.live[index] -= 1
        columns.since[index] -= self._since
        if self._left_at != t:  # else they have seen it end once already
            self._openers.clear()
        self._left_at = t
        self._count(1, t)

    def _begin_at(self, since: int) -> None:
        """Let the present time have begun then."""
        self._ledger.columns.since[self._index] += since - self._since
        self._since = since

    def _count(self, change: int, t: int) -> None:
        """The time that ended at ``t`` counts, or counts no more; none if it lasted no time."""
        elapsed = change * (t - self._since)
        if not elapsed:
            return
        columns = self._ledger.columns
        columns.ended[self._index] += change
        columns.elapsed[self._index] += elapsed
        for part in self._openers:
            base = part.base
            part.base = base._replace(ended=base.ended + change, elapsed=base.elapsed + elapsed)

    def opened(self, part: Part) -> None:
        """A statistic begins to read the row, perhaps in a gap that turns out to be none."""
        if not self._stretches and part not in self._openers:
            self._openers.append(part)

    def export(self, part: Part) -> dict[str, Any]:
        """Since when, and what may have to be taken back."""
        return {
            "inside": bool(self._stretches),
            "since": self._since,
            "left_at": self._left_at,
            "opened_in_gap": part in self._openers,
        }

    def adopt(self, data: dict[str, Any], part: Part) -> None:
        """Be inside, or outside, since when whoever has counted longer saw it.

        Where the other server's picture was another one, what is here now began here. What a
        picture said that was replaced counts no more.
        """
        if part in self._openers:
            self._openers.remove(part)
        if data["inside"] != bool(self._stretches):
            return
        if self._stretches:
            since = data["since"]
            self._begin_at(since if self.is_doubtful else min(self._since, since))
            return
        mine, theirs = (self._left_at, self._since), (data["left_at"], data["since"])
        best = theirs if self.is_doubtful else max(mine, theirs, key=_last_and_longest)
        self._left_at, self._since = best
        if data["opened_in_gap"]:
            self._openers.append(part)


def _last_and_longest(time: tuple[int, int]) -> tuple[int, int]:
    left_at, since = time
    return left_at, -since


class TimeIntegral(Counter):
    """Counts whole occurrences, and the squares that the integral of their time is made of.

    With a filter an occurrence counts while that is true, but has lasted since it began, as
    it has for the current categories. So what passes from ``start`` on, having begun at
    ``begun``, comes with ``(start - begun)²`` that it must not bring along.
    """

    __slots__ = ("_begun", "_slot")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._slot: int = args[2]
        self._begun: dict[Occurrence | Status, int] = {}  # whatever the filter says

    def resume(self, occurrence: Any, start: int, t: int) -> None:
        """An occurrence goes on as counting begins."""
        self._begun[occurrence] = start
        super().resume(occurrence, start, t)

    def begin(self, occurrence: Any, start: int, t: int) -> None:
        """An occurrence began."""
        self._begun[occurrence] = start
        super().begin(occurrence, start, t)

    def end(self, occurrence: Any, t: int) -> None:
        """An occurrence ended."""
        super().end(occurrence, t)
        self._begun.pop(occurrence, None)

    def _open(self, occurrence: Any, start: int, t: int) -> None:
        begun = self._begun.get(occurrence, start)
        super()._open(occurrence, begun, t)
        columns = self._ledger.columns
        columns.since_squares[self._slot] += begun * begun
        columns.squares[self._slot] -= (start - begun) ** 2

    def _close(self, occurrence: Any, t: int) -> None:
        begun = self._stretches[occurrence]
        super()._close(occurrence, t)
        columns = self._ledger.columns
        columns.since_squares[self._slot] -= begun * begun
        columns.squares[self._slot] += (t - begun) ** 2

    def adopt(self, data: dict[str, Any], part: Part) -> None:
        """Whole occurrences began when the world says."""
