"""The statistics of W1, for the product: 12 for each of 2,000 agents and 200 queues.

They are the nearest that the vendor's vocabulary has to the metrics of W1; where they differ,
:mod:`.w1_oracle` says how.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomli_w

from statserver_trio.config.load import load
from statserver_trio.config.schema import Config
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.statistic import Statistic

from .w1_oracle import AGENT_METRICS, AGENTS, QUEUE_METRICS, QUEUES, Block

SWITCH, SOURCE = "SIP_Switch", "w1"
PROFILES = {"Day": ("Growing", "0:00"), "QuarterHour": ("Sliding", "900:60")}
GOLD = 'PairExists("Segment","Gold")'
LEFT = "CallDistributed,CallAbandoned"

# Metric to category, mask, and whether only gold calls count.
AGENT_TYPES = dict(
    zip(
        AGENT_METRICS,
        (
            ("TotalAdjustedNumber", "CallInbound", False),
            ("TotalAdjustedTime", "CallInbound", False),
            ("MaxTime", "CallInbound", False),
            ("TotalAdjustedNumber", "CallInbound", True),
            ("TotalTime", "WaitForNextCall", False),
            ("TotalTime", "AfterCallWork", False),
        ),
        strict=True,
    )
)
QUEUE_TYPES = dict(
    zip(
        QUEUE_METRICS,
        (
            ("TotalNumber", "CallEntered", False),
            ("TotalNumber", "CallEntered", True),
            ("TotalNumber", "CallDistributed", False),
            ("TotalNumber", "CallAbandoned", False),
            ("TotalTime", LEFT, False),
            ("MaxTime", LEFT, False),
        ),
        strict=True,
    )
)
KINDS = (
    ("Agent", "AgentStatus", AGENT_TYPES, [f"A{n:04d}" for n in range(AGENTS)]),
    ("Queue", "DNAction", QUEUE_TYPES, [f"Q{n:03d}@{SWITCH}" for n in range(QUEUES)]),
)


def stat_types() -> dict[str, dict[str, str]]:
    """As sections of a configuration."""
    return {
        metric: {"Objects": kind, "Subject": subject, "Category": category, "MainMask": mask}
        for kind, subject, types, _ in KINDS
        for metric, (category, mask, _) in types.items()
    }


def configuration(folder: Path, port: int = 7200) -> Config:
    """The configuration of a server that is fed from that port."""
    tables: dict[str, Any] = {
        "server": {
            "name": "w1", "role": "standalone", "time-resolution": "millisecond",
            "time-zone": "UTC", "auto-backup-interval": 0, "data-dir": str(folder),
        },
        "listen": [{"id": "default", "port": 0}],
        "tserver": [{"name": SOURCE, "switch": SWITCH, "host": "127.0.0.1", "port": port}],
        "limits": {"statistics-per-client": 10_000_000},
        "filters": {"Gold": GOLD},
        "time-profiles": {f"{name},{kind}": text for name, (kind, text) in PROFILES.items()},
        "stat-types": stat_types(),
    }  # fmt: skip
    path = folder / "w1.toml"
    path.write_text(tomli_w.dumps(tables), encoding="utf-8")
    return load(path)


def requests() -> Iterator[StatisticRequest]:
    """All of them, block by block and object by object."""
    for kind, _, types, objects in KINDS:
        for profile in PROFILES:
            for name in objects:
                for metric, (_, _, is_gold) in types.items():
                    yield StatisticRequest(
                        kind, name, metric, profile, filter="Gold" if is_gold else None
                    )


def read(engine: Engine, statistics: list[Statistic], now: int) -> list[float]:
    """What all of them are worth as of the last event."""
    clocks = {s.ledger: engine.as_of(s.ledger, now) for s in engine.sources.values()}
    return [engine.value_at(statistic, clocks).value for statistic in statistics]


def blocks(values: list[float]) -> list[Block]:
    """The same by block and object, as integers: times in ms."""
    found, at = [], iter(values)
    for _, _, types, objects in KINDS:
        is_time = [category.endswith("Time") for category, _, _ in types.values()]
        for _ in PROFILES:
            block = [
                [round(next(at) * 1000) if time else int(next(at)) for time in is_time]
                for _ in objects
            ]
            found.append(block)
    return found
