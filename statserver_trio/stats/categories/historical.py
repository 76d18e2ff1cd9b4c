"""Historical categories: over the interval of a time profile (statistics.md §5.2–5.5)."""

from __future__ import annotations

from ...model.actions import mask_of
from ..counting.counters import CONTINUITY, DURATIONS, TIME_INTEGRAL
from .category import DEFAULT, EXPLICIT, OPTIONAL, REQUIRED, Category, Masks, Reading, ratio


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


HISTORICAL = (
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
        "EstimTimeToEndCurrentNumber",  # seconds, at the rate so far; the formula is our decision
        lambda r: ratio(r.main.current_number() * r.interval / 1000, r.denominator.number()),
        result="ratio",
        rel_mask=REQUIRED,
        grows="always",
    ),
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
