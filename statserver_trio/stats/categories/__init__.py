"""Categories: how a value comes out of measures. One row of the table per category.

How to read a row is told in :mod:`.category`. The formulas are those of
statistics.md §5.2–5.5; a denominator of 0 gives 0.

Names that exist and are not here yet are in :data:`LATER`, names that never were
are simply unknown.
"""

from __future__ import annotations

from .category import DEFAULT, EXPLICIT, NO, OPTIONAL, REQUIRED, Category, Reading
from .current import CURRENT
from .historical import HISTORICAL
from .state import STATE

__all__ = [
    "CATEGORIES",
    "DEFAULT",
    "EXPLICIT",
    "EXTENSION",
    "LATER",
    "NO",
    "OPTIONAL",
    "REQUIRED",
    "Category",
    "Reading",
    "canonical_category",
]

CATEGORIES: dict[str, Category] = {
    category.name: category for category in (*HISTORICAL, *CURRENT, *STATE)
}

# The vendor's names that this release does not compute.
LATER = frozenset(
    """
    TotalDistinctTime CurrentDistinctNumber
    CurrentRelativeTimePercentage TotalCustomValue AverageCustomValue MaxCustomValue
    MinCustomValue CurrentCustomValue CurrentAverageCustomValue CurrentMaxCustomValue
    CurrentMinCustomValue EstimWaitTime ExpectedWaitTime ExpectedWaitTime2 LoadBalance
    CurrentStateReasons CurrentTargetState Formula
    """.split()
)

# Not computed but told by an extension; see :mod:`..extended`. The second name is the vendor's.
EXTENSION = "PythonCategory"

_BY_LOWER = {name.lower(): name for name in (*CATEGORIES, *LATER, EXTENSION)} | {
    "javacategory": EXTENSION
}


def canonical_category(name: str) -> str | None:
    """The vendor's spelling of a category; None where there is none of that name."""
    return _BY_LOWER.get(name.strip().lower())
