"""Refusals: what is configured right, each for itself, and does not go together."""

from __future__ import annotations

from .categories import Category
from .counting.sessions import WATCHED
from .definitions import StatType
from .definitions.time_profiles import TimeProfile

# What is more than the numbers and times of single occurrences.
NOT_OF_TERMS = frozenset(
    """
    MaxNumber MinNumber TotalContinuousNumber AverageOfCurrentNumber AverageOfCurrentTime
    CurrentContinuousTime ServiceFactor1 EstimWaitTime ExpectedWaitTime2 LoadBalance
    EstimTimeToEndCurrentNumber
    """.split()
)


def refusal(
    category: Category, stat_type: StatType, profile: TimeProfile | None, object_type: str
) -> str:
    """Why it cannot be counted like that, for a person; empty if it can."""
    name = category.name
    kind = "" if profile is None else profile.kind
    if name in NOT_OF_TERMS or category.kind == "state":
        for is_wanted, what in (
            (stat_type.by_call, "with DistByConnID"),
            (stat_type.group_by is not None, "with GroupBy"),
            (kind == "Selection", "over a Selection profile"),
        ):
            if is_wanted:
                return f"{name} cannot be counted {what}"
    if kind == "Selection" and category.book == "union":
        return f"{name} cannot be counted over a Selection profile"
    if kind == "SinceLogin" and object_type not in WATCHED:
        return f"SinceLogin is for {' and '.join(WATCHED)}: a {object_type} does not log in"
    formula = stat_type.formula
    if formula is not None and stat_type.subject != "DNAction":
        historical = not all(each.is_current for each in formula.aggregates)
        if historical and kind in ("Sliding", "Selection"):
            return f"a Formula over a {kind} profile needs the subject DNAction"
    return ""
