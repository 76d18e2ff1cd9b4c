"""Positions: where an event stands in a source that numbers nothing itself.

A T-Server counts its events; Asterisk does not. So a position is made of the
event's time and of its number among the events of that microsecond, packed into
one 64-bit integer::

    bit 63        10 9      0
        microseconds | ordinal

52 bits of microseconds last until the year 2112 and keep the sign bit clear;
10 bits number 1024 events of one microsecond. queue_log has whole seconds, and
an event may be older than the one told before it: where the packed pair would
not grow, the position is the previous one plus one, which spills into the next
microsecond when the ordinal is used up. Thus a position never goes backwards
and never repeats, and two servers that read the same stream from the same point
give the same event the same position.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from ..tlib.events import TEvent

ORDINAL_BITS = 10
ORDINALS = 1 << ORDINAL_BITS
MICROSECONDS_MAX = (1 << 52) - 1
SECONDS_MAX = MICROSECONDS_MAX / 1e6


def pack(microseconds: int, ordinal: int) -> int:
    """The position of event number ``ordinal`` of that microsecond.

    >>> pack(1, 2)
    1026
    """
    return microseconds << ORDINAL_BITS | ordinal


def unpack(position: int) -> tuple[int, int]:
    """The microseconds and the ordinal in ``position``.

    >>> unpack(1026)
    (1, 2)
    """
    return position >> ORDINAL_BITS, position & ORDINALS - 1


def as_time(text: str) -> float | None:
    """Unix seconds written as ``text``; None where no usable time is written."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if isfinite(seconds) and 0 < seconds <= SECONDS_MAX else None


class Positions:
    """Hands out the positions of one source, each greater than all before."""

    def __init__(self) -> None:
        self._last = 0

    def at(self, time: float) -> int:
        """The position of the next event, which happened at ``time``."""
        microseconds = min(max(round(time * 1e6), 0), MICROSECONDS_MAX)
        self._last = max(self._last + 1, pack(microseconds, 0))
        return self._last


class Emitter:
    """Collects the T-events of a translator and gives each its time and position."""

    def __init__(self) -> None:
        self._positions = Positions()
        self._events: list[TEvent] = []

    def emit(self, event: type[TEvent], at: float, this_dn: str = "", **attributes: Any) -> None:
        """Append one event that happened at ``at``, which is kept within what is a time."""
        at = min(max(at, 0.0), SECONDS_MAX)
        position = self._positions.at(at)
        self._events.append(event(position=position, time=at, this_dn=this_dn, **attributes))

    def take(self) -> list[TEvent]:
        """Everything emitted since the last call."""
        events, self._events = self._events, []
        return events
