"""Capacity: what Routable and its like say, against the definition, whatever happens.

A random story is told to a world and, in other words, to a bookkeeper who knows what an agent
has and whether he waits. After each event both must say the same of every medium.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.expressions.capacities import Capacity, parse_capacity
from statserver_trio.model.actions import NAMES
from statserver_trio.model.directory import Capacities, Directory, DNKey, Place
from statserver_trio.model.media_channels import channel_number
from statserver_trio.model.transfer import adopt_world, export_world
from statserver_trio.model.world import World
from statserver_trio.tlib import events as e

WRITTEN = ("chat", "email")
RULES = {
    "blended": "voice = 1 | chat = 3, email = 1",
    "one": "voice = 1 | chat = 1 | email = 1",
    "many": "* = 2",
}


@define
class Bookkeeper:
    """What the agent has, by medium, and what he waits for."""

    has: dict[str, set[str]] = field(factory=dict)
    waits: set[str] = field(factory=set)
    logged_in: bool = False

    def says(self, rule: Capacity, medium: str) -> set[str]:
        """The durable actions of one medium, besides Active and the interactions."""
        if medium == "voice" and not self.logged_in:
            return set()
        counts = Counter({name: len(these) for name, these in self.has.items()})
        counts["voice"] *= self.logged_in  # what rings at a telephone of nobody is nobody's
        fits = counts[medium] + 1 <= rule.most(medium, counts)
        if medium not in self.waits:
            return {"NotRoutable"}
        said = {"Routable"} if fits else {"NotRoutable", "Blocked"}
        return said if medium == "voice" else said | {"Available"}


def steps() -> Any:
    medium = st.sampled_from(WRITTEN)
    which = st.integers(1, 3)
    return st.lists(
        st.tuples(st.sampled_from(("invite", "reject", "accept", "finish", "stop")), medium, which)
        | st.tuples(st.sampled_from(("ready", "not ready")), medium)
        | st.tuples(st.sampled_from(("ring", "answer", "hang up")), which)
        | st.tuples(st.sampled_from(("log in", "log out", "wait", "rest"))),
        max_size=40,
    )


def tell(world: World, books: Bookkeeper, step: tuple[Any, ...], t: int) -> None:
    """Let it happen in both."""
    on_phone = {"this_dn": "7001"}
    agent = {"agent_id": "a1"}

    def say(cls: type[e.TEvent], **more: Any) -> None:
        world.apply(cls(time=t / 1000, **more), t)

    match step:
        case ("log in",):
            books.logged_in = True
            say(e.EventAgentLogin, **on_phone, **agent)
        case ("log out",):
            if books.logged_in:
                say(e.EventAgentLogout, **on_phone, **agent)
            books.logged_in = False
            books.waits.discard("voice")
        case ("wait",) if books.logged_in:
            books.waits.add("voice")
            say(e.EventAgentReady, **on_phone, **agent)
        case ("rest",) if books.logged_in:
            books.waits.discard("voice")
            say(e.EventAgentNotReady, **on_phone, **agent)
        case ("ring" | "answer" as how, n):
            books.has["voice"].add(f"c{n}")
            cls = e.EventRinging if how == "ring" else e.EventEstablished
            say(cls, **on_phone, conn_id=f"c{n}", call_type="Inbound")
        case ("hang up", n):
            books.has["voice"].discard(f"c{n}")
            say(e.EventReleased, **on_phone, conn_id=f"c{n}", call_type="Inbound")
        case ("ready" | "not ready" as how, medium):
            (books.waits.add if how == "ready" else books.waits.discard)(medium)
            cls = e.EventReadyForMedia if how == "ready" else e.EventNotReadyForMedia
            say(cls, **agent, media_type=medium)
        case (what, medium, n):
            _interaction(books, say, what, medium, n)


def _interaction(books: Bookkeeper, say: Any, what: str, medium: str, n: int) -> None:
    name, has = f"{medium}{n}", books.has[medium]
    about = {"interaction_id": name, "media_type": medium, "agent_id": "a1"}
    if what == "invite":
        has.add(name)
        say(e.EventInvite, **about)
    elif what == "accept":
        has.add(name)
        say(e.EventAccepted, **about)
    elif what == "stop":
        has.discard(name)
        say(e.EventProcessingStopped, **about)
    elif what == "finish" or name in has:
        has.discard(name)
        say(e.EventInteractionPartyRemoved, **about)


def seen(world: World, medium: str) -> set[str]:
    """What goes on at the agent's channel of a medium, besides Active and the interactions."""
    channel = world.channels.get(channel_number("a1", medium))
    going_on = () if channel is None else channel.state.values()
    return {NAMES[each.action] for each in going_on} - {"Active"}


@pytest.mark.parametrize("whose", ["agents", "places", "tenant"])
@settings(derandomize=True, deadline=None, max_examples=60)
@given(steps(), st.sampled_from(sorted(RULES)))
def test_what_may_be_sent_is_what_the_rule_leaves(
    whose: str, story: list[tuple[Any, ...]], name: str
) -> None:
    rule = parse_capacity(RULES[name])
    who: Any = {"agents": {"a1": name}, "places": {"Desk": name}, "tenant": name}[whose]
    directory = Directory(
        places={"Desk": Place("Desk", (DNKey("7001", "sw1"),))},
        capacities=Capacities({name: rule}, **{whose: who}),
    )
    world = World("sw1", directory, 0)
    books = Bookkeeper({"voice": set(), **{medium: set() for medium in WRITTEN}})
    for medium in WRITTEN:
        about = {"agent_id": "a1", "media_type": medium, "place": "Desk"}
        world.apply(e.EventMediaAdded(time=0.0, **about), 0)
    for n, step in enumerate(story):
        tell(world, books, step, 1000 * (n + 1))
        for medium in ("voice", *WRITTEN):
            assert seen(world, medium) == books.says(rule, medium), (n, step, medium)
    other = World("sw1", directory, 0)
    adopt_world(other, export_world(world))
    assert export_world(other) == export_world(world)
