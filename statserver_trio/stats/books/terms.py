"""Terms: one occurrence that is over, as a book writes it down.

What a formula may ask of an occurrence is in :class:`Variables`; times there are seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...model.actions import NAMES
from ...model.occurrences import NO_FACTS, Facts, Occurrence, Status
from ..definitions.attributes import ATTRIBUTES

Number = int | float
Value = int | float | str | bool | None
Evaluate = Callable[["Variables"], Any]


class Term(NamedTuple):
    """An occurrence that is over, or that happened at once; times in ms.

    Attributes:
        duration: The whole of it.
        is_whole: It belongs wholly to the interval in which it was over, as what happens
            at once does; else only the part of it that lies there.
        dn: The number of the DN; breaks ties.
        since: What was before that is none of the statistic's business: its object has
            contributed only since then.
        value: What the statistic computes from it.
    """

    start: int
    end: int
    duration: int
    is_whole: bool
    conn_id: str
    dn: str
    since: int = 0
    value: Value = None

    def within(self, start: int) -> int:
        """How much of it lies in the interval that began at ``start``, ms."""
        if self.is_whole:
            return self.duration
        return max(0, self.end - max(self.start, start, self.since))

    def precedes(self, other: Term) -> bool:
        """Whether of two of the same call this is the one that counts (statistics.md §8.1).

        The first to complete; of two at once the earlier started, then the lower DN.
        """
        return (self.end, self.start, self.dn) < (other.end, other.start, other.dn)


class Variables:
    """What an expression may look at of one occurrence, by name.

    Args:
        each: What goes on, is over, or happened at once.
        duration: In ms, as far as it counts.
        start: When it began, ms.
        end: When it was over; now, where it goes on.
        facts: Its attached data, where they are not those of now.
    """

    __slots__ = ("_each", "_source", "_times", "facts")

    def __init__(
        self,
        each: Occurrence | Status,
        duration: int,
        start: int,
        end: int,
        facts: Facts | None = None,
    ) -> None:
        self._each = each
        self.facts: Facts = each.facts if facts is None else facts
        self._source = source_of(each)
        self._times = duration, start, end

    def __getitem__(self, name: str) -> Any:
        return _VARIABLES[name](self)

    @property
    def reasons(self) -> Facts:
        """The agent's reasons."""
        return NO_FACTS if self._source is None else self._source.reasons

    def attribute(self, name: str) -> str | None:
        """What filters know by that name; None where it is not known."""
        return ATTRIBUTES[name](self._source)

    @property
    def conn_id(self) -> str | None:
        """The call; of what belongs to none nothing."""
        return None if self._source is None else self._source.conn_id or None

    @property
    def action(self) -> str:
        """The name of the action, or of the status."""
        return NAMES[self._each.action]

    def seconds(self, index: int) -> Number:
        """Duration, start or end."""
        whole, rest = divmod(self._times[index], 1000)
        return self._times[index] / 1000 if rest else whole


def source_of(each: Occurrence | Status) -> Occurrence | None:
    """The action that a status shows; an action itself."""
    return each.source if isinstance(each, Status) else each


def conn_id_of(each: Occurrence | Status) -> str:
    """The call it belongs to; empty where it belongs to none."""
    source = source_of(each)
    return "" if source is None else source.conn_id


def dn_of(each: Occurrence | Status) -> str:
    """The number of the DN it goes on at; empty for a status that shows nothing."""
    source = source_of(each)
    return "" if source is None else source.dn.key.number


_VARIABLES: dict[str, Callable[[Variables], Any]] = {
    "duration": lambda v: v.seconds(0),
    "start": lambda v: v.seconds(1),
    "end": lambda v: v.seconds(2),
    "udata": lambda v: v.facts,
    "reasons": lambda v: v.reasons,
    "ext": lambda v: v.reasons,
    "connid": lambda v: v.conn_id,
    "ani": lambda v: v.attribute("ANI"),
    "dnis": lambda v: v.attribute("DNIS"),
    "calltype": lambda v: v.attribute("CallType"),
    "thisdn": lambda v: v.attribute("ThisDN"),
    "otherdn": lambda v: v.attribute("OtherDN"),
    "mediatype": lambda v: v.attribute("MediaType"),
    "action": lambda v: v.action,
}
