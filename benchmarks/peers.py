"""Peers: W1 side by side with what else one would take for it.

    make bench-peers        ROUNDS=3

Runs ``run.py`` of the W1 folder on a copy, with the product as one more peer: a C program (the
limit), two prototypes, plain Python, SQLite, bytewax, streamz, and Node.js and Redis where they
are installed. What the peers need comes into a virtual environment of their own beside the copy.
What is missing is named and left out.

Figures are medians of the rounds, on the clock: for a quiet machine.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from attrs import define, field

from . import w1_material
from .w1_material import CHECKOUT, SNAPSHOT, Missing

EVENTS, ROUNDS = 1_000_000, 3
PACKAGES = ("msgspec", "orjson", "numpy", "bytewax", "streamz")
SERVER = "statserver"
LIMIT = "C by hand (limit)"
# What the product has to be times as fast as, by the names that run.py gives them.
BARS = {LIMIT: 0.15, "bytewax stateful": 5.0, "Node.js": 1.5, "SQLite upsert": 2.5}
_ROW = re.compile(r"(.+?) +([\d,]+) ev/s +[\d.]+ of the limit")
SHOWN_CHARACTERS = 80  # of what a peer that failed said last


@define
class Environment:
    """Where the peers run.

    Attributes:
        missing: What is not there, and which peer is left out for that.
    """

    python: Path
    missing: list[str] = field(factory=list)

    def install(self, packages: tuple[str, ...]) -> None:
        """Each by itself, so that one that cannot be had is missing alone."""
        for package in packages:
            command = [str(self.python), "-m", "pip", "install", "--quiet", package]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                self.missing.append(f"{package} cannot be installed ({reason})")


def prepared() -> Environment:
    """The environment, made now or by a run before."""
    folder = w1_material.cache() / "peers-venv"
    environment = Environment(folder / "bin" / "python")
    if not environment.python.exists():
        print(f"setting up {folder}, once", file=sys.stderr)
        venv.create(folder, with_pip=True)
    wanted = [*PACKAGES]
    if shutil.which("redis-server"):
        wanted.append("redis")
    else:
        environment.missing.append("no redis-server, so no Redis")
    if not shutil.which("node"):
        environment.missing.append("no node, so no Node.js")
    environment.install(tuple(wanted))
    return environment


def run(rounds: int = ROUNDS, events: int = EVENTS) -> dict[str, Any]:
    """Measure; what is returned is what is printed as JSON."""
    try:
        folder = w1_material.folder()
        if not shutil.which("gcc"):
            raise Missing("no gcc, so there is no limit to compare with")
        material = w1_material.make(events)
    except Missing as why:
        return {"row": "peers", "skipped": str(why)}
    for script in folder.iterdir():
        if script.is_file() and not (material.copy / script.name).exists():
            shutil.copy(script, material.copy)
    environment = prepared()
    for each in environment.missing:
        print(f"left out: {each}", file=sys.stderr)
    command = [str(environment.python), "run.py", str(rounds), *_more_peers(environment, events)]
    lines = _output(command, material.copy)
    found = {}
    for line in lines:
        row = _ROW.fullmatch(line)
        if row:
            found[row[1]] = int(row[2].replace(",", ""))
        if line.startswith("failed: "):
            environment.missing.append(line[:SHOWN_CHARACTERS])
    wrong = [line for line in lines if line.endswith("WRONG")]
    return {
        "row": "peers",
        "events": events,
        "rounds": rounds,
        "snapshots": events // SNAPSHOT,
        "events_per_s": found,
        "ratios": {
            name: round(found[SERVER] / found[name], 3) for name in BARS if name in found
        } if SERVER in found else {},
        "ratios_min": BARS,
        "left_out": sorted(set(environment.missing)),
        "wrong": wrong,
    }  # fmt: skip


def _more_peers(environment: Environment, events: int) -> list[str]:
    """Peers that run.py does not know, as it wants them: NAME=COMMAND."""
    found = [f"{SERVER}={sys.executable} -m benchmarks.w1 --peer {events}"]
    if shutil.which("redis-server"):
        found.append(f"Redis, one Lua call per 1,000={environment.python} peer_redis.py")
    return found


def _output(command: list[str], folder: Path) -> list[str]:
    """What the command says, shown as it comes."""
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    found = []
    with subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            found.append(line.rstrip("\n"))
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return found


def describe(result: dict[str, Any]) -> str:
    """One line for people."""
    if "skipped" in result:
        return f"peers: skipped, {result['skipped']}"
    ratios = ", ".join(
        f"{ratio}x of {name} (at least {result['ratios_min'][name]} wanted)"
        for name, ratio in result["ratios"].items()
    )
    left_out = "; ".join(result["left_out"])
    return f"peers: the product makes {ratios}" + (f"; left out: {left_out}" if left_out else "")


if __name__ == "__main__":
    result = run(*map(int, sys.argv[1:]))
    print(json.dumps(result))
    print(describe(result))
    sys.exit(1 if result.get("wrong") else 0)
