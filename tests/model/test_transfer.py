"""The action table: a world that was written down and made again goes on like the first."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from statserver_trio.expressions.memberships import parse_membership
from statserver_trio.model.actions import ALL_ACTIONS
from statserver_trio.model.directory import Directory, DNKey, Place
from statserver_trio.model.nodes import AgentNode, DNNode, Node, PlaceNode
from statserver_trio.model.occurrences import BEGAN, DN_STATUS, ENDED, FACTS, HAPPENED, STATUS
from statserver_trio.model.transfer import adopt_world, export_world
from statserver_trio.model.world import World, WorldOptions
from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.tlib.events import (
    EventLinkConnected,
    EventLinkDisconnected,
    EventQueued,
    TEvent,
)

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "conformance"))

import tables  # noqa: E402 - it lives next door

START = 1_767_258_000.0
PLACES = {f"P{n}": Place(f"P{n}", (DNKey(str(7000 + n), "sw1"),)) for n in range(1, 7)}
GROUPS = {"Odd": ("a1", "a3", "a5"), "Even": ("a2", "a4", "a6"), "Nobody": ()}
DIRECTORY = Directory(
    places=PLACES,
    agent_groups=GROUPS,
    place_groups={"Floor": tuple(PLACES), "Desk": ("P2",)},
    virtual_agent_groups={
        "Serving": parse_membership('LoggedIn("8001@sw1") & ~LoggedIn("8002@sw1")'),
        "There": parse_membership('LoggedInSwitch("sw1")'),
    },
    origination_dns={"Serving": (DNKey("8009", "sw1"),), "Odd": (DNKey("8009", "sw1"),)},
)


def listen(world: World) -> None:
    """Be interested in everything, at every node there is."""
    nodes: list[Node] = [*world.dns()]
    nodes += [node for _, node in world.agents()] + [node for _, node in world.places()]
    nodes += world.groups
    nodes += [world.interactions.place(*each) for each in world.interactions.places()]
    nodes += [world.tenant, *world.channels.values()]
    for node in nodes:
        node.interest = ALL_ACTIONS
        node.wants_status = node.wants_facts = node.wants_moments = True
        node.wants_dn_statuses = isinstance(node, AgentNode | PlaceNode)


def name(node: Node) -> str:
    if isinstance(node, DNNode):
        return str(node.key)
    return node.id if isinstance(node, AgentNode) else getattr(node, "name", "?")


def said(record: tuple[Any, ...]) -> tuple[Any, ...]:
    """A record without the identity of its objects."""
    kind, node, *rest = record
    if kind in (BEGAN, ENDED):
        occurrence, start = rest
        shown: list[Any] = [occurrence.action, occurrence.conn_id, dict(occurrence.facts), start]
        shown.append(occurrence.agent_id)
    elif kind == HAPPENED:
        shown = [*rest[:2], dict(rest[2].facts), dict(rest[2].reasons), rest[2].agent_id]
    elif kind == STATUS:
        shown = [(each.action, each.start) for each in rest]
    elif kind == DN_STATUS:
        shown = [each.action if hasattr(each, "action") else each for each in rest]
    else:
        assert kind == FACTS
        shown = [rest[0].action, dict(rest[0].facts), rest[0].agent_id]
        shown += [(t, dict(was.facts), was.agent_id) for t, was in rest[0].formerly()]
    return (kind, name(node), *shown)


def ms(event: TEvent) -> int:
    assert event.time is not None
    return int(event.time * 1000 + 0.5)


def apply(world: World, events: list[TEvent]) -> list[tuple[Any, ...]]:
    heard = []
    for event in events:
        t = max(ms(event), world.now)
        world.skip_checks(t)
        while world.next_check <= t:
            heard += [said(record) for record in world.check()]
        heard += [said(record) for record in world.apply(event, t)]
        listen(world)
    return heard


def a_day(seed: int) -> list[TEvent]:
    events = list(ContactCentre(Random(seed), START, agents=6, queues=2).take(1500))
    if seed % 2:  # with the link lost on the way
        events.insert(700, EventLinkDisconnected(time=events[700].time))
        events.insert(705, EventLinkConnected(time=events[705].time))
    return events


@pytest.mark.parametrize("seed", range(8))
def test_it_goes_on_alike(seed: int) -> None:
    events = a_day(seed)
    cut = Random(seed).randrange(100, 1400)
    world = World("sw1", DIRECTORY, int(START * 1000))
    listen(world)
    apply(world, events[:cut])

    wire = msgspec.msgpack.encode(export_world(world))
    again = World("sw1", DIRECTORY, int(START * 1000))
    adopt_world(again, msgspec.msgpack.decode(wire))
    assert export_world(again) == export_world(world)

    listen(again)
    assert apply(again, events[cut:]) == apply(world, events[cut:])
    assert export_world(again) == export_world(world)


def told(path: Path) -> list[TEvent]:
    """The events of a text table, those before midnight left out."""
    table = tables.read(path.read_text())
    day, teller = tables.Day(), tables.Teller()
    events: list[TEvent] = []
    for row in table.rows:
        if not row.cells or not row.cells[0] or day.moment(row.cells[0]) < 0:
            continue
        events += [
            teller.event(phrase, day.moment(row.cells[0]) / 1000)
            for phrase in tables.phrases(row.cells[1])
            if phrase.split()[0] not in ("open", "close")
        ]
    return events


STORIES = [
    path
    for folder in ("call_models", "conformance")
    for path in sorted((HERE.parent / folder).glob("*.txt"))
    if path.read_text().partition("\nat")[2].split()[1:2] == ["what"]
]


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_every_story_can_be_taken_over_after_every_event(path: Path) -> None:
    """Whatever the tables show, the other server goes on with it."""
    events = told(path)
    options = WorldOptions(dnd_means_not_ready=True, queue_use_pseudo_actions=False)
    for cut in range(len(events)):
        world = World("sw1", DIRECTORY, ms(events[0]), options)
        listen(world)
        apply(world, events[:cut])
        again = World("sw1", DIRECTORY, ms(events[0]), options)
        adopt_world(again, msgspec.msgpack.decode(msgspec.msgpack.encode(export_world(world))))
        assert export_world(again) == export_world(world)
        listen(again)
        assert apply(again, events[cut:]) == apply(world, events[cut:]), cut
        assert export_world(again) == export_world(world)


def test_the_stories_are_there() -> None:
    names = {path.stem for path in STORIES}
    assert {"supervision_coaching", "asm_campaign", "do not disturb"} <= names
    assert {"interaction queue", "media channels", "virtual group"} <= names


def test_what_an_earlier_release_says_is_enough() -> None:
    events = a_day(0)
    world = World("sw1", DIRECTORY, int(START * 1000))
    apply(world, events[:800])
    told = export_world(world)
    del told["interactions"], told["channels"]
    for agent in told["agents"]:
        del agent["seen"]
    again = World("sw1", DIRECTORY, int(START * 1000))
    adopt_world(again, told)
    assert {name for name, node in again.agents() if node.dns} == {
        name for name, node in again.agents() if node.seen
    }
    assert set(again.virtual.members("There")) == set(world.virtual.members("There")) != set()


def test_nonsense_is_refused() -> None:
    world = World("sw1", DIRECTORY, 0)
    with pytest.raises((KeyError, ValueError, TypeError)):
        adopt_world(world, {"began": 0, "now": 0, "next_check": 0, "dns": [{}]})


def test_a_call_that_waits_in_a_queue_that_does_not_know_it_is_refused() -> None:
    """Its end raised in the middle of an event (found by fuzzing)."""
    world = World("sw1", DIRECTORY, int(START * 1000))
    apply(world, [EventQueued(time=START, this_dn="8001", conn_id="c1")])
    told = export_world(world)
    [queue] = [dn for dn in told["dns"] if dn.get("waiting")]
    queue["waiting"] = []
    with pytest.raises(ValueError, match="call c1 waits in 8001, unknown there"):
        adopt_world(World("sw1", DIRECTORY, int(START * 1000)), told)
