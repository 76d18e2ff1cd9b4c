"""A client of both members, while the one whose word it takes is killed or falls silent."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import trio

from statserver_trio.client import StatServerPair, open_statserver
from statserver_trio.client.liveness import HEARTBEAT_SECONDS
from statserver_trio.client.statserver import OpenStatistic

from .processes import Site

SPEED = 60.0
COUNTED = [
    f"{what},profile=SinceStart"
    for what in (
        "GroupQueues:AllQueues:Total_Calls_Entered",
        "Queue:8001@sw1:Total_Calls_Entered",
        "GroupAgents:Sales:Total_Calls_Inbound",
        "Agent:a1:Total_Calls_Inbound",
        "Agent:a2:Total_Calls_Inbound",
    )
]


class Watcher:
    """Takes every update, and notes when it came and what it was worth."""

    def __init__(self, stats: StatServerPair) -> None:
        self.stats = stats
        self.told: dict[OpenStatistic, list[int]] = {}
        self.came_at: list[tuple[float, str]] = []

    async def watch(self) -> None:
        for text in COUNTED:
            self.told[await self.stats.open(text)] = []
        async for update in self.stats:
            if update.value is not None and update.statistic is not None:
                self.told[update.statistic].append(update.value)
                self.came_at.append((trio.current_time(), update.server))

    def longest_silence_around(self, moment: float) -> float:
        """Between the last update before a moment and the first after it."""
        before = max(at for at, _ in self.came_at if at <= moment)
        after = min(at for at, _ in self.came_at if at > moment)
        return after - before


async def _live_through(folder: Path, number: int, silence: float) -> None:
    site = Site(folder, 7, SPEED)
    async with trio.open_nursery() as nursery:
        await site.start(nursery)
        urls = [member.url for member in site.members]
        async with (
            open_statserver(urls[0], urls[1]) as stats,
            open_statserver(site.oracle.url) as alone,
        ):
            # While nothing happens, so that all three begin with the same event.
            right = {text: await alone.open(text, mode="NoNotification") for text in COUNTED}
            watcher = Watcher(stats)
            nursery.start_soon(watcher.watch)
            await trio.sleep(0.5)
            site.switch.lives = True
            await trio.sleep(3)
            leader = stats.leader_of(stats.statistics[0])
            victim = next(member for member in site.members if member.url == leader)
            assert victim.process is not None
            moment = trio.current_time()
            victim.process.send_signal(number)
            await trio.sleep(silence + 2)
            heard = {server for at, server in watcher.came_at if at > moment + silence}
            assert heard == {url for url in urls if url != leader}
            assert watcher.longest_silence_around(moment) <= silence
            if number == signal.SIGSTOP:
                victim.process.send_signal(signal.SIGCONT)
            else:
                await victim.process.wait()
                await victim.start()
            await site.quiet()
            await trio.sleep(1)
            for statistic, told in watcher.told.items():
                assert told == sorted(set(told)), "one was told twice, or it went back"
                info = await alone.peek(right[str(statistic)])
                assert told[-1] == info.value
        await site.stop()
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("number", "silence"),
    [(signal.SIGKILL, 1.0), (signal.SIGSTOP, 2 * HEARTBEAT_SECONDS + 1.0)],
    ids=["killed", "silent"],
)
def test_a_client_of_both_goes_on(tmp_path: Path, number: int, silence: float) -> None:
    """How long a client hears nothing includes the time until something happens again."""
    trio.run(_live_through, tmp_path, number, silence)
