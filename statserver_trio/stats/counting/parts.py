"""Parts: one row as one statistic reads it, and what it comes to over one interval.

A :class:`Part` is a row with the row's sums at the moment the statistic was opened,
which is where its first interval begins. A :class:`FormerPart` is what stays of one
whose node has left the group. A :class:`Span` is either over one interval; measures add
spans up. Times are milliseconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from copy import deepcopy

from attrs import define, evolve, frozen

from ...model.occurrences import Occurrence, Status
from .counters import RowKind
from .ledger import NOTHING as NOTHING
from .ledger import Beginning, Boundary, Ledger, Sums
from .ledger import Mark as Mark
from .peaks import DurationPeaks
from .rows import Row
from .tally import Tally


class Part:
    """One row, and where its first interval begins for the one statistic that reads it.

    Attributes:
        base: The sums of the row when that interval began.
        marks: They ascend, and are there where the statistic was taken over from another
            server: what this server's own columns cannot know of the time before. Each holds
            for every beginning up to its edge that comes after the one before it.
    """

    # There is one for each statistic at least: 64 bytes.
    __slots__ = ("_beginning", "base", "marks", "row")

    frozen: FormerPart | None = None  # only a PartOfSession may have one

    def __init__(self, row: Row, beginning: Beginning, base: Sums) -> None:
        self.row = row
        self._beginning = beginning
        self.base = base
        self.marks: Sequence[Mark] = ()

    @property
    def opened_at(self) -> int:
        """When the first interval began, on the clock of the source, ms."""
        return self._beginning.t

    @property
    def epoch(self) -> int:
        """Of the ledger, from the opening on."""
        return self._beginning.epoch

    @property
    def boundary(self) -> Boundary | None:
        """Where later intervals begin; None without a time profile."""
        return self._beginning.boundary

    def begin(self, t: int, epoch: int) -> None:
        """Have begun to count then; no later than the next event, see :meth:`.Ledger.opened`."""
        self._beginning = self.row.ledger.beginning(t, epoch, self._beginning.boundary)

    @property
    def ledger(self) -> Ledger:
        """Whose clock it goes by."""
        return self.row.ledger

    @property
    def kind(self) -> RowKind:
        """What it counts."""
        return self.row.kind

    @property
    def tally(self) -> Tally | None:
        """How many go on at once, where that is wanted."""
        counter = self.row.counter
        return None if counter is None else counter.tally


class PartOfSession(Part):
    """One that begins anew with every login.

    Attributes:
        frozen: As it was when a session ended, until the next one begins.
    """

    __slots__ = ("frozen",)

    def __init__(self, row: Row, beginning: Beginning, base: Sums) -> None:
        super().__init__(row, beginning, base)
        self.frozen: FormerPart | None = None


@frozen(eq=False)
class FormerPart:
    """What stays of a part when its node leaves the group; see :func:`freeze`.

    Attributes:
        address: Of the node, on any server.
        marks: The sums at every beginning of an interval that can be asked for; the last
            one is as of ``at``.
        at: When it left, ms.
        sums: What it had counted then.
        starts: Of what went on then.
    """

    ledger: Ledger
    address: tuple[str, ...]
    kind: RowKind
    opened_at: int
    base: Sums
    boundary: Boundary | None
    epoch: int
    marks: list[Mark]
    at: int
    sums: Sums
    starts: tuple[int, ...] = ()
    durations: DurationPeaks | None = None
    tally: Tally | None = None


@define
class Span:
    """One part over one interval: from ``start``, where it had ``base``, to ``now``."""

    part: Part | FormerPart
    start: int
    now: int
    base: Sums
    sums: Sums
    epoch: int = 0  # where the interval began with the opening: the first that belongs to it

    @property
    def is_former(self) -> bool:
        """Whether it ended early, when the node left the group."""
        return isinstance(self.part, FormerPart)

    @property
    def kind(self) -> RowKind:
        """What it counts."""
        return self.part.kind

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

    @property
    def squared(self) -> int:
        """Squares of the durations so far, less those of when the interval began; ms²."""
        now, base = self.sums, self.base
        return (now.squares + _squares_of_live(now, self.now)) - (
            base.squares + _squares_of_live(base, self.start)
        )

    def live(self) -> Iterator[int]:
        """The starts of what counts as going on; of stretches with a filter."""
        if not self.sums.live:
            return
        if isinstance(self.part, FormerPart):
            yield from self.part.starts
        elif self.part.row.counter is not None:
            yield from self.part.row.counter.stretches.values()
        else:
            for _, start in self.part.row.going_on():
                yield start

    @property
    def durations(self) -> DurationPeaks:
        """The longest and shortest of what is over; of rows that keep them."""
        keeper = self.part if isinstance(self.part, FormerPart) else self.part.row.counter
        found = None if keeper is None else keeper.durations
        assert found is not None
        return found

    def in_progress(self) -> Iterator[int]:
        """The starts of what goes on now; with a filter still those of the whole action.

        A current value looks at actions, not at stretches: one counts if the
        filter is true now, and has lasted since it began (our decision, §6.4).
        """
        for _, start in self.going_on():
            yield start

    def going_on(self) -> Iterator[tuple[Occurrence | Status, int]]:
        """What goes on now, each since when the whole of it does."""
        if not self.sums.live or isinstance(self.part, FormerPart):
            return
        counter = self.part.row.counter
        for occurrence, start in self.part.row.going_on():
            if counter is None or occurrence in counter.stretches:
                yield occurrence, start


def _squares_of_live(sums: Sums, t: int) -> int:
    """The sum of (t - start)² over what goes on."""
    return sums.live * t * t - 2 * t * sums.since + sums.since_squares


def span(part: Part | FormerPart, now: int, closing: bool = False) -> Span:
    """The interval that is reported at ``now``: since the last reset, or since opening.

    With ``closing``, ``now`` is a reset point and meant is the interval that ends there.
    """
    if isinstance(part, Part) and part.frozen is not None:
        part = part.frozen
    boundary = part.boundary
    start = None if boundary is None else boundary.start_of_interval(now - closing)
    if isinstance(part, FormerPart):
        return _span_of_former(part, start, now)
    sums, opened_at = part.row.sums, part.opened_at
    if start is None or start <= opened_at:
        return Span(part, opened_at, now, part.base, sums, part.epoch)
    return Span(part, start, now, beginning(part, start, sums), sums)


def beginning(part: Part, start: int, sums: Sums | None = None) -> Sums:
    """The sums at the beginning ``start`` of an interval after the opening.

    Args:
        sums: What they were when the interval ended, if that was not just now.
    """
    row = part.row
    if part.marks and start <= part.marks[-1].edge:
        return _at_mark(part.marks, start)
    if start <= row.born_at:
        return row.born
    assert part.boundary is not None
    columns = part.boundary.columns_at(start)
    if columns is not None:
        return columns.at(row.index, row.slot)
    return row.sums if sums is None else sums


def previous(after: Span) -> Span | None:
    """The interval before one of a growing profile whose boundary looks back.

    None where there was none since the opening, and of a sliding profile: what was before its
    window is kept by nobody, but by who took the statistic over from another server. Who has
    left the group counts no more (our decision: this is for estimates).
    """
    part, end = after.part, after.start
    if isinstance(part, FormerPart) or part.boundary is None or end <= part.opened_at:
        return None
    if part.boundary.profile.kind != "Growing":
        return None
    start = part.boundary.start_of_interval(end - 1)
    if start is None or start <= part.opened_at:
        return Span(part, part.opened_at, end, part.base, after.base, part.epoch)
    return Span(part, start, end, beginning(part, start, after.base), after.base)


def _span_of_former(part: FormerPart, start: int | None, now: int) -> Span:
    end = min(now, part.at)
    if start is None or start <= part.opened_at:
        return Span(part, part.opened_at, end, part.base, part.sums, part.epoch)
    if start > part.at:
        return Span(part, start, start, NOTHING, NOTHING)
    return Span(part, start, end, _at_mark(part.marks, start), part.sums)


def reachable(part: FormerPart, t: int) -> bool:
    """Whether anybody can still ask for an interval to which it adds something, at ``t``.

    Of a growing profile also the interval before, whose closing value may not be told yet.
    Without a profile only what goes on now is asked for, and so not who has left.
    """
    boundary = part.boundary
    if boundary is None:
        return False
    start = boundary.start_of_interval(t)
    if start is not None and boundary.profile.kind == "Growing":
        start = boundary.start_of_interval(start - 1)
    return start is None or start <= part.at


def _at_mark(marks: Sequence[Mark], start: int) -> Sums:
    return marks[bisect_left(marks, start, key=lambda mark: mark.edge)].sums


def marks_of(part: Part) -> list[Mark]:
    """Every beginning of an interval after the opening that can still be asked for."""
    row, marks = part.row, _reachable_marks(part)
    last = marks[-1].edge if marks else part.opened_at
    for edge, columns in part.boundary.marks if part.boundary is not None else ():
        if edge > last:
            then = columns.at(row.index, row.slot) if edge > row.born_at else row.born
            marks.append(Mark(edge, then))
    return marks


def _reachable_marks(part: Part) -> list[Mark]:
    """Of the marks from another server those that anybody can still ask for, and the last.

    That is as of the last of them, or later. A mark is added each time a statistic is taken
    over, so those between which no interval can begin have to go.
    """
    marks, boundary = part.marks, part.boundary
    if not marks:
        return []
    last = marks[-1].edge
    start = None if boundary is None else boundary.start_of_interval(last)
    if boundary is None or start is None:
        return [marks[-1]]
    if boundary.profile.kind == "Sliding":
        step = boundary.profile.step
        earlier = [-1, *(mark.edge // step for mark in marks)]
        kept = [
            mark
            for mark, former in zip(marks, earlier, strict=False)
            if mark.edge >= start and mark.edge // step != former  # the first one of its step
        ]
        return kept if kept and kept[-1] is marks[-1] else [*kept, marks[-1]]
    before = boundary.start_of_interval(start - 1)  # may be asked for as well
    places = {
        bisect_left(marks, each, key=lambda mark: mark.edge)
        for each in (start, start if before is None else before)
    }
    return [marks[place] for place in sorted({*places, len(marks) - 1})]


def restart(part: Part, t: int) -> None:
    """Let a part count from now on, as if its node had come just now."""
    part.ledger.epoch += 1
    part.begin(t, part.ledger.epoch)
    part.base, part.marks = part.row.base(), ()
    if isinstance(part, PartOfSession):
        part.frozen = None
    if part.row.counter is not None:
        part.row.counter.opened(part)


def freeze(part: Part, t: int) -> FormerPart:
    """What stays of a part when its node leaves the group at ``t``.

    Everything that can still be asked of it is written down, because its row may be given
    up or go on counting for others: its last sums, and the sums at every beginning of an
    interval that may still be reported. It keeps contributing to intervals that began
    before ``t``, as if time had stopped for it then; to later ones it adds nothing.
    """
    row, counter = part.row, part.row.counter
    sums = row.sums
    return FormerPart(
        row.ledger,
        row.node.address,
        row.kind,
        part.opened_at,
        part.base,
        part.boundary,
        part.epoch,
        marks=[*marks_of(part), Mark(t, sums)],
        at=t,
        sums=sums,
        starts=tuple(Span(part, t, t, sums, sums).live()),
        durations=deepcopy(counter.durations) if counter is not None else None,
        tally=part.tally,
    )


def emptied(part: FormerPart) -> FormerPart:
    """The same without anything in it."""
    durations = None if part.durations is None else DurationPeaks()
    return evolve(
        part, base=NOTHING, sums=NOTHING, marks=[], starts=(), durations=durations, tally=None
    )
