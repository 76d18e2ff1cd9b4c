"""Random days of whole servers: all of them, and clients over real WebSockets, from a seed.

The simulation in ``tests/sim`` has more faults and many more days, and hands over what clients
say without a WebSocket. Here every tenth as many days go through everything that is real;
``DAYS=2640`` in the environment is a tenth of a full run.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
import trio
from pair_site import CLIENTS, FAVOURITES, SOON, Server, Site

from statserver_trio.client import ConnectionLost
from statserver_trio.client.connection import connect_over, parse_url

Build = Callable[..., Site]
OPTIONS = "addp-timeout = 2\naddp-remote-timeout = 2\nconnect-timeout = 1"
DAYS = int(os.environ.get("DAYS", "30"))
FAULTS_A_DAY = 4
DIAL_SECONDS = 2.0
FOLLOWED = (
    "Queue:8001@sw1:Entered",
    "Queue:8001@sw1:Wait_Time,profile=Hour",
    "Agent:a1:Talk_Time",
    "Agent:a2:State",
)


class Follower:
    """A client of one member, over a WebSocket, which comes back when it loses it.

    Attributes:
        values: What it was told last, by name.
    """

    def __init__(self, member: Server) -> None:
        self.member = member
        self.values: dict[str, Any] = {}
        self.losses = 0

    async def stay(self) -> None:
        """For ever."""
        while True:
            try:
                network = self.member.site.network
                with trio.fail_after(DIAL_SECONDS):  # a host without power does not answer
                    stream = await network.connect("somebody", self.member.name, CLIENTS)
                url = parse_url(f"ws://{self.member.name}:{CLIENTS}/")
                async with connect_over(stream, url) as stats:
                    opened = {id(await stats.open(name)): name for name in FOLLOWED}
                    async for update in stats:
                        if id(update.statistic) in opened and update.value is not None:
                            self.values[opened[id(update.statistic)]] = update.value
            except (ConnectionLost, OSError, trio.TooSlowError):
                self.losses += 1
            await trio.sleep(0.5)


# -- faults: each is undone before it returns --------------------------------------------------


async def kill(site: Site, member: Server, rng: Random) -> None:
    await member.kill()
    await site.switch.day(rng.randrange(5), 0.5)
    await member.start()


async def lose_power(site: Site, member: Server, rng: Random) -> None:
    await member.lose_power()
    site.network.cut("somebody", member.name)  # nobody tells its clients; they find out somehow
    await site.switch.day(rng.randrange(12), 0.5)
    await member.start()


async def stop(site: Site, member: Server, rng: Random) -> None:
    await member.stop()
    await site.switch.day(rng.randrange(5), 0.5)
    await member.start()


async def freeze(site: Site, member: Server, rng: Random) -> None:
    member.freeze()
    await site.switch.day(rng.randrange(12), 0.5)
    member.thaw()


async def partition(site: Site, member: Server, rng: Random) -> None:
    site.partition()
    await site.switch.day(rng.randrange(16), 0.5)


async def deafen_link(site: Site, member: Server, rng: Random) -> None:
    site.deafen_link(member)
    await site.switch.day(rng.randrange(16), 0.5)


async def cut(site: Site, member: Server, rng: Random) -> None:
    for _ in range(rng.randrange(1, 4)):
        rng.choice((site.cut, lambda: site.cut_at(member)))()
        await site.switch.day(rng.randrange(3), 0.5)


async def cut_feed(site: Site, member: Server, rng: Random) -> None:
    site.deafen(member)
    await site.switch.day(rng.randrange(8), 0.5)


async def blind(site: Site, member: Server, rng: Random) -> None:
    site.deafen(member)
    await site.switch.day(rng.randrange(1, 8), 0.5)
    site.switch.forget()


async def distance(site: Site, member: Server, rng: Random) -> None:
    site.network.distance(member.name, site.other(member).name, rng.choice((0.05, 0.5)))
    await site.switch.day(rng.randrange(8), 0.5)


FAULTS: tuple[Callable[[Site, Server, Random], Awaitable[None]], ...] = (
    kill, lose_power, stop, freeze, partition, deafen_link, cut, cut_feed, blind, distance,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(DAYS))
async def test_after_any_day_everybody_has_the_values_of_the_oracle(
    build: Build, nursery: trio.Nursery, seed: int
) -> None:
    rng = Random(seed)
    site = await build(ha=OPTIONS).up(*FAVOURITES)
    followers = [Follower(member) for member in site.both]
    site.oracle.opens(*FOLLOWED)
    for follower in followers:
        nursery.start_soon(follower.stay)
    await trio.sleep(SOON)
    for _ in range(FAULTS_A_DAY):
        await site.switch.day(rng.randrange(10), rng.choice((0.1, 1.0)))
        fault = rng.choice(FAULTS)
        await fault(site, rng.choice(site.both), rng)
        await site.quiet()
    for follower in followers:
        assert follower.values.keys() == set(FOLLOWED)
        for name in FOLLOWED:
            if not name.endswith("State"):  # it is told as of the event, and says since when
                assert follower.values[name] == site.oracle.value(name), name
