"""``statserver watch``: against real servers on loopback ports, and without any."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime
from io import StringIO

import pytest
import trio
from click.testing import CliRunner
from rich.console import Console

from statserver_trio.api import messages as m
from statserver_trio.api.open_spec import parse_open
from statserver_trio.client import OpenStatistic, Reach, Update
from statserver_trio.commands import watch, watch_screens
from statserver_trio.commands.main import main
from statserver_trio.commands.output import failure_of
from statserver_trio.model.directory import DN, Directory, DNKey
from statserver_trio.server.client_task import ClientServer
from statserver_trio.server.clock import Clock
from statserver_trio.server.hub import Hub
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.engine import Engine
from statserver_trio.tlib.events import EventLinkConnected, EventQueued, EventServerConnected

HOST = "127.0.0.1"
WAITING = "Queue:8001@sw1:Waiting"


def stat_type(name, category, mask):
    options = {
        "Objects": "Queue",
        "Category": category,
        "Subject": "DNAction",
        "MainMask": mask,
    }
    return parse_stat_type(name, options)


def new_hub():
    stat_types = [
        stat_type("Waiting", "CurrentNumber", "CallWait"),
        stat_type("Entered", "TotalNumber", "CallEntered"),
    ]
    queue = DNKey("8001", "sw1")
    engine = Engine(
        Definitions(stat_types={each.name: each for each in stat_types}),
        Directory(dns={queue: DN(queue, "Queue")}),
    )
    engine.add_source("ts1", "sw1")
    hub = Hub(engine, Clock.system())
    hub.apply("ts1", [EventServerConnected(), EventLinkConnected()], hub.clock.now_ms())
    return hub


def queue_up(hub, conn_id):
    event = EventQueued(this_dn="8001", conn_id=conn_id, call_type="Inbound")
    hub.apply("ts1", [event], hub.clock.now_ms())


async def serve(nursery, hub):
    """A server on a free port; its URL, and the scope that ends it."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    scope = await nursery.start(_serve, hub, listeners)
    return f"ws://127.0.0.1:{listeners[0].socket.getsockname()[1]}/", scope


async def _serve(hub, listeners, task_status):
    with trio.CancelScope() as scope:
        task_status.started(scope)
        await ClientServer(hub).run(listeners)


async def lines_of(process):
    rest = b""
    async for data in process.stdout:
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield json.loads(line)


async def start(*arguments):
    command = [sys.executable, "-c", "from statserver_trio.commands.main import main; main()"]
    return await trio.lowlevel.open_process(
        [*command, "watch", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "COLUMNS": "100"},
    )


async def test_values_as_json_lines_until_ctrl_c(nursery):
    hub = new_hub()
    url, _ = await serve(nursery, hub)
    process = await start("ws://127.0.0.1:1/", url, "--json", "--open", WAITING)
    lines = lines_of(process)
    first = await anext(lines)
    assert first.pop("time") > 1_600_000_000
    assert first == {
        "objectType": "Queue",
        "objectId": "8001@sw1",
        "statisticType": "Waiting",
        "timeProfile": None,
        "timeRange": None,
        "timeRange2": None,
        "filter": None,
        "value": 0,
        "interval": 0.0,
        "complete": True,
    }
    queue_up(hub, "c1")
    assert (await anext(lines))["value"] == 1
    hub.source_lost("ts1")
    invalid = await anext(lines)
    assert (invalid["event"], invalid["reason"]) == (
        "StatisticInvalid",
        "T-Server ts1 is not connected",
    )
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
    (note,) = (await process.stderr.receive_some()).splitlines()
    note = json.loads(note)
    assert note.pop("reason").startswith("all attempts to connect")
    assert note == {"event": "MemberLost", "url": "ws://127.0.0.1:1/", "reachable": [url]}
    await lines.aclose()
    await process.stdout.aclose()
    await process.stderr.aclose()


class Seen(watch_screens.Screen):
    """A screen that remembers, and does something at each value."""

    def __init__(self, then):
        self.heard = []
        self.then = then
        self.lost = trio.Event()

    def reached(self, member, reachable):
        self.heard.append((member.url, member.is_there))
        if not member.is_there:
            self.lost.set()

    def show(self, update):
        if isinstance(update.event, m.Info):
            self.heard.append(update.value)
            self.then(update.value)
            return True
        return False


def wanted(*opens, count=None, mode="ChangesBased"):
    return watch.Wanted(tuple(map(parse_open, opens)), mode, 1, 0.0, count)


async def test_a_change_is_told_once_and_a_death_is_one_line(nursery):
    one, other = new_hub(), new_hub()
    url, scope = await serve(nursery, one)
    other_url, _ = await serve(nursery, other)

    def then(value):
        if value == 0:
            both_hear("c1")
        elif value == 1:
            scope.cancel()
        elif value == 2:
            both_hear("c3")

    def both_hear(conn_id):
        now = one.clock.now_ms()
        event = EventQueued(time=now / 1000, this_dn="8001", conn_id=conn_id, call_type="Inbound")
        for hub in (one, other):
            hub.apply("ts1", [event], now)

    screen = Seen(then)
    async with trio.open_nursery() as inner:
        inner.start_soon(watch._watch, [url, other_url], wanted(WAITING, count=4), screen)
        await screen.lost.wait()
        both_hear("c2")
    assert sorted(screen.heard[:2]) == sorted([(url, True), (other_url, True)])
    values = [each for each in screen.heard if isinstance(each, int)]
    assert values == [0, 1, 2, 3]
    assert [each for each in screen.heard[2:] if each not in values] == [(url, False)]


async def test_a_server_that_stands_alone_is_dialled_again(nursery):
    hub = new_hub()
    url, scope = await serve(nursery, hub)
    screen = Seen(lambda value: scope.cancel())
    async with trio.open_nursery() as inner:
        inner.start_soon(watch._watch, [url], wanted(WAITING, count=2), screen)
        await screen.lost.wait()
        queue_up(hub, "c1")
        listeners = await trio.open_tcp_listeners(int(url[:-1].rpartition(":")[2]), host=HOST)
        again = await nursery.start(_serve, hub, listeners)
    assert screen.heard == [(url, True), 0, (url, False), (url, True), 1]
    again.cancel()


async def test_a_refusal_names_the_statistic(nursery):
    url, _ = await serve(nursery, new_hub())
    with pytest.raises(ExceptionGroup) as caught:
        await watch._watch([url], wanted("Queue:8001@sw1:Nope"), Seen(None))
    failure = failure_of(caught.value)
    assert failure.code == "unknown-stat-type"
    assert str(failure).startswith("Queue:8001@sw1:Nope: metric.statisticType")
    assert str(failure).endswith("(unknown-stat-type)")


def run(*arguments):
    return CliRunner().invoke(main, ["watch", *arguments])


def test_nobody_answers():
    result = run("127.0.0.1:1", "ws://127.0.0.1:2/", "--open", WAITING)
    assert result.exit_code == 1
    assert result.output.startswith("Error: No server can be reached (127.0.0.1:1: all attempts")
    assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--open", WAITING], "Missing argument 'URL...'"),
        (["h:1"], "Missing option '--open'"),
        (["http://h", "--open", WAITING], "'http://h' is no address of a Stat Server"),
        (["h:1", "--open", "Queue"], "'Queue' needs two colons"),
        (["h:1", "--open", WAITING, "--mode", "TimeBased", "--frequency", "0"], "1 or more"),
    ],
)
def test_wrong_usage(arguments, complaint):
    result = run(*arguments)
    assert result.exit_code == 2
    assert complaint in result.output


def test_an_error_for_a_program():
    result = CliRunner().invoke(main, ["watch", "127.0.0.1:1", "--json", "--open", WAITING])
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    error = json.loads(line)["error"]
    assert error["message"].startswith("No server can be reached (127.0.0.1:1: all attempts")
    assert (error["code"], error["exitCode"]) == ("runtime", 1)


# -- the table on a terminal -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (33.333333, "33.33"),
        (50.0, "50"),
        ("Ready", "Ready"),
        ({"status": "WaitForNextCall", "dns": []}, "WaitForNextCall"),
        ({"members": [{"status": "A"}, {"status": "B"}, {"status": "A"}]}, "2 A, 1 B"),
        ({"members": []}, "-"),
        ({"gold": 1, "": 2.5}, "gold: 1, -: 2.5"),
        ({"Sales": [1]}, '{"Sales": [1]}'),
    ],
)
def test_how_a_value_is_written(value, text):
    assert watch_screens.written(value) == text


def info(value, time=0.0):
    return m.Info(
        reference_id=1, statistic_id=1, value=value, time=time, interval=0.0, complete=True
    )


def test_the_board():
    requests = [parse_open(WAITING), parse_open(f"{WAITING},profile=P,range=0-20")]
    console = Console(record=True, width=100, force_terminal=True, file=StringIO())
    board = watch_screens.Board(requests, console)
    with board:
        board.reached(Reach("ws://h:1/", True, ""), ["ws://h:1/"])
        opened = OpenStatistic(requests[1], id=1)
        assert board.show(Update(info(42), opened))
        assert not board.show(Update(m.error("limit", "x")))
    text = console.export_text()
    assert "ws://h:1/" in text
    assert re.search(r"Queue 8001@sw1 +Waiting +-", text)
    assert re.search(r"Queue 8001@sw1 +Waiting P 0-20 +42 +\d\d:\d\d:\d\d", text)
    board.reached(Reach("ws://h:1/", False, "gone"), ["ws://i:1/"])
    assert board.table().title == "ws://h:1/: gone; ws://i:1/ goes on"
    board.reached(Reach("ws://h:1/", True, ""), ["ws://h:1/", "ws://i:1/"])
    assert board.table().title == "ws://h:1/ and ws://i:1/"


def test_the_board_asks_for_the_next_reset_once_until_it_has_passed():
    board = watch_screens.Board([parse_open(WAITING)], Console(file=StringIO(), width=100))
    opened = OpenStatistic(parse_open(WAITING), id=1)
    at = datetime(2026, 11, 28).timestamp()
    before = Update(info(42, at - 60), opened)
    board.show(before)
    assert board.wants_reset(before)
    board.resets_at(before, at)
    assert list(board.table().columns[-1].cells) == ["28 Nov 00:00"]
    assert not board.wants_reset(before)
    after = Update(info(0, at), opened)
    assert board.wants_reset(after)
    board.resets_at(after, None)
    assert list(board.table().columns[-1].cells) == [""]
    assert not board.wants_reset(after)


async def test_the_board_learns_the_next_reset_from_the_server(nursery):
    hub = new_hub()
    url, _ = await serve(nursery, hub)
    entered, waiting = f"{WAITING.replace('Waiting', 'Entered')},profile=Default", WAITING
    console = Console(record=True, width=120, force_terminal=True, file=StringIO())
    board = watch_screens.Board([parse_open(entered), parse_open(waiting)], console)
    await watch._watch([url], wanted(entered, waiting, count=2), board)
    text = console.export_text()
    assert re.search(r"Entered Default +0 +\d\d:\d\d:\d\d +\d\d \w+ 00:00", text)
    assert re.search(r"Waiting +0 +\d\d:\d\d:\d\d *$", text, re.MULTILINE)
