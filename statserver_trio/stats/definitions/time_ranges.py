"""Time ranges: which durations a statistic counts.

A range is written ``low-high`` in whole seconds and is half open: ``0-20`` and
``20-50`` share no duration, and one of exactly 20 s belongs to the second
(statistics.md §6.3).
"""

from __future__ import annotations

import re

from attrs import frozen

_RANGE = re.compile(r"\s*([0-9]{1,9})\s*-\s*([0-9]{1,9})?\s*", re.ASCII)
_SECOND = 1000  # ms


@frozen
class TimeRange:
    """``low_ms <= duration < high_ms``; ``high_ms`` is None where there is no end."""

    name: str
    low_ms: int
    high_ms: int | None

    def contains(self, duration_ms: int) -> bool:
        """Whether a duration (ms) counts."""
        return self.low_ms <= duration_ms and (self.high_ms is None or duration_ms < self.high_ms)

    @property
    def text(self) -> str:
        """The range as it is written, in seconds."""
        high = "" if self.high_ms is None else str(self.high_ms // _SECOND)
        return f"{self.low_ms // _SECOND}-{high}"


BUILT_IN_RANGE = TimeRange("Default", 0, 20 * _SECOND)


def parse_time_range(name: str, value: str) -> TimeRange:
    """The range that ``value`` (``low-high``, or ``low-`` without an end) stands for.

    Raises:
        ValueError: What is wrong, and what is allowed.

    >>> parse_time_range("Range0-30", "0-30").contains(30_000)
    False
    """
    if not name or name != name.strip():
        raise ValueError(f"a range needs a name without blanks around it, not {name!r}")
    found = _RANGE.fullmatch(value)
    if found is None:
        raise ValueError(
            f"{value!r} is no range; write whole seconds as 0-20, or 20- for 20 and up"
        )
    low = int(found[1])
    high = int(found[2]) if found[2] else None
    if high is not None and low >= high:
        raise ValueError(f"{value!r} is empty: the end must be greater than the start, as in 0-20")
    return TimeRange(name, low * _SECOND, None if high is None else high * _SECOND)
