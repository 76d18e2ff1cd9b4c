"""Feeds of a pair: what they deliver goes to the intake, and comes back when it is its turn.

    FeedTask --> PairFeeds --Arrived--> Peer --ApplyEvents--> store --> tap --> hub

What arrives may have to wait: for the other member's picture, for events that are missing
before it. So nothing is applied here. Each event goes on as its line, because that is what
the journal keeps and the other member understands.
"""

from __future__ import annotations

import logging

import msgspec

from ...ha.feed_words import (
    Arrived,
    Interrupted,
    SnapshotsFollow,
    SourceAdded,
    SourceAt,
    SourceAway,
    SourceDescribed,
    SourceResumed,
)
from ...ha.held import FACT
from ...ha.source_intake import State
from ...tlib.codec import encode
from ...tlib.events import (
    EventAddressInfo,
    EventAgentMediaInfo,
    EventInteractionPlaceInfo,
    EventLinkConnected,
    EventRegistered,
    EventServerConnected,
    TEvent,
    Unhandled,
)
from ..hub import Hub
from .member import Member

log = logging.getLogger(__name__)

# What a feed says of how things are, without a number; anything else that has none happened.
SNAPSHOTS = (
    EventServerConnected,
    EventLinkConnected,
    EventRegistered,
    EventAddressInfo,
    EventAgentMediaInfo,
    EventInteractionPlaceInfo,
)


class PairFeeds:
    """A sink for feed tasks."""

    def __init__(self, member: Member, hub: Hub) -> None:
        self._member = member
        self._hub = hub
        self._connected: set[str] = set()
        self._contiguous: dict[str, bool] = {}
        member.on_change = self._show

    def add(self, name: str, contiguous: bool) -> None:
        """There is this source; ``contiguous`` if it tells us of every position."""
        self._contiguous[name] = contiguous
        self._member.tell(SourceAdded(name, contiguous))

    def apply(self, source_name: str, events: list[TEvent | Unhandled], now_ms: int) -> None:
        """Events have arrived."""
        source = self._hub.engine.sources[source_name]
        lines = []
        for event in events:
            if event.time is None:
                event.time = source.time_of_arrival(now_ms) / 1000
            if isinstance(event, EventServerConnected):  # its number is not one of the stream's
                event = msgspec.structs.replace(event, position=None)
            is_fact = event.position is None and not isinstance(event, SNAPSHOTS)
            lines.append((FACT if is_fact else event.position, encode(event)))
        self._member.tell(Arrived(source_name, lines))

    def source_connected(self, name: str, resumed: bool, position: int | None) -> None:
        """A feed is registered; unless resumed, snapshots follow."""
        self._connected.add(name)
        if resumed:
            self._hub.engine.sources[name].lost_at = None
            self._member.tell(SourceResumed(name))
        else:
            self._say_where(name, position)
        self._show()

    def _say_where(self, name: str, position: int | None) -> None:
        if position is not None:
            if not self._contiguous[name]:
                self._member.tell(Interrupted(name))
            self._member.tell(SourceAt(name, position, snapshots_follow=True))
            return
        log.error("%s does not number its events: the pair cannot be exact about it", name)
        if self._member.peer.intake.sources[name].applied is None:
            self._member.tell(SourceAt(name, 0, snapshots_follow=True))

    def snapshots_follow(self, name: str) -> None:
        """If the peer cannot fill the hole, our picture is not whole before they have come."""
        self._member.tell(SnapshotsFollow(name))

    def source_described(self, name: str) -> None:
        """All snapshots have arrived: our picture is whole, and may be shown to the peer."""
        self._member.tell(SourceDescribed(name))

    def source_lost(self, name: str, reason: str) -> None:
        """A feed is gone; what it would have said may come from the other member."""
        self._connected.discard(name)
        self._member.tell(SourceAway(name))
        self._show()

    def source_given_up(self, name: str, now_ms: int) -> None:
        """Events were missed: the intake finds that out by their positions, and sees to it."""

    def _show(self) -> None:
        """Values of a source are valid while it is heard, and its picture is there.

        One from the backup file is there when there is news of the source.
        """
        engine = self._hub.engine
        for name, source in self._member.peer.intake.sources.items():
            ours = engine.sources[name]
            is_known = source.state is not State.JOINING and ours.lost_at is None
            valid = name in self._connected and is_known
            if valid != ours.is_connected:
                engine.set_connected(name, valid)
        self._hub.distribute()
