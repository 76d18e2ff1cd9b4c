"""Fan-out: one value, and many values, told to a thousand clients.

    python -m benchmarks fanout

The hub and the client server of the product over loopback, against what one would write first:
``trio_websocket``'s ``send_message``, client after client. At the other end, in a process of its
own, everything is read and thrown away (:mod:`.sink`). Delivered is what has arrived there.

* ``single``: one statistic that every client has open, one frame per client and event;
* ``coalesced``: many of them, which one event touches together, so a frame holds all of them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable
from subprocess import PIPE
from typing import Any

import trio
from trio_websocket import WebSocketConnection, serve_websocket

from statserver_trio.api.codec import encode, frame
from statserver_trio.api.messages import Info
from statserver_trio.server.client_task import ClientOptions, serve_clients
from statserver_trio.server.clock import Clock
from statserver_trio.server.hub import Hub
from statserver_trio.stats.engine import Engine
from statserver_trio.tlib.events import EventQueued

from . import workload

CLIENTS = 1000
SINGLE_EVENTS = 40
COALESCED = 20  # statistics per client that one event touches
COALESCED_EVENTS = 20
SHORT = (200, 20, 10)
RATIO_MIN = 4.0
LOOPBACK = "127.0.0.1"
OBJECT = "8001@sw1"


async def _sink(port: int, clients: int, statistics: int) -> trio.Process:
    """The other end; back when all clients have opened what they want."""
    command = [sys.executable, "-m", "benchmarks.sink", str(port), str(clients), str(statistics)]
    process = await trio.lowlevel.open_process(command, stdin=PIPE, stdout=PIPE)
    assert await _line(process) == "ready"
    return process


async def _line(process: trio.Process) -> str:
    said = b""
    assert process.stdout is not None
    while not said.endswith(b"\n"):
        data = await process.stdout.receive_some(100)
        if not data:
            raise AssertionError(f"the sink ended: {said!r}")
        said += data
    return said.decode().strip()


async def _measure(
    sink: trio.Process, values: int, rounds: int, tell: Callable[[int], Awaitable[None]]
) -> float:
    """Values per second, from the first event until all have arrived at the other end."""
    assert sink.stdin is not None
    expected = values * rounds
    await sink.stdin.send_all(b"%d\n" % expected)
    assert await _line(sink) == "counting"
    began = time.perf_counter()
    for number in range(rounds):
        await tell(number)
        await sink.stdin.send_all(b"%d\n" % (values * (number + 1)))  # until they have come
        await _line(sink)
    return expected / (time.perf_counter() - began)


def _engine(statistics: int) -> Engine:
    engine = workload.engine_with(0)
    engine.apply(workload.SOURCE, [_event(0)], workload.START * 1000)
    return engine


def _event(number: int) -> EventQueued:
    return EventQueued(
        time=workload.START + number, this_dn="8001", conn_id=f"c{number}", call_type="Inbound"
    )


async def ours(clients: int, statistics: int, rounds: int) -> float:
    """The product's."""
    hub = Hub(_engine(statistics), Clock(workload.START))
    listeners = await trio.open_tcp_listeners(0, host=LOOPBACK, backlog=clients)
    port = listeners[0].socket.getsockname()[1]
    options = ClientOptions(clients_max=clients + 1)
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_clients, hub, listeners, options)
        nursery.start_soon(hub.run)
        sink = await _sink(port, clients, statistics)

        async def tell(number: int) -> None:
            hub.apply(workload.SOURCE, [_event(number + 1)], workload.START * 1000)

        found = await _measure(sink, clients * statistics, rounds, tell)
        sink.terminate()
        await sink.wait()
        nursery.cancel_scope.cancel()
    return found


async def simple(clients: int, rounds: int) -> float:
    """``send_message`` in a loop, of one value of the same size."""
    sockets: list[WebSocketConnection] = []
    all_here = trio.Event()

    async def handler(request: Any) -> None:
        ws = await request.accept(subprotocol="statserver.v1")
        await ws.get_message()  # what it opens, as the product's clients do
        sockets.append(ws)
        if len(sockets) == clients:
            all_here.set()
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, handler, LOOPBACK, 0, None)
        sink = await _sink(server.port, clients, 0)
        await all_here.wait()

        async def tell(number: int) -> None:
            event = Info(
                reference_id=1, statistic_id=1, value=number, time=float(workload.START),
                interval=1.0, complete=True,
            )  # fmt: skip
            text = frame([encode(event)]).decode()
            for ws in sockets:
                await ws.send_message(text)

        found = await _measure(sink, clients, rounds, tell)
        sink.terminate()
        await sink.wait()
        nursery.cancel_scope.cancel()
    return found


def run(how_much: tuple[int, int, int] = (CLIENTS, SINGLE_EVENTS, COALESCED_EVENTS)) -> Any:
    """Measure; what is returned is what is printed as JSON."""
    clients, singles, coalesced = how_much
    baseline = trio.run(simple, clients, singles)
    single = trio.run(ours, clients, 1, singles)
    many = trio.run(ours, clients, COALESCED, coalesced)
    return {
        "row": "fanout",
        "clients": clients,
        "send_message_per_s": round(baseline),
        "single_per_s": round(single),
        "ratio": round(single / baseline, 2),
        "ratio_min": RATIO_MIN,
        "coalesced_statistics": COALESCED,
        "coalesced_values_per_s": round(many),
    }


def describe(result: dict[str, Any]) -> str:
    """One line for people."""
    return (
        f"fanout: to {result['clients']:,} clients {result['single_per_s']:,} values/s one by one, "
        f"{result['ratio']}x of send_message in a loop ({result['send_message_per_s']:,}; at least "
        f"{result['ratio_min']}x wanted); {result['coalesced_values_per_s']:,} values/s where one "
        f"event touches {result['coalesced_statistics']} statistics"
    )
