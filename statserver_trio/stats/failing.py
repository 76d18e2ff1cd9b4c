"""Failing: statistics that cannot be computed, and events that cannot be applied.

That something in our code raises is a mistake of ours, which no input should bring about; whoever
has something else open must not pay for it (our decision). Such a statistic is worth nothing,
``null`` on the wire, and invalid until it can be computed again; it is tried whenever somebody
wants to know. Such an event is passed over, as if it had been lost: the values of its source say
that they are not complete. To end the server would be no help: it, and the other member of a pair,
would be told the same event again as soon as they were started.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field

from .statistic import Statistic

NEWS_MAX = 100  # with their tracebacks, until somebody takes them; of the others only how many
IN_A_ROW_MAX = 100  # events passed over, and none applied; then nothing of the source is right


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


@define
class PassedOver:
    """The events of a source that could not be applied.

    Attributes:
        total: How many.
    """

    total: int = 0
    _in_a_row: int = 0
    _last: int = 0  # its number
    _news: list[tuple[Any, Exception]] = field(factory=list)

    def failed(self, event: Any, error: Exception, number: int) -> None:
        """It raised, the ``number``-th event of its source.

        Raises:
            Exception: The same, where hardly any event goes through: better end than be wrong.
        """
        self._in_a_row = self._in_a_row + 1 if number == self._last + 1 else 1
        self._last = number
        if self._in_a_row > IN_A_ROW_MAX or isinstance(error, MemoryError):
            raise error
        self.total += 1
        if len(self._news) < NEWS_MAX:
            self._news.append((event, error))

    def take_news(self) -> list[tuple[Any, Exception]]:
        """The first of those since the last time, and what was raised."""
        news, self._news = self._news, []
        return news
