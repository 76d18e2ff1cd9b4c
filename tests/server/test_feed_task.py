"""One feed over in-memory streams: reconnecting, resuming, giving up. No time passes."""

import logging

import pytest
import trio
from trio.testing import memory_stream_pair, wait_all_tasks_blocked

from statserver_trio.server import feed_task
from statserver_trio.server.clock import Clock
from statserver_trio.server.feed_task import FeedOptions, FeedTask
from statserver_trio.tlib.codec import (
    Decoder,
    PollReply,
    PollRequest,
    RegisterAll,
    RegisterClient,
    encode_all,
)
from statserver_trio.tlib.events import (
    EventOffHook,
    EventServerConnected,
)

EPOCH = 1_700_000_000.0
OPTIONS = FeedOptions(name="ts1", application="app", switch="sw1", keepalive=0)


class Recording:
    """A sink that writes down what it is told, and when, in seconds from the start."""

    def __init__(self):
        self.told = []

    def apply(self, source_name, events, now_ms):
        assert source_name == "ts1"
        for event in events:
            self.note("apply", type(event).__name__, event.position or event.time)
            assert now_ms == pytest.approx((EPOCH + trio.current_time()) * 1000, abs=2)

    def source_connected(self, name, resumed, position):
        self.note("connected", resumed)

    def source_lost(self, name, reason):
        self.note("lost", reason)

    def source_given_up(self, name, now_ms):
        self.note("given up")

    def note(self, *what):
        self.told.append((round(trio.current_time(), 3), *what))

    def take(self):
        told, self.told = self.told, []
        return told


class Feed:
    """The other side, by hand."""

    def __init__(self):
        self.dialled = []
        self.answering = True
        self.clogged = False
        self.stream = None

    async def open(self):
        self.dialled.append(round(trio.current_time(), 3))
        if self.answering is None:
            await trio.sleep_forever()
        if not self.answering:
            raise ConnectionRefusedError("nobody there")
        ours, self.stream = memory_stream_pair()
        self.pump = ours.send_stream.send_all_hook
        ours.send_stream.send_all_hook = self._pump
        self.decoder = Decoder()
        return ours

    async def _pump(self):
        if self.clogged:
            await trio.sleep_forever()
        await self.pump()

    async def say(self, *messages):
        await self.stream.send_all(encode_all(messages))
        await wait_all_tasks_blocked()

    async def hear(self):
        """What the task has sent meanwhile."""
        await wait_all_tasks_blocked()
        return self.decoder.feed(await self.stream.receive_some(100_000))

    async def hang_up(self):
        await self.stream.aclose()
        await wait_all_tasks_blocked()


def at(position):
    return EventOffHook(position=position, time=1.0, this_dn="7001")


def server(position):
    return EventServerConnected(position=position, switch="sw1")


@pytest.fixture
async def start(nursery):
    """Start a task with a feed and a sink; the clock starts at zero."""

    def starter(options=OPTIONS, **more):
        feed, sink = Feed(), Recording()
        task = FeedTask(options, sink, Clock(EPOCH), feed.open, **more)
        nursery.start_soon(task.run)
        return task, feed, sink

    return starter


async def register(feed, sink, position=5, after=None, resumed=False):
    assert await feed.hear() == [RegisterClient(ApplicationName="app", after=after)]
    await feed.say(server(position))
    assert await feed.hear() == [RegisterAll()]
    told = [what for _, *what in sink.take()]
    if resumed:
        assert told == [["connected", True]]
    else:
        assert told[-2:] == [["connected", False], ["apply", "EventServerConnected", position]]


async def test_events_come_through(autojump_clock, start):
    task, feed, sink = start()
    await register(feed, sink)
    assert task.connected
    assert task.last_connected() == 0
    await feed.say(at(6), at(7))
    assert sink.take() == [(0, "apply", "EventOffHook", 6), (0, "apply", "EventOffHook", 7)]
    assert task.session.after == 7


async def test_back_in_time_and_resumed(autojump_clock, start):
    task, feed, sink = start()
    await register(feed, sink)
    await trio.sleep(60)
    await feed.hang_up()
    assert sink.take() == [(60, "lost", "closed by the feed")]
    assert not task.connected
    await trio.sleep(0.5)
    assert task.last_connected() == 0.5
    assert await feed.hear() == [RegisterClient(ApplicationName="app", after=5)]
    await feed.say(at(6), server(6))
    assert sink.take() == [(60.5, "apply", "EventOffHook", 6), (60.5, "connected", True)]
    await trio.sleep(100)
    assert sink.take() == [], "nothing expires while we are connected"


async def test_back_in_time_with_a_hole(autojump_clock, start):
    gaps = []
    _, feed, sink = start(on_gap=lambda *gap: gaps.append(gap))
    await register(feed, sink)
    await trio.sleep(60)
    await feed.hang_up()
    await trio.sleep(0.5)
    await feed.hear()
    await feed.say(server(9))
    assert [what for _, *what in sink.take()] == [
        ["lost", "closed by the feed"],
        ["given up"],
        ["connected", False],
        ["apply", "EventServerConnected", 9],
    ]
    assert gaps == [("ts1", 5, 10)]


async def test_away_for_too_long(autojump_clock, start):
    task, feed, sink = start()
    await register(feed, sink)
    await trio.sleep(60)
    feed.answering = False
    await feed.hang_up()
    await trio.sleep(30)
    assert sink.take() == [
        (60, "lost", "closed by the feed"),
        (65, "given up"),
    ]
    assert task.session.after is None
    feed.answering = True
    await trio.sleep(3)
    await register(feed, sink, position=77)


async def test_a_feed_that_accepts_and_leaves_is_away(autojump_clock, start):
    _, feed, sink = start()
    await register(feed, sink)
    await trio.sleep(60)
    await feed.hang_up()
    for _ in range(4):
        await feed.hear()
        await feed.hang_up()
        await trio.sleep(3)
    assert [what for _, *what in sink.take()] == [
        ["lost", "closed by the feed"],
        ["given up"],
    ]


async def test_a_feed_that_never_was_cannot_be_lost(autojump_clock, start):
    _, feed, sink = start()
    feed.answering = False
    await trio.sleep(100)
    assert sink.take() == []
    assert feed.dialled[:4] == [0, 3, 6, 9]


async def test_a_dial_that_hangs_is_given_up(autojump_clock, start):
    _, feed, _ = start()
    feed.answering = None
    await trio.sleep(21)
    assert feed.dialled == [0, 5, 10, 15, 20]


async def test_the_log_complains_once_per_outage(autojump_clock, start, caplog):
    _, feed, sink = start()
    feed.answering = False
    await trio.sleep(20)
    feed.answering = True
    await trio.sleep(3)
    await register(feed, sink)
    feed.answering = False
    await feed.hang_up()
    await trio.sleep(20)
    complaints = [r.message for r in caplog.records if "cannot be reached" in r.message]
    assert complaints == ["feed ts1 cannot be reached: nobody there"] * 2


async def test_no_answer_to_the_registration(autojump_clock, start):
    _, feed, sink = start()
    await feed.hear()
    await trio.sleep(5.5)
    assert feed.dialled == [0, 5]
    assert sink.take() == [], "it was never there"


async def test_a_silent_feed_is_polled_and_left(autojump_clock, start):
    _, feed, sink = start(FeedOptions(name="ts1", application="app", keepalive=2))
    await register(feed, sink)
    await trio.sleep(2)
    assert await feed.hear() == [PollRequest(n=1)]
    await feed.say(PollReply(n=1))
    await trio.sleep(1.9)
    assert sink.take() == []
    await trio.sleep(2.2)
    [(when, what, reason)] = sink.take()
    assert (when, what) == (6, "lost")
    assert "no sound" in reason


async def test_polls_are_answered(autojump_clock, start):
    _, feed, sink = start()
    await register(feed, sink)
    await feed.say(PollRequest(n=9))
    assert await feed.hear() == [PollReply(n=9)]


async def test_a_feed_that_does_not_read_is_left(autojump_clock, start, monkeypatch):
    monkeypatch.setattr(feed_task, "OUTBOX_CHUNKS_MAX", 2)
    _, feed, sink = start()
    await register(feed, sink)
    feed.clogged = True
    for n in range(4):  # one in the writer's hands, two in the queue
        await feed.say(PollRequest(n=n))
    assert [what for _, *what in sink.take()] == [["lost", "the feed does not read our requests"]]


async def test_bad_lines_are_logged_once_per_kind(autojump_clock, start, caplog):
    caplog.set_level(logging.WARNING)
    task, feed, sink = start()
    await register(feed, sink)
    await feed.stream.send_all(b"oops\nagain\n")
    await feed.say(at(6))
    assert sink.take() == [(0, "apply", "EventOffHook", 6)]
    assert len([r for r in caplog.records if "skipping" in r.message]) == 1
    assert sum(task.session.skipped.values()) == 2


async def test_a_bug_in_the_sink_gets_out(autojump_clock):
    class Broken(Recording):
        def source_connected(self, name, resumed, position):
            raise ZeroDivisionError

    feed = Feed()
    with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(FeedTask(OPTIONS, Broken(), Clock(EPOCH), feed.open).run)
            await feed.hear()
            await feed.say(server(5))


async def test_stopping_closes_the_stream(autojump_clock):
    feed, sink = Feed(), Recording()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(FeedTask(OPTIONS, sink, Clock(EPOCH), feed.open).run)
        await register(feed, sink)
        nursery.cancel_scope.cancel()
    assert await feed.stream.receive_some(10) == b""
    assert "given up" not in str(sink.told)
