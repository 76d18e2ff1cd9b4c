"""``statserver demo``, the main job: as processes, over real sockets, for a moment."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress

import pytest
from rich.console import Console

from statserver_trio.commands.demo_board import (
    AGENTS,
    DRIFT_SECONDS,
    FORMS,
    GROUPS,
    QUEUES,
    Board,
    Cell,
    Side,
    minutes,
)

IN_STEP = {"peer": {"synchronised": True}, "session": None}
STATE = Cell("Agent", "a1", "CurrentAgentState")
CALLS = Cell("Agent", "a1", "Total_Calls_Handled")


def page_of_one(addresses: list[str]) -> str:
    """Of whichever is there first; one of the two may have been killed already."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        for address in addresses:
            with suppress(OSError), urllib.request.urlopen(address, timeout=2) as answer:
                return str(answer.read().decode())
        time.sleep(0.1)
    raise AssertionError(f"nobody answers at {addresses}")


def test_it_shows_a_pair_at_work_and_kills_its_members() -> None:
    program = [sys.executable, "-m", "statserver_trio", "demo", "--chaos", "--port", "0"]
    with subprocess.Popen(
        [*program, "--seconds", "16", "--speed", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        addresses = [word for word in demo.stdout.readline().split() if "://" in word]
        assert len(addresses) == 2
        assert "<title>Wallboard</title>" in page_of_one(addresses)
        stdout, stderr = demo.communicate(timeout=120)
    assert demo.returncode == 0, stdout + stderr
    lines = [line.split() for line in stdout.splitlines() if line.strip()]
    verdict = next(line for line in lines if line[1:2] == ["kills;"])
    assert int(verdict[0]) >= 1
    rows: dict[str, list[str]] = {}
    for line in stdout.splitlines():
        rows.setdefault(line.partition("│")[0].strip(), []).append(line)
    for name in (*(queue.partition("@")[0] for queue in QUEUES), *GROUPS, *AGENTS):
        assert len(rows[name]) == 2, "once for each member"
    for queue in QUEUES:
        entered = [int(line.split("│")[3]) for line in rows[queue.partition("@")[0]]]
        assert entered[0] == entered[1] > 0, "what was counted before the kill is still there"


def a_board() -> tuple[Board, Side, Side]:
    one, other = Side("stat-primary", "ws://a/"), Side("stat-backup", "ws://b/")
    return Board((one, other), 10), one, other


def test_the_board_without_values() -> None:
    board, one, _ = a_board()
    assert len(set(board.cells())) == 3 * 7 + 2 * 7 + 20 * 4
    board.compare(0)
    board.take(one, STATE, {"status": "CallInbound"})
    Console(quiet=True).print(board.table())
    assert board.notices == 1
    assert board.compared == 0, "nobody says that the pair is in step"


def fill(side: Side, **calls: int) -> None:
    side.status = IN_STEP
    for cell, form in FORMS.items():
        side.values[cell] = {"status": "CallInbound"} if form == "status" else 1
    side.values[CALLS] = calls["calls"]


def test_a_difference_that_lasts_is_drift() -> None:
    board, one, other = a_board()
    fill(one, calls=3)
    fill(other, calls=4)
    board.compare(0)
    board.compare(DRIFT_SECONDS)
    assert not board.drifted
    board.compare(DRIFT_SECONDS + 0.1)
    assert set(board.drifted) == {CALLS}


def test_a_difference_that_passes_is_none() -> None:
    board, one, other = a_board()
    fill(one, calls=3)
    fill(other, calls=4)
    board.compare(0)
    board.take(one, CALLS, 4)
    board.compare(2)
    board.take(one, CALLS, 5)
    board.compare(4)
    board.compare(6)
    assert not board.drifted
    other.status = None  # killed: nothing to compare with
    board.compare(100)
    assert not board.drifted


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (61.9, "1:01"), (3725, "1:02:05")])
def test_minutes(seconds: float, shown: str) -> None:
    assert minutes(seconds) == shown


def test_the_result_for_a_program() -> None:
    board, one, other = a_board()
    fill(one, calls=3)
    fill(other, calls=4)
    board.compare(0)
    board.compare(DRIFT_SECONDS + 0.1)
    result = json.loads(json.dumps(board.result()))
    named = {"objectType": "Agent", "objectId": "a1", "statisticType": "Total_Calls_Handled"}
    assert result["drifted"] == [named]
    assert [member["synchronised"] for member in result["members"]] == [True, True]
    assert {**named, "value": 4} in result["members"][1]["values"]
