"""Categories: how a value comes out of measures. One row of the table per category.

How to read a row is told in :mod:`.category`. The formulas are those of
statistics.md §5.2–5.5; a denominator of 0 gives 0.

Names that circulate and are no categories are in :data:`REFUSED`, any others are
simply unknown.
"""

from __future__ import annotations

from .category import DEFAULT, EXPLICIT, NO, OPTIONAL, REQUIRED, Category, Reading
from .compound import COMPOUND
from .current import CURRENT
from .custom import CUSTOM_VALUES, FORMULA, OF_CALLS
from .historical import HISTORICAL
from .state import STATE

__all__ = [
    "CATEGORIES",
    "DEFAULT",
    "EXPLICIT",
    "EXTENSION",
    "NO",
    "OPTIONAL",
    "REQUIRED",
    "Category",
    "Reading",
    "canonical_category",
    "why_refused",
]

CATEGORIES: dict[str, Category] = {
    category.name: category
    for rows in (HISTORICAL, COMPOUND, CURRENT, STATE, CUSTOM_VALUES, OF_CALLS, (FORMULA,))
    for category in rows
}

# Names that circulate for the same.
SYNONYMS = {"ExpectedWaitTime": "EstimWaitTime", "EstimWaitingTime": "EstimWaitTime"}

# Names that circulate and are none (statistics.md §5.3, §5.4, §5.9), and what to use.
REFUSED = {
    "TotalNumberErrors": "it is not described anywhere",
    "LoadBalance1": "it is not described anywhere; there is LoadBalance",
    "EstimTimeToComplete": "it is not described anywhere; there is EstimTimeToEndCurrentNumber",
    "AverageNumber": "use AverageNumberPerRelativeHour, or AverageOfCurrentNumber",
    "AverageTimePerSecond": "use ElapsedTimePercentage",
    "CurrentRelativeNumber": "use CurrentRelativeNumberPercentage",
    "RelativeAverageTime": "use AverageTime with a RelMask",
    "TotalDistinctNumber": "use TotalNumber with Formula = DistByConnID",
    "ExtendedCurrentStatus": "that is the name of a stat type of Pulse; use CurrentState",
}

# Not computed but told by an extension; see :mod:`..extended`. The second name is the vendor's.
EXTENSION = "PythonCategory"

_BY_LOWER = {name.lower(): name for name in (*CATEGORIES, EXTENSION)} | {
    name.lower(): meant for name, meant in (*SYNONYMS.items(), ("JavaCategory", EXTENSION))
}
_REFUSED_BY_LOWER = {name.lower(): why for name, why in REFUSED.items()}


def canonical_category(name: str) -> str | None:
    """The vendor's spelling of a category; None where there is none of that name."""
    return _BY_LOWER.get(name.strip().lower())


def why_refused(name: str) -> str:
    """What is to be said of a name that circulates and is no category; empty of any other."""
    return _REFUSED_BY_LOWER.get(name.strip().lower(), "")
