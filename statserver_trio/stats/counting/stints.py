"""Stints: one former part for all the times a node was in a group, where that can be had.

Over a profile without resets every interval begins with the opening, so what a former part
adds to it never changes, and several of one node add up to numbers again. Without that, whoever
logs in to a queue a thousand times would leave a thousand parts behind for good.

A span's numbers are differences (:mod:`.parts`), so a part is looked for whose sums, between
its own beginning and end, come to the same: what was spent before it began, and since by what
went on when it ended, are told by two sums of starts that are chosen accordingly.
"""

from __future__ import annotations

from .counters import ACTIONS, DURATIONS
from .ledger import Sums
from .parts import FormerPart, Mark, Span
from .peaks import DurationPeaks


def last_joined(former: list[FormerPart]) -> list[FormerPart]:
    """Let who left just now, the last of them, have left but once, where that is the same."""
    *earlier, last = former
    for place, each in enumerate(earlier):
        joint = joined(each, last)
        if joint is not None:
            return [*earlier[:place], joint, *earlier[place + 1 :]]
    return former


def joined(one: FormerPart, other: FormerPart) -> FormerPart | None:
    """One part for an earlier and a later one of the same node; None where there is none."""
    boundary = one.boundary
    if (
        boundary is None
        or other.boundary is not boundary
        or boundary.start_of_interval(other.at) is not None
        or one.address != other.address
    ):
        return None
    start, end = one.opened_at, other.at
    spans = [
        Span(each, each.opened_at, each.at, each.base, each.sums, each.epoch)
        for each in (one, other)
    ]
    base_live, live = (sum(each) for each in zip(*map(_live, spans), strict=True))
    base_since = base_live * start - sum(span.before for span in spans)
    since = live * end - sum(span.spent for span in spans)
    base = Sums(0, 0, base_live, base_since, 0, _squares(base_live, base_since, start))
    sums = Sums(
        sum(span.ended for span in spans),
        sum(span.elapsed for span in spans),
        live,
        since,
        sum(span.squared for span in spans),
        _squares(live, since, end),
    )
    return FormerPart(
        one.ledger,
        one.address,
        one.kind,
        start,
        base,
        boundary,
        one.epoch,
        [Mark(end, sums)],
        end,
        sums,
        tuple(_start(begun, span, start, end) for span in spans for begun in span.live()),
        _extremes(spans),
        other.tally,
    )


def _extremes(spans: list[Span]) -> DurationPeaks | None:
    """The longest and the shortest of both; what they were cut to, they stay cut to."""
    if spans[0].part.kind.feature != DURATIONS:
        return None
    last = spans[-1]
    extremes = DurationPeaks()
    for span in spans:
        for amount in (span.durations.greatest(*_since(span)), span.durations.least(*_since(span))):
            if amount is not None:
                extremes.happened(last.now, amount, last.epoch)
    return extremes


def _since(span: Span) -> tuple[int, int]:
    return span.start, span.epoch


def _live(span: Span) -> tuple[int, int]:
    return span.base.live, span.sums.live


def _squares(live: int, since: int, t: int) -> int:
    """The sum of squares of starts with which what goes on at ``t`` has none of its own."""
    return 2 * t * since - live * t * t


def _start(begun: int, span: Span, start: int, end: int) -> int:
    """When what went on at the end of a span has to have begun in the joint one.

    Of an action matters how long before its span it began, of a status how long it lasted in it.
    """
    if span.kind.of == ACTIONS:
        return start - max(0, span.start - begun)
    return end - (span.now - max(begun, span.start))
