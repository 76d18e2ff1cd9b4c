"""The board's decisions, which know no browser, tried by node."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from statserver_trio.api import messages as m
from statserver_trio.client.merging import MergedStatistic

HERE = Path(__file__).parent
NODE = shutil.which("node")
NODE_SECONDS = 60

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed (Debian: nodejs)")


def run_node(*arguments: str, stdin: str = "") -> str:
    assert NODE is not None
    done = subprocess.run(
        [NODE, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=NODE_SECONDS,
        check=False,
        cwd=HERE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_modules_that_know_no_browser() -> None:
    said = run_node("--test", ".")
    assert "# fail 0" in said
    assert "# pass 0" not in said


# -- merging, beside the Python client's ---------------------------------------------------


def a_day(rng: random.Random) -> list[dict[str, Any]]:
    """What two members say of one statistic, each with its delays, deaths and doubts."""
    changes = [
        {"value": rng.choice([n, n, n % 3]), "time": float(n // rng.choice([1, 2, 3]))}
        for n in range(40)
    ]
    steps: list[dict[str, Any]] = []
    told = [0, 0]  # by each member
    is_open = [False, False]
    for _ in range(140):
        member = rng.randrange(2)
        if not is_open[member]:
            steps.append({"do": "opened", "member": member})
            is_open[member] = True
            told[member] = max(0, max(told) - rng.randrange(3))
        elif rng.random() < 0.04:
            steps.append({"do": rng.choice(["lost", "StatisticClosed"]), "member": member})
            is_open[member] = False
        elif rng.random() < 0.06:
            kind = rng.choice(["StatisticInvalid", "StatisticValid"])
            steps.append({"do": kind, "member": member})
        elif told[member] < len(changes):
            info = {"interval": 1.0, "complete": True, **changes[told[member]]}
            steps.append({"do": "Info", "member": member, **info})
            told[member] += 1
            if rng.random() < 0.2:
                told[member] += 1  # it was replaced by a newer one before it was sent
    return steps


def as_event(step: dict[str, Any]) -> m.StatisticEvent:
    about = {"reference_id": 0, "statistic_id": 0}
    if step["do"] == "Info":
        return m.Info(**about, **{key: step[key] for key in ("value", "time")},
                      interval=step["interval"], complete=step["complete"])  # fmt: skip
    return getattr(m, step["do"])(**about, reason="why")  # type: ignore[no-any-return]


def merged_here(steps: list[dict[str, Any]]) -> list[list[Any]]:
    """What the Python client delivers after each step."""
    merged, delivered = MergedStatistic(2), []
    for step in steps:
        match step["do"]:
            case "opened":
                events = merged.opened(step["member"])
            case "lost":
                events = merged.lost(step["member"])
            case _:
                events = merged.told(step["member"], as_event(step))
        delivered.append([_shown(each) for each in events])
    return delivered


def _shown(event: m.StatisticEvent) -> list[Any]:
    if isinstance(event, m.Info):
        return ["Info", event.value, event.time]
    return [type(event).__name__]


def test_both_clients_merge_alike() -> None:
    """Whatever members say: the rules are in client/merging.py, and merging.js has the same."""
    days = [a_day(random.Random(seed)) for seed in range(300)]
    answer = json.loads(run_node("merge_days.mjs", stdin=json.dumps(days)))
    for seed, (steps, theirs) in enumerate(zip(days, answer, strict=True)):
        for number, (mine, other) in enumerate(zip(merged_here(steps), theirs, strict=True)):
            assert mine == other, f"day {seed}, step {number}: {steps[number]}"
    assert any(events for day in answer for events in day)
