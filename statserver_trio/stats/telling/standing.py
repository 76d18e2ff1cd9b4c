"""Standing still: how long a value is surely not worth telling, as long as nothing happens.

Who stands still is not looked at again until a row he reads is touched, another node
contributes, or his interval begins anew; who grows slowly, not before he may have grown enough
(:mod:`.ticks`). Most statistics count what is over; of those that count time, most have
nothing that goes on. Where it is not certain, the answer is that it may be any moment.

That the next event may make an opening an earlier one (:meth:`.ledger.Ledger.opened`) changes
only what goes on: what had ended by then was not counted, and nothing has ended since.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING

from ..counting.ledger import Ledger
from ..counting.parts import FormerPart, Part, span
from .notifications import Subscription, Value

if TYPE_CHECKING:
    from ..statistic import Statistic


class Manner(enum.Enum):
    """How a statistic comes to another value."""

    CALM = "calm"  # by what happens, and never otherwise
    GROWING = "growing"  # with time, if something goes on
    RESTLESS = "restless"  # by more than its rows say: it has to be looked at


def manner_of(statistic: Statistic) -> Manner:
    """How it changes; sessions, books, states and extensions follow more than rows."""
    if (
        statistic.pushed is not None
        or statistic.book is not None
        or statistic.category.kind == "state"
        or statistic.follows_sessions
    ):
        return Manner.RESTLESS
    return Manner.GROWING if statistic.grows else Manner.CALM


def patience(subscription: Subscription, value: Value, clocks: dict[Ledger, int]) -> float:
    """For how long, in ms, a growing value is not worth telling if nothing happens; or inf.

    The value is that of now, and was told if it was worth it.
    """
    statistic = subscription.statistic
    category, profile = statistic.category, statistic.profile
    live = _going_on(statistic)
    if profile is not None and profile.kind == "Sliding":
        if live or category.feature:
            return 0
        return inf if all(_is_empty(part, clocks) for part in _all_parts(statistic)) else 0
    if live:
        return _time_to_grow(subscription, value, live) if category.result == "time" else 0
    if category.kind == "historical" and category.grows == "always":
        # A share of the time that has passed: of nothing it stays nothing.
        return inf if value.value == 0 and value.interval > 0 else 0
    return inf


def _time_to_grow(subscription: Subscription, value: Value, live: int) -> float:
    """A time in whole seconds grows by no more than what goes on, each a second per second."""
    now, last = value.value, subscription.last_sent
    sources, former = subscription.statistic.sources, subscription.statistic.former
    if type(now) is not int or type(last) is not int:
        return 0
    if former or any(source is not sources[0] for source in sources):
        return 0  # several clocks, which do not go alike
    if sources[0].ledger.has_openings:
        return 0  # the next event may say that it was opened earlier, and so has grown by more
    limit = max(1, subscription.notification.insensitivity)
    return max(0, (last + limit - now - 1) * 1000 / live)  # there may be almost a second more


def _going_on(statistic: Statistic) -> int:
    """How much goes on in its rows; of who has left, what then did."""
    live = 0
    for parts in statistic.parts.values():
        for part in parts:
            row = part.row
            live += row.ledger.columns.live[row.index]
    if statistic.former:
        live += sum(part.sums.live for parts in statistic.former.values() for part in parts)
    return live


def _all_parts(statistic: Statistic) -> Iterator[Part | FormerPart]:
    for role in statistic.parts:
        yield from statistic.all_parts(role)


def _is_empty(part: Part | FormerPart, clocks: dict[Ledger, int]) -> bool:
    """Whether nothing is in a window, nor can come into it while the window moves on."""
    if isinstance(part, FormerPart) or part.marks:
        return False
    interval = span(part, clocks[part.ledger])
    return interval.base == interval.sums
