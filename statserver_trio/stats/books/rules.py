"""Which statistics keep a book, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..categories import Category
from ..definitions import StatType
from ..definitions.time_profiles import TimeProfile
from ..definitions.time_ranges import TimeRange
from .book import Entry, Rules
from .reading import role_names
from .terms import Evaluate, Variables

if TYPE_CHECKING:
    from ...expressions.formulas import Aggregate

CUSTOM, FORMULA, UNION, BY_CALL = "custom", "formula", "union", "by call"


def keeps_book(category: Category, stat_type: StatType, profile: TimeProfile | None) -> bool:
    """Whether columns cannot say what is wanted."""
    return bool(
        category.book
        or stat_type.by_call
        or stat_type.group_by is not None
        or (profile is not None and profile.kind == "Selection")
    )


def rules_of(
    category: Category,
    stat_type: StatType,
    profile: TimeProfile | None,
    ranges: tuple[TimeRange | None, TimeRange | None],
    children_max: int,
) -> Rules | None:
    """How such a statistic keeps its book; None if it keeps none.

    Args:
        ranges: Of the main mask, and of the relative one.
        children_max: How many keys are told apart.
    """
    if not keeps_book(category, stat_type, profile):
        return None
    key = None if stat_type.group_by is None else stat_type.group_by.value
    return Rules(
        profile,
        _entries(category, stat_type, *ranges),
        stat_type.by_call or category.book == BY_CALL,
        key,
        category.book == UNION,
        children_max,
    )


def _entries(
    category: Category,
    stat_type: StatType,
    time_range: TimeRange | None,
    time_range2: TimeRange | None,
) -> dict[str, Entry]:
    formula = stat_type.formula
    if formula is not None:
        names = role_names(len(formula.aggregates))
        return {n: _entry(each) for n, each in zip(names, formula.aggregates, strict=True)}
    main = Entry()
    if category.book == CUSTOM:
        assert stat_type.custom_value is not None
        main = Entry(stat_type.custom_value.value, _has_data)
    return {
        "main": main,
        "rel": Entry(),
        # Which terms count is decided before it is asked how long they lasted.
        "ranged": Entry(range=time_range),
        "rel_ranged": Entry(range=time_range2),
    }


def _entry(aggregate: Aggregate) -> Entry:
    """What is written down for one aggregate; its value is the duration where none is named."""
    tells_apart = aggregate.function == "DCOUNT"
    value: Evaluate | None = aggregate.value
    if value is None and aggregate.function != "COUNT":
        value = _conn_id if tells_apart else _duration
    return Entry(value, aggregate.condition, tells_apart, aggregate.is_current)


def _has_data(variables: Variables) -> bool:
    """A custom value is of interaction-related actions and of UserEvent (§5.6)."""
    return variables["connid"] is not None or variables.action == "UserEvent"


def _duration(variables: Variables) -> object:
    return variables["duration"]


def _conn_id(variables: Variables) -> object:
    return variables["connid"]
