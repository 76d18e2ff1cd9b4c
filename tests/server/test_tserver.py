"""The simulated T-Server: paced by the clock, served to many, and once over a real socket."""

import subprocess
import sys
from functools import partial
from random import Random

import trio
from click.testing import CliRunner
from trio.testing import memory_stream_pair, wait_all_tasks_blocked

from statserver_trio.commands.main import main
from statserver_trio.server import tserver
from statserver_trio.server.clock import Clock
from statserver_trio.server.feed_task import FeedOptions, FeedTask
from statserver_trio.server.tserver import TServer, serve_tserver
from statserver_trio.simulator.contact_centre import START, ContactCentre
from statserver_trio.tlib.codec import Decoder, RegisterAll, RegisterClient, encode_all
from statserver_trio.tlib.events import EventRegistered, EventServerConnected
from statserver_trio.tlib.recording import read

HELLO = encode_all([RegisterClient(ApplicationName="x", after=0), RegisterAll()])


def centre(start=START, **options):
    return ContactCentre(Random(1), start, **{"agents": 5, **options})


async def test_events_come_in_their_time(autojump_clock, nursery):
    server = TServer(centre(), Clock(START))
    expected = centre().advance(START + 600)
    nursery.start_soon(server.pace)
    await trio.sleep(600.5)
    assert server.feed.position >= len(expected) > 10
    client, ours = memory_stream_pair()
    nursery.start_soon(server.handle, ours)
    await client.send_all(HELLO)
    await wait_all_tasks_blocked()
    heard = Decoder().feed(await client.receive_some(10**6))
    assert heard[: len(expected)] == expected
    connected = next(m for m in heard if isinstance(m, EventServerConnected))
    assert connected.position == server.feed.position
    assert sum(isinstance(m, EventRegistered) for m in heard) == len(centre().dns)
    nursery.cancel_scope.cancel()


async def test_it_stops_after_so_many_events(autojump_clock):
    server = TServer(centre(), Clock(START))
    await server.pace(123)
    assert server.feed.position == 123
    assert server.feed.since(0)[-1].data == encode_all(centre().take(123)[-1:])


async def test_a_client_that_reads_nothing_is_let_go(autojump_clock, nursery, monkeypatch):
    monkeypatch.setattr("statserver_trio.simulator.feed_server.OUTGOING_BYTES_MAX", 50_000)
    server = TServer(centre(), Clock(START))
    client, ours = memory_stream_pair()
    ours.send_stream.send_all_hook = trio.sleep_forever
    gone = trio.Event()

    async def handle():
        await server.handle(ours)
        gone.set()

    nursery.start_soon(handle)
    await client.send_all(HELLO)
    await server.pace(500)
    with trio.fail_after(1):
        await gone.wait()
    began = trio.current_time()
    await server.drain()
    assert trio.current_time() == began, "nobody is left to wait for"


async def test_the_end_waits_for_clients_but_not_for_ever(autojump_clock, nursery):
    server = TServer(centre(), Clock(START))
    client, ours = memory_stream_pair()
    ours.send_stream.send_all_hook = partial(trio.sleep, 2)
    nursery.start_soon(server.handle, ours)
    await client.send_all(HELLO)
    await server.pace(5)
    began = trio.current_time()
    await server.drain()
    assert 0 < trio.current_time() - began <= 4
    ours.send_stream.send_all_hook = trio.sleep_forever
    await server.pace(6)
    await wait_all_tasks_blocked()
    began = trio.current_time()
    await server.drain()
    assert trio.current_time() - began == tserver.DRAIN_SECONDS
    nursery.cancel_scope.cancel()


async def test_too_many_clients(autojump_clock, nursery, monkeypatch):
    monkeypatch.setattr(tserver, "CLIENTS_MAX", 1)
    server = TServer(centre(), Clock(START))
    ends = []
    for _ in range(2):
        client, ours = memory_stream_pair()
        nursery.start_soon(server.handle, ours)
        ends.append(client)
        await wait_all_tasks_blocked()
    assert await ends[1].receive_some(10) == b""
    nursery.cancel_scope.cancel()


class Sink:
    """Counts until it has enough."""

    def __init__(self, enough):
        self.positions = []
        self.enough = enough
        self.done = trio.Event()

    def apply(self, source_name, events, now_ms):
        self.positions += [e.position for e in events if e.time is not None]
        if len(self.positions) >= self.enough:
            self.done.set()

    def source_connected(self, name, resumed, position):
        pass

    def source_given_up(self, name, now_ms):
        raise AssertionError("nothing was missed")

    def source_lost(self, name, reason):
        pass


async def test_a_feed_task_over_a_real_socket():
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    sink = Sink(50)
    feed = FeedTask(FeedOptions(name="ts1", port=port, switch="sw1"), sink, Clock.system())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_tserver, partial(centre, speed=5000), listeners)
        nursery.start_soon(feed.run)
        with trio.fail_after(10):
            await sink.done.wait()
        nursery.cancel_scope.cancel()
    first, last = sink.positions[0], sink.positions[-1]
    assert sink.positions == list(range(first, last + 1))


async def test_a_busy_port_is_said_plainly():
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    run = "from statserver_trio.commands.tserver import command; command()"
    done = await trio.run_process(
        [sys.executable, "-c", run, "--port", str(port)], check=False, capture_stderr=True
    )
    await listener.aclose()
    assert done.returncode == 75
    sentence = f"Error: Port {port} on 127.0.0.1 is in use by another program.\n"
    assert done.stderr.decode() == sentence


def test_a_recording(tmp_path):
    path = tmp_path / "x.jsonl"
    options = ["--seed", "1", "--agents", "5", "--events", "400", "--out"]
    result = CliRunner().invoke(main, ["tserver", *options, str(path)])
    assert (result.exit_code, result.output) == (0, "")
    assert list(read([path.read_bytes()])) == centre().take(400)
    assert CliRunner().invoke(main, ["tserver", *options, "-"]).stdout_bytes == path.read_bytes()


def test_a_recording_that_cannot_be_written():
    result = CliRunner().invoke(main, ["tserver", "--out", "/dev/full"])
    assert result.exit_code == 1
    assert "cannot write the recording" in result.output


def test_a_number_that_makes_no_sense():
    result = CliRunner().invoke(main, ["tserver", "--agents", "0"])
    assert result.exit_code == 2
    assert subprocess.list2cmdline(["--agents"]) in result.output
