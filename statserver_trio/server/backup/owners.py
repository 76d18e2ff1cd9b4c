"""Who keeps account of statistics and positions: the server itself, or its half of a pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import trio

from ...ha.coverage import Coverage
from ...ha.messages import Item
from ...stats.statistic import Statistic
from ...tlib.registration_words import Memory
from ..feed_task import FeedTask
from ..hub import Hub
from ..link_definitions import Hashes
from .form import Ending
from .items import item_of
from .restoring import Restoration

LINGER = 15 * 60.0  # seconds; what nobody opens again by then is closed (hot-standby.md 5.2)
CLOSED_AT_ONCE = 500  # so that closing them holds nobody up


class Owner(Protocol):
    """What the backup file asks of whoever owns the engine."""

    def cut_item(self, statistic: Statistic) -> Item | None:
        """A statistic as it is now; None if it is not known any more."""

    def endings(self) -> dict[str, Ending]:
        """Where every source stands."""

    def restored(self, statistic: Statistic, coverage: Coverage) -> None:
        """It goes on with what it has counted, and that is in it."""

    def go_on(self, restoration: Restoration) -> None:
        """Everything has been restored; nothing runs yet."""

    def abandoned(self) -> None:
        """Nothing has, after all; what was is closed."""

    async def run(self) -> None:
        """Close, in time, what was restored and nobody wants."""


class Alone:
    """A server without a peer."""

    def __init__(self, hub: Hub, feeds: Mapping[str, FeedTask]) -> None:
        self._hub = hub
        self._feeds = feeds
        self._hashes = Hashes()
        self._restored: list[Statistic] = []

    def cut_item(self, statistic: Statistic) -> Item:
        """See :class:`Owner`."""
        return item_of(statistic, self._hashes)

    def endings(self) -> dict[str, Ending]:
        """See :class:`Owner`."""
        return {
            name: Ending(source.position, self._memory(name))
            for name, source in self._hub.engine.sources.items()
        }

    def _memory(self, name: str) -> Memory | None:
        feed = self._feeds.get(name)
        return None if feed is None else feed.session.memory()

    def restored(self, statistic: Statistic, coverage: Coverage) -> None:
        """See :class:`Owner`."""

    def abandoned(self) -> None:
        """See :class:`Owner`."""

    def go_on(self, restoration: Restoration) -> None:
        """See :class:`Owner`."""
        for name, ending in restoration.sources.items():
            if ending.feed is not None and name in self._feeds:
                self._feeds[name].remember(ending.feed)
        self._restored = list(restoration.statistics)

    async def run(self) -> None:
        """See :class:`Owner`."""
        await trio.sleep(LINGER)
        restored, self._restored = self._restored, []
        engine = self._hub.engine
        for first in range(0, len(restored), CLOSED_AT_ONCE):
            self._hub.close_statistics(
                [
                    each
                    for each in restored[first : first + CLOSED_AT_ONCE]
                    if not each.subscriptions and engine.statistics.get(each.key) is each
                ],
                "",
            )
            await trio.lowlevel.checkpoint()
