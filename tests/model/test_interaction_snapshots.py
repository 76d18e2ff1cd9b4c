"""What a feed of interactions tells once it is back, and what becomes of the picture then."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.model.actions import ALL_ACTIONS, NAMES
from statserver_trio.model.directory import Directory, DNKey, Place
from statserver_trio.model.occurrences import HAPPENED
from statserver_trio.model.transfer import adopt_world, export_world
from statserver_trio.model.world import World
from statserver_trio.tlib import events as e

CHAT = {"media_type": "chat", "agent_id": "a1"}
MAIL = {"MediaType": "email", "InteractionID": "m1", "UserData": {"Segment": "gold"}}


def new_world() -> World:
    places = {"Desk": Place("Desk", (DNKey("7001", "sw1"),))}
    return World("sw1", Directory(places=places), 0)


def media(*entries: Any, agent_id: str = "a1") -> e.EventAgentMediaInfo:
    extensions = {"media": list(entries)}
    return e.EventAgentMediaInfo(agent_id=agent_id, place="Desk", extensions=extensions)


def waiting(*entries: Any, **place: str) -> e.EventInteractionPlaceInfo:
    return e.EventInteractionPlaceInfo(extensions={"interactions": list(entries)}, **place)


def goes_on(world: World, agent_id: str = "a1") -> list[str]:
    agent = world.agent(agent_id)
    assert agent is not None
    return sorted(f"{o.media} {NAMES[o.action]} {start}" for o, start in agent.going_on())


def test_an_agent_is_what_his_snapshot_says() -> None:
    world = new_world()
    chat = {
        "MediaType": "chat",
        "state": "Ready",
        "interactions": [
            {"InteractionID": "i1", "InteractionType": "Outbound", "state": "Handling"},
            {"InteractionID": "i2", "state": "Delivering"},
        ],
    }
    mail = {"MediaType": "email", "state": "NotReady", "Reasons": {"Why": "lunch"}}
    world.apply(media(chat, mail), 1000)
    assert goes_on(world) == [
        "chat Active 1000",
        "chat Available 1000",
        "chat Blocked 1000",
        "chat Delivering 1000",
        "chat HandlingOutbound 1000",
        "chat NotRoutable 1000",
        "email Active 1000",
        "email NotRoutable 1000",
    ]
    before = export_world(world)
    world.apply(media(chat, mail), 2000)  # said again, and nothing begins anew
    after = export_world(world)
    assert (after["channels"], after["agents"]) == (before["channels"], before["agents"])
    world.apply(media({**chat, "interactions": chat["interactions"][1:]}), 3000)
    assert goes_on(world) == [
        "chat Active 1000",
        "chat Available 1000",
        "chat Blocked 1000",
        "chat Delivering 1000",
        "chat NotRoutable 1000",
    ]
    assert [each.conn_id for each in world.interactions] == ["i2"]
    world.apply(media(), 4000)
    assert goes_on(world) == []
    assert list(world.interactions) == []


def test_an_offer_that_was_accepted_meanwhile_is_worked_on() -> None:
    world = new_world()
    world.apply(e.EventMediaAdded(**CHAT), 1000)
    world.apply(e.EventInvite(interaction_id="i1", **CHAT), 2000)
    accepted = {"InteractionID": "i1", "state": "Handling"}
    world.apply(media({"MediaType": "chat", "interactions": [accepted]}), 5000)
    assert "chat HandlingInbound 5000" in goes_on(world)
    assert "chat Active 1000" in goes_on(world)


def test_a_place_has_what_its_snapshot_lists_and_nothing_else() -> None:
    world = new_world()
    queue = world.interactions.place("StagingArea", "mail")
    queue.interest = ALL_ACTIONS
    world.apply(e.EventPlacedInQueue(interaction_id="old", media_type="email", queue="mail"), 1000)
    world.apply(e.EventPlacedInQueue(interaction_id="m1", media_type="email", queue="next"), 1000)
    records = world.apply(waiting(MAIL, queue="mail"), 2000)
    assert [record for record in records if record[0] == HAPPENED] == []  # quietly
    assert [(each.conn_id, wait.start) for each, wait in queue.waiting.items()] == [("m1", 2000)]
    assert world.interactions.place("StagingArea", "next").waiting == {}
    found = world.interactions.get("m1")
    assert found is not None
    assert (found.facts, found.media, found.queue) == ({"Segment": "gold"}, "email", queue)
    assert world.interactions.get("old") is None
    world.apply(e.EventTakenFromQueue(interaction_id="m1", queue="mail", party_type=2), 5000)
    assert queue.waiting == {}


def test_workbins_and_strategies_have_snapshots_too() -> None:
    world = new_world()
    world.apply(waiting(MAIL, workbin="drafts"), 1000)
    world.apply(waiting({"InteractionID": "t1", "MediaType": "task"}, strategy="router"), 1000)
    assert world.interactions.places() == [("Workbin", "drafts"), ("RoutingStrategy", "router")]
    assert [
        len(world.interactions.place(*each).waiting) for each in world.interactions.places()
    ] == [
        1,
        1,
    ]


ODD = st.recursive(
    st.sampled_from([None, 1, "", "chat", "i1", "Ready", "voice"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["MediaType", "InteractionID", "state", "interactions", "UserData"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(ODD, max_size=3), st.lists(ODD, max_size=3))
def test_what_makes_no_sense_is_passed_over(entries: list[Any], others: list[Any]) -> None:
    world = new_world()
    world.apply(media(*entries), 1000)
    world.apply(waiting(*others, queue="mail"), 2000)
    other = new_world()
    adopt_world(other, export_world(world))
    assert export_world(other) == export_world(world)


@pytest.mark.parametrize("extensions", [None, {}, {"media": 1}, {"media": {"MediaType": "chat"}}])
def test_a_snapshot_that_lists_nothing_leaves_nothing(extensions: Any) -> None:
    world = new_world()
    world.apply(e.EventMediaAdded(**CHAT), 1000)
    world.apply(e.EventAgentMediaInfo(agent_id="a1", extensions=extensions), 2000)
    assert goes_on(world) == []
