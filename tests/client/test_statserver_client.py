"""The client, over memory streams, against our own server and against things that are none."""

from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import memory_stream_pair, wait_all_tasks_blocked

from statserver_trio.api import messages as m
from statserver_trio.client import (
    ConnectionLost,
    Refused,
    connect_over,
    open_statserver,
    parse_url,
)
from statserver_trio.client import statserver as statserver_module
from statserver_trio.client.liveness import ALONE_SECONDS, hang_up_on_silence
from statserver_trio.model.directory import DN, Directory, DNKey
from statserver_trio.server.client_task import ClientServer
from statserver_trio.server.clock import Clock
from statserver_trio.server.hub import Hub
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_ranges import parse_time_range
from statserver_trio.stats.engine import Engine
from statserver_trio.tlib.events import EventLinkConnected, EventQueued, EventServerConnected

WHERE = parse_url("ws://x:7100/")
WAITING = "Queue:8001@sw1:Waiting"


def new_hub():
    options = {
        "Objects": "Queue",
        "Category": "CurrentNumber",
        "Subject": "DNAction",
        "MainMask": "CallWait",
    }
    factor = {**options, "Category": "ServiceFactor1", "MainMask": "CallAnswered"}
    queue = DNKey("8001", "sw1")
    engine = Engine(
        Definitions(
            stat_types={
                "Waiting": parse_stat_type("Waiting", options),
                "Factor": parse_stat_type("Factor", factor),
            },
            time_ranges={"R": parse_time_range("R", "0-5")},
        ),
        Directory(dns={queue: DN(queue, "Queue")}),
    )
    engine.add_source("ts1", "sw1")
    hub = Hub(engine, Clock(1_700_000_000))
    hub.apply("ts1", [EventServerConnected(), EventLinkConnected()], hub.clock.now_ms())
    return hub


def queue_up(hub, conn_id):
    event = EventQueued(this_dn="8001", conn_id=conn_id, call_type="Inbound")
    hub.apply("ts1", [event], hub.clock.now_ms())


@asynccontextmanager
async def connected(hub):
    ours, theirs = memory_stream_pair()
    server = ClientServer(hub)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.handle, theirs)
        async with connect_over(ours, WHERE) as stats:
            yield stats
    assert server.connections == 0


async def next_value(stats):
    while True:
        update = await anext(stats)
        if isinstance(update.event, m.Info):
            return str(update.statistic), update.value


async def test_values_come_as_they_change(autojump_clock):
    hub = new_hub()
    async with connected(hub) as stats:
        waiting = await stats.open(WAITING)
        assert await next_value(stats) == (WAITING, 0)
        assert stats.mode.role == "primary"
        queue_up(hub, "c1")
        assert await next_value(stats) == (WAITING, 1)
        assert waiting.value == 1
        queue_up(hub, "c2")
        assert (await stats.peek(waiting)).value == 2
        assert (await stats.explain(waiting)).definition["statisticType"] == "Waiting"
        names = [item["name"] for item in await stats.profile("StatTypes")]
        assert names == ["Waiting", "Factor"]
        hub.source_lost("ts1")
        while waiting.is_valid:
            await anext(stats)
        await stats.close(waiting)
        assert not hub.engine.statistics
        with pytest.raises(Refused, match="statisticId"):
            await stats.peek(waiting)


async def test_two_ranges_travel(autojump_clock):
    hub = new_hub()
    async with connected(hub) as stats:
        for options in ("", ",range2=R", ",range=R,range2=R"):
            await stats.open(f"Queue:8001@sw1:Factor{options}")
        keys = [(key.time_range, key.time_range2) for key in hub.engine.statistics]
        assert keys == [("Default", ""), ("Default", "R"), ("R", "R")]


async def test_many_ask_at_once(autojump_clock):
    async with connected(new_hub()) as stats:
        opened = []

        async def open_one():
            opened.append(await stats.open(WAITING, mode="NoNotification"))

        async with trio.open_nursery() as nursery:
            for _ in range(500):
                nursery.start_soon(open_one)
        assert sorted(statistic.id for statistic in opened) == list(range(1, 501))


async def test_a_refusal_names_its_code(autojump_clock):
    async with connected(new_hub()) as stats:
        with pytest.raises(Refused) as caught:
            await stats.open("Queue:8001@sw1:Nope")
        assert caught.value.code == "unknown-stat-type"
        with pytest.raises(ValueError, match="two colons"):
            await stats.open("nonsense")


async def test_a_definition_that_goes_away(autojump_clock):
    hub = new_hub()
    async with connected(hub) as stats:
        waiting = await stats.open(WAITING)
        hub.close_statistics(list(hub.engine.statistics.values()), "Waiting was deleted")
        while waiting.is_valid:
            update = await anext(stats)
        assert update.event.reason == "Waiting was deleted"


async def exhaust(stats):
    async for _ in stats:
        pass


async def test_a_server_that_goes_away(autojump_clock):
    ours, theirs = memory_stream_pair()
    server = ClientServer(new_hub())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.handle, theirs)
        async with connect_over(ours, WHERE) as stats:
            waiting = await stats.open(WAITING)
            await server.drain()
            with pytest.raises(ConnectionLost, match="the server is shutting down"):
                await exhaust(stats)
            with pytest.raises(ConnectionLost, match="the server is shutting down"):
                await stats.peek(waiting)


async def test_a_question_under_way_when_the_connection_breaks(autojump_clock):
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ClientServer(new_hub()).handle, theirs)
        async with connect_over(ours, WHERE) as stats:
            await anext(stats)
            nursery.start_soon(trio.aclose_forcefully, theirs)
            with pytest.raises(ConnectionLost, match="the server closed the connection"):
                await stats.open(WAITING)


async def test_errors_of_the_block_come_out_as_they_are(autojump_clock):
    with (
        pytest.RaisesGroup(KeyError) if hasattr(pytest, "RaisesGroup") else pytest.raises(KeyError)
    ):
        async with connected(new_hub()):
            raise KeyError("ours")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "there is no Stat Server at that address"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope", "HTTP status 404: nope"),
        (b"\x00" * 5000, "there is no Stat Server at that address"),
        (b"", "no answer in time"),
    ],
)
async def test_what_is_no_stat_server(autojump_clock, answer, said):
    ours, theirs = memory_stream_pair()
    await theirs.send_all(answer)
    with pytest.raises(ConnectionLost, match=said):
        async with connect_over(ours, WHERE):
            pass


async def test_who_cannot_be_reached():
    with pytest.raises(ConnectionLost, match="failed"):
        async with open_statserver("ws://127.0.0.1:1/"):
            pass


async def test_cancelling_a_block(autojump_clock):
    with trio.move_on_after(5) as scope:
        async with connected(new_hub()) as stats:
            await stats.open(WAITING)
            while True:
                await anext(stats)
    assert scope.cancelled_caught
    await wait_all_tasks_blocked()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://h:7100/", ("h", 7100, "/", False)),
        ("wss://h", ("h", 443, "/", True)),
        ("h:7100", ("h", 7100, "/", False)),
        ("ws://[::1]:7100/x?y=1", ("::1", 7100, "/x?y=1", False)),
    ],
)
def test_urls(url, expected):
    address = parse_url(url)
    assert (address.host, address.port, address.resource, address.is_secure) == expected


@pytest.mark.parametrize(
    "url", ["", "http://h/", "ws://", "ws://h:x/", "ws://h:99999/", "ws://[::1"]
)
def test_what_is_no_url(url):
    with pytest.raises(ValueError, match="is no address of a Stat Server"):
        parse_url(url)


async def test_a_definition_of_our_own(autojump_clock):
    hub = new_hub()
    async with connected(hub) as stats:
        whose = m.ObjectRef(object_id="8001@sw1", object_type="Queue")
        mask = ["CallWait"]
        definition = m.MetricEx(category="CurrentNumber", subject="DNAction", main_mask=mask)
        await stats.open_ex(whose, definition)
        assert await next_value(stats) == ("Queue:8001@sw1:CurrentNumber(CallWait)", 0)
        queue_up(hub, "c1")
        assert (await next_value(stats))[1] == 1
        with pytest.raises(Refused, match="CallsWait"):
            await stats.open_ex(
                whose,
                m.MetricEx(category="CurrentNumber", subject="DNAction", main_mask="CallsWait"),
            )


class Swallowing:
    """A stream that takes everything and lets nothing through, once it is told to."""

    def __init__(self, stream):
        self._stream = stream
        self.swallows = False

    async def send_all(self, data):
        if not self.swallows:
            await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self):
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes=None):
        data = await self._stream.receive_some(max_bytes)
        if self.swallows:
            await trio.sleep_forever()
        return data

    async def aclose(self):
        await self._stream.aclose()


@asynccontextmanager
async def over_a_line(hub):
    ours, theirs = memory_stream_pair()
    line = Swallowing(ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ClientServer(hub).handle, theirs)
        async with connect_over(line, WHERE) as stats:
            yield line, stats
        nursery.cancel_scope.cancel()


async def test_a_connection_that_swallows_everything_is_lost(autojump_clock):
    async with over_a_line(new_hub()) as (line, stats):
        waiting = await stats.open(WAITING)
        assert await next_value(stats) == (WAITING, 0)
        line.swallows = True
        with trio.fail_after(2 * ALONE_SECONDS + 0.1), pytest.raises(ConnectionLost, match="10 s"):
            await next_value(stats)
        with pytest.raises(ConnectionLost, match="it has said nothing"):
            await stats.peek(waiting)


async def test_silence_alone_is_no_loss(autojump_clock):
    hub = new_hub()
    async with connected(hub) as stats:
        await stats.open(WAITING)
        await next_value(stats)
        await trio.sleep(3600)
        queue_up(hub, "c1")
        assert await next_value(stats) == (WAITING, 1)


async def test_who_does_not_iterate_asks_nothing_and_is_not_lost(autojump_clock, monkeypatch):
    monkeypatch.setattr(statserver_module, "UNREAD_EVENTS_PAUSE", 10)
    hub = new_hub()
    async with over_a_line(hub) as (line, stats):
        waiting = await stats.open(WAITING)
        for number in range(50):
            queue_up(hub, f"c{number}")
            await trio.sleep(0.01)
        before = hub.traffic().requests
        await trio.sleep(3600)
        assert hub.traffic().requests == before
        assert (await stats.peek(waiting)).value == 50
        line.swallows = True
        with trio.fail_after(3 * ALONE_SECONDS), pytest.raises(ConnectionLost, match="nothing"):
            await stats.peek(waiting)  # who waits for an answer listens


class Mute:
    """A server that never answers."""

    heard_at = 0.0
    is_read = True
    asked = 0
    lost = ""

    async def ask_mode(self):
        self.asked += 1
        await trio.sleep_forever()

    def lose(self, why):
        self.lost = why


async def test_a_program_that_was_held_up_blames_nobody(mock_clock):
    server = Mute()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hang_up_on_silence, server, 5)
        for seconds, asked in ((5, 1), (100, 2), (5, 2)):
            assert not server.lost
            mock_clock.jump(seconds)  # nothing of ours has run meanwhile
            await wait_all_tasks_blocked()
            assert server.asked == asked
    assert server.lost == "it has said nothing for 10 s"
