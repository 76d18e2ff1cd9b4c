"""The status of a group itself: on several switches, while members come and go, in a pair."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from reloads import (
    MIDNIGHT,
    at,
    definitions,
    directory,
    engine_of,
    happens,
    opened,
    reload,
    talks,
    value,
)

from statserver_trio.model.actions import CODES
from statserver_trio.model.directory import DN, Agent, DNKey, Place
from statserver_trio.model.groups import GroupNode, joint_status
from statserver_trio.model.occurrences import Status
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticError
from statserver_trio.stats.statistic import Statistic
from statserver_trio.tlib import events as e


def extension(n: int) -> DNKey:
    return DNKey(f"700{n}", "sw1")


def shown(engine: Engine, own: Statistic, seconds: float) -> tuple[str, float]:
    """The status, and since when, in seconds after midnight."""
    state = value(engine, own, seconds)
    return state["status"], state["time"] - MIDNIGHT / 1000


# -- members come and go ------------------------------------------------------------------


def test_a_reload_changes_the_status_as_of_now() -> None:
    """All three wait; a3 begins to talk at 20 and is the only member from 100 to 150."""
    engine = engine_of()
    own, manned, turns = (opened(engine, name) for name in ("Own", "Manned", "Turns"))
    talks(engine, "7003", 20)
    reload(engine, 100, listed=directory("a3"))
    assert shown(engine, own, 120) == ("NotReadyForNextCall", 100)
    assert value(engine, manned, 120) == 100
    reload(engine, 150, listed=directory("a3 a1"))
    assert shown(engine, own, 160) == ("WaitForNextCall", 150)
    assert (value(engine, manned, 160), value(engine, turns, 160)) == (110, 2)
    reload(engine, 170, listed=directory(""))
    assert shown(engine, own, 180) == ("NotMonitored", 170)
    assert value(engine, manned, 180) == 120


def test_another_reload_changes_nothing() -> None:
    engine = engine_of()
    own, turns = (opened(engine, name) for name in ("Own", "Turns"))
    reload(engine, 50, listed=directory(places={}, place_groups={}))
    reload(engine, 60, listed=directory("a2 a1"))
    assert shown(engine, own, 70) == ("WaitForNextCall", 0)
    assert value(engine, turns, 70) == 1


def test_clients_hear_of_it() -> None:
    engine = engine_of()
    opened(engine, "Own", owner="client")
    changes = reload(engine, 100, listed=directory(""))
    assert [n.value.value["status"] for n in changes.notices if n.value] == ["NotMonitored"]


def test_a_new_group_is_there_at_once_and_a_deleted_one_is_closed() -> None:
    engine = engine_of()
    with pytest.raises(StatisticError, match="known: Sales"):
        opened(engine, "Own", "GroupAgents:Night")
    more = directory(agent_groups={"Sales": ("a1",), "Night": ("a2", "a9")})
    reload(engine, 10, listed=more)
    night = opened(engine, "Own", "GroupAgents:Night", 10)
    assert shown(engine, night, 10) == ("WaitForNextCall", 10)
    changes = reload(engine, 20, listed=directory())
    assert list(changes.closed) == ["agent group 'Night' was deleted"]


def test_an_agent_who_is_deleted_waits_no_more() -> None:
    dns = {extension(n): DN(extension(n), "Extension") for n in (1, 2, 3)}
    listed = directory(auto_create=False, dns=dns, queue_groups={})
    engine = engine_of(listed)
    own = opened(engine, "Own")
    assert shown(engine, own, 10) == ("WaitForNextCall", 0)
    agents = {name: Agent(name) for name in ("a2", "a3")}
    reload(engine, 20, listed=evolve(listed, agents=agents, agent_groups={"Sales": ("a2",)}))
    assert shown(engine, own, 30) == ("WaitForNextCall", 0)
    happens(engine, 40, at(e.EventAgentLogout, 40, "7002", agent_id="a2"))
    assert shown(engine, own, 50) == ("LoggedOut", 40)


def test_a_place_with_other_dns_is_another_member() -> None:
    engine = engine_of()
    own = opened(engine, "Own", "GroupPlaces:Floor")
    assert shown(engine, own, 5)[0] == "WaitForNextCall"
    places = {"P1": Place("P1", (extension(2),))}
    reload(engine, 10, listed=directory(places=places))
    assert own.key not in engine.statistics
    own = opened(engine, "Own", "GroupPlaces:Floor", 10)
    happens(engine, 20, at(e.EventAgentNotReady, 20, "7001", agent_id="a1"))
    assert shown(engine, own, 30)[0] == "WaitForNextCall"
    happens(engine, 40, at(e.EventAgentNotReady, 40, "7002", agent_id="a2"))
    assert shown(engine, own, 50) == ("NotReadyForNextCall", 40)


def test_it_is_invalid_while_a_member_cannot_be_heard() -> None:
    engine = engine_of(directory("a1"))
    own = opened(engine, "Manned", owner="client")
    assert own.valid
    happens(engine, 10, at(e.EventDNOutOfService, 10, "7001"))
    assert [n.kind for n in engine.notices(MIDNIGHT + 10_000)] == ["StatisticInvalid", "Info"]


def test_who_asks_changes_nothing() -> None:
    """Members who have never been seen are logged out, and stay unseen."""
    engine = Engine(definitions(), directory("a1 a2"))
    source = engine.add_source("ts1", "sw1")
    own = opened(engine, "Own")
    assert shown(engine, own, 10) == ("LoggedOut", 0)
    assert source.world(MIDNIGHT).agent_ids() == []
    happens(engine, 20, at(e.EventAgentReady, 20, "7001", agent_id="a1"))
    assert shown(engine, own, 30) == ("WaitForNextCall", 20)


def test_what_a_group_looks_like_in_the_middle_of_an_event_is_no_status() -> None:
    """a2 takes over the phone of a1, who waited: the only one who waits is another one."""
    engine = Engine(definitions(), directory("a1 a2"))
    engine.add_source("ts1", "sw1")
    own, turns = (opened(engine, name) for name in ("Own", "Turns"))
    happens(engine, 10, at(e.EventAgentReady, 10, "7001", agent_id="a1"))
    happens(engine, 20, at(e.EventAgentReady, 20, "7001", agent_id="a2"))
    assert shown(engine, own, 30) == ("WaitForNextCall", 10)
    assert value(engine, turns, 30) == 1


# -- two switches -------------------------------------------------------------------------


def two_switches() -> Engine:
    engine = Engine(definitions(), directory("a1 a2"))
    for number in (1, 2):
        engine.add_source(f"ts{number}", f"sw{number}")
        engine.apply(f"ts{number}", [at(e.EventOnHook, 0)], MIDNIGHT)
    return engine


def tell(engine: Engine, source: str, seconds: float, cls: type, dn: str, agent: str) -> None:
    event = at(cls, seconds, dn, agent_id=agent)
    engine.apply(source, [event], MIDNIGHT + round(seconds * 1000))


def test_a_group_has_a_status_per_switch_on_which_anybody_is_known() -> None:
    engine = two_switches()
    own, manned, since = (opened(engine, name) for name in ("Own", "Manned", "Since"))
    assert [source.name for source in own.sources] == ["ts1"]
    tell(engine, "ts2", 10, e.EventAgentReady, "7001", "a1")
    assert [source.name for source in own.sources] == ["ts2"]
    assert shown(engine, own, 20) == ("WaitForNextCall", 10)
    assert value(engine, manned, 30) == 20
    tell(engine, "ts1", 40, e.EventAgentReady, "7002", "a2")
    assert sorted(source.name for source in own.sources) == ["ts1", "ts2"]
    assert shown(engine, own, 50) == ("WaitForNextCall", 10)
    assert value(engine, manned, 50) == 40 + 10
    tell(engine, "ts2", 60, e.EventAgentNotReady, "7001", "a1")
    assert shown(engine, own, 60) == ("WaitForNextCall", 40)
    tell(engine, "ts1", 70, e.EventAgentLogout, "7002", "a2")
    assert shown(engine, own, 70) == ("NotReadyForNextCall", 70)
    assert value(engine, since, 80) == 20 + 10
    tell(engine, "ts2", 90, e.EventAgentLogout, "7001", "a1")
    assert shown(engine, own, 95) == ("LoggedOut", 90)


def test_who_was_asked_for_is_not_known_for_that() -> None:
    """One member of a pair is asked for an agent before the other one is (day 1120243)."""
    engine = two_switches()
    manned = opened(engine, "Manned")
    tell(engine, "ts2", 10, e.EventAgentReady, "7001", "a1")
    opened(engine, "Talks", "Agent:a2")
    tell(engine, "ts1", 20, e.EventAgentReady, "7003", "a3")  # who is in no group
    assert [source.name for source in manned.sources] == ["ts2"]
    tell(engine, "ts1", 40, e.EventAgentReady, "7002", "a2")
    assert sorted(source.name for source in manned.sources) == ["ts1", "ts2"]
    assert value(engine, manned, 50) == 40 + 10


def a_group(statuses: str, since: int) -> GroupNode:
    node = GroupNode("GroupAgents", "g", since)
    for name in statuses.split():
        node.size += 1
        node.numbers[CODES[name]] += 1
    node.status = Status(node.top(), since, None)
    return node


@pytest.mark.parametrize(
    ("worlds", "expected"),
    [
        ([("WaitForNextCall", 5)], ("WaitForNextCall", 5)),
        ([("WaitForNextCall", 5), ("WaitForNextCall LoggedOut", 3)], ("WaitForNextCall", 3)),
        ([("NotReadyForNextCall", 9), ("WaitForNextCall", 5)], ("WaitForNextCall", 5)),
        ([("NotMonitored", 5), ("NotMonitored", 7), ("", 0)], ("NotMonitored", 7)),
        ([("LoggedOut", 5), ("LoggedOut LoggedOut", 7)], ("LoggedOut", 7)),
        ([("LoggedOut", 5), ("NotMonitored", 7)], ("NotReadyForNextCall", 7)),
        ([("CallInbound", 5), ("LoggedOut", 4)], ("NotReadyForNextCall", 5)),
    ],
)
def test_over_several_switches_it_is_as_if_all_were_on_one(
    worlds: list[tuple[str, int]], expected: tuple[Any, ...]
) -> None:
    status = joint_status([a_group(*world) for world in worlds])
    assert (status.action, status.start) == (CODES[expected[0]], expected[1])
