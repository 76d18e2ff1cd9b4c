"""The outbox: what a client is to be told and has not been sent yet.

Like a letter tray in which a newer reading of the same meter is laid over the
older one. A client that reads slowly gets fewer values, never old ones:

* an ``Info`` waiting here is replaced by a newer one of the same statistic, in
  the place of the older, unless something else about that statistic came
  between them;
* nothing else is dropped, and about one statistic nothing is reordered.

What cannot be replaced piles up with a client that does not read. Beyond the
limits below the outbox has *overflowed*: it takes nothing more, and whoever
owns the connection has to close it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from attrs import define, frozen
from msgspec import Raw, json, structs

from .codec import encode, frame
from .messages import Event, Info, StatisticEvent

# Unsent events that must arrive; beyond: overflow. All statistics of the biggest client may
# turn invalid and valid again at once (our decision).
LASTING_EVENTS_MAX = 250_000
LASTING_BYTES_MAX = 64 * 1024 * 1024  # the same in bytes, for few but large answers
# Above this no further request should be read until the client has read its answers.
CONGESTED_EVENTS = 1000
CONGESTED_BYTES = 1024 * 1024
TREES_MAX = 1000  # encoded states that are kept to be shared; then they are forgotten

FRAME_EVENTS_MAX = 1000  # in one frame; what is left goes into the next
FRAME_BYTES_MAX = 64 * 1024  # the same; a single larger event still goes, alone


@frozen
class OutboxLimits:
    """What may wait before the client is too slow."""

    lasting_events: int = LASTING_EVENTS_MAX
    lasting_bytes: int = LASTING_BYTES_MAX


class Encoder:
    """Events to JSON; a state that several clients are told is encoded once.

    One for all outboxes. Values are shared between subscriptions by identity,
    so whether this one was encoded before is a question of identity, too.
    """

    def __init__(self) -> None:
        self._trees: dict[int, tuple[object, Raw]] = {}

    def encode(self, event: Event) -> bytes:
        """One event as JSON."""
        if isinstance(event, Info) and isinstance(event.value, dict | list):
            event = structs.replace(event, value=self._tree(event.value))
        return encode(event)

    def _tree(self, value: object) -> Raw:
        known = self._trees.get(id(value))
        if known is not None:
            return known[1]
        if len(self._trees) >= TREES_MAX:
            self._trees.clear()
        raw = Raw(json.encode(value))
        self._trees[id(value)] = (value, raw)  # kept alive, so that its id stays its own
        return raw


@define(eq=False, slots=True)
class _Slot:
    """One place in the queue: an Info not encoded yet, or an event that was."""

    info: Info | None
    encoded: bytes


class Outbox:
    """What one client has not been sent.

    Attributes:
        overflowed: Too much waits that must arrive; close the connection.
        replaced: How many values were replaced before they were sent.
    """

    def __init__(self, encoder: Encoder | None = None, limits: OutboxLimits | None = None) -> None:
        self.overflowed = False
        self.replaced = 0
        self._encoder = encoder or Encoder()
        self._limits = limits or OutboxLimits()
        self._queue: deque[_Slot] = deque()
        self._latest: dict[int, _Slot] = {}  # by statistic id, while it is its last in the queue
        self._lasting = 0
        self._lasting_bytes = 0

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def congested(self) -> bool:
        """Whether the client should read some answers before it is asked for more."""
        return self._lasting > CONGESTED_EVENTS or self._lasting_bytes > CONGESTED_BYTES

    def put(self, events: Iterable[Event]) -> None:
        """Queue events, in order."""
        for event in events:
            if self.overflowed:
                return
            if type(event) is Info:
                self._put_value(event)
            else:
                self._put_lasting(event)

    def _put_value(self, event: Info) -> None:
        slot = self._latest.get(event.statistic_id)
        if slot is not None:
            slot.info = event
            self.replaced += 1
            return
        slot = self._latest[event.statistic_id] = _Slot(event, b"")
        self._queue.append(slot)

    def _put_lasting(self, event: Event) -> None:
        if isinstance(event, StatisticEvent):
            self._latest.pop(event.statistic_id, None)  # what is newer goes behind this
        encoded = self._encoder.encode(event)
        self._queue.append(_Slot(None, encoded))
        self._lasting += 1
        self._lasting_bytes += len(encoded)
        limits = self._limits
        if self._lasting > limits.lasting_events or self._lasting_bytes > limits.lasting_bytes:
            self.overflowed = True

    def take(self, max_events: int = FRAME_EVENTS_MAX, max_bytes: int = FRAME_BYTES_MAX) -> bytes:
        """The next frame, or nothing where nothing waits.

        Args:
            max_bytes: Of the events together; a larger one goes alone.
        """
        taken: list[bytes] = []
        size = 0
        while self._queue and len(taken) < max_events:
            slot = self._queue[0]
            encoded = slot.encoded if slot.info is None else self._encoder.encode(slot.info)
            size += len(encoded)
            if taken and size > max_bytes:
                break
            self._remove_first(slot)
            taken.append(encoded)
        return frame(taken) if taken else b""

    def _remove_first(self, slot: _Slot) -> None:
        self._queue.popleft()
        if slot.info is None:
            self._lasting -= 1
            self._lasting_bytes -= len(slot.encoded)
        elif self._latest.get(slot.info.statistic_id) is slot:
            del self._latest[slot.info.statistic_id]
