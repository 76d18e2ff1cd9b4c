"""Fan-out: one value, and many values, told to a thousand clients.

    python -m benchmarks fanout

The hub and the client server of the product over loopback, against what one would write first:
``trio_websocket``'s ``send_message``, client after client. At the other end, in processes of
their own, everything is read and thrown away (:mod:`.sink`). Delivered is what has arrived there.

* ``simple``: ``send_message`` in a loop, one value of the same size per client and event;
* ``single``: one statistic that every client has open, one frame per client and event;
* ``coalesced``: many of them, which one event touches together, so a frame holds all of them.

All three are up at the same time, in one process, and take turns, a few events each: whatever
else runs on this machine hurts them alike. Of each the best event counts. Values per CPU second are
what the server would do with a core of its own; values per second are what arrived by the clock,
with the sink on the same machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from subprocess import PIPE
from typing import Any

import trio
from attrs import define, field
from trio_websocket import WebSocketConnection, serve_websocket

from statserver_trio.api.codec import encode, frame
from statserver_trio.api.messages import Info
from statserver_trio.server import garbage
from statserver_trio.server.client_task import ClientOptions, ClientServer
from statserver_trio.server.clock import Clock
from statserver_trio.server.hub import Hub
from statserver_trio.stats.engine import Engine
from statserver_trio.tlib.events import EventQueued

from . import workload

CLIENTS = 1000
EVENTS = 40
IN_A_ROW = 5  # events of one, before it is another one's turn
COALESCED = 20  # statistics per client that one event touches
SHORT = (200, 20)
RATIO_MIN = 4.0
COALESCED_MIN = 900_000  # values/s
LOOPBACK = "127.0.0.1"

Tell = Callable[[int], Awaitable[None]]


@define
class Contestant:
    """One way to tell, and how long it took for each event.

    Attributes:
        values: Per event, to all clients together.
        tell: Lets an event happen.
        seconds, cpu: Per event, until all values have arrived; by the clock, and of our process.
    """

    sink: trio.Process
    values: int
    tell: Tell
    seconds: list[float] = field(factory=list)
    cpu: list[float] = field(factory=list)

    async def event(self, number: int) -> None:
        """Tell one event, and wait until it has arrived everywhere."""
        assert self.sink.stdin is not None
        await self.sink.stdin.send_all(b"%d\n" % self.values)
        assert await _line(self.sink) == "counting"
        began, busy = time.perf_counter(), time.process_time()
        await self.tell(number)
        assert await _line(self.sink) == "arrived"
        self.cpu.append(time.process_time() - busy)
        self.seconds.append(time.perf_counter() - began)

    @property
    def per_second(self) -> int:
        """Values per second, of the best event."""
        return round(self.values / min(self.seconds))

    @property
    def per_cpu_second(self) -> int:
        """Values per second that our process works, of the best event."""
        return round(self.values / min(self.cpu))


@asynccontextmanager
async def _sink(port: int, clients: int, statistics: int) -> AsyncIterator[trio.Process]:
    """The other end, when all clients have opened what they want."""
    command = [sys.executable, "-m", "benchmarks.sink", str(port), str(clients), str(statistics)]
    process = await trio.lowlevel.open_process(command, stdin=PIPE, stdout=PIPE)
    try:
        assert await _line(process) == "ready"
        yield process
    finally:
        process.terminate()
        with trio.CancelScope(shield=True):
            await process.wait()


async def _line(process: trio.Process) -> str:
    said = b""
    assert process.stdout is not None
    while not said.endswith(b"\n"):
        data = await process.stdout.receive_some(100)
        if not data:
            raise AssertionError(f"the sink ended: {said!r}")
        said += data
    return said.decode().strip()


def _engine() -> Engine:
    engine = workload.engine_with(0)
    engine.apply(workload.SOURCE, [_event(0)], workload.START * 1000)
    return engine


def _event(number: int) -> EventQueued:
    return EventQueued(
        time=workload.START + number, this_dn="8001", conn_id=f"c{number}", call_type="Inbound"
    )


@asynccontextmanager
async def ours(clients: int, statistics: int) -> AsyncIterator[Contestant]:
    """The product."""
    hub = Hub(_engine(), Clock(workload.START))
    listeners = await trio.open_tcp_listeners(0, host=LOOPBACK, backlog=clients)
    port = listeners[0].socket.getsockname()[1]
    options = ClientOptions(clients_max=clients + 1)

    async def tell(number: int) -> None:
        hub.apply(workload.SOURCE, [_event(number + 1)], workload.START * 1000)

    async with trio.open_nursery() as nursery:
        await nursery.start(ClientServer(hub, options).run, listeners)
        nursery.start_soon(hub.run)
        async with _sink(port, clients, statistics) as sink:
            yield Contestant(sink, clients * statistics, tell)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def simple(clients: int) -> AsyncIterator[Contestant]:
    """``send_message`` in a loop."""
    sockets: list[WebSocketConnection] = []
    all_here = trio.Event()

    async def handler(request: Any) -> None:
        ws = await request.accept(subprotocol="statserver.v1")
        await ws.get_message()  # what it opens, as the product's clients do
        sockets.append(ws)
        if len(sockets) == clients:
            all_here.set()
        await trio.sleep_forever()

    async def tell(number: int) -> None:
        event = Info(
            reference_id=1, statistic_id=1, value=number, time=float(workload.START),
            interval=1.0, complete=True,
        )  # fmt: skip
        text = frame([encode(event)]).decode()
        for ws in sockets:
            await ws.send_message(text)

    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, handler, LOOPBACK, 0, None)
        async with _sink(server.port, clients, 0) as sink:
            await all_here.wait()
            yield Contestant(sink, clients, tell)
        nursery.cancel_scope.cancel()


async def compare(clients: int, events: int) -> list[Contestant]:
    """All three in turn."""
    async with trio.open_nursery() as nursery, AsyncExitStack() as stack:
        nursery.start_soon(garbage.keep_short)  # as in the product
        contestants = [
            await stack.enter_async_context(each)
            for each in (simple(clients), ours(clients, 1), ours(clients, COALESCED))
        ]
        garbage.tidy()
        for first in range(0, events, IN_A_ROW):
            for each in contestants:
                for number in range(first, first + IN_A_ROW):
                    await each.event(number)
        nursery.cancel_scope.cancel()
    return contestants


def run(how_much: tuple[int, int] = (CLIENTS, EVENTS)) -> Any:
    """Measure; what is returned is what is printed as JSON."""
    clients, events = how_much
    library, single, coalesced = trio.run(compare, clients, events)
    return {
        "row": "fanout",
        "clients": clients,
        "send_message_per_cpu_s": library.per_cpu_second,
        "single_per_cpu_s": single.per_cpu_second,
        "ratio": round(single.per_cpu_second / library.per_cpu_second, 2),
        "ratio_min": RATIO_MIN,
        "coalesced_statistics": COALESCED,
        "coalesced_per_cpu_s": coalesced.per_cpu_second,
        "coalesced_min": COALESCED_MIN,
        "send_message_per_s": library.per_second,
        "single_per_s": single.per_second,
        "ratio_by_the_clock": round(single.per_second / library.per_second, 2),
        "coalesced_per_s": coalesced.per_second,
    }


def describe(result: dict[str, Any]) -> str:
    """Some lines for people."""
    return (
        f"fanout: to {result['clients']:,} clients {result['ratio']}x of send_message in a loop "
        f"(at least {result['ratio_min']}x wanted): {result['single_per_cpu_s']:,} against "
        f"{result['send_message_per_cpu_s']:,} values per CPU second, one by one\n"
        f"fanout: {result['coalesced_per_cpu_s']:,} values per CPU second in frames of "
        f"{result['coalesced_statistics']}, which one event touches together (at least "
        f"{result['coalesced_min']:,} wanted)\n"
        f"fanout: by the clock {result['single_per_s']:,} against "
        f"{result['send_message_per_s']:,} values/s ({result['ratio_by_the_clock']}x), and "
        f"{result['coalesced_per_s']:,} in frames of {result['coalesced_statistics']}"
    )
