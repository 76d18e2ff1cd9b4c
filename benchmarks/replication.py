"""Replication: a member that begins empty gets everything from one that is at work.

Two real engines and the real machines of the pair in one process, connected by the
real codec and no network, with a chunk-timeout of 0. Events arrive all the time, at
the two members not quite at once, so that the receiver is mostly some events ahead or
behind. Printed are statistics/s, MiB/s and the longest that either side was busy
without a chance for anybody else; in CPU seconds, since no step ever waits, and what
else runs on this machine is not to count.
"""

from __future__ import annotations

import gc
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from random import Random

from statserver_trio.ha.addp import AddpOptions, Heard
from statserver_trio.ha.clock_offset import WallTime
from statserver_trio.ha.codec import Decoder, Outbox
from statserver_trio.ha.feed_words import Arrived, PeerAbsent, SourceAdded, SourceAt
from statserver_trio.ha.greeting import Identity
from statserver_trio.ha.holds import Wanted
from statserver_trio.ha.messages import Message
from statserver_trio.ha.peer import Peer, PeerOptions, Started
from statserver_trio.ha.replication import Opened, ReplicationOptions
from statserver_trio.ha.status import is_synchronised
from statserver_trio.ha.store import Greeted, Joined, Log, perform
from statserver_trio.machine import Connected, Send
from statserver_trio.server import garbage
from statserver_trio.server.ha.installer import LOOKS, SLICE_ITEMS, SLICE_SECONDS
from statserver_trio.server.ha.pair_store import PairStore
from statserver_trio.stats.engine import Engine
from statserver_trio.tlib.codec import Decoder as EventDecoder
from statserver_trio.tlib.codec import encode
from statserver_trio.tlib.events import TEvent

from . import workload

STATISTICS = 100_000
SHORT = 10_000  # where it is one of several benchmarks
BEFORE = 20_000  # events that the first member has seen when the second one comes
RATE = 500.0  # events/s while they replicate
LATENCY = 0.0005  # seconds that a frame travels
JITTER = 0.004  # seconds at most by which one member hears of events before the other
TIMEOUT = 600.0  # seconds; then something is broken
CHECKED = 2000  # statistics whose values are compared in the end
OPTIONS = PeerOptions(
    addp=AddpOptions(trace="off"), replication=ReplicationOptions(chunk_timeout=0)
)


class Side:
    """One member, and what it costs."""

    def __init__(self, name: str, other: str, dials: bool, engine: Engine) -> None:
        numbers = iter(range(1_000_000))
        self.engine = engine
        self.peer = Peer(
            Identity(name, other, dials), name, lambda: f"{name}{next(numbers)}", OPTIONS
        )
        self.store = PairStore(engine, engine.empty_copy, self.now_ms, engine.apply)
        self.outbox, self.decoder = Outbox(), Decoder()
        self.longest: dict[str, float] = defaultdict(float)  # seconds, by what it did
        self.busy = 0.0
        self.sent = 0  # bytes
        self.lacking: list[str] = []
        self.garbage = 0.0  # seconds for the longest look for garbage

    def now_ms(self) -> int:
        """The server's clock: that of the recording, and the time that passes."""
        return int((workload.START + time.perf_counter()) * 1000)

    def tell(self, event: object) -> None:
        """One step: all that an event leads to."""
        began = time.thread_time()
        self.take(event)
        self.stop(type(event).__name__, began)

    def take(self, event: object) -> None:
        self.do(self.peer.handle_event(event, time.perf_counter()))

    def stop(self, what: str, began: float) -> None:
        took = time.thread_time() - began
        self.busy += took
        self.longest[what] = max(self.longest[what], took)

    def do(self, actions: list[object]) -> None:
        for action in actions:
            done, answer = perform(action, self.store)
            if answer is not None:
                self.take(answer)
            match action:
                case _ if done:
                    pass
                case Send(Message() as message):
                    self.outbox.put(message)
                case Greeted():
                    self.decoder.greeted()
                case Joined(_, "adopted"):
                    self.lacking += self.store.open_keys()
                case Log(level, text):
                    print(f"  {self.peer.identity.application}: {level}: {text}")

    def read(self, data: bytes) -> None:
        """One step per message, with the decoding of it."""
        self.tell(Heard(len(data)))
        messages = self.decoder.feed(data)
        while True:
            began = time.thread_time()
            message = next(messages, None)
            if message is None:
                return
            self.take(message)
            self.stop(type(message).__name__, began)

    def wake(self) -> None:
        """One step: whatever is due, a slice of what waits."""
        began, now = time.thread_time(), time.perf_counter()
        if self.peer.next_deadline() <= now:
            self.do(self.peer.handle_timer(now))
            self.stop("timer", began)
        if not (self.store.can_go_on or self.lacking):
            return
        began = time.thread_time()
        until = time.perf_counter() + SLICE_SECONDS
        for done in self.store.go_on(SLICE_ITEMS, lambda: time.perf_counter() >= until):
            self.take(done)
            self.lacking += self.store.take_doubtful()
        batch, self.lacking = self.lacking[:LOOKS], self.lacking[LOOKS:]
        wanted = self.store.lacking(batch)
        if wanted:
            self.take(Wanted(tuple(wanted)))
        self.stop("install", began)


class Wire:
    """From one side to the other, with some delay and no limit."""

    def __init__(self, source: Side, target: Side) -> None:
        self._source, self._target = source, target
        self._frames: deque[tuple[float, bytes]] = deque()

    def move(self) -> None:
        """Take what waits; deliver what has travelled for long enough."""
        began = time.thread_time()
        while (frame := self._source.outbox.next_frame()) is not None:
            self._source.sent += len(frame)
            self._frames.append((time.perf_counter(), frame))
        self._source.stop("write", began)
        while self._frames and self._frames[0][0] + LATENCY <= time.perf_counter():
            self._target.read(self._frames.popleft()[1])


class Feed:
    """The recording: up to some position at once, then as time passes."""

    def __init__(self, data: bytes) -> None:
        events = [e for e in EventDecoder().feed(data) if isinstance(e, TEvent)]
        self.lines = [(event.position, encode(event)) for event in events]
        self.told = 0
        self._began = 0.0
        self._rng = Random(workload.SEED)
        self._queues: list[tuple[Side, deque[tuple[float, tuple[int | None, bytes]]]]] = []

    def all_before(self, side: Side) -> None:
        """What happened before the second member came."""
        for first in range(0, BEFORE, 250):
            side.take(Arrived(workload.SOURCE, self.lines[first : first + 250]))

    def begin(self, *sides: Side) -> None:
        """From now on both hear everything."""
        self.told, self._began = BEFORE, time.perf_counter()
        self._queues = [(side, deque()) for side in sides]

    def move(self) -> None:
        """Tell what is due."""
        now = time.perf_counter()
        until = min(BEFORE + int((now - self._began) * RATE), len(self.lines))
        for number in range(self.told, until):
            for _, queue in self._queues:
                queue.append((now + self._rng.uniform(0, JITTER), self.lines[number]))
        self.told = until
        for side, queue in self._queues:
            batch = []
            while queue and queue[0][0] <= now:
                batch.append(queue.popleft()[1])
            if batch:
                side.tell(Arrived(workload.SOURCE, batch))

    def finish(self) -> None:
        """Both have heard the same in the end."""
        for side, queue in self._queues:
            side.take(Arrived(workload.SOURCE, [event for _, event in queue]))


def a_pair(statistics: int, feed: Feed) -> tuple[Side, Side]:
    """One that has been at work for a while, and one that has just been started."""
    first = Side("A", "B", False, workload.engine_with(statistics))
    keys = [first.store.opened(statistic) for statistic in first.engine.statistics.values()]
    second = Side("B", "A", True, workload.engine_with(0))
    for side in (first, second):
        side.take(WallTime(workload.START))
        side.take(SourceAdded(workload.SOURCE))
        side.take(Started())
    first.take(SourceAt(workload.SOURCE, 0))
    first.take(PeerAbsent())
    first.take(Opened(tuple(keys)))
    feed.all_before(first)
    second.take(SourceAt(workload.SOURCE, BEFORE))
    return first, second


def connect(first: Side, second: Side) -> Iterator[Wire]:
    """The link, greeted by both."""
    yield Wire(first, second)
    yield Wire(second, first)
    first.tell(Connected())
    second.tell(Connected())


def run(statistics: int = STATISTICS) -> dict[str, object]:
    """Measure; what is returned is what is printed as JSON."""
    feed = Feed(workload.recording())
    first, second = a_pair(statistics, feed)
    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(*garbage.THRESHOLDS)  # as the server does
    try:
        seconds = replicate(first, second, feed)
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
    check(first, second)
    results = second.peer.installation.results
    return {
        "row": "replication",
        "statistics": len(first.engine.statistics),
        "events": feed.told - BEFORE,
        "seconds": round(seconds, 2),
        "statistics_per_s": round(len(first.engine.statistics) / seconds),
        "mib_per_s": round(first.sent / seconds / 2**20, 2),
        "results": {r.value: n for r, n in results.items() if n},
        "longest_ms": {"sender": in_ms(first.longest), "receiver": in_ms(second.longest)},
        "busy_s": {"sender": round(first.busy, 2), "receiver": round(second.busy, 2)},
        "garbage_ms": round(first.garbage * 1000, 1),  # of both together, since they share it
    }


def describe(result: dict[str, object]) -> str:
    """One line for people."""
    longest, busy = result["longest_ms"], result["busy_s"]
    assert isinstance(longest, dict)
    assert isinstance(busy, dict)
    worst = [f"{max(steps.values())} ms ({next(iter(steps))})" for steps in longest.values()]
    return (
        f"replication: {result['statistics']:,} statistics and {result['events']:,} events in "
        f"{result['seconds']} s, {result['statistics_per_s']:,}/s, {result['mib_per_s']} MiB/s; "
        f"busy {busy['sender']} and {busy['receiver']} s; longest step of the sender {worst[0]}, "
        f"of the receiver {worst[1]}"
    )


def replicate(first: Side, second: Side, feed: Feed) -> float:
    """Let them; seconds until the second one has everything."""
    began = tidied = time.perf_counter()
    feed.begin(first, second)
    wires = list(connect(first, second))
    while not (is_synchronised(first.peer) and second.store.open_keys()):
        now = time.perf_counter()
        if now - began > TIMEOUT:
            raise TimeoutError("the pair does not get done")
        if now - tidied > garbage.PERIOD:
            tidied, at = now, time.thread_time()
            garbage.tidy()
            first.garbage = max(first.garbage, time.thread_time() - at)
        feed.move()
        for wire in wires:
            wire.move()
        for side in (first, second):
            side.wake()
    seconds = time.perf_counter() - began
    feed.finish()
    return seconds


def check(first: Side, second: Side) -> None:
    """Both have the same, or the figures mean nothing."""
    texts = first.store.open_keys()
    assert set(texts) == set(second.store.open_keys())
    sources = [source for side in (first, second) for source in side.engine.sources.values()]
    at = max(source.clock(side.now_ms()) for source in sources for side in (first, second))
    clocks = {source.ledger: at for source in sources}
    for text in texts[:: max(1, len(texts) // CHECKED)]:
        values = []
        for side in (first, second):
            statistic = side.store.statistic(text)
            assert statistic is not None
            values.append(side.engine.value_at(statistic, clocks).value)
        assert values[0] == values[1], (text, values)


def in_ms(longest: dict[str, float]) -> dict[str, float]:
    """The longest first."""
    rows = sorted(longest.items(), key=lambda row: -row[1])
    return {what: round(seconds * 1000, 1) for what, seconds in rows}
