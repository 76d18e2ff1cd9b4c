"""Many days, in several processes if wanted, and what they come to."""

from __future__ import annotations

import multiprocessing
import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from attrs import define, field

from .day import Outcome, live
from .trouble import NO_FAULTS

AT_A_TIME = 4  # seeds that a process takes at once


def command(outcome: Outcome) -> str:
    """What replays a day, line by line."""
    rough = " --rough" if outcome.rough else ""
    return f".venv/bin/python -m tests.sim --seed {outcome.seed}{rough} --trace"


def run_days(seeds: Iterable[int], rough: bool = False, processes: int = 1) -> Iterator[Outcome]:
    """The outcomes, in any order."""
    if processes == 1:
        yield from (live(seed, rough) for seed in seeds)
        return
    context = multiprocessing.get_context("spawn")  # a fork would take over whatever runs here
    with context.Pool(processes, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        yield from pool.imap_unordered(partial(live, rough=rough), seeds, AT_A_TIME)


@define
class Total:
    """All of it."""

    days: int = 0
    seconds: float = 0.0
    figures: Counter[str] = field(factory=Counter)
    faults: Counter[str] = field(factory=Counter)
    convergence: list[float] = field(factory=list)
    besides_pace: list[float] = field(factory=list)
    quick: list[float] = field(factory=list)  # the same, on days with a quick link
    slow: list[int] = field(factory=list)  # seeds of days that took longer than promised
    failed: list[Outcome] = field(factory=list)

    def add(self, outcome: Outcome) -> None:
        """One more day."""
        self.days += 1
        self.seconds += outcome.seconds
        self.figures += outcome.figures
        self.faults += outcome.faults
        if outcome.convergence is not None:
            self.convergence.append(outcome.convergence)
        if outcome.besides_pace is not None:
            self.besides_pace.append(outcome.besides_pace)
            if outcome.is_quick:
                self.quick.append(outcome.besides_pace)
        if outcome.is_slow:
            self.slow.append(outcome.seed)
        if outcome.violations:
            self.failed.append(outcome)

    @property
    def percentiles(self) -> dict[str, dict[str, float | None]]:
        """Of the seconds that it took to be equal again, and of those besides the chunks' pace.

        The latter also of the days with a quick link alone.
        """
        return {
            "convergence": _percentiles(self.convergence),
            "besidesThePaceOfChunks": _percentiles(self.besides_pace),
            "onAQuickLink": _percentiles(self.quick),
        }

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        return {
            "days": self.days,
            "pairHours": round(self.seconds / 3600, 2),
            "figures": dict(sorted(self.figures.items())),
            "faults": {k: n for k, n in self.faults.most_common() if k not in NO_FAULTS},
            "besides": {k: n for k, n in self.faults.most_common() if k in NO_FAULTS},
            **self.percentiles,
            "slow": sorted(self.slow),
            "violations": [
                {
                    "seed": each.seed, "rough": each.rough, "command": command(each),
                    "violations": each.violations[:5],
                }
                for each in sorted(self.failed, key=lambda outcome: outcome.seed)
            ],
        }  # fmt: skip


def _percentiles(seconds: list[float]) -> dict[str, float | None]:
    times = sorted(seconds)
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {
        name: times[min(len(times) - 1, int(share * len(times)))] if times else None
        for name, share in shares.items()
    }
