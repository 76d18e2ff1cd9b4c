"""Loop lag: how late the event loop is with what should happen now.

Whatever holds the loop up (a long slice of work, a busy machine, an extension) makes every
timer late by as much, so one timer that does nothing else tells it for all. It is not there
before somebody asks for the first time: a server without Prometheus need not wake up for it.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from math import inf

import trio

PERIOD = 0.1  # seconds between two looks
# Upper bounds in seconds: from what the system's timer is late anyway to what clients notice.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, inf)


class LoopLag:
    """A histogram of latenesses.

    Attributes:
        total: Of all of them, in seconds.
    """

    def __init__(self) -> None:
        self.total = 0.0
        self._counts = [0] * len(BOUNDS)
        self._wanted = trio.Event()

    def want(self) -> None:
        """Measure from now on."""
        self._wanted.set()

    def note(self, late: float) -> None:
        """A timer was so many seconds late."""
        late = max(0.0, late)
        self.total += late
        self._counts[bisect_left(BOUNDS, late)] += 1

    def buckets(self) -> list[tuple[float, int]]:
        """Of each bound, how many were not later than that."""
        return list(zip(BOUNDS, accumulate(self._counts), strict=True))

    async def run(self) -> None:
        """Measure until cancelled, once somebody wants it."""
        await self._wanted.wait()
        while True:
            due = trio.current_time() + PERIOD
            await trio.sleep_until(due)
            self.note(trio.current_time() - due)
