"""The tap: what feeds deliver, recorded on its way to the hub.

Events without a time of their own (snapshots, the handshake) get it here, by the
clock of their source, so that the engine now and a replay of the recording later
see the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..tlib.events import EventServerDisconnected, TEvent, Unhandled
from .feed_clocks import FeedClocks
from .hub import Hub
from .recorder import Recorder

Witness = Callable[[str, list[TEvent | Unhandled], int], None]


class Tap:
    """A sink for feed tasks.

    Args:
        recorders: By source; a source without one is not recorded.

    Attributes:
        witness: Told what has just been applied, while a backup file is being written.
    """

    def __init__(self, hub: Hub, recorders: Mapping[str, Recorder]) -> None:
        self._hub = hub
        self._recorders = recorders
        self._clocks = FeedClocks()
        self.witness: Witness | None = None

    def apply(self, source_name: str, events: list[TEvent | Unhandled], now_ms: int) -> None:
        """Let events that arrived at ``now_ms`` happen."""
        source = self._hub.engine.sources[source_name]
        for event in events:
            if event.time is None:
                event.time = source.time_of_arrival(now_ms) / 1000
        recorder = self._recorders.get(source_name)
        if recorder is not None:
            recorder.record(events, now_ms)
        self._hub.apply(source_name, events, now_ms)
        self._clocks.look(source, now_ms)
        if self.witness is not None:
            self.witness(source_name, events, now_ms)

    def source_connected(self, name: str, resumed: bool, position: int | None) -> None:
        """The source can be heard (again)."""
        self._hub.engine.sources[name].lost_at = None
        self._hub.source_connected(name)

    def snapshots_follow(self, name: str) -> None:
        """Nobody waits for them here."""

    def source_described(self, name: str) -> None:
        """Nor for their end."""

    def source_lost(self, name: str, reason: str) -> None:
        """The source cannot be heard."""
        self._hub.source_lost(name)

    def source_given_up(self, name: str, now_ms: int) -> None:
        """Events are missing: its DNs are not monitored until snapshots say what they do.

        That happens now or, after a restart, when we left: nobody knows what they did since.
        """
        source = self._hub.engine.sources[name]
        lost = source.known_until(now_ms)
        self.apply(name, [EventServerDisconnected(time=source.clock(lost) / 1000)], lost)
