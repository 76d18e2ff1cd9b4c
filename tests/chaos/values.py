"""Clients that hold statistics open on every server, and read them."""

from __future__ import annotations

from typing import Any

import trio
from attrs import define, field

from statserver_trio.client import ConnectionLost, open_statserver
from statserver_trio.client.statserver import OpenStatistic, StatServer
from statserver_trio.commands.demo_members import Member
from statserver_trio.config.site import make_site
from statserver_trio.stats.categories import CATEGORIES
from statserver_trio.stats.refusals import refusal

from .processes import Site, TooLong

REDIAL_SECONDS = 0.2
OPEN_SECONDS = 30.0  # for a client to come back and open everything
READ_SECONDS = 8.0  # to read everything, and to find it equal
OBJECTS = {
    "Queue": ("8001@sw1", "8002@sw1"),
    "RoutePoint": ("9001@sw1",),
    "RegDN": ("7001@sw1", "7002@sw1"),
    "Agent": ("a1", "a2", "a3"),
    "Place": ("P1", "P2"),
    "GroupAgents": ("Sales",),
    "GroupPlaces": ("Sales_Places",),
    "GroupQueues": ("AllQueues",),
}
PROFILES = (None, "QuarterHour", "LastHour", "SinceStart")


def what_to_open(site: Site, statistics_max: int) -> list[str]:
    """Every ready-made stat type on objects of each of its types, as on the command line."""
    definitions = make_site(site.config).definitions
    found = []
    for name, stat_type in definitions.stat_types.items():
        category = CATEGORIES[stat_type.category]
        if category.name == "CurrentTargetState":  # told by events of its own
            continue
        for object_type in sorted(stat_type.objects & OBJECTS.keys()):
            for object_id in OBJECTS[object_type]:
                profile = PROFILES[len(found) % len(PROFILES)] if category.is_historical else None
                if profile not in definitions.time_profiles:
                    profile = None
                if refusal(category, stat_type, definitions.time_profile(profile), object_type):
                    profile = None
                what = f"{object_type}:{object_id}:{name}"
                found.append(what if profile is None else f"{what},profile={profile}")
    return found[:: -(-len(found) // statistics_max)]


@define(eq=False)
class Reader:
    """A client of one server, which comes back and opens everything again."""

    member: Member
    texts: list[str]
    server: StatServer | None = None
    opened: dict[str, OpenStatistic] = field(factory=dict)
    ready: trio.Event = field(factory=trio.Event)

    async def stay(self) -> None:
        """Be connected, for ever."""
        while True:
            try:
                async with open_statserver(self.member.url) as server:
                    opened = {
                        text: await server.open(text, mode="NoNotification") for text in self.texts
                    }
                    self.server, self.opened = server, opened
                    self.ready.set()
                    async for _ in server:
                        pass
            except ConnectionLost:
                self.server = None
                self.ready = trio.Event()
            await trio.sleep(REDIAL_SECONDS)

    async def read(self, texts: list[str]) -> dict[str, Any]:
        """The values of these.

        Raises:
            ConnectionLost: There is no server.
        """
        server = self.server
        if server is None:
            raise ConnectionLost("not connected")
        return {text: (await server.peek(self.opened[text])).value for text in texts}


@define(eq=False)
class Readers:
    """One client for each server."""

    all: list[Reader]

    async def wait(self) -> None:
        """Until all of them have everything open.

        Raises:
            TooLong: They have not.
        """
        with trio.move_on_after(OPEN_SECONDS):
            for reader in self.all:
                await reader.ready.wait()
            return
        raise TooLong("a client cannot open its statistics")

    async def compare(self) -> list[str]:
        """What differs between the pair and the oracle, as sentences.

        What grows with time is looked at until all three were asked within the same second.

        Raises:
            TooLong: A server cannot be asked.
        """
        texts = list(self.all[0].texts)
        values: list[dict[str, Any]] = []
        why = ""
        with trio.move_on_after(READ_SECONDS):
            while texts:
                try:
                    values = [await reader.read(texts) for reader in self.all]
                except ConnectionLost as lost:
                    why = str(lost)
                    await trio.sleep(REDIAL_SECONDS)
                    continue
                texts = [t for t in texts if any(v[t] != values[-1][t] for v in values)]
        if texts and not values:
            raise TooLong(f"a server cannot be asked: {why}")
        *pair, truth = values or [{}]
        return [
            f"{text}: {', '.join(repr(each[text]) for each in pair)}, not {truth[text]!r}"
            for text in texts
        ]
