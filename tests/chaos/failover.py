"""A client of both members, while the one whose word it takes is hurt in one way after the other.

Beside it stands a witness at each member, a client of that one alone: what the witness of the
survivor is told after a fault, the client of both has to be told, and everything once.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from attrs import define, field

from statserver_trio.client import ConnectionLost, StatServer, StatServerPair, open_statserver
from statserver_trio.client.liveness import HEARTBEAT_SECONDS

from .faults import dropped as drop_packets
from .processes import Site
from .relay import Relay

ROOT = Path(__file__).parent.parent.parent
SPEED = 60.0
BEFORE_SECONDS = 1.0  # of life before a fault
AFTER_SECONDS = 0.8  # of life after the longest silence that is allowed
CONNECT_SECONDS = 1.0  # for a connection; who waits for longer comes back later, and not better
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
# Seconds without a value, by what was done: who is reset or dead is known to be gone at once, and
# who is silent after two heartbeats. One second is until something happens again, and then some.
AT_ONCE, AFTER_SILENCE = 1.0, 2 * HEARTBEAT_SECONDS + 1.0
LIMITS = {
    "reset": AT_ONCE,
    "swallowed": AFTER_SILENCE,
    "dropped": AFTER_SILENCE,
    "frozen": AFTER_SILENCE,
    "killed": AT_ONCE,
}


@define(eq=False)
class Listener:
    """Takes every value, and notes when it came, of what, and who said so."""

    stats: StatServer | StatServerPair
    heard: list[tuple[float, str, int, str]] = field(factory=list)

    async def open(self) -> None:
        for text in COUNTED:
            await self.stats.open(text)

    async def listen(self) -> None:
        try:
            async for update in self.stats:
                if update.value is not None:
                    now, name = trio.current_time(), str(update.statistic)
                    self.heard.append((now, name, update.value, update.server))
        except ConnectionLost:
            return  # a witness whose member was killed

    def values(self, name: str, since: float = 0.0) -> list[int]:
        """What it was told of one statistic."""
        return [value for at, what, value, _ in self.heard if what == name and at >= since]

    def silence_around(self, moment: float) -> float:
        """Between the last value before a moment and the first one after it."""
        before = max(at for at, *_ in self.heard if at <= moment)
        return min(at for at, *_ in self.heard if at > moment) - before


@define(eq=False)
class Scene:
    """Everything that is there."""

    site: Site
    relays: list[Relay]
    both: Listener
    witnesses: list[Listener]

    def leader(self) -> int:
        """The member whose word is delivered, of most statistics."""
        assert isinstance(self.both.stats, StatServerPair)
        stats = self.both.stats
        leads = [stats.leader_of(each) for each in stats.statistics]
        return max(range(2), key=lambda number: leads.count(self.relays[number].url))

    # -- what is done, and how it is undone ---------------------------------------------------

    @asynccontextmanager
    async def reset(self, victim: int) -> AsyncIterator[None]:
        await self.relays[victim].reset()
        yield

    @asynccontextmanager
    async def swallowed(self, victim: int) -> AsyncIterator[None]:
        self.relays[victim].swallows = True
        yield
        self.relays[victim].swallows = False

    @asynccontextmanager
    async def dropped(self, victim: int) -> AsyncIterator[None]:
        port = self.relays[victim].port
        async with drop_packets(f"tcp dport {port}", f"tcp sport {port}"):
            yield

    @asynccontextmanager
    async def frozen(self, victim: int) -> AsyncIterator[None]:
        process = self.site.members[victim].process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        yield
        process.send_signal(signal.SIGCONT)

    @asynccontextmanager
    async def killed(self, victim: int) -> AsyncIterator[None]:
        member = self.site.members[victim]
        member.kill()
        assert member.process is not None
        await member.process.wait()
        yield
        await member.start()

    # -- one fault -----------------------------------------------------------------------------

    async def live_through(self, kind: str) -> dict[str, Any]:
        """Hurt whoever leads; what came of it."""
        hurt: Callable[[int], AbstractAsyncContextManager[None]] = getattr(self, kind)
        await trio.sleep(BEFORE_SECONDS)
        victim = self.leader()
        witness = self.witnesses[1 - victim]
        moment = trio.current_time()
        latest = {name: max(self.both.values(name)) for name in COUNTED}
        async with hurt(victim):
            await trio.sleep(LIMITS[kind] + AFTER_SECONDS)
            until = trio.current_time() - AFTER_SECONDS / 2
            spoke = {who: at for at, *_, who in self.both.heard if at > moment}
        expected = {
            name: [
                value
                for at, what, value, _ in witness.heard
                if what == name and moment < at < until and value > latest[name]
            ]
            for name in COUNTED
        }
        told = {name: self.both.values(name, moment) for name in COUNTED}
        lost = {name: sorted({*expected[name]} - {*told[name]}) for name in COUNTED}
        await self._both_there()
        return {
            "silence": self.both.silence_around(moment),
            "survivorOnly": spoke.get(self.relays[victim].url, moment) < moment + LIMITS[kind]
            and self.relays[1 - victim].url in spoke,
            "expected": sum(map(len, expected.values())),
            "lost": {name: values for name, values in lost.items() if values},
        }

    async def _both_there(self) -> None:
        assert isinstance(self.both.stats, StatServerPair)
        while len(self.both.stats.reachable) < 2:
            await self.both.stats.members_changed()

    def doubled(self) -> list[str]:
        """Of which statistics something was told twice, or went back."""
        told = {name: self.both.values(name) for name in COUNTED}
        return [name for name, values in told.items() if values != sorted(set(values))]


async def measure(folder: Path, kinds: list[str]) -> dict[str, Any]:
    """Live through faults of these kinds; by kind what came of it, and of the whole the rest."""
    site = Site(folder, 7, SPEED)
    async with trio.open_nursery() as nursery:
        await site.start(nursery)
        relays = [Relay(member.port) for member in site.members]
        for relay in relays:
            await nursery.start(relay.serve)
        one, other = site.members
        async with (
            open_statserver(relays[0].url, relays[1].url, connect_timeout=CONNECT_SECONDS) as stats,
            open_statserver(site.oracle.url) as alone,
            open_statserver(one.url) as at_one,
            open_statserver(other.url) as at_other,
        ):
            # While nothing happens, so that all begin with the same event.
            right = {name: await alone.open(name, mode="NoNotification") for name in COUNTED}
            listeners = [Listener(each) for each in (stats, at_one, at_other)]
            scene = Scene(site, relays, listeners[0], listeners[1:])
            await scene._both_there()
            for each in listeners:
                await each.open()
                nursery.start_soon(each.listen)
            site.switch.lives = True
            result: dict[str, Any] = {kind: await scene.live_through(kind) for kind in kinds}
            await site.quiet()
            await trio.sleep(1)
            result["doubled"] = scene.doubled()
            result["wrong"] = [
                name
                for name, statistic in right.items()
                if (await alone.peek(statistic)).value != listeners[0].values(name)[-1]
            ]
        await site.stop()
        nursery.cancel_scope.cancel()
    return result


# -- in a network of our own ------------------------------------------------------------------

TOOLS = ("unshare", "ip", "nft")
ENTER = 'ip link set lo up && exec "$@"'


def why_not() -> str:
    """Why packets cannot be dropped here; empty where they can."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        return f"needs {', '.join(missing) if missing else 'root'}"
    tried = ["unshare", "-n", "sh", "-c", ENTER, "sh", "nft", "list", "tables"]
    done = subprocess.run(tried, capture_output=True, check=False)
    return "" if done.returncode == 0 else "namespaces are not allowed here"


def measure_inside(folder: Path, kinds: list[str]) -> dict[str, Any]:
    """The same in a network namespace, where packets can be dropped without harm to anybody."""
    program = [sys.executable, "-m", "tests.chaos.failover", str(folder), *kinds]
    command = ["unshare", "-n", "sh", "-c", ENTER, "sh", *program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    print(json.dumps(trio.run(measure, Path(sys.argv[1]), sys.argv[2:])))
