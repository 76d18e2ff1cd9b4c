"""The outbox: what a client is to be told and has not been sent yet.

Like a letter tray in which a newer reading of the same meter is laid over the
older one. A client that reads slowly gets fewer values, never old ones:

* an ``Info`` waiting here is replaced by a newer one of the same statistic, in
  the place of the older, unless something else about that statistic came
  between them;
* nothing else is dropped, and about one statistic nothing is reordered.

Nearly always nothing waits but values of some statistics, and those lie on the
*tray*, a dictionary, which keeps a replaced value in its place and is sent as a
whole. As soon as something else has to wait it queues behind that, and so does all
that comes later, until the queue is empty; the tray is *full* then.

What cannot be replaced piles up with a client that does not read. Beyond the
limits below the outbox has *overflowed*: it takes nothing more, and whoever
owns the connection has to close it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from attrs import define, frozen

from .codec import encode, frame
from .messages import Event, Info, StatisticEvent

# Unsent events that must arrive; beyond: overflow. All statistics of the biggest client may
# turn invalid and valid again at once (our decision).
LASTING_EVENTS_MAX = 250_000
LASTING_BYTES_MAX = 64 * 1024 * 1024  # the same in bytes, for few but large answers
# Above this no further request should be read until the client has read its answers.
CONGESTED_EVENTS = 1000
CONGESTED_BYTES = 1024 * 1024
SMALL_BYTES = 1024  # values up to this are copied for each client; larger ones are shared

FRAME_EVENTS_MAX = 1000  # in one frame; what is left goes into the next
FRAME_BYTES_MAX = 64 * 1024  # the same; a single larger event still goes, alone


@frozen
class OutboxLimits:
    """What may wait before the client is too slow."""

    lasting_events: int = LASTING_EVENTS_MAX
    lasting_bytes: int = LASTING_BYTES_MAX


@define(eq=False, slots=True)
class _Slot:
    """One place in the queue: an event in two pieces, of which others may wait for the second."""

    head: bytes
    tail: bytes
    statistic_id: int | None = None  # of a value that may be replaced

    def __len__(self) -> int:
        return len(self.head) + len(self.tail)


class Outbox:
    """What one client has not been sent.

    Attributes:
        overflowed: Too much waits that must arrive; close the connection.
        tray: Encoded values by statistic, while nothing waits but them. As long as there is
            one, others may be laid beside it, and newer ones over it.
        is_plain: Whether a first one may be laid there.
        push: Sends what waits, or lets it be sent; to be called soon after something was put in
            while nothing waited. Returns at once.
        values_told: Put in one by one; see :attr:`Traffic.told` for the others.
        values_sent, events_sent: Taken out: values, and what could not be replaced.
    """

    __slots__ = (
        "_closed", "_final", "_full", "_lasting", "_lasting_bytes", "_latest", "_limits", "_queue",
        "events_sent", "is_plain", "overflowed", "push", "tray", "values_sent", "values_told",
    )  # fmt: skip

    def __init__(
        self, limits: OutboxLimits | None = None, push: Callable[[], None] | None = None
    ) -> None:
        self.overflowed = False
        self.tray: dict[int, bytes] = {}
        self.is_plain = True
        self.push = push or _nobody
        self.values_told = self.values_sent = self.events_sent = 0
        self._limits = limits or OutboxLimits()
        self._closed = False
        self._full: dict[int, bytes] = {}  # the tray, while something queues behind it
        self._final: set[int] = set()  # statistics on it whose values may not be replaced
        self._queue: deque[_Slot] = deque()
        self._latest: dict[int, _Slot] = {}  # by statistic id, while it is its last in the queue
        self._lasting = 0
        self._lasting_bytes = 0

    def __len__(self) -> int:
        return len(self.tray) + len(self._full) + len(self._queue)

    @property
    def values_waiting(self) -> int:
        """Values that are not sent yet."""
        return len(self) - self._lasting

    @property
    def congested(self) -> bool:
        """Whether the client should read some answers before it is asked for more."""
        return self._lasting > CONGESTED_EVENTS or self._lasting_bytes > CONGESTED_BYTES

    def close(self) -> None:
        """The client is gone: forget what waits, and take nothing more."""
        self._closed = True
        self.is_plain = False
        for waiting in (self.tray, self._full, self._final, self._queue, self._latest):
            waiting.clear()
        self._lasting = self._lasting_bytes = 0

    # -- in ----------------------------------------------------------------------------------

    def put(self, events: Iterable[Event]) -> None:
        """Queue events, in order."""
        for event in events:
            if self.overflowed or self._closed:
                return
            if type(event) is Info:
                self.values_told += 1
                self.put_value(event.statistic_id, encode(event), b"")
            else:
                self._put_lasting(event)

    def put_value(self, statistic_id: int, head: bytes, tail: bytes) -> bool:
        """Queue a value; whether nothing has waited before.

        Args:
            head, tail: The encoded event. A large tail is kept as it is, so that clients that
                wait for the same one share it.
        """
        if self.overflowed or self._closed:
            return False
        was_empty = not len(self)
        if self.is_plain and len(tail) <= SMALL_BYTES:
            self.tray[statistic_id] = head + tail
        else:
            self._queue_value(statistic_id, head, tail)
        return was_empty

    def _queue_value(self, statistic_id: int, head: bytes, tail: bytes) -> None:
        self._fill_tray()
        if statistic_id in self._full and statistic_id not in self._final:
            self._full[statistic_id] = head + tail
            return
        slot = self._latest.get(statistic_id)
        if slot is not None:
            slot.head, slot.tail = head, tail
        else:
            slot = self._latest[statistic_id] = _Slot(head, tail, statistic_id)
            self._queue.append(slot)

    def _put_lasting(self, event: Event) -> None:
        self._fill_tray()
        if isinstance(event, StatisticEvent):  # what is newer goes behind this
            self._latest.pop(event.statistic_id, None)
            if event.statistic_id in self._full:
                self._final.add(event.statistic_id)
        encoded = encode(event)
        self._queue.append(_Slot(encoded, b""))
        self._lasting += 1
        self._lasting_bytes += len(encoded)
        limits = self._limits
        if self._lasting > limits.lasting_events or self._lasting_bytes > limits.lasting_bytes:
            self.overflowed = True

    def _fill_tray(self) -> None:
        """Something else has to wait: nothing can be laid on the tray any more."""
        self.is_plain = False
        if self.tray:
            self._full = self.tray.copy()
            self.tray.clear()  # who lays values on it has it at hand, and sees that it is empty

    # -- out ---------------------------------------------------------------------------------

    def take(self, max_events: int = FRAME_EVENTS_MAX, max_bytes: int = FRAME_BYTES_MAX) -> bytes:
        """The next frame, or nothing where nothing waits.

        Args:
            max_bytes: Of the events together; a larger one goes alone.
        """
        tray = self.tray
        if len(tray) == 1:
            self.values_sent += 1
            return tray.popitem()[1]
        if tray and len(tray) <= max_events:
            whole = frame(list(tray.values()))
            if len(whole) <= max_bytes:
                self.values_sent += len(tray)
                tray.clear()
                return whole
        return self._take_some(max_events, max_bytes) if len(self) else b""

    def _take_some(self, max_events: int, max_bytes: int) -> bytes:
        """As much as may go at once."""
        taken: list[bytes] = []
        size = 0
        tray = self.tray or self._full
        for statistic_id in list(islice(tray, max_events)):
            size += len(tray[statistic_id])
            if taken and size > max_bytes:
                return frame(taken)
            taken.append(tray.pop(statistic_id))
            self.values_sent += 1
            self._final.discard(statistic_id)
        while self._queue and len(taken) < max_events:
            slot = self._queue[0]
            size += len(slot)
            if taken and size > max_bytes:
                break
            self._remove_first(slot)
            taken.append(slot.head + slot.tail)
        self.is_plain = not (self._queue or self._full or self.overflowed or self._closed)
        return frame(taken)

    def _remove_first(self, slot: _Slot) -> None:
        self._queue.popleft()
        if slot.statistic_id is None:
            self._lasting -= 1
            self._lasting_bytes -= len(slot)
            self.events_sent += 1
            return
        self.values_sent += 1
        if self._latest.get(slot.statistic_id) is slot:
            del self._latest[slot.statistic_id]


@define
class Traffic:
    """What went to clients, and what did not.

    Attributes:
        requests: Of the clients.
        told: Values that were laid into outboxes.
        sent, events_sent: Values that were taken out, and what cannot be replaced.
        waiting: Values that are still there.
    """

    requests: int = 0
    told: int = 0
    sent: int = 0
    events_sent: int = 0
    waiting: int = 0

    def add(self, outbox: Outbox, requests: int) -> None:
        """Add what went through one outbox."""
        self.requests += requests
        self.told += outbox.values_told
        self.sent += outbox.values_sent
        self.events_sent += outbox.events_sent
        self.waiting += outbox.values_waiting

    @property
    def superseded(self) -> int:
        """Values that were not sent: a newer one took their place, or their client had gone."""
        return self.told - self.sent - self.waiting


def _nobody() -> None:
    """Nobody listens."""
