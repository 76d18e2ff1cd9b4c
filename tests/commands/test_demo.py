"""``statserver demo``, the main job: as a process, over real sockets, for a moment."""

from __future__ import annotations

import subprocess
import sys

import pytest

from statserver_trio.commands.demo_board import AGENTS, GROUPS, QUEUES, Board, Cell, minutes


def test_it_shows_a_contact_centre_at_work() -> None:
    program = [sys.executable, "-m", "statserver_trio", "demo"]
    done = subprocess.run(
        [*program, "--seconds", "4", "--speed", "60", "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    for name in (*(queue.partition("@")[0] for queue in QUEUES), *GROUPS, *AGENTS):
        assert name in rows
    entered = [int(rows[q.partition("@")[0]].split("│")[3]) for q in QUEUES]
    assert sum(entered) > 0


def test_the_board_without_values() -> None:
    board = Board(("127.0.0.1", 7100), 10)
    cells = list(board.cells())
    assert len(cells) == len(set(cells)) == 3 * 7 + 2 * 7 + 20 * 4
    board.table()
    board.take(Cell("Agent", "a1", "CurrentAgentState"), {"status": "CallInbound"})
    board.table()
    assert board.notices == 1


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (61.9, "1:01"), (3725, "1:02:05")])
def test_minutes(seconds: float, shown: str) -> None:
    assert minutes(seconds) == shown
