"""Feed clocks: saying once in the log that a source's clock is not ours, and once that it is again.

Nothing is computed with it: what is counted goes by the times of events, whosever clock they are
of. It confuses whoever compares a value, or a log, with his watch.

The offset of one event says little: it may have waited in a queue, or in the history of a T-Server
that could not be reached. So the verdict is changed by several looks in a row, and the bounds of
"off" and "right" differ.
"""

from __future__ import annotations

import logging

from attrs import define

from ..stats.source import Source

log = logging.getLogger(__name__)

LOOK_MS = 10_000  # between two looks, if there is an event then
LOOKS = 3  # in a row, before the verdict changes
OFF_SECONDS, RIGHT_SECONDS = 1.0, 0.5  # more than the one is off, at most the other is right


@define
class _Seen:
    """What is known of one source's clock."""

    looked_at: int  # Unix milliseconds
    is_off: bool = False
    otherwise: int = 0  # looks in a row that contradict it


class FeedClocks:
    """Of all sources; whoever applies their events asks to :meth:`look`."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def look(self, source: Source, now: int) -> None:
        """Events of a source were applied ``now`` (Unix milliseconds)."""
        seen = self._seen.get(source.name)
        if seen is None:
            seen = self._seen[source.name] = _Seen(now - LOOK_MS)
        if now - seen.looked_at < LOOK_MS:  # almost always
            return
        offset = source.clock_offset
        if offset is None or not source.has_told_time:
            return
        seen.looked_at = now
        by = _distance(source.heard_at, offset)
        contradicts = by <= RIGHT_SECONDS if seen.is_off else by > OFF_SECONDS
        seen.otherwise = seen.otherwise + 1 if contradicts else 0
        if seen.otherwise < LOOKS:
            return
        seen.is_off, seen.otherwise = not seen.is_off, 0
        if seen.is_off:
            log.warning("feed %s: its clock is %+.1f s ahead of ours", source.name, offset)
        else:
            log.info("feed %s: its clock agrees with ours again", source.name)


def _distance(heard_at: int, offset: float) -> float:
    """How far off it is at least, seconds; whole seconds may have been cut off, up to one."""
    is_whole = (heard_at + round(offset * 1000)) % 1000 == 0
    return offset if offset > 0 else max(0.0, -offset - is_whole)
