"""Objects as the engine sees them: who is known, on which switch, by which clock."""

from __future__ import annotations

from typing import Any

import pytest

from statserver_trio.model.directory import DN, Agent, Directory, DNKey, Place
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_profiles import UTC, parse_time_profile
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.replacing import replace_world
from statserver_trio.stats.requests import StatisticError, StatisticRequest
from statserver_trio.stats.statistic import Statistic
from statserver_trio.stats.telling.notifications import Notification
from statserver_trio.tlib import events as e

MIDNIGHT = 1_700_006_400_000
MINUTES = parse_time_profile("Minutes,Growing", "0:00 +0:01", UTC)
NEVER = parse_time_profile("Never,Growing", "never", UTC)


def engine_of(directory: Directory | None = None, switches: str = "sw1") -> Engine:
    engine = Engine(Definitions(), directory or Directory())
    for switch in switches.split():
        engine.add_source(f"ts-{switch}", switch)
    return engine


def opened(
    engine: Engine, object_type: str, name: str, now: int = MIDNIGHT, **more: Any
) -> Statistic:
    options = {
        "Objects": object_type,
        "Category": more.pop("category", "TotalTime"),
        "Subject": more.pop("subject", "DNAction"),
        "MainMask": more.pop("mask", "CallInbound"),
    }
    more.setdefault("time_profile", NEVER)
    stat_type = parse_stat_type("", options)
    return engine.open(StatisticRequest(object_type, name, stat_type, **more), now)


def value(engine: Engine, statistic: Statistic, seconds: float) -> Any:
    return engine.value(statistic, MIDNIGHT + round(seconds * 1000)).value


def at(cls: type, seconds: float, dn: str = "7001", **more: Any) -> Any:
    if issubclass(cls, e.CallEvent):
        more = {"conn_id": "c1", "call_type": "Inbound", **more}
    return cls(time=MIDNIGHT / 1000 + seconds, this_dn=dn, **more)


# -- who is known -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("object_type", "name"), [("RegDN", "7001@sw1"), ("Queue", "8001@sw1"), ("Agent", "a1")]
)
def test_whoever_is_asked_for_comes_into_being_or_is_refused(object_type: str, name: str) -> None:
    mask = "CallWait" if object_type == "Queue" else "CallInbound"
    statistic = opened(engine_of(), object_type, name, mask=mask)
    assert len(statistic.nodes) == 1
    with pytest.raises(StatisticError, match="not configured") as caught:
        opened(engine_of(Directory(auto_create=False)), object_type, name, mask=mask)
    assert caught.value.code == "unknown-object"


def test_who_is_configured_is_known_without_auto_create() -> None:
    key = DNKey("7001", "sw1")
    directory = Directory({key: DN(key, "Extension")}, {"a1": Agent("a1")}, auto_create=False)
    engine = engine_of(directory)
    assert len(opened(engine, "RegDN", "7001@sw1").nodes) == 1
    assert len(opened(engine, "Agent", "a1").nodes) == 1


@pytest.mark.parametrize(
    ("object_type", "name", "words"),
    [
        ("RegDN", "7001@elsewhere", "allowed: number@sw1, number@sw2"),
        ("RegDN", "7001", "names no DN"),
        ("Queue", "7001@sw1", "is a Extension, not a queue"),
        ("Place", "P9", "place 'P9' is not configured; known: P1"),
        ("GroupAgents", "G9", "known: Sales"),
        ("GroupPlaces", "G9", "known: none"),
        ("GroupQueues", "G9", "known: none"),
        ("Agent", "", "not configured"),
    ],
)
def test_refusals_say_what_is_known(object_type: str, name: str, words: str) -> None:
    key = DNKey("7001", "sw1")
    directory = Directory(
        dns={key: DN(key, "Extension")},
        places={"P1": Place("P1", (key,))},
        agent_groups={"Sales": ("a1",)},
    )
    with pytest.raises(StatisticError, match=words):
        opened(engine_of(directory, "sw1 sw2"), object_type, name, mask="*")


def test_a_number_alone_will_do_where_there_is_one_switch() -> None:
    engine = engine_of()
    one, two = opened(engine, "RegDN", "7001"), opened(engine, "RegDN", "7001@sw1")
    assert one.nodes == two.nodes


def test_the_same_request_is_the_same_statistic() -> None:
    engine = engine_of()
    one = opened(engine, "Agent", "a1")
    assert opened(engine, "Agent", " a1 ") is one
    assert opened(engine, "Agent", "a1", time_profile=MINUTES) is not one
    subscriptions = [engine.subscribe(one, Notification(), n, MIDNIGHT) for n in range(2)]
    engine.unsubscribe(subscriptions[0])
    assert opened(engine, "Agent", "a1") is one
    engine.unsubscribe(subscriptions[1])
    assert opened(engine, "Agent", "a1") is not one


# -- two sources --------------------------------------------------------------------------


def test_two_clocks_that_differ_are_both_counted_right() -> None:
    """sw2's clock is 5 s ahead. The same call, seen by both, took 40 s for each."""
    engine = engine_of(switches="sw1 sw2")
    dns = [f"7001@{switch}" for switch in ("sw1", "sw2")]
    totals = [opened(engine, "RegDN", dn) for dn in dns]
    currents = [opened(engine, "RegDN", dn, category="CurrentTime") for dn in dns]
    for offset, source in ((0, "ts-sw1"), (5, "ts-sw2")):
        engine.apply(source, [at(e.EventEstablished, 10 + offset)], MIDNIGHT + 10_000)
    assert [value(engine, one, 30) for one in currents] == [20, 20]
    for offset, source in ((0, "ts-sw1"), (5, "ts-sw2")):
        engine.apply(source, [at(e.EventReleased, 50 + offset)], MIDNIGHT + 50_000)
    assert [value(engine, one, 50) for one in totals] == [40, 40]


def test_resets_come_by_the_clock_of_the_source() -> None:
    """A call from 50 to 58 of our clock: on sw2, which says 55 to 63, 3 s lie behind its reset."""
    engine = engine_of(switches="sw1 sw2")
    totals = [
        opened(engine, "RegDN", f"7001@{switch}", time_profile=MINUTES) for switch in ("sw1", "sw2")
    ]
    for cls, t in ((e.EventEstablished, 50), (e.EventReleased, 58)):
        for offset, source in ((0, "ts-sw1"), (5, "ts-sw2")):
            engine.apply(source, [at(cls, t + offset)], MIDNIGHT + t * 1000)
    assert [value(engine, one, 59) for one in totals] == [8, 3]
    assert [value(engine, one, 61) for one in totals] == [0, 3]


def test_an_agent_on_two_switches_is_one_agent() -> None:
    """He appears on the second one later; what he does there counts from his login there."""
    engine = engine_of(Directory(agent_groups={"Sales": ("a1", "a2")}), "sw1 sw2")
    engine.apply("ts-sw1", [at(e.EventAgentLogin, 0, agent_id="a1")], MIDNIGHT)
    engine.apply("ts-sw2", [at(e.EventOnHook, 0, dn="9001")], MIDNIGHT)
    agent = opened(engine, "Agent", "a1")
    group = opened(engine, "GroupAgents", "Sales")
    now = opened(engine, "GroupAgents", "Sales", category="CurrentNumber")
    assert len(agent.nodes) == 1
    engine.apply("ts-sw1", [at(e.EventEstablished, 10)], MIDNIGHT + 10_000)
    engine.apply("ts-sw2", [at(e.EventEstablished, 10, dn="9001")], MIDNIGHT + 10_000)
    engine.apply("ts-sw2", [at(e.EventAgentLogin, 30, dn="9001", agent_id="a1")], MIDNIGHT + 30_000)
    assert len(agent.nodes) == 2
    assert value(engine, now, 30) == 2
    engine.apply("ts-sw1", [at(e.EventReleased, 50)], MIDNIGHT + 50_000)
    engine.apply("ts-sw2", [at(e.EventReleased, 60, dn="9001")], MIDNIGHT + 60_000)
    assert value(engine, agent, 70) == value(engine, group, 70) == 40 + 30
    assert value(engine, now, 70) == 0


def test_members_who_appear_later_belong_to_their_group() -> None:
    engine = engine_of(Directory(agent_groups={"Sales": ("a1", "a2")}))
    talk = opened(engine, "GroupAgents", "Sales")
    waiting = opened(
        engine, "GroupAgents", "Sales", category="CurrentNumber", subject="AgentStatus",
        mask="WaitForNextCall",
    )  # fmt: skip
    for number, agent in enumerate(("a1", "a2")):
        dn = f"700{number}"
        t = 100 * number
        story = [
            at(e.EventAgentReady, t + 5, dn=dn, agent_id=agent),
            at(e.EventEstablished, t + 10, dn=dn, conn_id=agent),
            at(e.EventReleased, t + 20 + number, dn=dn, conn_id=agent),
        ]
        engine.apply("ts-sw1", story, MIDNIGHT + 1000 * (t + 30))
    assert value(engine, talk, 140) == 10 + 11
    assert value(engine, waiting, 140) == 2


@pytest.mark.parametrize("at_once", [False, True])
def test_who_appears_counts_from_then_on_wherever_the_list_of_events_ends(at_once: bool) -> None:
    engine = engine_of(switches="sw1 sw2")
    agent = opened(engine, "Agent", "a1")
    events = [
        at(e.EventAgentLogin, 0, agent_id="a1"),
        at(e.EventEstablished, 10),
        at(e.EventReleased, 40),
    ]
    for batch in [events] if at_once else [[event] for event in events]:
        engine.apply("ts-sw2", batch, MIDNIGHT + 40_000)
    assert value(engine, agent, 60) == 30


def test_worlds_that_are_replaced_bring_whoever_is_in_them_in_the_order_of_the_sources() -> None:
    there, here = engine_of(switches="sw1 sw2"), engine_of(switches="sw1 sw2")
    for name in ("ts-sw1", "ts-sw2"):
        there.apply(name, [at(e.EventAgentLogin, 0, agent_id="a1")], MIDNIGHT)
    agent = opened(here, "Agent", "a1")
    for name in ("ts-sw2", "ts-sw1"):
        picture = here.sources[name].read(there.sources[name].export())
        replace_world(here, name, picture, MIDNIGHT, MIDNIGHT)
        assert name in [source.name for source in agent.sources]
    assert [source.name for source in agent.sources] == ["ts-sw1", "ts-sw2"]


def test_the_dns_of_a_place_exist_from_the_start() -> None:
    places = {"P1": Place("P1", (DNKey("7001", "sw1"), DNKey("7002", "sw1")))}
    engine = engine_of(Directory(places=places, place_groups={"Floor": ("P1",)}))
    now = opened(engine, "Place", "P1", category="CurrentNumber", mask="*,~LoggedOut")
    deaf = opened(engine, "Place", "P1", category="CurrentNumber", mask="*", subject="DNStatus")
    group = opened(engine, "GroupPlaces", "Floor", category="TotalTime")
    assert (value(engine, now, 0), value(engine, deaf, 0)) == (2, 2)  # NotMonitored
    for dn in ("7001", "7002"):
        engine.apply("ts-sw1", [at(e.EventOnHook, 5, dn=dn)], MIDNIGHT + 5000)
        assert (value(engine, now, 5), value(engine, deaf, 5)) == (2, 2)
    engine.apply("ts-sw1", [at(e.EventEstablished, 10), at(e.EventReleased, 30)], MIDNIGHT + 30_000)
    assert (value(engine, now, 30), value(engine, group, 30)) == (2, 20)


def test_a_dn_that_a_question_brought_about_is_counted_at_its_place() -> None:
    places = {"P1": Place("P1", (DNKey("7001", "sw1"),))}
    engine = engine_of(Directory(places=places))
    now = opened(engine, "Place", "P1", category="CurrentNumber", mask="*", subject="DNStatus")
    engine.apply("ts-sw1", [at(e.EventLinkConnected, 5, dn="")], MIDNIGHT + 5000)
    opened(engine, "RegDN", "7001", now=MIDNIGHT + 20_000)
    assert value(engine, now, 20) == 1


def test_repeated_positions_are_applied_once() -> None:
    engine = engine_of()
    number = opened(engine, "RegDN", "7001", category="TotalNumber", mask="CallInboundStarted")
    for position in (1, 2, 2, 1, 3):
        event = at(e.EventEstablished, position, conn_id=f"c{position}", position=position)
        engine.apply("ts-sw1", [event], MIDNIGHT + 5000)
    assert value(engine, number, 5) == 3
    assert engine.sources["ts-sw1"].duplicates == 2


def test_time_never_goes_back() -> None:
    engine = engine_of()
    time = opened(engine, "RegDN", "7001")
    engine.apply("ts-sw1", [at(e.EventEstablished, 10), at(e.EventReleased, 4)], MIDNIGHT + 10_000)
    assert value(engine, time, 10) == 0


def test_a_gap_makes_the_interval_incomplete_until_the_next_one() -> None:
    engine = engine_of()
    time = opened(engine, "RegDN", "7001", time_profile=MINUTES)
    assert engine.value(time, MIDNIGHT + 5000).complete
    engine.apply("ts-sw1", [at(e.EventServerDisconnected, 10, dn="")], MIDNIGHT + 10_000)
    assert not engine.value(time, MIDNIGHT + 20_000).complete
    assert engine.value(time, MIDNIGHT + 65_000).complete
