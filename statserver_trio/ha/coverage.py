"""Coverage: which positions of which sources somebody has counted.

A picture of a source, and a statistic as well, is a fold of events. Its coverage
says of which: per source a list of ranges, both ends included, in order, never
touching. Almost always that is one range per source; every hole adds another.

Two members compare coverages to decide whose aggregate is the better one, and standings to
decide whose picture is. They are never added up: what is in both would count twice.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

from .messages import Ranges, Standing

Coverage = Mapping[str, Ranges]

RANGES_MAX = 1000  # with more holes than that, the oldest ranges are forgotten
FORMER = ", before"  # behind a source's name: what it told in old numbers


class Choice(enum.Enum):
    """What the receiver of an aggregate does with it."""

    KEEP = "keep"  # both are the same
    KEEP_MORE = "keep-more"  # ours contains all of theirs, and more
    TAKE = "take"  # theirs contains all of ours, and more
    KEEP_INEXACT = "keep-inexact"  # each lacks something; ours has more
    TAKE_INEXACT = "take-inexact"  # each lacks something; theirs has more


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same positions in order, with as few ranges as possible.

    >>> merged([(7, 9), (1, 3), (4, 5)])
    [(1, 5), (7, 9)]
    """
    result: Ranges = []
    for first, last in sorted(ranges):
        if first > last:
            continue  # empty
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return result


def extended(ranges: Ranges, first: int, last: int) -> Ranges:
    """The same and those positions, which come after all of them; it may be the list itself."""
    if not ranges or ranges[-1][1] < first - 1:
        return [*ranges, (first, last)][-RANGES_MAX:]
    ranges[-1] = (ranges[-1][0], last)
    return ranges


def clipped(ranges: Iterable[tuple[int, int]], first: int, last: int) -> Ranges:
    """What of it lies between ``first`` and ``last``.

    >>> clipped([(1, 5), (7, 9)], 4, 7)
    [(4, 5), (7, 7)]
    """
    return merged((max(a, first), min(b, last)) for a, b in ranges)


def holes(ranges: Ranges, first: int, last: int) -> Ranges:
    """What it lacks between ``first`` and ``last``.

    >>> holes([(1, 5), (7, 9)], 4, 12)
    [(6, 6), (10, 12)]
    """
    result: Ranges = []
    for a, b in clipped(ranges, first, last):
        if a > first:
            result.append((first, a - 1))
        first = b + 1
    return [*result, (first, last)] if first <= last else result


def former(source: str) -> str:
    """What a source is called in a coverage for the numbers that it told before it counted anew.

    Only those just before: of what it told earlier still, nobody knows any more.

    >>> former("ts1")
    'ts1, before'
    """
    return source + FORMER


def contains(ranges: Ranges, others: Ranges) -> bool:
    """Whether every position of ``others`` is in ``ranges``.

    >>> contains([(1, 9)], [(2, 3), (9, 9)])
    True
    """
    return all(not holes(ranges, first, last) for first, last in others)


def size(ranges: Ranges) -> int:
    """How many positions there are.

    >>> size([(1, 5), (7, 7)])
    6
    """
    return sum(last - first + 1 for first, last in ranges)


def choose(
    mine: Coverage, theirs: Coverage, my_position: Mapping[str, int], as_of: Mapping[str, int]
) -> Choice:
    """Whose aggregate of one statistic to go on with (exact-sync.md, Chunks).

    Compared is only what both could have seen: up to the position where the one
    that is behind stands. What comes after that each adds by itself. What a source
    told in old numbers (:func:`former`) is over, and compared whole.

    Where neither contains the other, the one with more positions wins, and of two
    with as many the one that began first: a total order, so that both members
    choose the same one.
    """
    sources = sorted({*mine, *theirs})
    ours: list[Ranges] = []
    others: list[Ranges] = []
    for source in sources:
        if source.endswith(FORMER):
            ours.append(mine.get(source, []))
            others.append(theirs.get(source, []))
            continue
        if source in my_position and source in as_of:
            end = min(my_position[source], as_of[source])
        else:  # one of us does not know this source at all
            end = max(my_position.get(source, -1), as_of.get(source, -1))
        ours.append(clipped(mine.get(source, []), 0, end))
        others.append(clipped(theirs.get(source, []), 0, end))
    if all(map(contains, ours, others)):
        return Choice.KEEP if all(map(contains, others, ours)) else Choice.KEEP_MORE
    if all(map(contains, others, ours)):
        return Choice.TAKE
    mine_is_better = _rank(ours) > _rank(others)
    return Choice.KEEP_INEXACT if mine_is_better else Choice.TAKE_INEXACT


def _rank(ranges: list[Ranges]) -> tuple[int, list[list[tuple[int, int]]]]:
    """More positions first; of two different ones with as many, always the same one."""
    return sum(map(size, ranges)), [[(-a, -b) for a, b in each] for each in ranges]


def better(theirs: Standing | None, mine: Standing | None, i_accept: bool) -> bool:
    """Whether the peer's picture of a source is to replace ours.

    Of two with different histories that reach back equally far and began at the
    same moment, the accepting side's stays; so exactly one of the two members says
    yes, whatever their clocks say.
    """
    if theirs is None or mine is None:
        return theirs is not None
    if theirs.lineage == mine.lineage:
        return False
    their_age, my_age = (theirs.since, theirs.began), (mine.since, mine.began)
    return their_age < my_age if their_age != my_age else not i_accept


def missing(coverage: Coverage, positions: Mapping[str, int]) -> bool:
    """Whether it has a hole between its beginning and where we stand, in numbers of now."""
    for source, ranges in coverage.items():
        if not ranges or source.endswith(FORMER):
            continue
        here = positions.get(source, ranges[-1][1])
        if len(ranges) == 1:  # as nearly always; looked at for every statistic
            if ranges[0][1] < here:
                return True
        elif holes(ranges, ranges[0][0], here):
            return True
    return False


def lacks_else(
    mine: Coverage, told: Coverage, positions: Mapping[str, int], as_of: Mapping[str, int]
) -> bool:
    """Whether ours lacks anything that was not lacking in what was told, as of then, as well.

    >>> lacks_else({"ts1": [(1, 4), (7, 9)]}, {"ts1": [(1, 4), (7, 8)]}, {"ts1": 9}, {"ts1": 8})
    False
    >>> lacks_else({"ts1": [(1, 4), (7, 8)]}, {"ts1": [(1, 4), (7, 8)]}, {"ts1": 9}, {"ts1": 8})
    True
    """
    for source, ranges in mine.items():
        if not ranges or source.endswith(FORMER):
            continue
        known = told.get(source) or [(0, 0)]
        lost = holes(ranges, ranges[0][0], positions.get(source, ranges[-1][1]))
        theirs = holes(known, known[0][0], as_of.get(source, known[-1][1]))
        if not contains(theirs, lost):
            return True
    return False
