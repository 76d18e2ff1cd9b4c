"""Current categories: what goes on right now (statistics.md §5.2 and §5.4)."""

from __future__ import annotations

from attrs import evolve

from ..counting.counters import CONTINUITY
from .category import DEFAULT, OPTIONAL, REQUIRED, Category, Reading, ratio


def _greatest(durations: list[int]) -> int:
    return max(durations, default=0)


def _least(durations: list[int]) -> int:
    return min(durations, default=0)


def _current_in_range(r: Reading) -> int:
    assert r.time_range is not None
    return r.main.current_in_range(r.time_range)


_ROWS = (
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
        "CurrentRelativeTimePercentage",
        lambda r: ratio(r.main.current_time(), r.denominator.current_time(), 100),
        result="ratio",
        rel_mask=REQUIRED,
        grows="always",
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

CURRENT = tuple(evolve(row, kind="current") for row in _ROWS)
