"""Some hundred bad days of a pair in every run of the tests; `make sim` lives through more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .runs import command, run_days

ROOT = Path(__file__).parent.parent.parent
STEP = 50
PROCESSES = min(2, os.cpu_count() or 1)


@pytest.mark.parametrize("first", range(0, 300, STEP))
def test_after_any_trouble_both_members_equal_the_oracle(first: int) -> None:
    check(range(first, first + STEP), rough=False)


def test_whatever_happens_both_members_agree_and_nothing_is_invented() -> None:
    check(range(40), rough=True)


def check(seeds: range, rough: bool) -> None:
    outcomes = list(run_days(seeds, rough, PROCESSES))
    assert len(outcomes) == len(seeds)
    failed = [f"{command(o)}\n{o.violations[0]}" for o in outcomes if o.violations]
    assert not failed, "\n".join(failed)


DIGESTS = """
from tests.sim.day import live
for seed in range(30):
    print(seed, live(seed, tracing=True).digest)
"""


def test_a_seed_is_the_same_day_whatever_the_hashes_are() -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", DIGESTS],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hashes},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hashes in ("1", "2")
    ]
    first, second = (each.communicate()[0].splitlines() for each in running)
    assert len(first) == 30
    assert first == second
