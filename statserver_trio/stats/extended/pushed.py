"""Pushed: what an extension has told of one statistic."""

from __future__ import annotations

from typing import Any

from attrs import define, field

from ..definitions.time_profiles import TimeProfile
from .offers import NOTHING, Offer


@define
class Pushed:
    """The value, and since when it counts. Times are wall time, ms: no feed has a say here.

    Attributes:
        since: When the interval began that the value is about.
        trouble: Why the value cannot be relied upon, for a person; empty if it can.
    """

    offer: Offer
    since: int = 0
    trouble: str = ""
    value: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.trouble = f"the extension {self.offer.path} has not opened it yet"
        self.clear()

    def clear(self) -> None:
        """Begin anew: nothing has been told."""
        self.value = NOTHING[self.offer.result]

    def beginning(self, profile: TimeProfile | None, now: int) -> int:
        """When the present interval began, reset points that nobody has passed yet included."""
        if profile is None:
            return now
        if profile.kind == "Sliding":
            return max(self.since, profile.edge(now))
        return max(self.since, profile.last_reset(now) or self.since)
