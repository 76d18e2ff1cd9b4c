"""W1: T-event lines through decoder, model and engine (P1), and through a socket (P2).

    python -m benchmarks w1
    python -m benchmarks.w1 --peer     one measurement of P1, for run.py of the W1 folder

2,000 agents and 200 queues with 12 statistics each, 26,400 in all. All of them are read every
100,000 events, which is part of what is timed, and compared with brute force, which is not.

* P1: pieces of 64 KiB, as a socket would deliver them, through the decoder into the engine;
* P2: the same lines from another process over loopback into a running server, its feed task and
  its hub.

Times are CPU seconds of this process, the least of some rounds; so is that of the limit, a C
program that knows nothing but W1 (:mod:`.w1_material`). Beside it stands how long P2 took on
the clock: sender and server share the machine.
"""

from __future__ import annotations

import gc
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

import trio
from attrs import define, field

from statserver_trio.api.codec import encode
from statserver_trio.api.messages import Metric, NotificationRef, ObjectRef, OpenStatistic
from statserver_trio.config.schema import Config
from statserver_trio.config.site import make_site
from statserver_trio.server.clock import Clock
from statserver_trio.server.garbage import THRESHOLDS, keep_short
from statserver_trio.server.hub import Hub
from statserver_trio.server.serve import serve
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.statistic import Statistic
from statserver_trio.tlib.codec import Decoder

from . import w1_material
from .w1_material import SNAPSHOT, Material, Missing
from .w1_oracle import (
    AGENT_METRICS,
    MIDNIGHT,
    QUEUE_METRICS,
    SAME_AS_W1,
    Block,
    expected,
    totals,
)
from .w1_server import SOURCE, SWITCH, blocks, configuration, read, requests

EVENTS, ROUNDS = 1_000_000, 3
SHORT = (200_000, 1)
PIECE_BYTES = 64 * 1024
OPENED = MIDNIGHT - 600_000  # before the first event, and late enough that nothing else happens
OF_LIMIT_MIN = 0.15
SOCKET_MIN = 0.8
PATIENCE = 600.0


@define
class Run:
    """One round: what was read, and how long everything took, in seconds."""

    values: list[list[float]] = field(factory=list)
    cpu: float = 0.0
    reading: float = 0.0  # part of cpu
    wall: float = 0.0


# -- P1: without a socket -----------------------------------------------------------------


def batches(lines: Path) -> list[list[bytes]]:
    """All events, so many to a reading, in the pieces that a socket would deliver."""
    found = []
    with lines.open("rb") as file:
        while data := b"".join(itertools.islice(file, SNAPSHOT)):
            starts = range(0, len(data), PIECE_BYTES)
            found.append([data[start : start + PIECE_BYTES] for start in starts])
    return found


def in_memory(work: list[list[bytes]]) -> Run:
    """Decode and apply all of it in this process, and read after each batch."""
    with tempfile.TemporaryDirectory(prefix="w1-") as folder:
        site = make_site(configuration(Path(folder)))
    engine = Engine(site.definitions, site.directory, site.world_options, site.resolution)
    engine.add_source(SOURCE, SWITCH)
    statistics = [engine.open(request, OPENED) for request in requests()]
    decoder, found = Decoder(), Run()
    with _as_the_server_collects():
        began, began_cpu = time.perf_counter(), time.process_time()
        for pieces in work:
            for piece in pieces:
                engine.apply(SOURCE, decoder.feed(piece), OPENED)
            before = time.process_time()
            found.values.append(read(engine, statistics, OPENED))
            found.reading += time.process_time() - before
        found.cpu, found.wall = time.process_time() - began_cpu, time.perf_counter() - began
    return found


@contextmanager
def _as_the_server_collects() -> Iterator[None]:
    """Garbage is collected as in a running server (server/garbage.py)."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


# -- P2: through a socket -----------------------------------------------------------------


def through_socket(lines: Path, snapshots: int) -> Run:
    """Let a running server hear all of it from another process."""
    command = [sys.executable, "-m", "benchmarks.feed", str(lines), SWITCH]
    with (
        tempfile.TemporaryDirectory(prefix="w1-") as folder,
        subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) as feed,
    ):
        assert feed.stdout is not None
        config = configuration(Path(folder), int(feed.stdout.readline()))
        try:
            return trio.run(_serve_and_hear, config, feed, snapshots)
        finally:
            feed.kill()


async def _serve_and_hear(config: Config, feed: subprocess.Popen[str], snapshots: int) -> Run:
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_short)
        clock = Clock(OPENED / 1000)
        parts = await nursery.start(serve, config, stop, None, None, clock)
        found = await _hear(parts.hub, open_as_client(parts.hub), feed, snapshots)
        stop.set()
        nursery.cancel_scope.cancel()
    return found


def open_as_client(hub: Hub) -> list[Statistic]:
    """Open everything as a client does that is not told of changes; in the order of requests."""
    client = hub.join(lambda: None, lambda reason: None)
    found = []
    for number, request in enumerate(requests()):
        hub.receive(client, encode(_message(number, request)))
        client.outbox.take()
        found.append(hub.engine.open(request, hub.clock.now_ms()))  # shared: it is open
    return found


def _message(number: int, request: StatisticRequest) -> OpenStatistic:
    assert isinstance(request.stat_type, str)
    assert isinstance(request.time_profile, str)
    return OpenStatistic(
        reference_id=number,
        object=ObjectRef(object_id=request.object_id, object_type=request.object_type),
        metric=Metric(
            statistic_type=request.stat_type,
            time_profile=request.time_profile,
            filter=request.filter,
        ),
        notification=NotificationRef(mode="NoNotification"),
    )


async def _hear(
    hub: Hub, statistics: list[Statistic], feed: subprocess.Popen[str], snapshots: int
) -> Run:
    """Have the lines sent, and read whenever so many have been applied."""
    assert feed.stdin is not None
    source, found = hub.engine.sources[SOURCE], Run()
    await _until(hub, lambda: source.is_connected)
    gc.collect()
    gc.freeze()
    began, began_cpu = time.perf_counter(), time.process_time()
    for snapshot in range(snapshots):
        feed.stdin.write(f"{SNAPSHOT}\n")
        feed.stdin.flush()
        wanted = (snapshot + 1) * SNAPSHOT
        await _until(hub, lambda wanted=wanted: (source.position or 0) >= wanted)  # type: ignore[misc]
        before = time.process_time()
        found.values.append(read(hub.engine, statistics, hub.clock.now_ms()))
        found.reading += time.process_time() - before
    found.cpu, found.wall = time.process_time() - began_cpu, time.perf_counter() - began
    gc.unfreeze()
    return found


async def _until(hub: Hub, holds: Callable[[], bool]) -> None:
    """Wait until something holds that only the engine's events can bring about."""
    seen = trio.Event()

    def look() -> None:
        if holds():
            seen.set()

    hub.after_engine = look
    look()
    with trio.fail_after(PATIENCE):
        await seen.wait()


# -- the check ----------------------------------------------------------------------------


class Wrong(Exception):
    """A statistic is not what it has to be."""


def check(material: Material, oracle: list[list[Block]], runs: Iterable[Run]) -> None:
    """Compare everything that was read with brute force, and with the totals of W1.

    Raises:
        Wrong: Which statistic, after how many events, and both values.
    """
    for snapshot, want in enumerate(oracle):
        _same_totals(material.totals()[snapshot], totals(want))
        for run in runs:
            got = blocks(run.values[snapshot])
            if got != want:
                raise Wrong(f"after {(snapshot + 1) * SNAPSHOT:,} events: {_first(got, want)}")


def _same_totals(theirs: list[int], ours: list[int]) -> None:
    """Where both oracles mean the same, they have to say the same."""
    metrics = [metric for kind in (AGENT_METRICS, QUEUE_METRICS) for metric in (*kind, *kind)]
    for number, metric in enumerate(metrics):
        at = slice(2 * number, 2 * number + 2)
        if metric in SAME_AS_W1 and theirs[at] != ours[at]:
            raise Wrong(f"{metric}: brute force says {ours[at]}, the oracle of W1 {theirs[at]}")


def _first(got: list[Block], want: list[Block]) -> str:
    names = (AGENT_METRICS, AGENT_METRICS, QUEUE_METRICS, QUEUE_METRICS)
    for number, (ours, theirs) in enumerate(zip(got, want, strict=True)):
        for thing, (row, other) in enumerate(zip(ours, theirs, strict=True)):
            for metric, value, right in zip(names[number], row, other, strict=True):
                if value != right:
                    kind = "agent" if names[number] is AGENT_METRICS else "queue"
                    profile = "sliding" if number % 2 else "growing"
                    return (
                        f"{metric} of {kind} {thing}, {profile}, is {value} and has to be {right}"
                    )
    raise AssertionError("nothing differs")


# -- the benchmark ------------------------------------------------------------------------


def run(events: int = EVENTS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure; what is returned is what is printed as JSON."""
    try:
        material = w1_material.make(events)
    except Missing as why:
        return {"row": "w1", "skipped": str(why)}
    oracle = list(expected(material.lines, SNAPSHOT))
    work = batches(material.lines)
    limit, why_not = _limit(material)
    inside, outside = [], []
    for _ in range(rounds):  # in turns, so that what disturbs the machine disturbs both
        inside.append(in_memory(work))
        outside.append(through_socket(material.lines, material.snapshots()))
    check(material, oracle, [*inside, *outside])
    first = min(inside, key=lambda each: each.cpu)
    second = min(outside, key=lambda each: each.cpu)
    return {
        "row": "w1",
        "events": events,
        "statistics": len(first.values[0]),
        "readings": len(oracle),
        "equal_to_brute_force": True,
        "limit_events_per_s": None if limit is None else round(limit),
        "without_limit": why_not,
        "p1_events_per_s": round(events / first.cpu),
        "p1_without_reading_per_s": round(events / (first.cpu - first.reading)),
        "p1_of_limit": None if limit is None else round(events / first.cpu / limit, 4),
        "p1_of_limit_min": OF_LIMIT_MIN,
        "p2_events_per_s": round(events / second.cpu),
        "p2_of_p1": round(first.cpu / second.cpu, 3),
        "p2_of_p1_min": SOCKET_MIN,
        "p2_events_per_s_on_the_clock": round(events / second.wall),
    }


def _limit(material: Material) -> tuple[float | None, str]:
    """Of the C program, or why there is none."""
    try:
        return material.limit(), ""
    except Missing as why:
        return None, str(why)


def describe(result: dict[str, Any]) -> str:
    """One line for people."""
    if "skipped" in result:
        return f"w1: skipped, {result['skipped']}"
    limit = result["without_limit"]
    if not limit:
        limit = (
            f"{result['p1_of_limit']:.3f} of the C limit's {result['limit_events_per_s']:,} "
            f"(at least {result['p1_of_limit_min']} wanted)"
        )
    return (
        f"w1: {result['events']:,} events with {result['statistics']:,} statistics, all of them "
        f"read {result['readings']} times and equal to brute force: "
        f"{result['p1_events_per_s']:,} events/s, {limit}; through a socket "
        f"{result['p2_events_per_s']:,}, {result['p2_of_p1']}x of that "
        f"(at least {result['p2_of_p1_min']}x wanted)"
    )


def peer(events: int = EVENTS) -> dict[str, Any]:
    """One measurement of P1, checked, as the peers of the W1 folder print it.

    Without the hash that they print: two of twelve metrics mean something else here.
    """
    material = w1_material.make(events)
    found = in_memory(batches(material.lines))
    check(material, list(expected(material.lines, SNAPSHOT)), [found])
    return {
        "peer": "statserver",
        "events": events,
        "wall_s": round(found.wall, 3),
        "ev_s": round(events / found.wall),
        "snap_s": round(found.reading, 3),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        print(json.dumps(peer(*map(int, sys.argv[2:]))))
    else:
        result = run(*map(int, sys.argv[1:]))
        print(json.dumps(result))
        print(describe(result))
