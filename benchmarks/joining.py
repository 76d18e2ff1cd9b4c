"""Joining: a backup is started beside a primary that has many open statistics.

    python -m benchmarks joining [--statistics 100000]

Real processes and sockets, with events arriving. Printed are how fast the joiner had
everything (``chunk-timeout`` 0), how long either event loop was held at most, and by how
much the values of the primary's clients came later meanwhile.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

import tomli_w
import trio

from statserver_trio.client import open_statserver
from statserver_trio.commands.demo_members import LOOPBACK, Member, free_port
from statserver_trio.server.tserver import serve_tserver
from statserver_trio.simulator.contact_centre import ContactCentre

from . import workload

STATISTICS = 100_000
EVENTS_SPEED = 30.0  # about 300 events/s of 500 agents
WARM_UP = 3.0  # seconds of events before anything is measured
QUIET = 5.0  # seconds in which the clients' delay is measured without a joiner
PATIENCE = 300.0
LONGEST_MS = 50.0


def configuration(name: str, ports: dict[str, int], tserver: int, folder: Path) -> Path:
    """Write the file of one member."""
    primary = name == "primary"
    ids = ("default", "ha", "management") if primary else ("default", "management")
    tables: dict[str, Any] = {
        "server": {
            "name": name, "role": name, "peer": "backup" if primary else "primary",
            "data-dir": str(folder / name), "time-resolution": "millisecond",
            "debug-level": "Init",
        },
        "listen": [{"id": id, "port": ports[f"{name}-{id}"]} for id in ids],
        "ha": {"chunk-timeout": 0, "join-timeout": 2, "connect-timeout": 0.2, "addp-trace": "off"},
        "tserver": [{"name": "ts1", "switch": "sw1", "host": LOOPBACK, "port": tserver}],
        "limits": {"statistics-per-client": 10_000_000},
        "time-profiles": {f"{p.name},{p.kind}": p.text for p in workload.profiles(24)},
        "stat-types": workload.named_types(),
    }  # fmt: skip
    if not primary:
        tables["ha"] |= {"peer-host": LOOPBACK, "peer-port": ports["primary-ha"]}
    path = folder / f"{name}.toml"
    path.write_text(tomli_w.dumps(tables), encoding="utf-8")
    return path


async def start(conf: Path, statistics: int) -> trio.Process:
    """Start a member; come back when it is ready."""
    command = [sys.executable, "-m", "benchmarks.member", str(conf), str(statistics)]
    log = conf.with_suffix(".log").open("wb")
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    said = b""
    while not said.endswith(b"\n") and (data := await process.stdout.receive_some(100)):
        said += data
    assert said == b"ready\n", conf.with_suffix(".log").read_text()
    return process


async def finish(process: trio.Process) -> dict[str, Any]:
    """Stop a member; what it has to say about its loop."""
    process.terminate()
    said = b""
    assert process.stdout is not None
    async for data in process.stdout:
        said += data
    await process.wait()
    found: dict[str, Any] = json.loads(said)
    return found


class Delays:
    """How long after its event a client was told a value, in ms; see :meth:`take`."""

    def __init__(self) -> None:
        self.found: list[float] = []
        self.scope = trio.CancelScope()

    async def watch(self, url: str) -> None:
        """Be a client of all queues, until :attr:`scope` is cancelled."""
        with self.scope:
            await self._watch(url)

    async def _watch(self, url: str) -> None:
        async with open_statserver(url) as stats:
            for number in range(1, workload.QUEUES + 1):
                await stats.open(f"Queue:{8000 + number}@sw1:Queue5")  # calls waiting
            async for update in stats:
                said = update.event
                if update.value is not None:
                    self.found.append((time.time() - getattr(said, "time", 0.0)) * 1000)

    def take(self) -> dict[str, float]:
        """Median, 99th percentile and maximum since the last call."""
        found, self.found = sorted(self.found), []
        if not found:
            return {}
        at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        return {name: round(found[ceil(q * len(found)) - 1], 1) for name, q in at.items()}


async def measure(statistics: int) -> dict[str, Any]:
    """The whole benchmark."""
    with tempfile.TemporaryDirectory(prefix="joining-") as text:
        folder = Path(text)
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
            tserver = listeners[0].socket.getsockname()[1]

            def centre(began: float) -> ContactCentre:
                return ContactCentre(
                    Random(workload.SEED),
                    began,
                    agents=workload.AGENTS,
                    queues=workload.QUEUES,
                    speed=EVENTS_SPEED,
                )

            nursery.start_soon(serve_tserver, centre, listeners)
            result = await _join(folder, tserver, statistics, nursery)
            nursery.cancel_scope.cancel()
    return result


async def _join(
    folder: Path, tserver: int, statistics: int, nursery: trio.Nursery
) -> dict[str, Any]:
    ids = ("primary-default", "primary-ha", "primary-management", "backup-default",
           "backup-management")  # fmt: skip
    ports = {id: free_port(0) for id in ids}
    confs = {n: configuration(n, ports, tserver, folder) for n in ("primary", "backup")}
    members = {
        n: Member(n, ports[f"{n}-default"], ports[f"{n}-management"], conf, folder / "x")
        for n, conf in confs.items()
    }
    primary = await start(confs["primary"], statistics)
    await _until(members["primary"], lambda s: not s["notReady"], 60)
    delays = Delays()
    nursery.start_soon(delays.watch, members["primary"].url)
    await trio.sleep(WARM_UP)
    delays.take()
    await trio.sleep(QUIET)
    quiet = delays.take()
    backup = await start(confs["backup"], 0)
    status = await _until(
        members["backup"], lambda s: s["replication"]["statisticsReceived"] > 0, 60
    )
    began = time.perf_counter()
    delays.take()
    first = status["replication"]["statisticsReceived"]
    status = await _until(
        members["backup"],
        lambda s: s["statistics"] >= statistics and s["peer"]["synchronised"],
        PATIENCE,
    )
    seconds = time.perf_counter() - began
    joining = delays.take()
    primary_status = await members["primary"].status() or {}
    delays.scope.cancel()
    loops = {"backup": await finish(backup), "primary": await finish(primary)}
    received = status["replication"]["statisticsReceived"] - first
    sent = primary_status.get("replication", {}).get("bytesSent", 0)
    return {
        "row": "joining",
        "statistics": status["statistics"],
        "seconds": round(seconds, 2),
        "statistics_per_s": round(received / seconds),
        "mib_per_s": round(sent / seconds / 2**20, 2),
        "results": status["replication"]["results"],
        "client_delay_ms": {"quiet": quiet, "joining": joining},
        "loops": loops,
        "longest_ms_max": LONGEST_MS,
    }


async def _until(member: Member, holds: Any, patience: float) -> dict[str, Any]:
    with trio.fail_after(patience):
        while True:
            status = await member.status()
            if status is not None and holds(status):
                return status
            await trio.sleep(0.05)


def run(statistics: int = STATISTICS) -> dict[str, Any]:
    """Measure; what is returned is what is printed as JSON."""
    return trio.run(measure, statistics)


def describe(result: dict[str, Any]) -> str:
    """A few lines for people."""
    delays, loops = result["client_delay_ms"], result["loops"]
    return (
        f"joining: {result['statistics']:,} statistics in {result['seconds']} s "
        f"({result['statistics_per_s']:,}/s, {result['mib_per_s']} MiB/s); "
        f"loop held at most {loops['primary']['longest_ms']} ms at the primary, "
        f"{loops['backup']['longest_ms']} ms at the backup (at most {result['longest_ms_max']:g}); "
        f"clients' values {delays['quiet']} ms after their events, "
        f"{delays['joining']} ms with the joiner"
    )


if __name__ == "__main__":
    found = run(int(sys.argv[1]) if len(sys.argv) > 1 else STATISTICS)
    print(json.dumps(found))
    print(describe(found))
