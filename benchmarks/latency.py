"""Latency: how long after an event a client knows, and how long the loop was held (P8).

    python -m benchmarks latency

A server in a process of its own is fed over loopback and tells a client over a WebSocket; feed
and client are one loop with one clock (:mod:`.load`). First nothing else happens, at two rates;
then a backup is started beside it, and what is measured is the time in which it is served.

How long the event loop was held is the longest step of any task of the server, in CPU time
(:mod:`.member`). Delays are of the clock, so a machine that is busy with other things shows in
them. How much it does is measured too: by how much the load's own timer was late.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil, log10
from pathlib import Path
from subprocess import PIPE
from typing import Any

from statserver_trio.commands.demo_members import free_port

from . import joining
from .load import Load, delays

RATES = (1_000, 10_000)  # events per second
JOINING_RATE = 1_000  # feed, primary, joiner and client share the machine; sites send 60 to 340
STATISTICS = 100_000
SECONDS = 10.0
SHORT = (20_000, 2.0)
WARM_UP = 1.0
PATIENCE = 300.0
POLL = 0.05
P99_MS_MAX, JOINING_P99_MS_MAX, HELD_MS_MAX = 1.0, 3.0, 10.0
BINS_PER_DECADE, FIRST_BIN = 10, -5  # of the histogram; the first begins at 10**-5 s


# -- processes ----------------------------------------------------------------------------


class Server:
    """One member in a process of its own."""

    def __init__(self, conf: Path, statistics: int) -> None:
        command = [sys.executable, "-m", "benchmarks.member", str(conf), str(statistics)]
        self._log = conf.with_suffix(".log")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=PIPE, stderr=log)

    def wait_until_ready(self) -> None:
        """Until it has opened its statistics."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said == b"ready\n", self._log.read_text()

    def finish(self) -> dict[str, Any]:
        """Stop it; what it says of its loop."""
        self._process.send_signal(signal.SIGTERM)
        said, _ = self._process.communicate(timeout=PATIENCE)
        found: dict[str, Any] = json.loads(said.splitlines()[-1])
        return found

    def kill(self) -> None:
        """At once, if it is still there."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def primary(folder: Path, statistics: int) -> Iterator[tuple[Load, Server, dict[str, int]]]:
    """A primary that is fed and has a client; the load on it, the process and all ports."""
    names = ("primary-default", "primary-ha", "primary-management", "backup-default",
             "backup-management")  # fmt: skip
    ports = {name: free_port(0) for name in names}
    load = Load()
    server = Server(joining.configuration("primary", ports, load.port, folder), statistics)
    try:
        load.wait_for_server(PATIENCE)
        server.wait_until_ready()
        load.open_client(ports["primary-default"])
        load.run(WARM_UP, RATES[0])
        yield load, server, ports
    finally:
        server.kill()
        load.close()


# -- the two phases -----------------------------------------------------------------------


def idle(statistics: int, seconds: float) -> dict[str, Any]:
    """At each rate, with nothing else to do."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="latency-") as text:
        with primary(Path(text), statistics) as (load, server, _):
            spans = {}
            for rate in RATES:
                began = time.monotonic()
                load.run(seconds, rate)
                spans[rate] = began, time.monotonic()
                load.run(WARM_UP, 0)  # what is late still counts
            loop = server.finish()
        for rate, span in spans.items():
            found[str(rate)] = summary(load, span)
    return {"rates": found, "loop": loop, "machine_p99_ms": lateness(load)}


def with_joiner(statistics: int) -> dict[str, Any]:
    """While a backup gets everything that the primary has."""
    with tempfile.TemporaryDirectory(prefix="latency-") as text:
        folder = Path(text)
        with primary(folder, statistics) as (load, server, ports):
            backup = Server(joining.configuration("backup", ports, load.port, folder), 0)
            command = [sys.executable, "-m", "benchmarks.latency", "--watch",
                       str(ports["backup-management"]), str(statistics)]  # fmt: skip
            watcher = subprocess.Popen(command, stdout=PIPE)
            try:
                load.run_while(lambda: watcher.poll() is None, JOINING_RATE, PATIENCE)
                assert watcher.stdout is not None
                span = json.loads(watcher.stdout.read())
                load.run(WARM_UP, 0)
                joiner_loop = backup.finish()
            finally:
                watcher.kill()
                watcher.communicate()
                backup.kill()
            loop = server.finish()
    served = summary(load, (span["began"], span["ended"]))
    return {
        "events_per_s": JOINING_RATE,
        "seconds": round(span["ended"] - span["began"], 2),
        "delays": served,
        "loop": loop,
        "joiner_loop": joiner_loop,
        "machine_p99_ms": lateness(load),
    }


def watch(port: int, statistics: int) -> dict[str, float]:
    """When a joiner got its first statistics, and when it had all; of the monotonic clock."""
    began = None
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status") as answer:
                status = json.load(answer)
        except OSError:  # it is only just starting
            status = {}
        now = time.monotonic()
        if began is None and status.get("replication", {}).get("statisticsReceived", 0):
            began = now - POLL
        if status and status["statistics"] >= statistics and status["peer"]["synchronised"]:
            return {"began": now - POLL if began is None else began, "ended": now}
        time.sleep(POLL)


# -- figures ------------------------------------------------------------------------------


def summary(load: Load, span: tuple[float, float]) -> dict[str, Any]:
    """Of the calls that were sent in that time: quantiles in ms, and a histogram."""
    began, ended = span
    found = sorted(delay for sent, delay in delays(load) if began <= sent < ended)
    expected = sum(began <= sent < ended for queue in load.traffic.entered for sent in queue)
    if not found:
        return {"measured": 0, "expected": expected}
    at = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {
        "measured": len(found),
        "expected": expected,
        **{
            f"{name}_ms": round(found[ceil(q * len(found)) - 1] * 1000, 3) for name, q in at.items()
        },
        "histogram": histogram(found),
    }


def lateness(load: Load) -> float:
    """By how much the loop of the load itself was late, 99th percentile, ms."""
    found = sorted(load.late)
    return round(found[ceil(0.99 * len(found)) - 1] * 1000, 3)


def histogram(seconds: list[float]) -> list[tuple[float, int]]:
    """How many were in each bin, which begins at so many ms; ten bins make a decade."""
    counts: dict[int, int] = {}
    for each in seconds:
        bin = int((log10(max(each, 10**FIRST_BIN)) - FIRST_BIN) * BINS_PER_DECADE)
        counts[bin] = counts.get(bin, 0) + 1
    return [
        (round(10 ** (FIRST_BIN + bin / BINS_PER_DECADE) * 1000, 4), count)
        for bin, count in sorted(counts.items())
    ]


def run(statistics: int = STATISTICS, seconds: float = SECONDS) -> dict[str, Any]:
    """Measure; what is returned is what is printed as JSON."""
    return {
        "row": "latency",
        "statistics": statistics,
        "idle": idle(statistics, seconds),
        "joining": with_joiner(statistics),
        "p99_ms_max": {"idle": P99_MS_MAX, "joining": JOINING_P99_MS_MAX},
        "held_ms_max": HELD_MS_MAX,
    }


def describe(result: dict[str, Any]) -> str:
    """A few lines for people."""
    parts = [
        f"at {int(rate):,} events/s {_quantiles(each)}"
        for rate, each in result["idle"]["rates"].items()
    ]
    joining = result["joining"]
    limits = result["p99_ms_max"]
    return (
        f"latency, with {result['statistics']:,} statistics: {'; '.join(parts)} "
        f"(p99 at most {limits['idle']} ms wanted at {RATES[-1]:,}); while a joiner is served "
        f"for {joining['seconds']} s, at {joining['events_per_s']:,} events/s "
        f"{_quantiles(joining['delays'])} (at most {limits['joining']}); loop held at most "
        f"{result['idle']['loop']['longest_ms']} ms, with the joiner "
        f"{joining['loop']['longest_ms']} (at most {result['held_ms_max']:g}); the machine alone "
        f"makes p99 {result['idle']['machine_p99_ms']} and {joining['machine_p99_ms']} ms"
    )


def _quantiles(figures: dict[str, Any]) -> str:
    if not figures["measured"]:
        return "nothing was measured"
    lost = figures["expected"] - figures["measured"]
    late = f" ({lost:,} of {figures['expected']:,} came too late to be measured)" if lost else ""
    return f"p50 {figures['p50_ms']}, p99 {figures['p99_ms']}, max {figures['max_ms']} ms{late}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--watch"]:
        print(json.dumps(watch(*map(int, sys.argv[2:4]))))
    else:
        result = run(*map(int, sys.argv[1:]))
        print(json.dumps(result))
        print(describe(result))
