"""Replication, the sending half: bring the peer what it lacks, a chunk at a time.

Every open statistic is in exactly one of four places:

    pending --BuildChunk, Send--> in flight --acknowledged--> known to the peer
       ^  ^                          |    \\
       |  +---- connection lost -----+     +--could not be opened--> parked
       +--------------- every ten minutes, or configuration changed ---+

One chunk is in flight at most, so the peer's pace is ours, and at most one chunk
is ever sent twice. To cut a chunk of ``chunk_size`` statistics at once would hold
everybody up, so such a unit goes as several chunks of a few hundred, each cut at its
own moment. Within a unit the acknowledgements alone set the pace; the first chunk of
the next one leaves ``chunk_timeout`` after the first of this one at the earliest.

The acknowledgement also says where the peer stands. What is as of a position before
that it might not be able to use, so we cut when we are there too, or have waited
for long enough; ``LATE`` items go to the end of the queue.

After a lost connection the greeting tells whether the chunk in flight had been installed. If it
had, the peer repeats its acknowledgement and nothing is sent again; if not, its statistics go back
to the front and are cut anew, because by now they are worth something else. A chunk that failed
three times is halved (scenario 28), until the peer has everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from math import inf

import msgspec
from attrs import define, field

from ..machine import Disconnect, Send
from .clock_offset import WallClock
from .codec import MESSAGE_BYTES_MAX
from .deletion import Deletion
from .holds import Holds
from .messages import Chunk, ChunkAck, Item, Positions, Result, Want
from .parking import PARKED, Parking
from .replication_words import Closed, ConfigurationChanged, Opened, ReplicationOptions
from .session import Progress
from .store import BuildChunk, ChunkBuilt, ListOpen, Log, OpenKeys

PART_SIZE = 250  # statistics in one chunk on the wire; cutting them takes some milliseconds
POSITION_PATIENCE = 1.0  # seconds until we cut although the peer is ahead of us ...
LATE_PATIENCE = 10.0  # ... and when that has been in vain the last time
ITEM_BYTES_MAX = MESSAGE_BYTES_MAX // 2  # a longer one stays here, and somebody is told
FAILURES_MAX = 3  # of a chunk in a row; then the next one has half as many statistics
CHUNK_SIZE_MIN = 50  # not halved any further
LATE_MIN = 60.0  # seconds without acknowledgement until the first warning, or
LATE_FACTOR = 10  # ... so many chunk-timeouts if that is longer
TAKEN = (Result.OPENED, Result.ADOPTED)  # so whoever got it has what was pushed
ACK_TIMEOUT = 600.0  # seconds without acknowledgement; then we hang up, and restore


@define
class Replication:
    """What the peer lacks, and what is on its way.

    Attributes:
        held: Nothing may be cut: we have nothing yet, or the peer must first get
            our state (it could do nothing with statistics before).
    """

    progress: Progress
    wall: WallClock
    deletion: Deletion
    holds: Holds
    options: ReplicationOptions = field(factory=ReplicationOptions)
    parking: Parking = field(factory=Parking, init=False)
    held: bool = False
    positions: Positions = field(factory=dict)
    acknowledged: int = field(default=0, init=False)  # statistics, in this session
    chunks_sent: int = field(default=0, init=False)
    statistics_sent: int = field(default=0, init=False)
    failures: int = field(default=0, init=False)  # of the chunk in flight, in a row
    _pending: dict[str, None] = field(factory=dict, init=False)
    _known: set[str] = field(factory=set, init=False)
    # In the order of the items; whether they are still open here.
    _in_flight: dict[str, bool] = field(factory=dict, init=False)
    _void: set[str] = field(factory=set, init=False)  # in flight, but wanted anew
    _came: set[str] = field(factory=set, init=False)  # pushed by the peer while in flight
    # What the peer's last chunk brought; whether it has taken ours over since that chunk came.
    _coming: dict[str, bool] = field(factory=dict, init=False)
    _building: int = field(default=0, init=False)  # keys that were asked for; 0: not waiting
    _session: str | None = field(default=None, init=False)  # None: no link
    _listed: bool = field(default=True, init=False)  # all that was open when the session began
    _list_next: int | None = field(default=None, init=False)  # of that, to be asked for now
    _next_at: float = field(default=inf, init=False)
    _unit_left: int = field(default=0, init=False)  # statistics that still belong to this unit
    _unit_until: float = field(default=-inf, init=False)  # when the next one may begin
    _peer_at: Positions = field(factory=dict, init=False)
    _peer_until: float = field(default=-inf, init=False)  # how long we wait to be there as well
    _sent_at: float = field(default=-inf, init=False)
    _warned: bool = field(default=False, init=False)
    _size_max: int | None = field(default=None, init=False)  # after failures

    @property
    def pending(self) -> int:
        """How many statistics the peer still lacks, not counting those in flight."""
        return len(self._pending)

    @property
    def in_flight(self) -> int:
        """How many statistics are on their way."""
        return len(self._in_flight)

    @property
    def is_done(self) -> bool:
        """Whether the peer has everything that it can take."""
        return self._listed and not (self._pending or self._in_flight)

    def knows(self, key: str) -> bool:
        """Whether the peer has this statistic, as far as we know."""
        return key in self._known

    # -- the session -----------------------------------------------------------------

    def start(self, session: str, now: float) -> list[object]:
        """A new session: the peer has nothing of ours."""
        self.forget()
        self._session, self._listed = session, False
        self._wake(now)
        return [ListOpen()]

    def resume(self, session: str, now: float) -> list[object]:
        """The old session: the peer has all but the news, and perhaps the chunk in flight."""
        self._session = session
        if self._in_flight and self.progress.peer_received <= self.progress.acknowledged:
            self._take_back()
        self._unit_until = min(self._unit_until, now)
        self._wake(now)
        if self._in_flight:
            self._sent_at = now  # the acknowledgement will be repeated; give it its time
        self._list_next = None
        return [] if self._listed else [ListOpen()]

    def pause(self) -> None:
        """The link is gone."""
        self._session, self._building, self._next_at = None, 0, inf
        if not self._in_flight:
            return
        self.failures += 1
        if self.failures % FAILURES_MAX == 0:
            size = self._part_max()
            self._size_max = max(min(CHUNK_SIZE_MIN, size), size // 2)

    def _part_max(self) -> int:
        """How many statistics go into a chunk on the wire."""
        size = min(self.options.chunk_size, PART_SIZE)
        return size if self._size_max is None else min(size, self._size_max)

    def forget(self) -> None:
        """The session is gone, and with it all that was known about the peer."""
        self._pending.clear()
        self._known.clear()
        self._in_flight, self._building, self._size_max = {}, 0, None
        self._peer_at, self._peer_until = {}, -inf
        self._void.clear()
        self._came.clear()
        self._coming.clear()
        self.parking.clear()
        self.failures = self.acknowledged = 0
        self._listed, self._list_next, self._session = True, None, None

    def change(self, options: ReplicationOptions) -> None:
        """New options, from the next chunk on."""
        before, self.options = self.options, options
        change = options.chunk_timeout - before.chunk_timeout
        self._unit_until += change  # the timer is measured from the same moment as before
        if self._next_at != inf and self._unit_left <= 0:
            self._next_at += change

    # -- what is told by the owner and by the peer -----------------------------------

    def handle_event(self, event: object, now: float) -> list[object]:
        """An answer of the owner, an acknowledgement, or a change in what is open."""
        match event:
            case Opened(keys):
                self._add(keys, now)
            case OpenKeys(keys, following):
                self._listed, self._list_next = following is None, following
                self._add([k for k in keys if not self._is_placed(k)], now)
            case Want(keys):  # we may not have them any more; then the owner cuts nothing
                self._add(keys, now)
            case Closed(keys):
                self._close(keys)
            case ConfigurationChanged():
                self._add(self.parking.take_all(), now)
            case ChunkBuilt():
                return self._send(event, now)
            case ChunkAck():
                return self._acknowledged(event, now)
            case _:
                return [Disconnect(f"replication cannot make sense of {type(event).__name__}")]
        return []

    def coming(self, keys: Iterable[str]) -> None:
        """A chunk of the peer's has come, with these; it may take a while to install it."""
        self._coming = dict.fromkeys(keys, False)

    def installed(self, key: str, result: Result) -> None:
        """The peer pushed this one: it need not be pushed back (ping-pong guard).

        Unless a client of ours wants it and the peer has not yet heard of that. And
        unless ours has more: the peer takes that over, so it goes there and not back.
        """
        has_ours = key in self._in_flight or self._coming.get(key)  # by now, or soon
        if result is Result.KEPT_MORE and not has_ours:
            self._known.discard(key)
            self._pending.setdefault(key)  # what it pushed had less, so it lacks ours
        if result in (Result.OPENED, Result.ADOPTED, Result.KEPT, Result.LATE):
            self.parking.discard(key)  # so the peer has it
        if result in (Result.KEPT, Result.LATE) and not self._is_to_come(key):
            if key not in self._in_flight:
                self._known.add(key)
            elif not self._in_flight[key]:  # what is on its way is a former one
                self._came.add(key)
        waits = self._is_to_come(key) and self.holds.ours(key)
        if result in TAKEN and not waits:
            self._pending.pop(key, None)
            self._void.discard(key)
            if key in self._in_flight:
                self._came.add(key)
            else:
                self._known.add(key)

    def lost(self, keys: Iterable[str], now: float) -> list[object]:
        """The peer has deleted these, and we have not: they are not known to it any more."""
        flying = self._in_flight
        gone = [key for key in keys if not self._is_to_come(key) and key not in flying]
        self._known.difference_update(gone)
        return self.parking.park([(key, Result.DELETED) for key in gone], now)

    def offer(self, keys: Iterable[str], now: float) -> None:
        """The peer knows now that we keep these: it may have them again."""
        parked, flying = self.parking.reasons, self._in_flight  # those may come too early
        self._add([key for key in keys if key in parked or key in flying], now)

    def handle_timer(self, now: float) -> list[object]:
        """Ask for the next chunk; offer again what is parked; miss an acknowledgement."""
        if self._session is None:
            return []
        if self._list_next is not None:
            following, self._list_next = self._list_next, None
            return [ListOpen(following)]
        if now >= self.parking.next_deadline():
            self._add(self.parking.take_due(now), now)
        if now >= self._late_at():
            return self._late(now)
        if now < self._chunk_at():
            return []
        if self._unit_left <= 0:  # so this is the beginning of a unit
            self._unit_left = self.options.chunk_size
            self._unit_until = now + self.options.chunk_timeout
        keys = list(islice(self._pending, min(self._unit_left, self._part_max())))
        self._building = len(keys)
        return [BuildChunk(keys, self.options.max_chunk_bytes)]

    def next_deadline(self) -> float:
        """When one of these is due; ``inf`` when the peer lacks nothing."""
        if self._session is None:
            return inf
        if self._list_next is not None:
            return -inf
        return min(self._chunk_at(), self._late_at(), self.parking.next_deadline())

    def _chunk_at(self) -> float:
        if not self._pending or self._in_flight or self._building or self.held:
            return inf
        here = self.positions
        if any(here.get(source, at) < at for source, at in self._peer_at.items()):
            return max(self._next_at, self._peer_until)
        return self._next_at

    def _late_at(self) -> float:
        if not self._in_flight:
            return inf
        if self._warned:
            return self._sent_at + ACK_TIMEOUT
        return self._sent_at + max(LATE_MIN, LATE_FACTOR * self.options.chunk_timeout)

    def _late(self, now: float) -> list[object]:
        waited = now - self._sent_at
        if waited < ACK_TIMEOUT and not self._warned:
            self._warned = True
            return [Log("warning", f"a chunk has not been acknowledged for {waited:.0f} s")]
        self._session = None
        return [Disconnect("a chunk was not acknowledged")]

    # -- the four places -------------------------------------------------------------

    def _wake(self, now: float) -> None:
        self._next_at = max(now, self._unit_until)
        self._warned, self._building, self._unit_left = False, 0, 0

    def _add(self, keys: Iterable[str], now: float) -> None:
        """These are to be pushed, at the end of the queue."""
        if not (self._known or self._in_flight or self.parking.reasons):  # a new session
            self._pending.update(dict.fromkeys(keys))
            return
        for key in keys:
            self.parking.discard(key)
            self._known.discard(key)
            if key in self._in_flight:
                self._in_flight[key] = True
                self._void.add(key)  # it changed after it was cut
            else:
                self._pending[key] = None

    def _is_placed(self, key: str) -> bool:
        """Whether it is in one of the other places."""
        return key in self._known or key in self._in_flight or key in self.parking.reasons

    def _is_to_come(self, key: str) -> bool:
        """Whether it is pending, or may be found to be when everything is listed."""
        return key in self._pending or not (self._listed or self._is_placed(key))

    def _close(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._pending.pop(key, None)
            self._known.discard(key)
            self._void.discard(key)
            self.parking.discard(key)
            if key in self._in_flight:
                self._in_flight[key] = False
                self._came.discard(key)

    def _take_back(self) -> None:
        """To the front, in the same order: they have waited longest."""
        self._pending = dict.fromkeys([*self._in_flight, *self._pending])
        self._in_flight = {}
        self._void.clear()
        self._came.clear()
        self._coming.clear()

    def _send(self, built: ChunkBuilt, now: float) -> list[object]:
        if not self._building or self._session is None:
            return []  # the link was lost while the owner was cutting; asked again later
        assert 0 < built.taken <= self._building
        for key in list(islice(self._pending, built.taken)):
            del self._pending[key]
        self._building = 0
        self._unit_left -= built.taken if self._pending else self._unit_left
        self._next_at = now if self._unit_left > 0 else self._unit_until
        too_long = [item.key for item in built.items if len(item.payload) > ITEM_BYTES_MAX]
        actions = self.parking.park([(key, Result.ERROR) for key in too_long], now)
        fitting = [item for item in built.items if item.key not in too_long]
        if not fitting:
            return actions  # all of them have been closed, or would not go over the link
        self._in_flight = {item.key: True for item in fitting}
        self._sent_at, self._warned = now, False
        self.chunks_sent += 1
        self.statistics_sent += len(fitting)
        seq, items = self.progress.acknowledged + 1, [self._stamped(item) for item in fitting]
        chunk = Chunk(self._session, seq, dict(self.positions), self.wall.at(now), items)
        return [*actions, Send(chunk)]

    def _stamped(self, item: Item) -> Item:
        """With what only the machines know of it."""
        item, held = self.deletion.stamped(item), self.holds.ours(item.key)
        return item if item.held == held else msgspec.structs.replace(item, held=held)

    def _acknowledged(self, ack: ChunkAck, now: float) -> list[object]:
        if ack.seq <= self.progress.acknowledged:
            return []  # repeated after a restore, and known already
        if ack.seq != self.progress.acknowledged + 1 or not self._in_flight:
            return [Disconnect(f"protocol-error: acknowledges chunk {ack.seq}, never sent")]
        if len(ack.results) != len(self._in_flight):
            return [Disconnect("protocol-error: as many results as items, please")]
        results = zip(self._in_flight.items(), ack.results, strict=True)
        outcome = [(key, result) for (key, is_open), result in results if is_open]
        closed = {key for key, is_open in self._in_flight.items() if not is_open}
        self.acknowledged += len(self._in_flight)
        anew = set(self._void)
        self.progress.acknowledged = ack.seq
        self.failures, self._in_flight = 0, {}
        self._void.clear()
        taken = {key: True for key, result in outcome if result in TAKEN and key in self._coming}
        self._coming.update(taken)
        late = [key for key, result in outcome if result is Result.LATE]
        self._peer_at = ack.positions
        self._peer_until = now + (LATE_PATIENCE if late else POSITION_PATIENCE)
        # What the peer had deleted and has created anew: it refuses the old one, and has its own.
        has, self._came = self._came, set()
        refused = [
            (key, result)
            for key, result in outcome
            if result in PARKED and not (result is Result.DELETED and key in has)
        ]
        self._known.update({key for key, _ in outcome} - {key for key, _ in refused})
        self._known.update(has & closed)  # ours was closed on its way, and the peer's came since
        actions = self.parking.park(refused, now)
        self._add((key for key, _ in outcome if key in anew), now)
        self._add(late, now)
        if not self._pending:
            self._size_max = None
        return actions
