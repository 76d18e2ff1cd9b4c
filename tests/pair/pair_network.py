"""A network in memory, with everything that can go wrong with a real one.

It behaves like TCP where that matters to the pair. Bytes arrive in order or not at all,
and what a partition held back arrives when it heals. A goodbye (FIN) is as patient as
the bytes before it; a reset (RST) is said once, and whoever cannot hear it then finds out
when it says something itself. A sender waits while the receiver does not read.

One task moves everything, in the order of its time of arrival: the same story is the
same story every time.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

import trio
from attrs import define, field

LATENCY = 0.001  # seconds, one way, unless the story says otherwise
WINDOW = 256 * 1024  # bytes sent and not read; then the sender waits

FIN = b""
Path = tuple[str, str]  # source and target, by the names of their hosts


@define(eq=False)
class Wire:
    """One direction of one connection."""

    network: Network
    path: Path
    _transit: deque[tuple[float, bytes]] = field(factory=deque)  # when it arrives, and what
    _in_transit: int = 0
    _free_at: float = -inf  # when the last byte has been sent, on a thin link
    _arrived: bytearray = field(factory=bytearray)
    _ended: bool = False  # FIN arrived
    _was_reset: bool = False  # the reader knows that the connection is broken
    _is_broken: bool = False  # the writer knows
    _reader_gone: bool = False
    _writer_gone: bool = False
    _forgotten: bool = False  # half-open: takes bytes, and none ever arrives
    _opposite: Wire | None = None
    _lot: trio.lowlevel.ParkingLot = field(factory=trio.lowlevel.ParkingLot)

    # -- the writer's end --------------------------------------------------------------

    async def write(self, data: bytes) -> None:
        view = memoryview(data)
        while len(view):
            await self.writable()
            room = max(WINDOW - self._unread, 1)
            self._send(bytes(view[:room]))
            view = view[room:]

    async def writable(self) -> None:
        """Wait until there is room, or nobody to write to."""
        while not (self._is_broken or self._writer_gone) and self._unread >= WINDOW:
            await self._lot.park()
        if self._writer_gone:
            raise trio.ClosedResourceError
        if self._is_broken:
            raise trio.BrokenResourceError("the connection was reset by the peer")

    @property
    def _unread(self) -> int:
        return self._in_transit + len(self._arrived)

    def finish(self) -> None:
        self._writer_gone = True
        if not self._is_broken:
            self._send(FIN)
        self.wake()

    def _send(self, data: bytes) -> None:
        if self._forgotten:
            self._in_transit += len(data)  # the sender's buffer fills up
            return
        now = trio.current_time()
        rate = self.network.rates.get(self.path, inf)
        self._free_at = max(self._free_at, now) + len(data) / rate
        self._transit.append((self._free_at + self.network.latency(self.path), data))
        self._in_transit += len(data)
        if len(self._transit) == 1:
            self.network.move(self, self._transit[0][0])

    def wake(self) -> None:
        self._lot.unpark_all()

    # -- the reader's end --------------------------------------------------------------

    async def read(self, max_bytes: int | None) -> bytearray:
        while not (self._arrived or self._ended or self._was_reset or self._reader_gone):
            await self._lot.park()
        if self._reader_gone:
            raise trio.ClosedResourceError
        if self._was_reset and not self._arrived:
            raise trio.BrokenResourceError("the connection was reset by the peer")
        data = self._arrived[:max_bytes]
        del self._arrived[:max_bytes]
        self.wake()
        return data

    def leave(self) -> None:
        """The reader has closed its end: whatever arrives now is answered with a reset."""
        self._reader_gone = True
        self._arrived.clear()
        self.wake()

    # -- on its way --------------------------------------------------------------------

    def arrive(self) -> None:
        """The time has come for the first of what is on its way; unless it is held."""
        if not self._transit or not self.network.passes(self.path):
            return
        due, data = self._transit[0]
        if due > trio.current_time():
            self.network.move(self, due)
            return
        self._transit.popleft()
        self._in_transit -= len(data)
        if self._reader_gone or self._ended:
            self._refuse(data)
        elif data == FIN:
            self._ended = True
        else:
            self._arrived += data
        self.wake()
        if self._transit:
            self.network.move(self, self._transit[0][0])

    def _refuse(self, data: bytes) -> None:
        assert self._opposite is not None
        if data != FIN and self.network.passes(self._opposite.path):
            self._opposite.reset()

    def release(self) -> None:
        """What was held is sent once more."""
        again = trio.current_time() + self.network.latency(self.path)
        self._transit = deque((max(due, again), data) for due, data in self._transit)
        if self._transit:
            self.network.move(self, self._transit[0][0])

    # -- what goes wrong ---------------------------------------------------------------

    def reset(self) -> None:
        """The reader of this direction, who writes the other one, learns that it is over.

        What is on the wire already can still be read, as with Linux.
        """
        assert self._opposite is not None
        self._was_reset = self._opposite._is_broken = True
        before = trio.current_time() + self.network.latency(self.path)
        self._arrived += b"".join(data for due, data in self._transit if due <= before)
        for wire in (self, self._opposite):
            wire._transit.clear()
            wire.wake()

    def finish_now(self) -> None:
        """The reader is told that the stream has ended, after what has arrived already."""
        self._transit.clear()
        self._ended = True
        self.wake()

    def forget(self) -> None:
        """The network does not know this connection any more, and tells nobody."""
        self._forgotten = True
        self._transit.clear()


class End(trio.abc.HalfCloseableStream):
    """One end of a connection: a stream like that of a TCP socket."""

    def __init__(self, host: str, outgoing: Wire, incoming: Wire) -> None:
        self.host = host
        self.outgoing, self.incoming = outgoing, incoming
        self._writing = trio._util.ConflictDetector("another task is writing")
        self._reading = trio._util.ConflictDetector("another task is reading")
        self._closed = self._finished = False
        self.dead = False  # its process was killed: whatever it does reaches nobody

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        with self._writing:
            await trio.lowlevel.checkpoint()
            self._check_writable()
            with self._living():
                await self.outgoing.write(bytes(data))
                if self.outgoing._is_broken:
                    raise trio.BrokenResourceError("the connection was reset by the peer")
            await self._if_dead()

    async def wait_send_all_might_not_block(self) -> None:
        with self._writing:
            await trio.lowlevel.checkpoint()
            self._check_writable()
            with self._living():
                await self.outgoing.writable()
            await self._if_dead()

    def _check_writable(self) -> None:
        if self._closed or self._finished:
            raise trio.ClosedResourceError

    @contextmanager
    def _living(self) -> Iterator[None]:
        """A dead process does not hear any more what becomes of its connections."""
        try:
            yield
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            if not self.dead:
                raise

    async def _if_dead(self) -> None:
        if self.dead:
            await trio.sleep_forever()

    async def send_eof(self) -> None:
        with self._writing:
            await trio.lowlevel.checkpoint()
            if self._closed:
                raise trio.ClosedResourceError
            if not self._finished:
                self._finished = True
                self.outgoing.finish()

    async def receive_some(self, max_bytes: int | None = None) -> bytearray:
        if max_bytes is not None:
            if not isinstance(max_bytes, int):
                raise TypeError("max_bytes must be an integer")
            if max_bytes < 1:
                raise ValueError("max_bytes must be >= 1")
        with self._reading:
            await trio.lowlevel.checkpoint()
            if self._closed:
                raise trio.ClosedResourceError
            data = bytearray()
            with self._living():
                data = await self.incoming.read(max_bytes)
            await self._if_dead()
            return data

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            if not self.dead:
                if not self._finished:
                    self.outgoing.finish()
                self.incoming.leave()
        await trio.lowlevel.checkpoint()


class Port(trio.abc.Listener[End]):
    """A port that somebody listens on."""

    def __init__(self, network: Network, host: str, number: int) -> None:
        self.host, self.number = host, number
        self._network = network
        self._knocks, self._waiting = trio.open_memory_channel[End](inf)

    def knock(self, end: End) -> None:
        self._knocks.send_nowait(end)

    async def accept(self) -> End:
        return await self._waiting.receive()

    async def aclose(self) -> None:
        self._network.ports.pop((self.host, self.number), None)
        self._waiting.close()
        await trio.lowlevel.checkpoint()


class Network:
    """All hosts, and the cables between them. Every fault is a method.

    Attributes:
        ports: Who listens where.
        rates: Bytes per second of a path; a cable has no limit unless it stands here.
        delays: Seconds of a path.
        dialled: Who has tried to connect to whom, and when.
    """

    def __init__(self) -> None:
        self.ports: dict[tuple[str, int], Port] = {}
        self.rates: dict[Path, float] = {}
        self.delays: dict[Path, float] = {}
        self.dialled: list[tuple[float, str, str]] = []
        self._ends: list[End] = []
        self._severed: set[Path] = set()
        self._off: set[str] = set()  # hosts without power
        self._stopped: set[str] = set()  # whose processes do not run: nothing is read
        self._backlog: list[tuple[Port, End]] = []
        self._timeline: list[tuple[float, int, Wire]] = []
        self._order = itertools.count()
        self._alarm = trio.CancelScope()

    async def run(self) -> None:
        """Move bytes, until cancelled."""
        while True:
            at = self._timeline[0][0] if self._timeline else inf
            with trio.CancelScope(deadline=at) as self._alarm:
                await trio.sleep_forever()
            while self._timeline and self._timeline[0][0] <= trio.current_time():
                heapq.heappop(self._timeline)[2].arrive()

    def move(self, wire: Wire, at: float) -> None:
        heapq.heappush(self._timeline, (at, next(self._order), wire))
        self._alarm.deadline = self._timeline[0][0]

    def latency(self, path: Path) -> float:
        return self.delays.get(path, LATENCY)

    def passes(self, path: Path) -> bool:
        """Whether anything gets along there at the moment."""
        return (
            path not in self._severed and not self._off & {*path} and path[1] not in self._stopped
        )

    # -- connections -------------------------------------------------------------------

    def listen(self, host: str, number: int) -> Port:
        if (host, number) in self.ports:
            raise OSError(98, "Address already in use", f"{host}:{number}")
        self.ports[host, number] = port = Port(self, host, number)
        return port

    async def connect(self, source: str, target: str, number: int) -> End:
        """Dial; a host that is there and does not listen says so, and another one nothing."""
        self.dialled.append((trio.current_time(), source, target))
        round_trip = self.latency((source, target)) + self.latency((target, source))
        await trio.sleep(round_trip)
        there, back = (source, target), (target, source)
        if not (self._reaches(there) and self._reaches(back)):
            await trio.sleep_forever()
        port = self.ports.get((target, number))
        if port is None:
            raise ConnectionRefusedError(111, "Connection refused")
        near, far = self.pair(source, target)
        if target in self._stopped:  # its kernel answers, and keeps it for later
            self._backlog.append((port, far))
        else:
            port.knock(far)
        return near

    def _reaches(self, path: Path) -> bool:
        """Whether a host hears another one; a stopped process's kernel does, too."""
        return path not in self._severed and not self._off & {*path}

    def pair(self, source: str, target: str) -> tuple[End, End]:
        """A connection, both ends."""
        there, back = Wire(self, (source, target)), Wire(self, (target, source))
        there._opposite, back._opposite = back, there
        ends = End(source, there, back), End(target, back, there)
        self._ends += ends
        return ends

    def _between(self, *hosts: str) -> list[End]:
        found = [e for e in self._ends if {*hosts} <= {*e.outgoing.path} and not e._closed]
        return [end for end in found if not end.dead]

    # -- faults ------------------------------------------------------------------------

    def cut(self, one: str, other: str, at: str = "") -> None:
        """Both ends of every connection, or the one ``at`` a host, are told that it is over."""
        for end in self._between(one, other):
            if at in ("", end.host):
                end.incoming.finish_now()

    def reset(self, one: str, other: str) -> None:
        """The same, rudely."""
        for end in self._between(one, other):
            end.incoming.reset()

    def forget(self, one: str, other: str) -> None:
        """Open connections are dead for good, and nobody is told; new ones can be made."""
        for end in self._between(one, other):
            end.outgoing.forget()

    def sever(self, source: str, target: str) -> None:
        """Nothing gets from source to target, and nobody is told."""
        self._severed.add((source, target))

    def partition(self, one: str, other: str) -> None:
        """Nothing gets from one to the other, in either direction."""
        self.sever(one, other)
        self.sever(other, one)

    def heal(self) -> None:
        """Everything gets everywhere again, and what was held is sent once more."""
        self._severed.clear()
        self._release()

    def _release(self) -> None:
        for end in self._ends:
            if self.passes(end.outgoing.path):
                end.outgoing.release()
        self._ends = [end for end in self._ends if not end._closed or end.outgoing._transit]

    def distance(self, one: str, other: str, seconds: float) -> None:
        """A round trip from now on takes that long."""
        self.delays[one, other] = self.delays[other, one] = seconds / 2

    def thin(self, one: str, other: str, bytes_per_second: float) -> None:
        """The cable between the two takes no more than that, each way."""
        self.rates[one, other] = self.rates[other, one] = bytes_per_second

    # -- faults of a host --------------------------------------------------------------

    def kill(self, host: str) -> None:
        """Its process is gone at once (kill -9): the kernel resets its connections."""
        for end in self._lay_out(host):
            if self.passes(end.outgoing.path):
                end.outgoing.reset()
            end.incoming.leave()

    def power_off(self, host: str) -> None:
        """It is gone with its kernel: nobody is told anything."""
        self._off.add(host)
        for end in self._lay_out(host):
            end.outgoing._transit.clear()
            end.incoming.leave()

    def power_on(self, host: str) -> None:
        self._off.discard(host)
        self._release()

    def _lay_out(self, host: str) -> list[End]:
        for where in [where for where in self.ports if where[0] == host]:
            del self.ports[where]
        dead = [end for end in self._ends if end.host == host]
        for end in dead:
            end.dead = True
        return dead

    def stop(self, host: str) -> None:
        """Its process does not run (SIGSTOP): nothing is read, and the kernel says nothing."""
        self._stopped.add(host)

    def go_on(self, host: str) -> None:
        """What was not read meanwhile is there, all at once."""
        self._stopped.discard(host)
        self._release()
        backlog, self._backlog = self._backlog, []
        for port, end in backlog:
            port.knock(end)
