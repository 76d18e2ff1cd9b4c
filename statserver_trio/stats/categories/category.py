"""Category: one row of the table, and what it computes its value from.

Reading a row: ``kind`` says whether the interval of a time profile matters
(historical) or only this moment (current, state); ``result`` what the number
is; ``rel_mask`` and ``time_range`` what a definition or request has to name;
``feature`` what the rows must keep besides their columns; ``grows`` whether the
value changes with time alone, for actions and for statuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from attrs import define, frozen

from ..books.cells import Values
from ..books.terms import Value
from ..counting.measures import Measure
from ..definitions.time_ranges import TimeRange

NO, OPTIONAL, REQUIRED = "no", "optional", "required"
DEFAULT, EXPLICIT = "default", "explicit"
NO_VALUES, NO_MORE = Values(), MappingProxyType[str, Measure]({})  # of all who have none


@define(eq=False)  # not frozen: a third of the time to make one, and one is made per value
class Reading:
    """What a category computes a value from.

    ``main`` and ``rel`` measure the masks; ``ranged`` counts of the main mask only
    what lies in the time range, ``rel_ranged`` of the relative mask what lies in the
    second one. They are None where there is no such mask or range.
    """

    main: Measure
    rel: Measure | None
    ranged: Measure | None
    rel_ranged: Measure | None
    time_range: TimeRange | None
    interval: int  # ms
    values: Values = NO_VALUES  # of the terms of the main mask
    current_values: Sequence[Value] = ()  # of what goes on in the main mask
    more: Mapping[str, Measure] = NO_MORE  # of the other masks of a compound one

    @property
    def denominator(self) -> Measure:
        """The relative mask, or the main one where there is none (our decision)."""
        return self.main if self.rel is None else self.rel


class Masks(NamedTuple):
    """What a compound category counts, as sets of action codes.

    Attributes:
        more: Besides, each by the name of its role; of agents too, and never filtered.
    """

    main: int
    rel: int | None
    more: tuple[tuple[str, int], ...] = ()


@frozen
class Category:
    """One way to make a value."""

    name: str
    read: Callable[[Reading], float]
    kind: str = "historical"  # or "current", "state"
    result: str = "number"  # or "time" (ms), "ratio", "state", "any"
    rel_mask: str = NO
    time_range: str = NO
    feature: str = ""  # of the main rows
    counts_range: bool = False  # needs rows that count only what lies in the range
    second_range: bool = False  # a request may name another one, for the relative mask
    masks: Masks | None = None  # compound: what is counted, whatever is defined
    of: str = "both"  # or "action", "status"
    grows: str = "status"  # with time alone: "never", "status", "always"
    filters_rel: bool = True
    instants: bool = True  # whether what happens at once counts besides what goes on
    objects: frozenset[str] | None = None  # None is all of them
    book: str = ""  # what needs one: "custom", "formula", "union", "by call"
    looks_back: bool = False  # at the interval before, where the present one has nothing

    @property
    def is_historical(self) -> bool:
        """Whether a time profile applies."""
        return self.kind == "historical"


def ratio(numerator: float, denominator: float, factor: float = 1.0) -> float:
    """A quotient as people want it on a wallboard: 0 where there is nothing to divide by."""
    return factor * numerator / denominator if denominator else 0.0
