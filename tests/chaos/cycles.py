"""One fault after another, each followed by quiet and a comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import trio
from attrs import define, field

from .faults import FAULTS
from .processes import Site, TooLong, files_of, memory_of
from .values import Reader, Readers, what_to_open

LATE_EVENTS = 3  # looked at again after so many more, where something is wrong
LIVE_SECONDS = (0.2, 1.5)  # before and after a fault, while the T-Server lives


@define
class Report:
    """What came of it.

    Attributes:
        files: Backup files that a member has gone on from.
        lives: By process, its bytes of memory and open files after each cycle that it has lived
            through.
        violations: By cycle, as sentences.
        convergence: Seconds from the end of a fault until the pair was in step.
    """

    seed: int
    cycles: int = 0
    faults: Counter[str] = field(factory=Counter)
    kills: int = 0
    files: int = 0
    statistics: int = 0
    compared: int = 0
    events: int = 0
    convergence: list[float] = field(factory=list)
    lives: dict[int, list[tuple[int, int]]] = field(factory=dict)
    violations: list[str] = field(factory=list)

    def look(self, site: Site) -> None:
        """Note how much the members have now."""
        for member in site.members:
            assert member.process is not None
            life = self.lives.setdefault(member.process.pid, [])
            with suppress(FileNotFoundError):  # a fault that went wrong has left it dead
                life.append((memory_of(member), files_of(member)))

    def _longest_life(self) -> dict[str, Any]:
        """After its first cycle, after its last one, and after each quarter in between."""
        life = max(self.lives.values(), key=len, default=[]) or [(0, 0)]
        looks = [life[(len(life) - 1) * quarter // 4] for quarter in range(5)]
        memory, files = zip(*looks, strict=True)
        return {"cycles": len(life), "kib": [each // 1024 for each in memory], "files": files}

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        times = sorted(self.convergence) or [0.0]
        shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        return {
            "seed": self.seed,
            "cycles": self.cycles,
            "faults": dict(self.faults.most_common()),
            "kill9": self.kills,
            "backupFilesRead": self.files,
            "events": self.events,
            "statistics": self.statistics,
            "compared": self.compared,
            "convergenceSeconds": {
                name: round(times[min(len(times) - 1, int(share * len(times)))], 2)
                for name, share in shares.items()
            },
            "longestLife": self._longest_life(),
            "violations": self.violations,
        }


async def run_cycles(
    folder: Path,
    seed: int,
    cycles: int,
    kinds: Sequence[str],
    *,
    statistics: int = 300,
    speed: float = 20.0,
    told: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Do that many, or as many as go well: the first one that does not is the last.

    Args:
        folder: Where configurations, logs and data of the servers are.
        kinds: Of faults, from which chance chooses.
        told: Called after each cycle.
    """
    report, rng = Report(seed), Random(seed)
    site = Site(folder, seed, speed)
    async with trio.open_nursery() as nursery:
        try:
            await site.start(nursery)
            texts = what_to_open(site, statistics)
            readers = Readers([Reader(each, texts) for each in site.all])
            for reader in readers.all:
                nursery.start_soon(reader.stay)
            await readers.wait()  # the T-Server stands still: everybody opens them at one position
            report.statistics = len(texts)
            for number in range(cycles):
                kind = rng.choice(list(kinds))
                await _cycle(site, readers, FAULTS[kind], kind, rng, report)
                report.cycles = number + 1
                told(report)
                if report.violations:
                    break
        except TooLong as late:
            report.violations.append(f"cycle {report.cycles + 1}: {late}")
        finally:
            with trio.CancelScope(shield=True):
                await site.stop()
            report.kills = sum(each.kills for each in site.members)
            report.events = site.switch.position
            nursery.cancel_scope.cancel()
    return report


async def _cycle(
    site: Site, readers: Readers, fault: Any, kind: str, rng: Random, report: Report
) -> None:
    site.switch.lives = True
    await trio.sleep(rng.uniform(*LIVE_SECONDS))
    report.faults[kind] += 1
    try:
        await fault(site, rng)
        report.convergence.append(await site.quiet())
        await readers.wait()
        wrong = await readers.compare()
        for _ in range(LATE_EVENTS):  # to one of them the last event may have come late
            if wrong:
                await site.quiet()
                wrong = await readers.compare()
    except TooLong as late:
        wrong = [str(late)]
    report.compared += len(readers.all[0].texts)
    report.look(site)
    report.files, broken = site.backup_files()
    wrong += broken
    report.violations += [f"cycle {report.cycles + 1}, {kind}: {each}" for each in wrong[:5]]
