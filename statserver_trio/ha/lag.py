"""Lag: for how long the peer has been ahead of us at a source.

Two feeds of one source are rarely at the same event, and for a moment the one, for a moment the
other is ahead. Who stays behind for long may have missed the last events without a trace: no
later one has come that would show a hole. The peer has them (our decision; found by simulated
days, whose members were not equal before the next event came).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from attrs import define, field

from .messages import Positions, Standing
from .source_intake import SourceIntake, State


@define
class Lags:
    """Of all sources.

    Args:
        sources: As the intake has them.
        patience: Seconds for which a feed may be behind.
    """

    sources: dict[str, SourceIntake]
    patience: float
    _ahead: dict[str, tuple[int, float]] = field(factory=dict)  # where the peer is; since when

    def told(self, peer_at: Positions, theirs: Mapping[str, Standing], now: float) -> None:
        """The peer stands there, with those pictures.

        That means nothing where positions have holes by nature, and where the peer still
        counts by the numbers from before the source counted anew.
        """
        for name in peer_at.keys() & self.sources.keys():
            source, standing = self.sources[name], theirs.get(name)
            counts_as_before = standing is not None and standing.lineage == source.outdated
            if source.contiguous and not counts_as_before and _is_before(source, peer_at[name]):
                since = self._ahead[name][1] if self._is_behind(name) else now
                self._ahead[name] = peer_at[name], since

    def due(self, now: float) -> list[tuple[SourceIntake, int]]:
        """Who has been behind for too long, and how far; each is told once."""
        due = [name for name in self._ahead if now >= self._until(name)]
        return [(self.sources[name], self._ahead.pop(name)[0]) for name in due]

    def next_deadline(self) -> float:
        """When the next one is due."""
        return min(map(self._until, self._ahead), default=inf)

    def over(self) -> None:
        """There is no peer."""
        self._ahead.clear()

    def _until(self, name: str) -> float:
        is_live = self.sources[name].state is State.LIVE
        return self._ahead[name][1] + self.patience if is_live and self._is_behind(name) else inf

    def _is_behind(self, name: str) -> bool:
        return name in self._ahead and _is_before(self.sources[name], self._ahead[name][0])


def _is_before(source: SourceIntake, position: int) -> bool:
    return source.applied is not None and source.applied < position
