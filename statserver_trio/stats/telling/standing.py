"""Standing still: whether a value is the same at any later moment, as long as nothing happens.

Said so only where it is certain, for who stands still is not looked at again until a row he
reads is touched, another node contributes, or his interval begins anew (:mod:`.ticks`). Most
statistics count what is over; of those that count time, most have nothing that goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..counting.ledger import Ledger
from ..counting.parts import FormerPart, Part, span
from .notifications import Value

if TYPE_CHECKING:
    from ..statistic import Statistic


def stands_still(statistic: Statistic, value: Value, clocks: dict[Ledger, int]) -> bool:
    """Whether a statistic that is worth ``value`` now will be until something happens.

    Sessions, books, states and what extensions tell follow more than rows: they are looked at.
    """
    category = statistic.category
    if (
        statistic.pushed is not None
        or statistic.book is not None
        or category.kind == "state"
        or statistic.follows_sessions
    ):
        return False
    if not statistic.grows:
        return True
    if any(_goes_on(part) for part in _all_parts(statistic)):
        return False
    profile = statistic.profile
    if profile is not None and profile.kind == "Sliding":
        return not category.feature and all(
            _is_empty(part, clocks) for part in _all_parts(statistic)
        )
    if category.is_historical and category.grows == "always":
        # A share of the time that has passed: of nothing it stays nothing.
        return bool(value.value == 0 and value.interval > 0)
    return True


def _all_parts(statistic: Statistic) -> Iterator[Part | FormerPart]:
    for role in statistic.parts:
        yield from statistic.all_parts(role)


def _goes_on(part: Part | FormerPart) -> bool:
    if isinstance(part, FormerPart):  # up to when it left, where a clock may be once more
        return part.sums.live > 0
    return part.ledger.columns.live[part.row.index] > 0


def _is_empty(part: Part | FormerPart, clocks: dict[Ledger, int]) -> bool:
    """Whether nothing is in a window, nor can come into it while the window moves on."""
    if isinstance(part, FormerPart) or part.marks:
        return False
    interval = span(part, clocks[part.ledger])
    return interval.base == interval.sums
