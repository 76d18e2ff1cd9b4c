"""Tally: how many go on at once, for MaxNumber and MinNumber of one object."""

from __future__ import annotations

from .peaks import DepthPeaks


class Tally:
    """How many occurrences go on at once, over one or more rows, and its extremes."""

    __slots__ = ("__weakref__", "number", "peaks")

    def __init__(self, t: int) -> None:
        self.number = 0
        self.peaks = DepthPeaks(t)

    def add(self, change: int, t: int) -> None:
        """One more or one less from ``t`` on."""
        self.peaks.changing(self.number, t)
        self.number += change

    def withdraw(self, number: int) -> None:
        """So many are seen no more: nothing has changed for them, so it makes no extreme."""
        self.number -= number
