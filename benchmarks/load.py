"""A T-Server and a client in one: what was sent when, and what came back when.

One loop without threads or tasks sends T-events at a rate and reads what a Stat Server tells a
client that has the queues open. Both ends of a delay are therefore taken from one clock, and
nothing but the kernel stands between the loop and the sockets.

The events are those of calls that come in, wait, ring, are talked, and are written up, many of
them at once. One in seven is a call that enters a queue: the count of its queue goes up, and the
client is told. That is what is measured.
"""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterator
from math import inf
from typing import Any

import msgspec
from attrs import define, field

from statserver_trio.machine import Connected
from statserver_trio.simulator.feed_server import Feed, FeedServerSession
from statserver_trio.tlib.codec import Decoder, RegisterAll

from . import sink, workload

LOOPBACK = "127.0.0.1"
PIECE_BYTES = 256 * 1024
TICK = 0.001  # seconds between two batches of events
TOGETHER = 50  # calls that are at the same point of their lives
COUNTED = "Queue0"  # the stat type of workload.py that counts the calls that enter a queue
PROFILE = "P0"

AGENT = '"ThisDN":"%(dn)s","AgentID":"%(agent)s"'
CALL = (
    '"ConnID":"%(conn)016x","CallType":"Inbound","ThisQueue":"%(queue)s","ANI":"+15550100",'
    '"DNIS":"8005550100","UserData":{"Segment":"Gold","Language":"en"}'
)
LIFE = (
    f'"event":"EventQueued","ThisDN":"%(queue)s",{CALL}',
    f'"event":"EventDiverted","ThisDN":"%(queue)s","ThirdPartyDN":"%(dn)s",{CALL}',
    f'"event":"EventRinging",{AGENT},{CALL}',
    f'"event":"EventEstablished",{AGENT},{CALL}',
    f'"event":"EventReleased",{AGENT},{CALL}',
    f'"event":"EventAgentNotReady",{AGENT},"AgentWorkMode":"AfterCallWork"',
    f'"event":"EventAgentReady",{AGENT},"AgentWorkMode":"ManualIn"',
)


@define
class Traffic:
    """The events, and when each call entered its queue.

    Attributes:
        entered: By queue, the times at which calls were sent to it; of the monotonic clock.
        sent: How many events there were.
    """

    entered: list[list[float]] = field(factory=lambda: [[] for _ in range(workload.QUEUES)])
    sent: int = 0
    _steps: int = 0

    def beginning(self) -> bytes:
        """All agents log in and are ready."""
        return b"".join(
            self._line(f'"event":"{event}",{AGENT}' % {"dn": str(7001 + n), "agent": f"a{n + 1}"})
            for n in range(workload.AGENTS)
            for event in ("EventAgentLogin", "EventAgentReady")
        )

    def next(self, count: int) -> bytes:
        """So many events that happen now."""
        return b"".join(self._step() for _ in range(count))

    def _step(self) -> bytes:
        turn, who = divmod(self._steps, TOGETHER)
        group, stage = divmod(turn, len(LIFE))
        self._steps += 1
        call = group * TOGETHER + who
        queue, agent = call % workload.QUEUES, call % workload.AGENTS
        facts = {
            "conn": call + 1, "queue": str(8001 + queue), "dn": str(7001 + agent),
            "agent": f"a{agent + 1}",
        }  # fmt: skip
        if not stage:
            self.entered[queue].append(time.monotonic())
        return self._line(LIFE[stage] % facts)

    def _line(self, text: str) -> bytes:
        self.sent += 1
        return b'{%s,"EventSequenceNumber":%d,"time":%.3f}\n' % (
            text.encode(),
            self.sent,
            time.time(),
        )


@define(eq=False)
class _Listener:
    """A Stat Server that has connected to the T-Server, perhaps not registered yet."""

    connection: socket.socket
    session: FeedServerSession
    decoder: Decoder = field(factory=Decoder)
    is_registered: bool = False

    def read(self) -> bool:
        """What it wants is answered; whether it is still there."""
        data = self.connection.recv(PIECE_BYTES)
        for message in self.decoder.feed(data):
            self.session.handle_event(message, 0)
            self.is_registered |= isinstance(message, RegisterAll)
        if answer := self.session.take():
            self.connection.sendall(answer)
        return bool(data)


class Load:
    """The loop.

    Attributes:
        port: Of the T-Server.
        arrived: What the client was sent: when, and the bytes.
        late: By how many seconds each turn of the loop came late. What makes the loop wait
            makes the server wait: these delays are the machine's.
    """

    def __init__(self) -> None:
        self.traffic = Traffic()
        self.arrived: list[tuple[float, bytes]] = []
        self.late: list[float] = []
        self._feed = Feed(workload.SWITCH, (), lambda dn: None)
        self._listeners: list[_Listener] = []
        self._selector = selectors.DefaultSelector()
        self._door = socket.create_server((LOOPBACK, 0))
        self.port: int = self._door.getsockname()[1]
        self._selector.register(self._door, selectors.EVENT_READ, self._accept)
        self._client: socket.socket | None = None

    def wait_for_server(self, patience: float) -> None:
        """Until the first Stat Server has registered; then the agents log in."""
        self.run_while(lambda: not any(x.is_registered for x in self._listeners), 0, patience)
        self._send(self.traffic.beginning())

    def open_client(self, port: int) -> None:
        """Be a client who is told how many calls have entered each queue."""
        self._client = sink.connected(port)
        for number in range(workload.QUEUES):
            self._client.sendall(sink.framed(_request(number)))
        self._selector.register(self._client, selectors.EVENT_READ, self._told)

    def run_while(self, holds: Callable[[], bool], rate: int, patience: float = inf) -> None:
        """Send ``rate`` events per second as long as something holds, and read what comes."""
        began = time.monotonic()
        done = 0
        while holds():
            now = time.monotonic()
            if now - began > patience:
                raise TimeoutError("what was waited for did not come")
            due = int((now - began) * rate) - done
            if due > 0:
                self._send(self.traffic.next(due))
                done += due
            tick = now + TICK
            while (left := tick - time.monotonic()) > 0:
                for key, _ in self._selector.select(left):
                    key.data()
            self.late.append(time.monotonic() - tick)

    def run(self, seconds: float, rate: int) -> None:
        """The same for some seconds."""
        until = time.monotonic() + seconds
        self.run_while(lambda: time.monotonic() < until, rate)

    def close(self) -> None:
        """Leave; no socket stays open."""
        for each in (self._door, self._client, *(x.connection for x in self._listeners)):
            if each is not None:
                each.close()
        self._selector.close()

    def _accept(self) -> None:
        connection, _ = self._door.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener = _Listener(connection, FeedServerSession(self._feed))
        listener.session.handle_event(Connected(), 0)
        self._listeners.append(listener)

        def read() -> None:
            if not listener.read():
                self._selector.unregister(connection)
                self._listeners.remove(listener)
                connection.close()

        self._selector.register(connection, selectors.EVENT_READ, read)

    def _send(self, data: bytes) -> None:
        for listener in self._listeners:
            if listener.is_registered:
                listener.connection.sendall(data)
        self._feed.position = self.traffic.sent

    def _told(self) -> None:
        assert self._client is not None
        self.arrived.append((time.monotonic(), self._client.recv(PIECE_BYTES)))


def _request(number: int) -> bytes:
    return (
        f'{{"request":"OpenStatistic","referenceId":{number},'
        f'"object":{{"objectId":"{8001 + number}@{workload.SWITCH}","objectType":"Queue"}},'
        f'"metric":{{"statisticType":"{COUNTED}","timeProfile":"{PROFILE}"}},'
        '"notification":{"mode":"ChangesBased"}}'
    ).encode()


# -- what became of it --------------------------------------------------------------------


def frames(arrived: list[tuple[float, bytes]]) -> Iterator[tuple[float, bytes]]:
    """The frames of a server, each with the time at which it was complete."""
    rest = b""
    for at, data in arrived:
        rest += data
        while (frame := _first_frame(rest)) is not None:
            text, size = frame
            yield at, text
            rest = rest[size:]


def _first_frame(data: bytes) -> tuple[bytes, int] | None:
    """Its payload and its size, header included; None where it is not complete."""
    if len(data) < 2:
        return None
    length, head = data[1], 2
    if length >= 126:
        form, head = ("!H", 4) if length == 126 else ("!Q", 10)
        if len(data) < head:
            return None
        length = struct.unpack(form, data[2:head])[0]
    return (data[head : head + length], head + length) if len(data) >= head + length else None


def delays(load: Load) -> list[tuple[float, float]]:
    """For each call that entered a queue, when, and after how long the client knew; seconds.

    A client is told the latest count, so one that has come tells of all calls up to it.
    """
    found: list[tuple[float, float]] = []
    queue_of: dict[int, int] = {}
    known = [0] * workload.QUEUES
    for at, text in frames(load.arrived):
        told: Any = msgspec.json.decode(text)
        for event in told if isinstance(told, list) else [told]:
            if event["event"] == "StatisticOpened":
                queue_of[event["statisticId"]] = event["referenceId"]
            elif event["event"] == "Info":
                queue = queue_of[event["statisticId"]]
                entered = load.traffic.entered[queue]
                found += [(sent, at - sent) for sent in entered[known[queue] : event["value"]]]
                known[queue] = max(known[queue], event["value"])
    return found
