"""Reading a book: what its terms are worth as measures, children and formulas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...model.occurrences import Occurrence, Status
from ..categories import Reading
from ..counting.measures import Measure
from ..counting.parts import Span
from .book import Book
from .cells import Cell, Values
from .terms import Value, Variables, conn_id_of, dn_of

if TYPE_CHECKING:
    from ...expressions.formulas import Aggregate
    from ..counting.ledger import Ledger
    from ..statistic import Statistic

GoingOn = tuple[Occurrence | Status, int, int]  # since when, and what time it is now


class BookMeasure(Measure):
    """A measure whose past is a cell; what goes on now is counted by call if need be."""

    def __init__(self, spans: list[Span], cell: Cell, by_call: bool) -> None:
        super().__init__(spans)
        self._cell = cell
        self._by_call = by_call

    def number(self) -> int:
        """Terms."""
        return self._cell.number

    def time(self) -> int:
        """What of them lies in the interval, ms."""
        return self._cell.within

    def adjusted_number(self) -> int:
        """Terms: all of them are over."""
        return self._cell.number

    def adjusted_time(self) -> int:
        """Their whole durations, ms."""
        return self._cell.elapsed

    def greatest_time(self) -> int:
        """The longest that lies in the interval, ms."""
        return self._cell.longest or 0

    def least_time(self) -> int:
        """The shortest, ms."""
        return self._cell.shortest or 0

    def current_number(self) -> int:
        """What goes on now; of each call once."""
        return len(self.current_times()) if self._by_call else super().current_number()

    def current_time(self) -> int:
        """How long that has lasted, in sum."""
        return sum(self.current_times()) if self._by_call else super().current_time()

    def current_times(self) -> list[int]:
        """How long each of it has lasted."""
        return [now - start for _, start, now in going_on(self, self._by_call)]


def going_on(measure: Measure, by_call: bool = False) -> list[GoingOn]:
    """What goes on now of a measure; of each call only what began first if so wanted."""
    found: list[GoingOn] = []
    for span in measure.present:
        each: Iterator[tuple[Occurrence | Status, int]] = span.going_on()
        chosen = earliest_of_each_call(each) if by_call else each
        found += [(what, start, span.now) for what, start in chosen]
    if not by_call or len(measure.present) < 2:
        return found
    nows = {id(what): now for what, _, now in found}
    first = earliest_of_each_call((what, start) for what, start, _ in found)
    return [(what, start, nows[id(what)]) for what, start in first]


class BookReader:
    """What a statistic with a book is worth at one moment.

    Args:
        clock: What time it is at each source.
        closing: The times are reset points, and meant is the interval that ends there.
    """

    def __init__(self, statistic: Statistic, clock: Callable[[Ledger], int], closing: bool) -> None:
        assert statistic.book is not None
        self._statistic = statistic
        self._book: Book = statistic.book
        self._clock = clock
        self._starts = self._book.starts(lambda ledger: clock(ledger) - closing)
        self._closing = closing
        self._spans = {
            role: Measure(statistic.spans(role, clock, closing)) for role in statistic.parts
        }

    @property
    def interval(self) -> int:
        """How long the interval has lasted, ms: that of the oldest page."""
        return max((self._lasted(source) for source in self._book.pages), default=0)

    def _lasted(self, source: str) -> int:
        page = self._book.pages[source]
        now = self._clock(page.ledger) if page.paused_at is None else page.paused_at
        return now - self._starts[source]

    def value(self) -> Any:
        """A number, or with GroupBy a number per child."""
        if self._book.rules.key is None:
            return self._of_child("")
        return {key: self._of_child(key) for key in self._children()}

    def _children(self) -> list[str]:
        keys = set(self._book.children(self._starts))
        for role in self._now_roles():
            for each, start, now in going_on(self._spans[role]):
                keys.add(self._book.rules.key_of(Variables(each, now - start, start, now)))
        return sorted(keys)[: self._book.rules.children_max + 1]

    def _now_roles(self) -> list[str]:
        """The roles of which what goes on now makes children."""
        formula = self._statistic.stat_type.formula
        if formula is None:
            return []
        roles = role_names(len(formula.aggregates))
        return [r for r, each in zip(roles, formula.aggregates, strict=True) if each.is_current]

    def _of_child(self, key: str) -> Any:
        formula = self._statistic.stat_type.formula
        if formula is not None:
            values = [
                self._aggregate(key, role, each)
                for role, each in zip(
                    role_names(len(formula.aggregates)), formula.aggregates, strict=True
                )
            ]
            nows = [span.now for measure in self._spans.values() for span in measure.spans]
            now = max(nows, default=0)
            names: dict[str, Value] = {
                "now": now / 1000,
                "interval": self.interval / 1000,
                "object": self._statistic.key.object_id,
            }
            return formula.evaluate(values, names)
        roles = self._statistic.parts.keys() & self._book.rules.entries.keys()
        measures = {role: self._measure(key, role) for role in roles}
        reading = Reading(
            measures["main"],
            measures.get("rel"),
            measures.get("ranged"),
            measures.get("rel_ranged"),
            self._statistic.time_range,
            self.interval,
            values=self._values(key),
            current_values=self._current_values(),
        )
        return self._statistic.category.read(reading)

    def _measure(self, key: str, role: str) -> Measure:
        rules = self._book.rules
        if rules.profile is None:
            return BookMeasure(self._spans[role].spans, Cell(), rules.by_call)
        cell = self._book.cell(key, role, self._starts)
        return BookMeasure(self._spans[role].spans, cell, rules.by_call)

    def _values(self, key: str) -> Values:
        if self._book.rules.profile is None:
            return Values()
        return self._book.cell(key, "main", self._starts).values

    def _current_values(self) -> list[Value]:
        """What the custom value comes to for each of what goes on now."""
        entry = self._book.rules.entries["main"]
        if self._statistic.category.kind != "current" or entry.value is None:
            return []
        found = going_on(self._spans["main"], self._book.rules.by_call)
        variables = (Variables(each, now - start, start, now) for each, start, now in found)
        return [entry.value_of(each) for each in variables if entry.passes(each)]

    # -- formulas --------------------------------------------------------------------

    def _aggregate(self, key: str, role: str, aggregate: Aggregate) -> Value:
        if aggregate.is_current:
            cell = self._now_cell(key, role)
        else:
            cell = self._book.cell(key, role, self._starts)
            if self._closing and self._statistic.on_status:
                cell.merge(self._now_cell(key, role, self._starts))
        return aggregated(aggregate.function, cell)

    def _now_cell(self, key: str, role: str, starts: Mapping[str, int] | None = None) -> Cell:
        """What goes on now, as terms; cut off where the interval began if ``starts`` are given."""
        rules, entry = self._book.rules, self._book.rules.entries[role]
        cell = Cell(tells_apart=entry.tells_apart)
        for span in self._spans[role].present:
            for each, begun in span.going_on():
                start = begun
                if starts is not None:
                    start = max(begun, starts.get(span.part.ledger.source, begun))
                variables = Variables(each, span.now - start, begun, span.now)
                if rules.key_of(variables) == key and entry.passes(variables):
                    cell.number += 1
                    cell.values.add(entry.value_of(variables), entry.tells_apart)
        return cell


def role_names(number: int) -> list[str]:
    """The roles of the aggregates of a formula."""
    return ["main", *(f"aggregate {n}" for n in range(2, number + 1))][:number]


def aggregated(function: str, cell: Cell) -> Value:
    """What an aggregate of a formula comes to; of nothing 0, or NULL where 0 is no answer."""
    values = cell.values
    match function:
        case "COUNT":
            return cell.number
        case "SUM":
            return values.total
        case "AVG":
            return values.total / values.count if values.count else 0
        case "MIN":
            return values.least
        case "MAX":
            return values.greatest
        case "DCOUNT":
            return len(values.distinct)
        case "FIRST":
            return values.first
        case "LAST":
            return values.last
    raise AssertionError(function)


def earliest_of_each_call(
    found: Iterable[tuple[Occurrence | Status, int]],
) -> list[tuple[Occurrence | Status, int]]:
    """Of what goes on because of one call only what began first (statistics.md §8.1)."""
    chosen: dict[str, tuple[Occurrence | Status, int]] = {}
    for number, (each, start) in enumerate(found):
        name = conn_id_of(each) or f" {number}"
        present = chosen.get(name)
        if present is None or (start, dn_of(each)) < (present[1], dn_of(present[0])):
            chosen[name] = each, start
    return list(chosen.values())
