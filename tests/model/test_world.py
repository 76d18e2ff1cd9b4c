"""The world as a fold: what it makes of events that do not fit, and what it keeps."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.expressions.memberships import parse_membership
from statserver_trio.model.actions import ALL_ACTIONS, NAMES, STATUS_NAMES
from statserver_trio.model.calls import Leg, Phase
from statserver_trio.model.directory import DN, Directory, DNKey, Place
from statserver_trio.model.nodes import AgentNode, MediationDN, RegularDN
from statserver_trio.model.occurrences import BEGAN, ENDED
from statserver_trio.model.virtual_groups import VirtualGroups
from statserver_trio.model.world import CHECK_MS, World, WorldOptions
from statserver_trio.tlib import events as e

steady = settings(derandomize=True, deadline=None)

PHONES, QUEUES = ("7001", "7002"), ("8001", "8002")


def world_of(directory: Directory | None = None, **options: Any) -> World:
    return World("sw1", directory or Directory(), 0, WorldOptions(**options))


def going_on(world: World, number: str) -> set[str]:
    dn = world.dn(number)
    assert dn is not None
    return {NAMES[occurrence.action] for occurrence, _ in dn.going_on()}


# -- whatever comes -----------------------------------------------------------------------

call_events = [cls for cls in e.EVENT_TYPES if issubclass(cls, e.CallEvent)]
other_events = [cls for cls in e.EVENT_TYPES if not issubclass(cls, e.CallEvent)]


@st.composite
def anything(draw: st.DrawFn) -> e.TEvent:
    """An event of any kind about any DN, with attributes that fit or not."""
    cls = draw(st.sampled_from(call_events + other_events))
    may = set(cls.__struct_fields__)
    fields: dict[str, Any] = {"this_dn": draw(st.sampled_from(("", *PHONES, *QUEUES)))}
    texts = {
        "conn_id": ["c1", "c2", "c3"],
        "previous_conn_id": ["", "c1", "c2"],
        "call_type": ["Inbound", "Consult", "Unknown", "Nonsense"],
        "call_state": ["Ok", "Transferred", "Conferenced", "Redirected", "Cleared"],
        "third_party_dn": ["", *PHONES, *QUEUES],
        "this_queue": ["", *PHONES, *QUEUES],
        "other_dn": ["", *PHONES],
        "this_dn_role": ["", "Origination", "Observer"],
        "other_dn_role": ["", "DeletedParty", "Observer"],
        "third_party_dn_role": ["", "TransferredBy", "AddedBy"],
        "agent_id": ["", "a1", "a2"],
        "work_mode": ["", "AfterCallWork", "AutoIn"],
        "interaction_id": ["i1", "i2"],
        "interaction_type": ["", "Outbound", "Nonsense"],
        "media_type": ["", "email", "chat"],
        "queue": ["", "q1", "q2"],
        "old_queue": ["", "q1", "q2"],
        "strategy": ["", "router"],
        "workbin": ["", "drafts"],
        "place": ["", "P"],
    }
    if issubclass(cls, e.InteractionEvent):
        may -= {"extensions"}
        fields |= {
            name: draw(st.integers(0, 2))
            for name in ("interaction_state", "party_type")
            if name in may
        }
    for name, choice in texts.items():
        if name in may:
            fields[name] = draw(st.sampled_from(choice))
    if "user_data" in may:
        engaged = {"GSW_CAMPAIGN_NAME": "Spring"}
        customer = {**engaged, "GSW_PHONE": "5551001"}
        fields["user_data"] = draw(st.sampled_from([None, {}, {"A": 1}, engaged, customer]))
    if "extensions" in may:
        said = [None, {}, {"MonitorMode": "coach"}, {"MonitorMode": "connect"}]
        said += [{"AssistMode": "coach"}, {"AgentStatus": 2, "dnd": 1}]
        fields["extensions"] = draw(st.sampled_from(said))
    event: e.TEvent = cls(**fields)
    return event


VIRTUAL = {
    name: parse_membership(text)
    for name, text in {
        "Able": 'LoggedIn("8001@sw1") & ~LoggedIn("8002@sw1")',
        "Here": 'LoggedInSwitch("sw1")',
        "Away": '~LoggedInSwitch("sw1")',
        "Else": 'LoggedInSwitch("sw2") | LoggedIn("8001@sw2")',
    }.items()
}

streams = st.lists(st.tuples(st.integers(0, 90_000), anything()), max_size=40)


@steady
@given(streams)
def test_books_balance_whatever_comes(stream: list[tuple[int, e.TEvent]]) -> None:
    """Nothing begins twice or ends without a beginning, for DNs, agents and places."""
    key = DNKey("7001", "sw1")
    directory = Directory(
        dns={key: DN(key, "Extension")},
        places={"P": Place("P", (key,))},
        virtual_agent_groups=VIRTUAL,
        origination_dns={"Able": (DNKey("8002", "sw1"),)},
    )
    world = world_of(directory, stuck_call_timeout_ms=120_000, dnd_means_not_ready=True)
    open_now: dict[Any, set[Any]] = {}

    def look(records: list[tuple[Any, ...]]) -> None:
        for record in records:
            mine = open_now.setdefault(record[1], set())
            if record[0] == BEGAN:
                assert record[2] not in mine
                mine.add(record[2])
            elif record[0] == ENDED:
                mine.remove(record[2])

    def watch() -> None:
        others = [world.interactions.place(*each) for each in world.interactions.places()]
        others += world.channels.values()
        for node in [*world.dns(), *world._agents.values(), *world._places.values(), *others]:
            if not node.interest:
                node.interest = ALL_ACTIONS
                open_now[node] = {occurrence for occurrence, _ in node.going_on()}

    watch()
    t = 0
    for later, event in stream:
        t += later
        while world.next_check <= t:
            look(world.check())
        look(world.apply(event, t))
        watch()
        for node, mine in open_now.items():
            assert mine == {occurrence for occurrence, _ in node.going_on()}
        look_at_virtual_groups(world)
        for interaction in world.interactions:
            for occurrence in interaction.occurrences():
                assert occurrence in [each for each, _ in occurrence.dn.going_on()]
    for dn in world.dns():
        if isinstance(dn, RegularDN):
            assert dn.status.source is dn.top()
            assert (dn.agent is None) == all(dn not in a.dns for a in world._agents.values())
    for call in world.calls.values():
        for dn, leg in call.legs.items():
            assert dn.legs[call.conn_id] is leg
            look_at_a_leg(dn, leg)
        for queue, visit in call.visits.items():
            assert (visit.wait is None) == (call not in queue.calls)


def look_at_virtual_groups(world: World) -> None:
    """They have the members that they would have if everybody were looked at anew."""
    anew = VirtualGroups("sw1")
    anew.relist(world.directory, dict(world.agents()))
    for name in world.virtual:
        members = world.virtual.members(name)
        assert set(members) == set(anew.members(name))
        group = world.groups.get("GroupAgents", name)
        assert group is not None
        assert {agent.id for agent in group.members} == {
            each for each in members if each in world.agent_ids()
        }
        assert group.size == len(members)
        counted = Counter(agent.status.action for agent in group.members)
        assert +group.numbers == counted
        assert group.status.action == group.top()
        served = {dn for agent in group.members for dn in agent.dns}
        if name == "Able":
            queue = world.mediation_dn("8002")
            assert queue is None or served <= queue.members.keys()


def look_at_a_leg(dn: RegularDN, leg: Leg) -> None:
    """Supervision and engagement are where they belong, and once."""
    names = [NAMES[occurrence.action] for occurrence in leg.going_on]
    assert len(set(names)) == len(names)
    observers = leg.call.observers
    observed = [name for name in names if name.startswith(("CallObserved", "Being"))]
    observing = [name for name in names if name.startswith(("CallObserving", "Coaching"))]
    if leg.phase is not Phase.TALKING or dn.key.number in observers:
        assert not observed
    if leg.phase is not Phase.OBSERVING:
        assert not observing
    if not any(not each.left and not each.deaf for each in observers.values()):
        assert not observed
        assert not observing
    assert leg.asm is None or (leg.asm in leg.going_on and leg.phase is Phase.TALKING)
    assert (leg.asm is None) == (not any(name.startswith("ASM_") for name in names))


@steady
@given(streams)
def test_no_call_is_kept_for_ever(stream: list[tuple[int, e.TEvent]]) -> None:
    world = world_of(stuck_call_timeout_ms=120_000)
    t = 0
    for later, event in stream:
        t += later
        while world.next_check <= t:
            world.check()
        world.apply(event, t)
    while world.next_check <= t + 4 * CHECK_MS:
        world.check()
    assert world.calls == {}
    for dn in world.dns():
        assert not (dn.legs if isinstance(dn, RegularDN) else dn.calls)  # type: ignore[attr-defined]


# -- who comes into being -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "made"),
    [
        (e.EventRinging(this_dn="7", conn_id="c"), "Extension"),
        (e.EventAgentReady(this_dn="7"), "Extension"),
        (e.EventQueued(this_dn="7", conn_id="c"), "Queue"),
        (e.EventRouteRequest(this_dn="7", conn_id="c"), "RoutePoint"),
        (e.EventReleased(this_dn="7", conn_id="c"), None),
        (e.EventUserEvent(this_dn="7"), None),
        (e.EventLinkConnected(), None),
    ],
)
def test_newcomers(event: e.TEvent, made: str | None) -> None:
    world = world_of()
    world.apply(event, 1000)
    assert [dn.type for dn in world.dns()] == ([] if made is None else [made])
    strict = world_of(Directory(auto_create=False))
    strict.apply(event, 1000)
    assert list(strict.dns()) == []


def test_what_nobody_has_a_rule_for_is_only_counted() -> None:
    world = world_of()
    world.apply(e.EventForwardSet(this_dn="7001"), 0)
    world.apply(e.EventForwardSet(this_dn="7001"), 0)
    assert world.ignored == {"EventForwardSet": 2}
    assert world.dn("7001") is None


def test_an_unknown_agent_is_nobody_where_agents_are_listed() -> None:
    key = DNKey("7001", "sw1")
    world = world_of(Directory(dns={key: DN(key, "Extension")}, auto_create=False))
    world.apply(e.EventAgentLogin(this_dn="7001", agent_id="a9"), 0)
    assert world.agent_ids() == []
    assert "LoggedIn" in going_on(world, "7001")


def test_a_place_is_there_before_its_first_dn_is() -> None:
    world = world_of(Directory(places={"P": Place("P", (DNKey("7001", "sw1"),))}))
    place = world.place("P")
    assert place is not None
    assert STATUS_NAMES[place.status.action] == "NotMonitored"
    world.apply(e.EventRinging(this_dn="7001", conn_id="c"), 0)
    assert STATUS_NAMES[place.status.action] == "CallRinging"
    assert world_of(Directory(places={"P": Place("P", (DNKey("7001", "sw2"),))})).place("P") is None


# -- rules that no call model shows -------------------------------------------------------


def test_only_one_agent_per_dn() -> None:
    world = world_of()
    world.apply(e.EventAgentLogin(this_dn="7001", agent_id="a1", this_queue="8001"), 0)
    world.apply(e.EventAgentReady(this_dn="7001", agent_id="a1"), 0)
    world.apply(e.EventAgentLogin(this_dn="7001", agent_id="a2"), 5000)
    first, second = world.agent("a1"), world.agent("a2")
    assert isinstance(first, AgentNode)
    assert isinstance(second, AgentNode)
    assert not first.dns
    assert [dn.key.number for dn in second.dns] == ["7001"]
    assert STATUS_NAMES[first.status.action] == "LoggedOut"
    assert "WaitForNextCall" not in going_on(world, "7001")
    queue = world.dn("8001")
    assert isinstance(queue, MediationDN)
    assert not queue.members
    assert not queue.pseudo


def test_ready_without_a_login_is_one() -> None:
    world = world_of()
    world.apply(e.EventAgentReady(this_dn="7001", agent_id="a1"), 0)
    assert going_on(world, "7001") == {"OnHook", "LoggedIn", "WaitForNextCall"}


def test_the_same_state_again_goes_on_and_another_reason_splits_it() -> None:
    world = world_of()
    for t, reason in ((0, "Tea"), (10, "Tea"), (20, "Lunch")):
        extensions = {"ReasonCode": reason}
        world.apply(e.EventAgentNotReady(this_dn="7001", agent_id="a1", extensions=extensions), t)
        dn = world.dn("7001")
        assert dn is not None
        assert dn.state["agent"].start == (20 if t == 20 else 0)


def test_a_second_ringing_replaces_a_leg_whose_end_was_lost() -> None:
    world = world_of()
    world.apply(e.EventRinging(this_dn="7001", conn_id="c1", call_type="Inbound"), 0)
    world.apply(e.EventEstablished(this_dn="7001", conn_id="c1", call_type="Inbound"), 5)
    world.apply(e.EventRinging(this_dn="7001", conn_id="c1", call_type="Inbound"), 9)
    assert going_on(world, "7001") == {"OnHook", "LoggedOut", "CallRingingInbound"}


def test_a_call_type_that_changes_ends_one_action_and_begins_the_other() -> None:
    world = world_of()
    world.apply(e.EventEstablished(this_dn="7001", conn_id="c1", call_type="Internal"), 0)
    world.apply(e.EventHeld(this_dn="7001", conn_id="c1", call_type="Internal"), 5)
    world.apply(e.EventCallInfoChanged(this_dn="7001", conn_id="c1", call_type="Inbound"), 9)
    assert going_on(world, "7001") == {
        "OnHook",
        "LoggedOut",
        "CallInbound",
        "CallOnHoldInbound",
    }


def test_nobody_is_told_what_nobody_asked_for() -> None:
    world = world_of()
    told: list[Any] = []
    for event in (
        e.EventAgentLogin(this_dn="7001", agent_id="a1"),
        e.EventEstablished(this_dn="7001", conn_id="c1"),
        e.EventLinkDisconnected(),
    ):
        told += world.apply(event, 0)
    assert told == []


def test_checks_wait_for_calls() -> None:
    world = world_of()
    world.skip_checks(10 * CHECK_MS + 5)
    assert world.next_check == 11 * CHECK_MS
    world.apply(e.EventQueued(this_dn="8001", conn_id="c1"), 10 * CHECK_MS + 5)
    world.skip_checks(99 * CHECK_MS)
    assert world.next_check == 100 * CHECK_MS, "no check up to there could find it stuck"
    timeout = world.options.stuck_call_timeout_ms
    assert not world.is_stuck(10 * CHECK_MS + 4 + timeout)
    world.skip_checks(10**6 * CHECK_MS)
    assert world.next_check == 11 * CHECK_MS + timeout, "the first check that finds it"
    world.check()
    assert not world.calls
    world.apply(e.EventQueued(this_dn="8001", conn_id="c2"), at := 10**6 * CHECK_MS)
    world.options = WorldOptions(stuck_call_timeout_ms=0)
    world.skip_checks(at)
    assert world.next_check == at + CHECK_MS, "none ever is"
