"""Failing: open statistics that cannot be computed, because something in our code raises.

That is a mistake of ours, which no input should bring about; whoever has something else open must
not pay for it (our decision). Such a statistic is worth nothing, ``null`` on the wire, and invalid
until it can be computed again; it is tried whenever somebody wants to know.
"""

from __future__ import annotations

from attrs import define, field

from .statistic import Statistic

NEWS_MAX = 100  # with their tracebacks, until somebody takes them; of the others only how many


@define
class Failing:
    """All of them.

    Attributes:
        untold: How many have begun to fail beyond those that :meth:`take_news` names.
    """

    untold: int = 0
    _reasons: dict[Statistic, str] = field(factory=dict)
    _news: list[tuple[Statistic, Exception]] = field(factory=list)

    def __len__(self) -> int:
        return len(self._reasons)

    def failed(self, statistic: Statistic, error: Exception) -> bool:
        """It could not be computed; whether that is new."""
        is_new = statistic not in self._reasons
        if is_new and len(self._news) < NEWS_MAX:
            self._news.append((statistic, error))
        elif is_new:
            self.untold += 1
        self._reasons[statistic] = f"it cannot be computed: {type(error).__name__}: {error}"
        return is_new

    def forget(self, statistic: Statistic) -> bool:
        """It can be computed, or is closed; whether it was among them."""
        return self._reasons.pop(statistic, None) is not None

    def why(self, statistic: Statistic) -> str:
        """The reason for a person; empty if it can be computed."""
        return self._reasons.get(statistic, "")

    def take_news(self) -> list[tuple[Statistic, Exception]]:
        """Those that have begun to fail since the last time, and what was raised."""
        news, self._news = self._news, []
        return news
