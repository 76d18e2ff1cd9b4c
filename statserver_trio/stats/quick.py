"""Quick: the value of a statistic with one part per role, as nearly all are.

It comes to what :meth:`.statistic.Statistic.read` makes of spans, which any statistic has; what
is quicker here is in :class:`.counting.measures.OneRow`.
"""

from __future__ import annotations

from .categories import Reading
from .counting.ledger import Boundary, Ledger
from .counting.measures import OneRow
from .counting.parts import Part
from .statistic import Statistic


class Clocks(dict[Ledger, int]):
    """What time it is at every source, ms; and when the intervals began that are reported then.

    The latter is asked for every value, and is the same for all who share a time profile.
    """

    def __init__(self, *args: dict[Ledger, int]) -> None:
        super().__init__(*args)
        self._starts: dict[Boundary | None, int | None] = {None: None}

    def start(self, part: Part) -> int:
        """When the interval of a part began."""
        boundary, opened_at = part.boundary, part.opened_at
        try:
            start = self._starts[boundary]
        except KeyError:
            assert boundary is not None
            start = boundary.start_of_interval(self[part.row.ledger])
            self._starts[boundary] = start
        return opened_at if start is None or start <= opened_at else start


def read_quickly(statistic: Statistic, clocks: Clocks) -> tuple[float, int, int] | None:
    """Its number, how long its interval has lasted and what time it is there, both ms.

    None where that takes more: of groups, of whoever has left one or is logged out, and of
    books, states and what has masks of its own.
    """
    part, meaning = statistic.only_part, statistic.meaning
    category = meaning.category
    if part is None or category.masks is not None:
        return None
    now, start = clocks[part.row.ledger], clocks.start(part)
    main = OneRow(part, start, now)
    interval = now - start if category.kind == "historical" else 0
    rel = ranged = rel_ranged = None
    if len(meaning.roles) > 1:
        rel = _one_row(statistic, "rel", clocks, now)
        ranged = _one_row(statistic, "ranged", clocks, now)
        rel_ranged = _one_row(statistic, "rel_ranged", clocks, now)
    reading = Reading(main, rel, ranged, rel_ranged, meaning.time_range, interval)
    return category.read(reading), interval, now


def _one_row(statistic: Statistic, role: str, clocks: Clocks, now: int) -> OneRow | None:
    parts = statistic.parts_of(role)
    return OneRow(parts[0], clocks.start(parts[0]), now) if parts else None


def interval_of(statistic: Statistic, clocks: Clocks) -> tuple[int, int] | None:
    """How long its interval has lasted and what time it is there, ms; or None as above."""
    part = statistic.only_part
    if part is None:
        return None
    now = clocks[part.row.ledger]
    return (now - clocks.start(part) if statistic.category.kind == "historical" else 0), now
