"""Categories: how a value comes out of measures. One row of the table per category.

Reading the table: ``kind`` says whether the interval of a time profile matters
(historical) or only this moment (current, state); ``result`` what the number
is; ``rel_mask`` and ``time_range`` what a definition or request has to name;
``feature`` what the rows must keep besides their columns; ``grows`` whether the
value changes with time alone, for actions and for statuses. The formulas are
those of statistics.md §5.2–5.5; a denominator of 0 gives 0.

Names that exist and are not here yet are in :data:`LATER`, names that never were
are simply unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from attrs import evolve, frozen

from ..model.actions import mask_of
from .counters import CONTINUITY, DURATIONS, TIME_INTEGRAL
from .measures import Measure
from .time_ranges import TimeRange

NO, OPTIONAL, REQUIRED = "no", "optional", "required"
DEFAULT, EXPLICIT = "default", "explicit"


@frozen
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

    @property
    def denominator(self) -> Measure:
        """The relative mask, or the main one where there is none (our decision)."""
        return self.main if self.rel is None else self.rel


class Masks(NamedTuple):
    """What a compound category counts, as sets of action codes."""

    main: int
    rel: int


@frozen
class Category:
    """One way to make a value."""

    name: str
    read: Callable[[Reading], float]
    kind: str = "historical"  # or "current", "state"
    result: str = "number"  # or "time" (ms), "ratio", "state"
    rel_mask: str = NO
    time_range: str = NO
    feature: str = ""  # of the main rows
    counts_range: bool = False  # needs rows that count only what lies in the range
    second_range: bool = False  # a request may name another one, for the relative mask
    masks: Masks | None = None  # compound: main and relative mask, whatever is defined
    of: str = "both"  # or "action", "status"
    grows: str = "status"  # with time alone: "never", "status", "always"
    filters_rel: bool = True
    instants: bool = True  # whether what happens at once counts besides what goes on
    objects: frozenset[str] | None = None  # None is all of them

    @property
    def is_historical(self) -> bool:
        """Whether a time profile applies."""
        return self.kind == "historical"


def ratio(numerator: float, denominator: float, factor: float = 1.0) -> float:
    """A quotient as people want it on a wallboard: 0 where there is nothing to divide by."""
    return factor * numerator / denominator if denominator else 0.0


def _greatest(durations: list[int]) -> int:
    return max(durations, default=0)


def _least(durations: list[int]) -> int:
    return min(durations, default=0)


def _in_range(r: Reading) -> int:
    """Of statuses only periods that are over have a duration to look at."""
    assert r.ranged is not None
    return r.ranged.adjusted_number()


def _relative_numerator(r: Reading) -> int:
    return r.main.number() if r.ranged is None else r.ranged.adjusted_number()


def _service_factor(r: Reading) -> float:
    """Calls answered in time, of all but those given up so soon that nobody is to blame.

    The vendor's formula is not public; this one is our decision.
    """
    assert r.ranged is not None
    assert r.rel is not None
    excused = 0 if r.rel_ranged is None else r.rel_ranged.number()
    return ratio(r.ranged.number(), r.main.number() + r.rel.number() - excused, 100)


ANSWERED_AND_LOST = Masks(
    mask_of("CallAnswered"), mask_of("CallAbandoned", "CallAbandonedFromRinging")
)


def _current_in_range(r: Reading) -> int:
    assert r.time_range is not None
    return r.main.current_in_range(r.time_range)


_PROFILED = (
    # -- base ------------------------------------------------------------------------
    Category("TotalNumber", lambda r: r.main.number(), grows="never"),
    Category("TotalTime", lambda r: r.main.time(), result="time"),
    Category("TotalAdjustedNumber", lambda r: r.main.adjusted_number(), grows="never"),
    Category("TotalAdjustedTime", lambda r: r.main.adjusted_time(), result="time", grows="never"),
    Category("MaxTime", lambda r: r.main.greatest_time(), result="time", feature=DURATIONS),
    Category(
        "MinTime",
        lambda r: r.main.least_time(),
        result="time",
        feature=DURATIONS,
        grows="never",
    ),
    Category("MaxNumber", lambda r: r.main.greatest_number(), feature="depth", grows="never"),
    Category("MinNumber", lambda r: r.main.least_number(), feature="depth", grows="never"),
    Category(
        "TotalContinuousNumber",
        lambda r: r.main.number(),
        feature=CONTINUITY,
        of="status",
        grows="never",
    ),
    # -- with a time range -----------------------------------------------------------
    Category(
        "TotalNumberInTimeRange",
        _in_range,
        time_range=DEFAULT,
        counts_range=True,
        grows="never",
    ),
    Category(
        "TotalNumberInTimeRangePercentage",
        lambda r: ratio(_in_range(r), r.denominator.number(), 100),
        result="ratio",
        rel_mask=OPTIONAL,
        time_range=DEFAULT,
        counts_range=True,
        grows="never",
    ),
    Category(
        "TotalTimeInTimeRange",
        lambda r: 0 if r.ranged is None else r.ranged.adjusted_time(),
        result="time",
        time_range=DEFAULT,
        counts_range=True,
        grows="never",
    ),
    Category(
        "ServiceFactor1",
        _service_factor,
        result="ratio",
        time_range=DEFAULT,
        counts_range=True,
        second_range=True,
        masks=ANSWERED_AND_LOST,
        of="action",
        grows="never",
    ),
    # -- ratios ----------------------------------------------------------------------
    Category(
        "AverageTime",
        lambda r: ratio(r.main.adjusted_time() / 1000, r.denominator.adjusted_number()),
        result="ratio",
        rel_mask=OPTIONAL,
        grows="never",
    ),
    Category(
        "RelativeNumber",
        lambda r: ratio(r.main.number(), r.denominator.number()),
        result="ratio",
        rel_mask=REQUIRED,
        grows="never",
    ),
    Category(
        "RelativeNumberPercentage",
        lambda r: ratio(_relative_numerator(r), r.denominator.number(), 100),
        result="ratio",
        rel_mask=REQUIRED,
        time_range=EXPLICIT,
        counts_range=True,
        grows="never",
    ),
    Category(
        "RelativeTimePercentage",
        lambda r: ratio(r.main.time(), r.denominator.time(), 100),
        result="ratio",
        rel_mask=REQUIRED,
    ),
    Category(
        "AverageNumberPerRelativeHour",
        lambda r: ratio(r.main.number(), r.denominator.time(), 3_600_000),
        result="ratio",
        rel_mask=REQUIRED,
        filters_rel=False,
    ),
    # -- rates -----------------------------------------------------------------------
    Category(
        "ElapsedTimePercentage",
        lambda r: ratio(r.main.time(), r.interval, 100),
        result="ratio",
        grows="always",
    ),
    Category(
        "TotalNumberPerSecond",
        lambda r: ratio(r.main.number(), r.interval, 1000),
        result="ratio",
        grows="always",
    ),
    Category(
        "AverageOfCurrentNumber",
        lambda r: ratio(r.main.integral(), r.interval),
        result="ratio",
        grows="always",
        instants=False,
    ),
    Category(
        "AverageOfCurrentTime",
        lambda r: ratio(r.main.time_integral() / 1000, r.interval),
        result="ratio",
        feature=TIME_INTEGRAL,
        grows="always",
        instants=False,
    ),
)

_CURRENT = (
    Category("CurrentNumber", lambda r: r.main.current_number(), grows="never"),
    Category("CurrentTime", lambda r: r.main.current_time(), result="time", grows="always"),
    Category(
        "CurrentMaxTime",
        lambda r: _greatest(r.main.current_times()),
        result="time",
        grows="always",
    ),
    Category(
        "CurrentMinTime",
        lambda r: _least(r.main.current_times()),
        result="time",
        grows="always",
    ),
    Category(
        "CurrentAverageTime",
        lambda r: ratio(r.main.current_time() / 1000, r.denominator.current_number()),
        result="ratio",
        rel_mask=OPTIONAL,
        grows="always",
    ),
    Category("CurrentNumberInTimeRange", _current_in_range, time_range=DEFAULT, grows="always"),
    Category(
        "CurrentNumberInTimeRangePercentage",
        lambda r: ratio(_current_in_range(r), r.main.current_number(), 100),
        result="ratio",
        time_range=DEFAULT,
        grows="always",
    ),
    Category(
        "CurrentRelativeNumberPercentage",
        lambda r: ratio(r.main.current_number(), r.denominator.current_number(), 100),
        result="ratio",
        rel_mask=REQUIRED,
        grows="never",
    ),
    Category(
        "CurrentContinuousTime",
        lambda r: r.main.inside_time(),
        result="time",
        feature=CONTINUITY,
        of="status",
        grows="always",
        objects=frozenset({"Agent", "Place"}),
    ),
)


def _no_value(r: Reading) -> int:
    raise AssertionError("a state is read from the nodes, not from measures")


_STATE = (Category("CurrentState", _no_value, kind="state", result="state", grows="never"),)

CATEGORIES: dict[str, Category] = {
    category.name: category
    for category in (*_PROFILED, *(evolve(c, kind="current") for c in _CURRENT), *_STATE)
}

# The vendor's names that this release does not compute.
LATER = frozenset(
    """
    TotalDistinctTime CurrentDistinctNumber
    CurrentRelativeTimePercentage TotalCustomValue AverageCustomValue MaxCustomValue
    MinCustomValue CurrentCustomValue CurrentAverageCustomValue CurrentMaxCustomValue
    CurrentMinCustomValue EstimWaitTime ExpectedWaitTime ExpectedWaitTime2 LoadBalance
    CurrentStateReasons CurrentTargetState Formula JavaCategory
    """.split()
)

_BY_LOWER = {name.lower(): name for name in (*CATEGORIES, *LATER)}


def canonical_category(name: str) -> str | None:
    """The vendor's spelling of a category; None where there is none of that name."""
    return _BY_LOWER.get(name.strip().lower())
