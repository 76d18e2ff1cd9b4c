"""What workload W1 is made of: its lines, the limit and the totals of others.

W1 is a folder of scripts beside this project, which make events by a seed, add them up by brute
force, and do the same in C. Here they are run as they are, on a copy in the user's cache
directory; nothing of them is part of this project.

The folder is ``../shared/bench`` beside the checkout, or what ``STATSERVER_BENCH`` names. Where
it is missing there is no W1, and whoever wants it says so and goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from attrs import frozen

CHECKOUT = Path(__file__).resolve().parent.parent
VARIABLE = "STATSERVER_BENCH"
MAKERS = ("gen.py", "w1_tevents.py", "common.py", "oracle.py", "bound.c")
SNAPSHOT = 100_000  # events between two readings of everything
BOUND_ROUNDS = 5


class Missing(Exception):
    """Something that a benchmark needs is not on this machine; the text says what."""


def cache() -> Path:
    """Where what takes long to make is kept between runs, outside of the repository."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "statserver-trio" / "benchmarks"


def folder() -> Path:
    """Where the scripts of W1 are.

    Raises:
        Missing: Nowhere.
    """
    named = os.environ.get(VARIABLE)
    found = Path(named) if named else CHECKOUT.parent / "shared" / "bench"
    if not (found / "gen.py").is_file():
        raise Missing(f"workload W1 is not in {found}; {VARIABLE} may name another folder")
    return found


@frozen
class Material:
    """So many events of W1, made.

    Attributes:
        copy: The folder that they were made in.
    """

    copy: Path
    events: int

    @property
    def lines(self) -> Path:
        """The events as lines of a T-Server's feed."""
        return self.copy / "data" / "w1-tevents.jsonl"

    def snapshots(self) -> int:
        """How often everything is read."""
        return self.events // SNAPSHOT

    def totals(self) -> list[list[int]]:
        """What the folder's own brute force has added up, 48 integers per snapshot.

        Each of four blocks (agents growing and sliding, queues likewise) has for each of six
        metrics the sum over its objects and the sum weighted with their numbers from 1 on.
        """
        path = self.copy / "data" / "oracle.json"
        if not path.exists():
            self._run("oracle.py")
        found: list[list[int]] = json.loads(path.read_text())
        return found

    def limit(self) -> float:
        """Events per CPU second of the C program on this machine, the best of some runs.

        Raises:
            Missing: There is no gcc.
        """
        compiler = shutil.which("gcc")
        if compiler is None:
            raise Missing("no gcc, so there is no limit to compare with")
        # By the same clock as ours: what else the machine does is not to count on either side.
        source = self.copy / "bound-cpu.c"
        text = (self.copy / "bound.c").read_text()
        source.write_text(text.replace("CLOCK_MONOTONIC", "CLOCK_PROCESS_CPUTIME_ID"))
        program = self.copy / "data" / "bound-cpu"
        command = [compiler, "-O3", "-march=native", "-o", str(program), str(source)]
        subprocess.run(command, check=True, capture_output=True)
        best = 0.0
        for _ in range(BOUND_ROUNDS):
            done = subprocess.run(
                [program, "data/w1.jsonl"], cwd=self.copy, check=True, capture_output=True
            )
            result: dict[str, Any] = json.loads(done.stdout)
            assert result["events"] == self.events, result
            best = max(best, result["events"] / result["wall_s"])
        return best

    def _run(self, *command: str) -> None:
        subprocess.run(
            [sys.executable, *command], cwd=self.copy, check=True, stdout=subprocess.DEVNULL
        )


def make(events: int) -> Material:
    """So many events, made now or by a run before.

    Raises:
        Missing: There is no W1 here.
    """
    source = folder()
    version = hashlib.sha256(b"".join((source / name).read_bytes() for name in MAKERS))
    copy = cache() / f"w1-{events}-{version.hexdigest()[:12]}"
    material = Material(copy, events)
    ready = copy / "data" / "ready"
    if not ready.exists():
        print(f"making {events:,} events of W1 in {copy}, once", file=sys.stderr)
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir(parents=True)
        for name in MAKERS:
            shutil.copy(source / name, copy)
        (copy / "data").mkdir()
        material._run("gen.py", str(events))
        material._run("w1_tevents.py")
        ready.touch()
    return material
