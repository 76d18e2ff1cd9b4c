"""``statserver top``: what it makes of what servers say, how it looks, and as a real program."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from io import StringIO
from typing import Any

import pytest
import trio
from rich.console import Console
from test_watch import lines_of, new_hub, queue_up, serve

from statserver_trio.api import messages as m
from statserver_trio.api.open_spec import inline_request
from statserver_trio.client import OpenStatistic, Reach, Update
from statserver_trio.commands.keys import keys_in
from statserver_trio.commands.top_board import (
    AGENT_METRICS,
    METRICS,
    QUEUE_METRICS,
    QUEUES_MAX,
    Board,
    Rate,
    members_shown,
)
from statserver_trio.commands.top_screen import View, screen

A, B = "ws://a:7100/", "ws://b:7100/"
NOW = 1_700_000_000.0
BOTH = [Reach(A, True, ""), Reach(B, True, "")]
TOP = [sys.executable, "-m", "statserver_trio", "top"]


def said(object_type: str, object_id: str, name: str, event: m.Event) -> Update:
    whose = m.ObjectRef(object_id=object_id, object_type=object_type)
    metric = METRICS[object_type][name]
    return Update(event, OpenStatistic(inline_request(whose, metric), metric))


def info(value: Any, time: float = NOW, complete: bool = True) -> m.Info:
    return m.Info(
        reference_id=1, statistic_id=1, value=value, time=time, interval=1.0, complete=complete
    )


def invalid(reason: str) -> m.StatisticInvalid:
    return m.StatisticInvalid(reference_id=1, statistic_id=1, reason=reason)


def a_board(queues: int = 1, agents: int = 1) -> Board:
    board = Board()
    items = [{"objectType": "Queue", "objectId": f"{8001 + n}@sw1"} for n in range(queues)]
    items += [{"objectType": "Agent", "objectId": f"a{n + 1}"} for n in range(agents)]
    board.objects([*items, {"objectType": "Tenant", "objectId": "Environment"}])
    for n in range(queues):
        for number, name in enumerate(QUEUE_METRICS):
            board.take(said("Queue", f"{8001 + n}@sw1", name, info(number + n)), NOW)
    for n in range(agents):
        state = {"status": "NotReadyForNextCall", "time": NOW - n, "reasons": {"ReasonCode": "X"}}
        board.take(said("Agent", f"a{n + 1}", "state", info(state)), NOW)
        board.take(said("Agent", f"a{n + 1}", "calls", info(n)), NOW)
    return board


def shown(board: Board, now: float = NOW, pair: Any = ()) -> Any:
    return board.snapshot(list(pair), now)


# -- what it amounts to --------------------------------------------------------------------------


def test_a_snapshot_holds_what_was_said() -> None:
    snapshot = shown(a_board(), NOW + 5)
    assert snapshot["queues"] == [
        {
            "objectId": "8001@sw1",
            "waiting": 0,
            "longestWait": 1,
            "serviceLevel": 2,
            "answered": 3,
            "abandoned": 4,
            "complete": True,
            "age": None,
            "ageAtLeast": False,
            "ageReason": "",
        }
    ]
    (agent,) = snapshot["agents"]
    assert agent["state"] == "NotReadyForNextCall"
    assert (agent["reason"], agent["timeInState"], agent["calls"]) == ("X", 5.0, 0)
    json.dumps(snapshot)


def test_time_in_state_goes_by_the_clock_of_the_source() -> None:
    board = a_board(queues=0)
    state = {"status": "CallInbound", "time": NOW - 100}
    board.take(said("Agent", "a1", "state", info(state, NOW - 90)), NOW)
    assert shown(board, NOW + 2)["agents"][0]["timeInState"] == 12.0


def test_a_level_of_no_calls_is_none() -> None:
    board = a_board()
    for name in ("answered", "abandoned"):
        board.take(said("Queue", "8001@sw1", name, info(0)), NOW)
    assert shown(board)["queues"][0]["serviceLevel"] is None


def test_what_nobody_can_vouch_for_grows_old() -> None:
    board = a_board()
    board.take(said("Queue", "8001@sw1", "waiting", invalid("ts1 is away")), NOW + 5)
    board.take(said("Queue", "8001@sw1", "answered", invalid("ts1 is away")), NOW + 8)
    queue = shown(board, NOW + 12)["queues"][0]
    assert (queue["age"], queue["ageAtLeast"], queue["ageReason"]) == (7.0, False, "ts1 is away")
    assert shown(board, NOW + 12)["agents"][0]["age"] is None
    valid = m.StatisticValid(reference_id=1, statistic_id=1, reason="")
    board.take(said("Queue", "8001@sw1", "waiting", valid), NOW + 13)
    assert shown(board, NOW + 13)["queues"][0]["age"] is not None
    board.take(said("Queue", "8001@sw1", "answered", valid), NOW + 13)
    assert shown(board, NOW + 13)["queues"][0]["age"] is None


def test_everything_grows_old_while_nobody_can_be_reached() -> None:
    board = a_board()
    board.reached([Reach(A, False, "gone"), BOTH[1]], NOW)
    assert shown(board, NOW + 1)["agents"][0]["age"] is None
    board.reached([Reach(A, False, "gone"), Reach(B, False, "gone")], NOW + 2)
    board.reached([Reach(A, False, "gone"), Reach(B, False, "gone")], NOW + 9)
    agent = shown(board, NOW + 9)["agents"][0]
    assert (agent["age"], agent["timeInState"]) == (7.0, 2.0), "it is as it was then"
    board.reached(BOTH, NOW + 10)
    assert shown(board, NOW + 10)["agents"][0]["age"] is None


def test_what_is_missed_is_marked_until_it_is_not() -> None:
    board = a_board()
    board.take(said("Queue", "8001@sw1", "answered", info(7, complete=False)), NOW)
    assert not shown(board)["queues"][0]["complete"]
    board.take(said("Queue", "8001@sw1", "answered", info(0)), NOW)
    assert shown(board)["queues"][0]["complete"]


def test_what_is_closed_is_opened_again_if_it_is_still_there() -> None:
    board = a_board()
    item = {"objectType": "Agent", "objectId": "a1"}
    assert board.objects([item]) == []
    closed = m.StatisticClosed(reference_id=1, statistic_id=1, reason="deleted")
    board.take(said("Agent", "a1", "state", closed), NOW)
    assert shown(board)["agents"] == []
    assert len(board.objects([item])) == len(AGENT_METRICS)
    assert not board.is_filled


def test_what_is_refused_is_not_waited_for() -> None:
    board = Board()
    assert not board.is_filled
    for wish in board.objects([{"objectType": "Queue", "objectId": "8001@sw1"}]):
        assert not board.is_filled
        board.refused(wish)
    assert board.is_filled


def test_there_is_a_limit_and_it_is_told() -> None:
    board = Board()
    items = [{"objectType": "Queue", "objectId": f"q{n}"} for n in range(QUEUES_MAX + 7)]
    assert len(board.objects(items)) == QUEUES_MAX * len(QUEUE_METRICS)
    assert shown(board)["omitted"] == {"queues": 7, "agents": 0}


def test_rates() -> None:
    rate = Rate()
    assert rate.count(100, 0.0) is None
    assert [rate.count(100 + 10 * n, float(n)) for n in range(1, 20)] == [10.0] * 19
    assert rate.count(290, 24.0) == pytest.approx(0.0)
    assert rate.count(5, 25.0) is None, "another one counts now"
    board = a_board(queues=0)
    for seconds in (0, 1, 2):
        board.positions({"ts1": 1000 + 12 * seconds, "pbx": [seconds, 0]}, NOW + seconds)
        rates = shown(board, NOW + seconds)["rates"]
    assert rates == {"valuesPerSecond": 0.0, "eventsPerSecond": 12.0}


def test_the_pair() -> None:
    mode = m.ServerMode(role="backup", peer=A, synchronised=True)
    members = [Reach(A, False, "reset"), BOTH[1]]
    one, other = members_shown(members, {B: mode}, {B: 60})
    assert (one["reachable"], one["reason"], one["role"], one["delivers"]) == (
        False,
        "reset",
        None,
        0,
    )
    assert (other["role"], other["synchronised"], other["peer"]) == ("backup", True, A)


# -- how it looks --------------------------------------------------------------------------


def text_of(snapshot: Any, view: View, width: int = 80, height: int = 24) -> list[str]:
    console = Console(record=True, width=width, file=StringIO())
    console.print(screen(snapshot, view, height))
    return console.export_text().splitlines()


def pair_of_two() -> Any:
    mode = m.ServerMode(role="primary", peer=B, synchronised=True)
    return members_shown(BOTH, {A: mode, B: mode}, {A: 60})


def test_it_fits_a_small_terminal() -> None:
    board = a_board(queues=30, agents=500)
    board.take(said("Queue", "8002@sw1", "waiting", invalid("T-Server ts1 is away")), NOW)
    view = View()
    snapshot = shown(board, NOW + 12, pair_of_two())
    lines = text_of(snapshot, view)
    assert len(lines) == 24
    assert all(len(line) <= 80 for line in lines)
    assert "T-Server ts1 is away: 1 rows, >12 s old" in lines[3], "it was away when we came"
    assert re.search(r"^8002@sw1 .* >12 s old", lines[6])
    assert "queues 1-8/30, agents 1-9/500" in lines[-1]
    for _ in range(100):
        view.press("j")
    assert "queues 25-30/30, agents 496-500/500" in text_of(snapshot, view)[-1]
    view.press("k")
    assert "queues 25-30/30, agents 487-495/500" in text_of(snapshot, view)[-1]


def test_what_operators_are_told() -> None:
    def status(connected: bool, gaps: int) -> Any:
        gone = {"repaired": 1, "open": gaps}
        facts = {"connected": connected, "position": 88, "clockOffset": 0.0, "gaps": gone}
        return {"sources": [{"name": "ts1", **facts}]}

    board = a_board()
    board.statuses = {
        "http://a/": status(True, 2),
        "http://b/": status(False, 0),
        "http://c/": None,
    }
    lines = text_of(shown(board), View())
    assert lines[1] == "T-Servers:  ts1 at 88 with 2 holes / not connected"


def first_column(lines: list[str], heading: str) -> list[str]:
    names = [line.split()[0] if line.split() else "" for line in lines]
    return names[names.index(heading) + 1 :]


def test_orders() -> None:
    snapshot = shown(a_board(queues=3, agents=12))
    view = View()
    assert first_column(text_of(snapshot, view, height=40), "agent")[1:3] == ["a2", "a3"]
    for key, first in (("w", "8003@sw1"), ("v", "8001@sw1"), ("l", "8003@sw1"), ("b", "8003@sw1")):
        assert view.press(key)
        assert first_column(text_of(snapshot, view, height=40), "queue")[0] == first
    for key, first in (("t", "a12"), ("n", "a1"), ("c", "a12"), ("s", "a12"), ("x", "a12")):
        assert view.press(key)
        assert first_column(text_of(snapshot, view, height=40), "agent")[0] == first
    assert not view.press("q")


def test_a_filter() -> None:
    snapshot = shown(a_board(queues=3, agents=12))
    view = View()
    for key in keys_in("/A1q\x7f"):
        assert view.press(key), "while it is typed no key ends it"
    assert text_of(snapshot, view)[-1].startswith("filter: A1_")
    view.press("enter")
    lines = text_of(snapshot, view)
    assert first_column(lines, "agent")[:4] == ["a1", "a10", "a11", "a12"]
    assert first_column(lines, "queue")[0] == "agent"
    view.press("escape")
    assert len(text_of(snapshot, view, height=60)) > len(lines)
    for key in keys_in("/" + "x" * 100):
        view.press(key)
    assert len(view.wanted) == 40


def test_keys() -> None:
    assert list(keys_in("q\x1b[A\x1b[6~\x1b\r\x7f\x1b[99;99Z\x00é")) == [
        *("q", "up", "page down", "escape", "enter", "backspace", "é"),
    ]


# -- as a program --------------------------------------------------------------------------


async def test_once_as_json(nursery: trio.Nursery) -> None:
    hub = new_hub()
    queue_up(hub, "c1")
    url, _ = await serve(nursery, hub)
    done = await trio.run_process([*TOP, url, "--once", "--json"], capture_stdout=True)
    (snapshot,) = map(json.loads, done.stdout.splitlines())
    assert [each["waiting"] for each in snapshot["queues"]] == [1]
    assert snapshot["pair"][0]["delivers"] == len(QUEUE_METRICS)
    done = await trio.run_process([*TOP, url, "--once"], capture_stdout=True)
    assert re.search(r"8001@sw1 +1 ", done.stdout.decode())


async def test_a_line_for_each_look(nursery: trio.Nursery) -> None:
    hub = new_hub()
    url, _ = await serve(nursery, hub)
    process = await trio.lowlevel.open_process(
        [*TOP, url, "--interval", "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    waiting: list[int | None] = []
    lines = lines_of(process)
    while not waiting or waiting[-1] != 1:
        snapshot = await anext(lines)
        waiting += [queue["waiting"] for queue in snapshot["queues"]]
        if waiting.count(0) == 1 and waiting[-1] == 0:
            queue_up(hub, "c1")
    process.terminate()
    assert await process.wait() == 0
    await lines.aclose()
    await process.stdout.aclose()
    await process.stderr.aclose()


async def test_whoever_reads_has_enough(nursery: trio.Nursery) -> None:
    """As with ``| head -1``."""
    url, _ = await serve(nursery, new_hub())
    command = f"{' '.join(TOP)} {url} --interval 0.1 | head -1"
    done = await trio.run_process(["sh", "-c", command], capture_stdout=True, capture_stderr=True)
    assert (done.stdout.count(b"\n"), done.stderr) == (1, b"")


async def test_on_a_terminal(nursery: trio.Nursery) -> None:
    """A real one, of 80 columns and 24 lines; the server dies, and q ends it."""
    url, scope = await serve(nursery, new_hub())
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = await trio.lowlevel.open_process(
        [*TOP, url, "--interval", "0.1"],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
    )
    os.close(theirs)
    seen = ""

    async def until(pattern: str) -> None:
        nonlocal seen
        while not re.search(pattern, seen):
            await trio.lowlevel.wait_readable(ours)
            seen += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", os.read(ours, 65536).decode())

    try:
        await until(r"8001@sw1 +0 ")
        scope.cancel()
        await until(r"nobody can be reached: 1 rows, \d+ s old")
        os.write(ours, b"/nothing\r")
        await until(r"filter 'nothing'")
        os.write(ours, b"q")
        assert await process.wait() == 0
    finally:
        process.kill()
        os.close(ours)
