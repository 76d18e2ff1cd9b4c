"""Virtual time: what is due, in the order of time, then of making."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf

# Everything random happens at whole ticks, which are exact in binary, so that now and then two
# things happen at the very same moment. Races live there.
TICK = 1 / 1024
STUCK = 200_000  # things that may happen at one moment; more, and time does not pass any more

Do = Callable[[], object]


def whole(seconds: float) -> float:
    """The same in whole ticks."""
    return round(seconds / TICK) * TICK


class Agenda:
    """All that is still to come."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Do]] = []
        self._made = 0
        self._at_once = 0

    def at(self, when: float, do: Do) -> None:
        """Let something happen at a moment, or now if that has passed."""
        self._made += 1
        heappush(self._due, (max(when, self.now), self._made, do))

    def after(self, seconds: float, do: Do) -> None:
        """Let something happen later."""
        self.at(self.now + seconds, do)

    def soon(self, do: Do) -> None:
        """Let something happen now, after what is happening."""
        self.at(self.now, do)

    def run(self, until: float) -> None:
        """Let time pass."""
        due = self._due
        while due and due[0][0] <= until:
            at, _, do = heappop(due)
            self._at_once = 0 if at > self.now else self._at_once + 1
            assert self._at_once < STUCK, f"no time passes any more at {at}: {do}"
            self.now = at
            do()
        self.now = max(self.now, until)


class Alarm:
    """Rings at a deadline that others move; they call :meth:`look` when they may have.

    Args:
        ring: Says whether anybody has heard it; else nothing rings until the next look.
    """

    def __init__(
        self, agenda: Agenda, deadline: Callable[[], float], ring: Callable[[], bool]
    ) -> None:
        self._agenda = agenda
        self._deadline = deadline
        self._ring = ring
        self._next = inf

    def look(self) -> None:
        """The deadline may be another one now."""
        at = self._deadline()
        if at < self._next:
            self._next = at
            self._agenda.at(at, lambda: self._due(at))

    def _due(self, at: float) -> None:
        if at != self._next:
            return  # another entry comes earlier, or came
        self._next = inf
        if self._deadline() > self._agenda.now or self._ring():
            self.look()
