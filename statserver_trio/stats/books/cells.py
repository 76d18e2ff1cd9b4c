"""Cells: what the terms of one interval come to.

A cell takes terms one by one and can be added to another cell; so an interval is one cell
that grows, and a window is made of its terms whenever somebody looks. ``Values`` is what
comes of the numbers (or texts) that a statistic computes from each term.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field

from .terms import Number, Term, Value

DISTINCT_MAX = 100_000  # values that are told apart; further ones are not counted (our decision)


@define
class Values:
    """What was computed from the terms; None is no value and is passed over."""

    count: int = 0
    total: Number = 0
    greatest: Value = None
    least: Value = None
    first: Value = None
    last: Value = None
    distinct: dict[Value, None] = field(factory=dict)

    def add(self, value: Value, tells_apart: bool) -> None:
        """One more; text has no sum."""
        if value is None:
            return
        self.count += 1
        if isinstance(value, int | float):
            self.total += value
        if self.count == 1:
            self.greatest = self.least = self.first = value
        elif _comparable(value, self.greatest):
            self.greatest = max(self.greatest, value)  # type: ignore[type-var]
            self.least = min(self.least, value)  # type: ignore[type-var]
        self.last = value
        if tells_apart and len(self.distinct) < DISTINCT_MAX:
            self.distinct[value] = None

    def merge(self, other: Values) -> None:
        """Add what came later, or elsewhere."""
        if not other.count:
            return
        if not self.count:
            self.greatest, self.least, self.first = other.greatest, other.least, other.first
        elif _comparable(other.greatest, self.greatest):
            self.greatest = max(self.greatest, other.greatest)  # type: ignore[type-var]
            self.least = min(self.least, other.least)  # type: ignore[type-var]
        self.count += other.count
        self.total += other.total
        self.last = other.last
        for value in other.distinct:
            if len(self.distinct) >= DISTINCT_MAX:
                break
            self.distinct[value] = None


def _comparable(value: Value, other: Value) -> bool:
    """Whether there is an order between them; of others the first one stays."""
    return isinstance(value, str) == isinstance(other, str)


@define
class Cell:
    """Numbers and times of terms; ms.

    Attributes:
        within: What of their durations lies in the interval.
        longest, shortest: Of those; None where there is no term.
        tells_apart: Whether distinct values are kept.
    """

    number: int = 0
    elapsed: int = 0
    within: int = 0
    longest: int | None = None
    shortest: int | None = None
    values: Values = field(factory=Values)
    tells_apart: bool = False

    def add(self, term: Term, start: int) -> None:
        """One more term in the interval that began at ``start``."""
        within = term.within(start)
        self.number += 1
        self.elapsed += term.duration
        self.within += within
        self.longest = within if self.longest is None else max(self.longest, within)
        self.shortest = within if self.shortest is None else min(self.shortest, within)
        self.values.add(term.value, self.tells_apart)

    def merge(self, other: Cell) -> None:
        """Add another cell."""
        self.number += other.number
        self.elapsed += other.elapsed
        self.within += other.within
        if other.longest is not None and other.shortest is not None:
            known = self.longest is not None and self.shortest is not None
            self.longest = max(self.longest or 0, other.longest)
            self.shortest = min(self.shortest, other.shortest) if known else other.shortest  # type: ignore[type-var]
        self.values.merge(other.values)

    def export(self) -> list[Any]:
        """Plain data."""
        v = self.values
        values = [v.count, v.total, v.greatest, v.least, v.first, v.last, list(v.distinct)]
        return [self.number, self.elapsed, self.within, self.longest, self.shortest, values]

    @classmethod
    def read(cls, data: list[Any], tells_apart: bool) -> Cell:
        """What was exported."""
        number, elapsed, within, longest, shortest, told = data
        count, total, greatest, least, first, last, distinct = told
        values = Values(count, total, greatest, least, first, last, dict.fromkeys(distinct))
        return cls(number, elapsed, within, longest, shortest, values, tells_apart)
