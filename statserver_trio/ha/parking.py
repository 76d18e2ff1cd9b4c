"""Parked statistics: what the peer could not take, and when it is offered again.

A definition that names what only one side has configured cannot be opened on the other,
be it that the other one does not have it yet or that it has deleted it. It must not
hold up the rest, so it is put aside, and offered again after every change of either
configuration and every ten minutes (hot-standby.md 4.3, scenario 13). Somebody should
know, so the keys are logged, as often.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from attrs import define, field

from .messages import Result
from .store import Log

RETRY_INTERVAL = 600.0  # seconds; of log lines as well
NAMES_MAX = 10  # keys in one log line; of the others only the number is told
PARKED = (Result.UNRESOLVED, Result.UNSUPPORTED, Result.ERROR, Result.DELETED)


@define
class Parking:
    """Keys, and why each is here."""

    reasons: dict[str, Result] = field(factory=dict, init=False)
    _retry_at: float = field(default=inf, init=False)
    _told_at: float = field(default=-inf, init=False)

    def park(self, refused: Iterable[tuple[str, Result]], now: float) -> list[object]:
        """Put these aside; a line about them if the last one is old."""
        before = len(self.reasons)
        self.reasons.update(refused)
        if self.reasons and self._retry_at == inf:
            self._retry_at = now + RETRY_INTERVAL
        if len(self.reasons) == before or now - self._told_at < RETRY_INTERVAL:
            return []
        self._told_at = now
        names = [f"{key} ({why.value})" for key, why in list(self.reasons.items())[:NAMES_MAX]]
        more = len(self.reasons) - len(names)
        others = f" and {more} more" if more else ""
        return [Log("warning", f"the peer cannot open: {', '.join(names)}{others}")]

    def take_all(self) -> list[str]:
        """Everything, to be offered again."""
        keys = list(self.reasons)
        self.clear()
        return keys

    def take_due(self, now: float) -> list[str]:
        """Everything if it is time, else nothing."""
        return self.take_all() if now >= self._retry_at else []

    def discard(self, key: str) -> None:
        """It is not open any more."""
        self.reasons.pop(key, None)

    def clear(self) -> None:
        """A new session: everything is offered anyway."""
        self.reasons.clear()
        self._retry_at = inf

    def next_deadline(self) -> float:
        """When to offer them again."""
        return self._retry_at
