"""Plain: the short way to take over a statistic that is told by sums alone.

Most statistics read plain rows, of the same nodes here and there: then what is told are a few
differences per row, and nobody has left, no session is over and nothing is kept besides. Those
can also be taken over as of an earlier moment than ours, if somebody knows what the rows came
to then (:class:`Then`): a row only adds up what happens at its node, so the same row of any
other ledger that was told the same events has grown by as much since.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from .carried import PartData, StatisticData, SumsData
from .counting.ledger import Sums
from .counting.parts import Mark, Part

if TYPE_CHECKING:
    from .source import Source
    from .statistic import Statistic

Pair = tuple["Source", Part, PartData]  # a part here, and what was told of it


class Then(NamedTuple):
    """A row at an earlier moment, in the terms of its columns here.

    Attributes:
        t: The time of the last event by then, ms.
        sums: What its columns would have stood at.
        marks: The same at each beginning of an interval from then up to now.
        opened_by: When the next event happened, ms; None if there was none yet.
    """

    t: int
    sums: Sums
    marks: list[Mark]
    opened_by: int | None


class Earlier(NamedTuple):
    """The rows of a statistic at an earlier moment; see :func:`plain_pairs`."""

    pairs: Sequence[Pair]
    rows: Sequence[Then]


def is_plain(told: StatisticData) -> bool:
    """Whether nothing but sums is told."""
    if told["former"] or told["tally"] is not None or told["book"] is not None:
        return False
    return all(
        each["frozen"] is None and each.get("counter") is None
        for parts in told["parts"].values()
        for each in parts
    )


def plain_pairs(statistic: Statistic, told: StatisticData) -> list[Pair] | None:
    """The parts here, each with what was told of it; None where this way is too short.

    Raises:
        KeyError: A role is not told.
    """
    if statistic.book is not None or "session" in statistic.parts or not is_plain(told):
        return None
    pairs: list[Pair] = []
    for role, parts in statistic.parts.items():
        told_parts = told["parts"][role]
        if len(parts) != len(told_parts):
            return None
        for part, each in zip(parts, told_parts, strict=True):
            row = part.row
            source = row.source
            is_same = each["source"] == source.name and (*each["node"],) == row.node.address
            if row.counter is not None or not is_same:
                return None
            pairs.append((source, part, each))
    return pairs


def take_plain(
    statistic: Statistic,
    told: StatisticData,
    pairs: Sequence[Pair],
    now: int,
    thens: Sequence[Then] | None = None,
) -> None:
    """Let a statistic have counted what was told.

    Args:
        pairs: See :func:`plain_pairs`.
        thens: The rows at the moment as of which it was told, in that order; by default that
            moment is now.
    """
    for index, (source, part, data) in enumerate(pairs):
        row, opened_at = part.row, data["opened_at"]
        marks, then = row.as_of(source.world(now).now), row.sums
        if thens is not None:
            t, then, between, opened_by = thens[index]
            marks = (row.share(Mark(t, row.share(then))), *between, *marks)
            if opened_by is not None:
                opened_at = min(opened_at, opened_by)
        part.begin(opened_at, part.epoch)  # there may be no event yet that came after
        part.base = row.share(back_from(then, data["base"]))
        # From the last mark up to now nothing began anew, so an interval that begins in
        # between begins as things stand now.
        told_marks = [Mark(edge, row.share(back_from(then, sums))) for edge, sums in data["marks"]]
        part.marks = joined(told_marks, marks)
        part.ledger.touch(row.index)  # clients are told what it is worth now
    statistic.former = {}
    statistic.opened_at = told["opened_at"]


def joined(told: Sequence[Mark], ours: Sequence[Mark]) -> tuple[Mark, ...]:
    """Marks of another server, and ours since; ascending also where our clock is behind its."""
    if not told:
        return tuple(ours)
    last = told[-1].edge
    if ours[0].edge < last:
        ours = [Mark(max(mark.edge, last), mark.sums) for mark in ours]
    return (*told, *ours)


def back_from(now: Sums, told: SumsData) -> Sums:
    """The sums at the moment from which on the difference that was told is counted."""
    ended, elapsed = now.ended - told.ended, now.elapsed - told.elapsed
    if told.squares == told.since_squares == "0":  # as nearly all of them
        return Sums(ended, elapsed, told.live, told.since, now.squares)
    squares = now.squares - int(told.squares)
    return Sums(ended, elapsed, told.live, told.since, squares, int(told.since_squares))
