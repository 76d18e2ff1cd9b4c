"""What is done to the pair, while the T-Server lives, and how it is undone.

Each fault is a function that does both. One member at a time is hurt, and only when the other one
has everything: then nothing may be lost. What needs the kernel's help is done in namespaces of
our own (see ``__main__``), where there are such.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

import trio

from statserver_trio.commands.demo_members import LOOPBACK, QUICK, Member

from .processes import Site

ADDP_SECONDS: float = QUICK["addp_timeout"]
INSIDE = "STATSERVER_CHAOS_INSIDE"  # set in the environment inside of our own namespaces
THIN_RATE = "256kbit"
FULL = "full-of-nothing"

Fault = Callable[[Site, Random], Awaitable[None]]


async def run(*command: str) -> None:
    """Run a program of the system; what it complains of is an error."""
    await trio.run_process(command, capture_stdout=True, capture_stderr=True)


async def end(member: Member, number: int) -> None:
    """Send a signal that ends a process, and wait until it has."""
    assert member.process is not None
    if number == signal.SIGKILL:
        member.kills += 1
    member.process.send_signal(number)
    await member.process.wait()


# -- processes ------------------------------------------------------------------------------


async def kill(site: Site, rng: Random) -> None:
    """kill -9, and started again a moment later."""
    member = rng.choice(site.members)
    await end(member, signal.SIGKILL)
    await trio.sleep(rng.choice((0.0, rng.uniform(0, 1), rng.uniform(0, 2 * ADDP_SECONDS))))
    await member.start()


async def kill_in_turn(site: Site, rng: Random) -> None:
    """One is killed, and the other one as soon as the first has everything again."""
    first = rng.choice(site.members)
    for member in (first, *(each for each in site.members if each is not first)):
        await end(member, signal.SIGKILL)
        await member.start()
        await site.in_step()


async def stop(site: Site, rng: Random) -> None:
    """SIGTERM, as an operator restarts a server."""
    member = rng.choice(site.members)
    await end(member, signal.SIGTERM)
    await trio.sleep(rng.uniform(0, 1))
    await member.start()


async def stop_both(site: Site, rng: Random) -> None:
    """SIGTERM to both at once: they go on from their backup files and what the feed still has."""
    async with trio.open_nursery() as nursery:
        for member in site.members:
            nursery.start_soon(end, member, signal.SIGTERM)
    for member in rng.sample(site.members, 2):
        await member.start()
        await trio.sleep(rng.uniform(0, 1))


async def freeze(site: Site, rng: Random) -> None:
    """SIGSTOP for a while, which may be longer than ADDP's patience."""
    member = rng.choice(site.members)
    assert member.process is not None
    member.process.send_signal(signal.SIGSTOP)
    try:
        await trio.sleep(rng.uniform(0.2, 4 * ADDP_SECONDS))
    finally:
        member.process.send_signal(signal.SIGCONT)


def _fill(path: Path) -> None:
    """Write until there is no room."""
    with path.open("wb", buffering=0) as out, suppress(OSError):
        while out.write(bytes(4096)) == 4096:
            pass


async def full_disk(site: Site, rng: Random) -> None:
    """A member is restarted while its data directory is full: there is no backup file to write."""
    member = rng.choice(site.members)
    path = site.folder / member.name / FULL
    _fill(path)
    try:
        await end(member, signal.SIGTERM)
        await member.start()
        await trio.sleep(rng.uniform(0, 2))
    finally:
        path.unlink()


# -- the feed -------------------------------------------------------------------------------


async def cut_feed(site: Site, rng: Random) -> None:
    """A member's feed is cut; it resumes."""
    site.switch.hang_up(rng.choice(site.members).name)
    await trio.sleep(rng.uniform(0, 1))


async def blind(site: Site, rng: Random) -> None:
    """A member's feed is cut, and the T-Server has forgotten what it missed."""
    site.switch.hang_up(rng.choice(site.members).name)
    for _ in range(5):
        site.switch.forget()
        await trio.sleep(rng.uniform(0, 0.5))


# -- the network, in a namespace of our own ---------------------------------------------------


async def reset(site: Site, rng: Random) -> None:
    """The pair's connection is reset (``ss -K``)."""
    for _ in range(rng.randrange(1, 4)):
        await run("ss", "-K", "dst", LOOPBACK, "dport", "=", f":{site.ha_port}")
        await trio.sleep(rng.uniform(0, 0.5))


@asynccontextmanager
async def dropped(*rules: str) -> AsyncIterator[None]:
    """Packets that these rules match are dropped, for the length of a block."""
    await run("nft", "add", "table", "inet", "chaos")
    try:
        chain = "{ type filter hook input priority 0 ; }"
        await run("nft", "add", "chain", "inet", "chaos", "arriving", chain)
        for rule in rules:
            await run("nft", "add", "rule", "inet", "chaos", "arriving", *rule.split(), "drop")
        yield
    finally:
        with trio.CancelScope(shield=True):
            await run("nft", "delete", "table", "inet", "chaos")


async def partition(site: Site, rng: Random) -> None:
    """Nothing gets through between the members."""
    async with dropped(f"tcp dport {site.ha_port}", f"tcp sport {site.ha_port}"):
        await trio.sleep(rng.uniform(0.2, 4 * ADDP_SECONDS))


async def one_way(site: Site, rng: Random) -> None:
    """Only one of them hears the other one."""
    side = rng.choice(("dport", "sport"))
    async with dropped(f"tcp {side} {site.ha_port}"):
        await trio.sleep(rng.uniform(0.2, 4 * ADDP_SECONDS))


async def lossy(site: Site, rng: Random) -> None:
    """A third of all packets between the members gets lost."""
    chance = "numgen random mod 100 < 30"
    ports = (f"tcp {side} {site.ha_port} {chance}" for side in ("dport", "sport"))
    async with dropped(*ports):
        await trio.sleep(rng.uniform(0.5, 4 * ADDP_SECONDS))


async def mute_feed(site: Site, rng: Random) -> None:
    """A member's feed is there and says nothing; it finds out, and comes by another one."""
    port = await _feed_port(site, rng.choice(site.members))
    async with dropped(f"tcp dport {port}", f"tcp sport {port}"):
        await trio.sleep(rng.uniform(0.2, 5))


async def _feed_port(site: Site, member: Member) -> int:
    """Of a member's end of the connection to the T-Server."""
    assert member.process is not None
    listed = await trio.run_process(
        ("ss", "-H", "-t", "-n", "-p", "dport", "=", f":{site.switch.port}"), capture_stdout=True
    )
    for line in listed.stdout.decode().splitlines():
        if f"pid={member.process.pid}," in line:
            return int(line.split()[3].rpartition(":")[2])
    raise LookupError(f"{member.name} has no feed")


async def thin(site: Site, rng: Random) -> None:
    """Everything has to go through a thin line."""
    line = ("root", "tbf", "rate", THIN_RATE, "burst", "16kbit", "latency", "400ms")
    await run("tc", "qdisc", "add", "dev", "lo", *line)
    try:
        await trio.sleep(rng.uniform(0.5, 2 * ADDP_SECONDS))
    finally:
        with trio.CancelScope(shield=True):
            await run("tc", "qdisc", "del", "dev", "lo", "root")


ANYWHERE: dict[str, Fault] = {
    "kill": kill,
    "kill_in_turn": kill_in_turn,
    "stop": stop,
    "stop_both": stop_both,
    "freeze": freeze,
    "cut_feed": cut_feed,
    "blind": blind,
}
INSIDE_ONLY: dict[str, Fault] = {
    "full_disk": full_disk,
    "reset": reset,
    "partition": partition,
    "one_way": one_way,
    "lossy": lossy,
    "mute_feed": mute_feed,
    "thin": thin,
}
FAULTS = ANYWHERE | INSIDE_ONLY


def available() -> tuple[list[str], dict[str, str]]:
    """The faults that can be done here, and why the others cannot."""
    if INSIDE in os.environ:
        return list(FAULTS), {}
    return list(ANYWHERE), dict.fromkeys(
        INSIDE_ONLY, os.environ.get("STATSERVER_CHAOS_WHY", "needs root and unshare")
    )
