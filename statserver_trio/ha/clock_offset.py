"""How far the peer's wall clock is ahead of ours.

Estimated as NTP does, from messages that were answered: we send at t0, it hears
at t1 and answers at t2, we hear at t3. The quicker the exchange, the less can be
wrong with it, so of the latest ones the quickest is believed.

Nothing is computed with the result. Values come from event times and positions
(exact-sync.md, Time), so clocks that differ make nothing wrong here; they only
confuse whoever compares two logs. That is what the warning is for.
"""

from __future__ import annotations

from collections import deque

from attrs import define, field, frozen

from .store import Log

SAMPLES_MAX = 8  # looked back; older ones are forgotten
WARNING = 1.0  # seconds
ALARM = 30.0
LEVELS = ((ALARM, "alarm"), (WARNING, "warning"), (0.0, ""))


@frozen
class WallTime:
    """Event: when it was ``now`` for the machines, it was ``wall`` (Unix seconds) outside.

    Tell it at the start, before each ``Connected``, and every few seconds.
    """

    wall: float


@define
class WallClock:
    """Wall time, reckoned from the ``now`` of the machines."""

    _ahead: float = field(default=0.0, init=False)

    def set(self, wall: float, now: float) -> None:
        """Take note of a :class:`WallTime`."""
        self._ahead = wall - now

    def at(self, now: float) -> float:
        """The wall time at ``now``, Unix seconds."""
        return now + self._ahead


@define
class ClockOffset:
    """The estimate, and whether somebody has been warned.

    Attributes:
        seconds: By which the peer is ahead; None while unknown.
    """

    seconds: float | None = field(default=None, init=False)
    _samples: deque[tuple[float, float]] = field(
        factory=lambda: deque(maxlen=SAMPLES_MAX), init=False
    )
    _told: str = field(default="", init=False)

    def sample(self, t0: float, t1: float, t2: float, t3: float) -> list[object]:
        """Take one exchange into account; a changed verdict is logged."""
        delay = (t3 - t0) - (t2 - t1)
        self._samples.append((abs(delay), ((t1 - t0) + (t2 - t3)) / 2))
        self.seconds = min(self._samples)[1]
        level = next(name for limit, name in LEVELS if abs(self.seconds) >= limit)
        if level == self._told:
            return []
        self._told = level
        if not level:
            return [Log("info", "the clocks of the pair agree again")]
        return [Log(level, f"the peer's clock is {self.seconds:+.3f} s ahead of ours")]

    def forget(self) -> None:
        """Another connection: whoever is there now may be somewhere else."""
        self._samples.clear()
        self.seconds = None
