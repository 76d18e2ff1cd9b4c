"""Dating: when a captured stream happened that says nothing about time.

AMI has no ``Timestamp`` unless it is configured. Live, the arrival stands in
for it; a file has no arrival either. But it holds evidence:

* the Uniqueid of a channel begins with the second in which it was made, so a
  Newchannel happened then, and whatever names a channel not before;
* AgentConnect happened RingTime seconds after its AgentCalled, and the caller
  had joined HoldTime seconds before it;
* AgentComplete happened TalkTime seconds after AgentConnect;
* AgentRingNoAnswer happened RingTime *milliseconds* after AgentCalled;
* QueueCallerAbandon happened HoldTime seconds after QueueCallerJoin.

Everything else happened between its neighbours, and is given the time of the
one before it. That is true to the second, which is what the evidence is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .ami import AmiMessage
from .positions import as_time


def dated(messages: Sequence[AmiMessage]) -> list[float]:
    """A time for each message of a capture, never going backwards.

    Where events have a Timestamp, that is the evidence and no other is needed.
    Zeros where there is no evidence at all.
    """
    stamps = [as_time(message.get("Timestamp")) for message in messages]
    if not any(stamp and message.event for stamp, message in zip(stamps, messages, strict=True)):
        stamps = _Evidence(messages, stamps).anchors
    return _filled(stamps)


def _filled(anchors: Sequence[float | None]) -> list[float]:
    """Between anchors the time stands still; before the first one it is the first one's."""
    now = next((anchor for anchor in anchors if anchor is not None), 0.0)
    times = []
    for anchor in anchors:
        now = max(now, anchor if anchor is not None else now)
        times.append(now)
    return times


def made_at(uniqueid: str) -> float | None:
    """The second in which a channel was made; a system name may precede it.

    >>> made_at("pbx-1514295827.372")
    1514295827.0
    """
    return as_time(uniqueid.rpartition("-")[2].partition(".")[0])


class _Evidence:
    """One pass over a capture. ``anchors`` is the time of each message, as far as known."""

    def __init__(self, messages: Sequence[AmiMessage], known: Sequence[float | None]) -> None:
        self.anchors: list[float | None] = list(known)
        self._now = 0.0
        self._joined: dict[str, int] = {}  # caller's channel: which message
        self._called: dict[tuple[str, str], float] = {}  # caller's channel, member
        self._connected: dict[tuple[str, str], float] = {}
        for index, message in enumerate(messages):
            self._read(index, message)

    def _read(self, index: int, message: AmiMessage) -> None:
        read = READERS.get(message.event)
        found = read(self, index, message) if read is not None else None
        if found is None:
            found = self.anchors[index]
        if found is None:
            found = made_at(message.get("DestUniqueid") or message.get("Uniqueid"))
        if found is not None:
            self._now = max(self._now, found)
            self.anchors[index] = self._now

    def _join(self, index: int, message: AmiMessage) -> None:
        self._joined[message.get("Uniqueid")] = index

    def _call(self, index: int, message: AmiMessage) -> None:
        made = made_at(message.get("DestUniqueid")) or 0.0
        self._called[_pair(message)] = max(self._now, made)

    def _no_answer(self, index: int, message: AmiMessage) -> float | None:
        called = self._called.pop(_pair(message), None)
        return None if called is None else called + _length(message, "RingTime") / 1000

    def _connect(self, index: int, message: AmiMessage) -> float | None:
        called = self._called.pop(_pair(message), None)
        joined = self._joined.pop(message.get("Uniqueid"), None)
        hold = _length(message, "HoldTime")
        if called is not None:
            at = max(self._now, called + _length(message, "RingTime"))
        elif joined is not None and self.anchors[joined] is not None:
            at = max(self._now, (self.anchors[joined] or 0.0) + hold)
        else:
            return None
        if joined is not None:
            self.anchors[joined] = at - hold
        self._connected[_pair(message)] = at
        return at

    def _complete(self, index: int, message: AmiMessage) -> float | None:
        connected = self._connected.pop(_pair(message), None)
        return None if connected is None else connected + _length(message, "TalkTime")

    def _abandon(self, index: int, message: AmiMessage) -> float | None:
        joined = self._joined.pop(message.get("Uniqueid"), None)
        since = self.anchors[joined] if joined is not None else None
        return None if since is None else since + _length(message, "HoldTime")


def _pair(message: AmiMessage) -> tuple[str, str]:
    return message.get("Uniqueid"), message.get("Interface")


def _length(message: AmiMessage, key: str) -> float:
    return as_time(message.get(key)) or 0.0


READERS: dict[str, Callable[[_Evidence, int, AmiMessage], float | None]] = {
    "QueueCallerJoin": _Evidence._join,
    "AgentCalled": _Evidence._call,
    "AgentRingNoAnswer": _Evidence._no_answer,
    "AgentConnect": _Evidence._connect,
    "AgentComplete": _Evidence._complete,
    "QueueCallerAbandon": _Evidence._abandon,
}
