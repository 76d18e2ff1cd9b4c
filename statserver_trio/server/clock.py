"""The one clock of the server.

Wall time is read once, at the start; from then on it is Trio's monotonic time
that counts. So it never jumps, whatever somebody does to the system's clock,
durations and alarms agree, and a test that owns Trio's clock owns this one too.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import trio


class Clock:
    """Wall time that only ever moves on.

    Args:
        epoch: Unix seconds of the present moment.
        wall: What the system's clock says, whatever somebody does to it; ours unless given.
        monotonic: Seconds since some moment. Trio's, which needs it to run, unless a
            simulation has a time of its own.
    """

    def __init__(
        self,
        epoch: float,
        wall: Callable[[], float] | None = None,
        monotonic: Callable[[], float] = trio.current_time,
    ) -> None:
        self.monotonic = monotonic  # as the machines want it; no clock change moves it
        self._offset = epoch - monotonic()
        self.wall = wall or self.now

    @classmethod
    def system(cls) -> Clock:
        """A clock set by the system's."""
        return cls(time.time(), lambda: time.time())

    def now(self) -> float:
        """Unix seconds."""
        return self.monotonic() + self._offset

    def now_ms(self) -> int:
        """Unix milliseconds, cut off."""
        return int(self.now() * 1000)

    def deadline(self, at: float) -> float:
        """The Trio time, for a cancel scope, at which it is ``at`` Unix seconds."""
        return at - self._offset

    def drift(self) -> float:
        """Seconds by which the system's clock is ahead of ours, for the status page."""
        return self.wall() - self.now()
