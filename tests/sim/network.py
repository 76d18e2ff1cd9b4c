"""A network in memory, with everything that can go wrong with a real one.

Like TCP, a wire never reorders and never loses bytes from the middle: they arrive late, in
other pieces, or from some point on not at all. What meets a blocked path waits, and is sent
again when the path is open. Who is not there any more answers with a reset, unless its whole
host is gone: then nobody answers.
"""

from __future__ import annotations

from collections import deque
from math import inf
from random import Random
from typing import Protocol

from attrs import define, field

from .agenda import TICK, Agenda, whole

WINDOW = 64 * 1024  # bytes under way, or unread; then the writer waits
AGAIN = (0.05, 1.5)  # seconds until TCP sends again what a partition held up
EOF, RESET = object(), object()


class Reader(Protocol):
    """Whoever reads one end."""

    def data(self, data: bytes) -> None:
        """Bytes have arrived."""

    def ended(self, why: str) -> None:
        """Nothing more will come, and nothing more gets through."""

    def room(self) -> None:
        """More can be written."""


@define(eq=False)
class Host:
    """A machine: ``up`` unless it has no power, ``frozen`` while its process is stopped."""

    name: str
    up: bool = True
    frozen: bool = False
    ends: dict[End, None] = field(factory=dict)


@define
class Path:
    """From one host to another.

    Attributes:
        delay: Seconds, at least and at most.
        rate: Bytes a second.
        pieces: Whether what is sent arrives in other pieces.
    """

    delay: tuple[float, float] = (TICK, TICK)
    rate: float = inf
    blocked: bool = False
    pieces: bool = False


@define(eq=False)
class Shipment:
    """What was sent and has not arrived.

    Attributes:
        epoch: Of its wire, when it was sent.
        leaves, arrives: When its last byte is on the way, and when that is there.
    """

    thing: object
    size: int
    epoch: int
    leaves: float = inf
    arrives: float = inf


class Network:
    """Hosts, paths and connections."""

    def __init__(self, agenda: Agenda, rng: Random) -> None:
        self.agenda = agenda
        self.rng = rng
        self.bytes = 0
        self._paths: dict[tuple[str, str], Path] = {}
        self._hosts: dict[Host, None] = {}
        self._waiting: dict[Wire, None] = {}  # something is held up by a blocked path

    def path(self, source: Host, target: Host) -> Path:
        """The way from one to the other."""
        return self._paths.setdefault((source.name, target.name), Path())

    def connect(self, dialler: Host, listener: Host) -> tuple[End, End]:
        """A connection, as it is when both know of it; theirs first."""
        self._hosts |= {dialler: None, listener: None}
        ends = End(self, dialler), End(self, listener)
        for end, other in (ends, ends[::-1]):
            end.other = other
            end.out = Wire(self, self.path(end.host, other.host), other)
        return ends

    def quicken(self) -> None:
        """Paths have become other ones: what is under way comes as soon as they let it."""
        for host in self._hosts:
            for end in host.ends:
                end.out.quicken()

    def heal(self) -> None:
        """Paths have been opened: what was held up comes, a little later."""
        for wire in list(self._waiting):
            self.agenda.after(whole(self.rng.uniform(*AGAIN)), wire.again)

    def held_up(self, wire: Wire, is_held_up: bool) -> None:
        """Note whether a wire waits for its path to open."""
        if is_held_up:
            self._waiting[wire] = None
        else:
            self._waiting.pop(wire, None)


class Wire:
    """One direction of one connection.

    Attributes:
        outstanding: Bytes that have not been read.
    """

    def __init__(self, network: Network, path: Path, target: End) -> None:
        self.path = path
        self.outstanding = 0
        self._network = network
        self._target = target
        self._free_at = self._last = 0.0
        self._under_way: deque[Shipment] = deque()
        self._stuck: list[object] = []
        self._epoch = 0  # what was sent in a former one is lost

    def send(self, data: bytes) -> None:
        """Bytes, in one piece or several."""
        self.outstanding += len(data)
        self._network.bytes += len(data)
        if self.path.pieces and len(data) > 1:
            rng = self._network.rng
            cuts = sorted(rng.sample(range(1, len(data)), min(len(data) - 1, rng.randrange(3))))
            for first, last in zip([0, *cuts], [*cuts, len(data)], strict=True):
                self._ship(data[first:last], last - first)
        else:
            self._ship(data, len(data))

    def end(self) -> None:
        """The end of the stream."""
        self._ship(EOF, 1)

    def reset(self) -> None:
        """A reset; what is still under way is lost."""
        self._epoch += 1
        self._stuck.clear()
        self._ship(RESET, 1)

    def _ship(self, thing: object, size: int) -> None:
        shipment = Shipment(thing, size, self._epoch)
        self._under_way.append(shipment)
        self._free_at = max(self._network.agenda.now, self._free_at)
        self._let_come(shipment)

    def quicken(self) -> None:
        """What is in the queue of a thin path leaves it as soon as the path is wider.

        Nothing comes later than it would have come.
        """
        self._free_at = self._last = self._network.agenda.now
        for shipment in self._under_way:
            self._let_come(shipment)

    def _let_come(self, shipment: Shipment) -> None:
        path, rng = self.path, self._network.rng
        self._free_at += shipment.size / path.rate
        low, high = path.delay
        delay = low if low == high else rng.uniform(low, high)
        self._free_at = shipment.leaves = min(shipment.leaves, self._free_at)
        at = max(self._last, whole(self._free_at + delay))
        self._last = shipment.arrives = min(shipment.arrives, at)
        self._network.agenda.at(self._last, lambda: self._come(shipment))

    def _come(self, shipment: Shipment) -> None:
        while shipment in self._under_way:  # unless it was sooner here; and what was sent before it
            first = self._under_way.popleft()
            if first.epoch == self._epoch:
                self._arrive(first.thing)

    def _arrive(self, thing: object) -> None:
        if self.path.blocked or self._stuck:
            self._stuck.append(thing)
            self._network.held_up(self, True)
        else:
            self._target.take(thing)

    def again(self) -> None:
        """Whatever was held up arrives, if the path is open."""
        if self.path.blocked:
            return
        stuck, self._stuck = self._stuck, []
        self._network.held_up(self, False)
        for thing in stuck:
            self._target.take(thing)


class End:
    """One end of a connection.

    Attributes:
        reader: Who reads; None once it is closed.
    """

    other: End
    out: Wire

    def __init__(self, network: Network, host: Host) -> None:
        self.host = host
        self.reader: Reader | None = None
        self.is_closed = False
        self._network = network
        self._unread: list[object] = []
        host.ends[self] = None

    @property
    def is_full(self) -> bool:
        """Whether a writer would have to wait."""
        return self.out.outstanding >= WINDOW

    def send(self, data: bytes) -> None:
        """Write; of a closed connection nothing gets through."""
        if not self.is_closed:
            self.out.send(data)

    def close(self) -> None:
        """Close in order."""
        self._leave(self.out.end)

    def reset(self) -> None:
        """Close at once."""
        self._leave(self.out.reset)

    def _leave(self, say: object) -> None:
        if not self.is_closed:
            self.vanish()
            say()  # type: ignore[operator]

    def vanish(self) -> None:
        """Be gone without a word, like a host without power."""
        self.is_closed, self.reader = True, None
        self._unread.clear()
        self.host.ends.pop(self, None)

    def take(self, thing: object) -> None:
        """Something has arrived."""
        if self.is_closed:
            if self.host.up and thing is not RESET and not self.other.is_closed:
                self.out.reset()
        elif self.host.frozen or self.reader is None:
            self._unread.append(thing)
        else:
            self._read(thing)

    def read_on(self) -> None:
        """Whoever reads was frozen, or has only just come."""
        unread, self._unread = self._unread, []
        for thing in unread:
            self.take(thing)

    def _read(self, thing: object) -> None:
        reader, wire = self.reader, self.other.out
        assert reader is not None
        if isinstance(thing, bytes):
            was_full = self.other.is_full
            wire.outstanding -= len(thing)
            if was_full and not self.other.is_full and self.other.reader is not None:
                self._network.agenda.soon(self.other.room)
            reader.data(thing)
            return
        self.vanish()
        reader.ended("closed by the other side" if thing is EOF else "connection reset")

    def room(self) -> None:
        """The other end has read."""
        if self.reader is not None:
            self.reader.room()
