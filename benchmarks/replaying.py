"""Replay: the command ``statserver replay`` over a recorded day of 2,000 agents (P9).

    python -m benchmarks replaying

The recording is the product's simulator's (:mod:`.recorded_day`). Opened are the same 26,400
statistics as in W1, and the command is run as a person does, its standard error a terminal with
the progress bar on it. Its CPU time, from its start to its end, is put in relation to what the
rate of P1, taken in the same run, would make of so many events.
"""

from __future__ import annotations

import itertools
import json
import os
import pty
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import tomli_w

from . import recorded_day, w1, w1_material
from .recorded_day import Recording
from .w1_material import Missing
from .w1_server import GOLD, KINDS, PROFILES, stat_types

SWITCH = "sw1"
W1_EVENTS = 200_000  # on which the rate of P1 is taken, the best of some rounds
ROUNDS = 2
SHORT = (recorded_day.DAY // 10, 1)
RATIO_MAX = 3.0
TERMINAL_BYTES = 4096


def configuration(folder: Path) -> Path:
    """Write the file that says what is counted."""
    tables: dict[str, Any] = {
        "server": {"name": "replay", "time-resolution": "millisecond", "time-zone": "UTC"},
        "filters": {"Gold": GOLD},
        "time-profiles": {f"{name},{kind}": text for name, (kind, text) in PROFILES.items()},
        "stat-types": stat_types(),
    }
    path = folder / "replay.toml"
    path.write_text(tomli_w.dumps(tables), encoding="utf-8")
    return path


def statistics() -> list[str]:
    """What is opened, as the command line has it."""
    whose = {"Agent": recorded_day.agents(), "Queue": recorded_day.queues(SWITCH)}
    return [
        f"{kind}:{object_id}:{metric},profile={profile}" + (",filter=Gold" if is_gold else "")
        for kind, _, types, _ in KINDS
        for profile, object_id in itertools.product(PROFILES, whose[kind])
        for metric, (_, _, is_gold) in types.items()
    ]


def replay(recording: Recording, folder: Path) -> tuple[float, float, int]:
    """Run the command; its CPU seconds, seconds on the clock, and how often it drew its bar."""
    command = [
        sys.executable, "-m", "statserver_trio", "replay", str(recording.path),
        "--config", str(configuration(folder)), "--switch", SWITCH,
        *(f"--open={each}" for each in statistics()),
    ]  # fmt: skip
    output = folder / "values.jsonl"
    ours, theirs = pty.openpty()
    drawn = _Reader(ours)
    began = time.perf_counter()
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=theirs, env=_terminal())
        os.close(theirs)
        drawn.start()
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    drawn.join()
    assert process.returncode == 0, drawn.text
    _check(output)
    return usage.ru_utime + usage.ru_stime, wall, drawn.text.count(b"replay")


def _terminal() -> dict[str, str]:
    return {**os.environ, "TERM": "xterm", "COLUMNS": "100"}


def _check(output: Path) -> None:
    """A value for each statistic, and not all of them nothing."""
    values = [json.loads(line)["value"] for line in output.open("rb")]
    assert len(values) == len(statistics()), len(values)
    assert sum(value > 0 for value in values) > len(values) / 4


class _Reader(threading.Thread):
    """Somebody who looks at the terminal, or its owner would have to wait."""

    def __init__(self, terminal: int) -> None:
        super().__init__()
        self.text = b""
        self._terminal = terminal

    def run(self) -> None:
        with os.fdopen(self._terminal, "rb", buffering=0) as terminal:
            while True:
                try:
                    data = terminal.read(TERMINAL_BYTES)
                except OSError:  # how a terminal ends
                    return
                if not data:
                    return
                self.text += data


def run(seconds: int = recorded_day.DAY, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure; what is returned is what is printed as JSON."""
    try:
        material = w1_material.make(W1_EVENTS)
    except Missing as why:
        return {"row": "replaying", "skipped": str(why)}
    recording = recorded_day.recorded(seconds)
    work = w1.batches(material.lines)
    rates, found = [], []
    with tempfile.TemporaryDirectory(prefix="replaying-") as folder:
        for _ in range(rounds):
            rates.append(material.events / w1.in_memory(work).cpu)
            found.append(replay(recording, Path(folder)))
    cpu, wall, drawn = min(found)
    rate = max(rates)
    return {
        "row": "replaying",
        "hours": seconds / 3600,
        "events": recording.events,
        "statistics": len(statistics()),
        "cpu_s": round(cpu, 2),
        "seconds_on_the_clock": round(wall, 2),
        "events_per_s": round(recording.events / cpu),
        "bar_drawn": drawn,
        "p1_events_per_s": round(rate),
        "ratio": round(cpu * rate / recording.events, 3),
        "ratio_max": RATIO_MAX,
    }


def describe(result: dict[str, Any]) -> str:
    """One line for people."""
    if "skipped" in result:
        return f"replaying: skipped, {result['skipped']}"
    return (
        f"replaying: {result['hours']:g} h of 2,000 agents, {result['events']:,} events with "
        f"{result['statistics']:,} statistics, in {result['cpu_s']} s of CPU "
        f"({result['events_per_s']:,}/s): {result['ratio']}x of the time that P1's rate "
        f"({result['p1_events_per_s']:,}/s) makes (at most {result['ratio_max']}x wanted)"
    )


if __name__ == "__main__":
    result = run(*map(int, sys.argv[1:]))
    print(json.dumps(result))
    print(describe(result))
