"""Reload, as the engine sees it: what a change concerns is closed, the rest never notices."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from reloads import (
    KEYS,
    MIDNIGHT,
    STAT_TYPES,
    STATUSES,
    a_stat_type,
    at,
    definitions,
    directory,
    engine_of,
    happens,
    opened,
    reload,
    stories,
    talks,
    value,
)

from statserver_trio.expressions.capacities import parse_capacity
from statserver_trio.model.directory import DN, Agent, Capacities, DNKey, Place
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.filters import parse_filter
from statserver_trio.stats.definitions.time_profiles import UTC, parse_time_profile
from statserver_trio.stats.definitions.time_ranges import parse_time_range
from statserver_trio.stats.reconfigure import reconfigure
from statserver_trio.stats.requests import StatisticError, StatisticRequest
from statserver_trio.stats.telling.notifications import Mode, Notification
from statserver_trio.tlib import events as e

# -- definitions --------------------------------------------------------------------------


def test_a_new_stat_type_can_be_opened_at_once() -> None:
    engine = engine_of()
    more = {**definitions().stat_types, "Held": a_stat_type("Held", "TotalTime", "CallInbound")}
    with pytest.raises(StatisticError, match="not configured"):
        opened(engine, "Held")
    changes = reload(engine, 10, definitions(stat_types=more))
    assert changes.sections["stat-types"].added == ["Held"]
    assert not changes.closed
    held = opened(engine, "Held", seconds=10)
    talks(engine, "7001", 20, 25)
    assert value(engine, held, 30) == 5


def without(things: Any, name: str) -> dict[str, Any]:
    return {each: thing for each, thing in things.items() if each != name}


D = definitions()
NARROW = evolve(D.stat_types["Calls"], objects=frozenset({"Place"}))
# What is opened, what the new definitions are, and why it is closed.
CLOSED = [
    ({"filter": "Vip"}, {"filters": {}}, "filter 'Vip' was deleted"),
    (
        {"filter": "Vip"},
        {"filters": {"Vip": parse_filter("Vip", 'PairExists("Class","*")')}},
        "filter 'Vip' was changed",
    ),
    (
        {"profile": "Minutes"},
        {"time_profiles": without(D.time_profiles, "Minutes")},
        "time profile 'Minutes' was deleted",
    ),
    (
        {"profile": "Minutes"},
        {
            "time_profiles": {
                **D.time_profiles,
                "Minutes": parse_time_profile("Minutes,Growing", "0:00 +0:02", UTC),
            }
        },
        "time profile 'Minutes' was changed",
    ),
    (
        {"name": "Quick", "time_range": "Short"},
        {"time_ranges": {"Short": parse_time_range("Short", "0-11")}},
        "time range 'Short' was changed",
    ),
    (
        {"name": "Factor", "object_id": "Queue:8002@sw1", "time_range2": "Short"},
        {"time_ranges": {}},
        "time range 'Short' was deleted",
    ),
    (
        {"name": "Longest"},
        {"stat_types": without(D.stat_types, "Longest")},
        "stat type 'Longest' was deleted",
    ),
    (
        {"name": "Longest"},
        {"stat_types": {**D.stat_types, "Longest": a_stat_type("Longest", "MinTime", "*")}},
        "stat type 'Longest' was changed",
    ),
    (
        {"name": "Calls", "object_id": "Agent:a1"},
        {"stat_types": {**D.stat_types, "Calls": NARROW}},
        "stat type 'Calls' is no longer for Agent",
    ),
]


@pytest.mark.parametrize(("asked", "new", "reason"), CLOSED, ids=[row[2] for row in CLOSED])
def test_what_a_change_concerns_is_closed_and_the_rest_goes_on(
    asked: dict[str, Any], new: dict[str, Any], reason: str
) -> None:
    engine = engine_of()
    gone = opened(engine, **{"name": "Time", "owner": "gone", **asked})
    stays = opened(engine, "Waited", "Queue:8001@sw1", owner="stays")
    also = opened(engine, "Whole", owner="also")
    talks(engine, "7001", 10, 25)
    happens(engine, 30, at(e.EventQueued, 26, "8001"), at(e.EventEstablished, 30, "7002"))
    engine.notices(MIDNIGHT + 30_000)
    before = [value(engine, one, 30) for one in (stays, also)]
    changes = reload(engine, 30, definitions(**new))
    closed = [(n.subscription.owner, n.reason) for n in changes.notices if n.kind != "Info"]
    assert closed == [("gone", reason)]
    assert changes.closed == {reason: 1}
    assert gone.key not in engine.statistics
    assert [value(engine, one, 30) for one in (stays, also)] == before == [0, 15]
    happens(engine, 40, at(e.EventReleased, 40, "7002"))
    assert value(engine, also, 40) == 25


def test_what_a_client_brought_along_is_not_in_the_configuration() -> None:
    engine = engine_of()
    own = a_stat_type("", "TotalNumber", "CallInbound")
    profile = parse_time_profile("Minutes,Growing", "0:00 +0:05", UTC)
    request = StatisticRequest("Agent", "a1", own, profile)
    mine = engine.open(request, MIDNIGHT)
    assert not reload(engine, 1, Definitions()).closed
    assert engine.statistics == {mine.key: mine}


def test_another_description_is_not_another_meaning() -> None:
    engine = engine_of()
    calls = opened(engine, "Calls")
    reworded = evolve(calls.stat_type, description="How many", text={"Description": "How many"})
    stat_types = {**D.stat_types, "Calls": reworded}
    changes = reload(engine, 1, definitions(stat_types=stat_types))
    assert changes.sections["stat-types"].changed == ["Calls"]
    assert not changes.closed
    assert calls.stat_type is reworded
    assert opened(engine, "Calls") is calls


def test_reloading_the_same_changes_nothing() -> None:
    engine = engine_of()
    everything = [opened(engine, name, seconds=5) for name in STAT_TYPES]
    talks(engine, "7001", 10)
    for _ in range(2):
        before = [value(engine, one, 20) for one in everything]
        assert reconfigure(engine, definitions(), directory(), MIDNIGHT + 20_000).is_empty
        assert [value(engine, one, 20) for one in everything] == before


# -- groups -------------------------------------------------------------------------------


def test_a_member_counts_from_joining_and_what_a_former_one_did_stays() -> None:
    """a1 stays, a2 leaves at 100 in the middle of a call, a3 comes in the middle of his."""
    engine = engine_of()
    names = ("Calls", "Time", "Whole", "Now", "Longest", "Average")
    group = {name: opened(engine, name) for name in names}

    def values(seconds: float) -> list[Any]:
        return [value(engine, group[name], seconds) for name in names[:-1]]

    talks(engine, "7001", 10, 20)
    talks(engine, "7002", 20, 50)
    talks(engine, "7002", 70)
    talks(engine, "7003", 80)
    assert values(100) == [2, 40, 40, 1, 30]
    average = value(engine, group["Average"], 100)
    assert average == (10 + 30 + 30) / 100
    changes = reload(engine, 100, listed=directory("a1 a3"))
    assert changes.sections["agent-groups"].changed == ["Sales"]
    assert (changes.joined, changes.left) == (6, 6)
    assert values(100) == [2, 40, 40, 1, 30]
    assert value(engine, group["Average"], 100) == average
    happens(engine, 130, at(e.EventReleased, 130, "7002"), at(e.EventReleased, 130, "7003"))
    talks(engine, "7002", 131, 200)  # nobody's business any more
    assert values(200) == [3, 70, 90, 0, 30]
    assert value(engine, group["Average"], 200) == (10 + 30 + 30 + 30) / 200


def test_statuses_of_a_former_member_count_up_to_his_leaving() -> None:
    engine = engine_of()
    group = {name: opened(engine, name) for name in STATUSES}
    talks(engine, "7001", 10, 20)
    talks(engine, "7002", 50)
    expected = {"Talks": 2, "Talking": 60, "LongestTalk": 50, "ShortestTalk": 10, "Times": 2}
    assert {name: value(engine, one, 100) for name, one in group.items()} == expected
    reload(engine, 100, listed=directory("a1"))
    happens(engine, 170, at(e.EventReleased, 170, "7002"))
    assert {name: value(engine, one, 170) for name, one in group.items()} == expected


@pytest.mark.parametrize(
    ("profile", "seconds", "expected"),
    [("Minutes", 119, 25), ("Minutes", 120, 0), ("Window", 119, 25), ("Window", 129, 25),
     ("Window", 130, 15), ("Window", 140, 10), ("Window", 159, 10), ("Never", 400, 25)],
)  # fmt: skip
def test_what_a_former_member_did_goes_with_its_interval(
    profile: str, seconds: float, expected: int
) -> None:
    """a2 talks for 5 s until 75 and 10 s until 85, and leaves at 90; a1 for 10 s until 110."""
    engine = engine_of()
    time = opened(engine, "Time", profile=profile)
    talks(engine, "7002", 70, 75)
    talks(engine, "7002", 75, 85)
    reload(engine, 90, listed=directory("a1"))
    happens(engine, 91, at(e.EventOnHook, 91, "7002"))
    talks(engine, "7001", 100, 110)
    assert value(engine, time, 110) == 25
    if seconds > 120:
        talks(engine, "7001", 115)
    assert value(engine, time, seconds) == expected


def test_the_greatest_number_of_a_group_follows_its_members() -> None:
    engine = engine_of()
    most = opened(engine, "Most", profile="Minutes")
    least = opened(engine, "Least", profile="Minutes")
    talks(engine, "7001", 10)
    talks(engine, "7002", 20)
    assert value(engine, most, 30) == 2
    reload(engine, 30, listed=directory("a1"))
    assert [value(engine, one, 40) for one in (most, least)] == [2, 0]
    assert [value(engine, one, 61) for one in (most, least)] == [1, 1]
    talks(engine, "7003", 70)
    reload(engine, 80, listed=directory("a1 a3"))
    assert [value(engine, one, 90) for one in (most, least)] == [2, 1]
    reload(engine, 100, listed=directory(""))
    assert [value(engine, one, 110) for one in (most, least)] == [2, 0]
    reload(engine, 130, listed=directory("a3"))
    assert [value(engine, one, 140) for one in (most, least)] == [1, 0]


def test_the_interval_of_a_group_does_not_depend_on_who_is_in_it() -> None:
    engine = engine_of()
    calls = opened(engine, "Calls")
    talks(engine, "7001", 10, 20)
    for seconds, members in ((30, "a3"), (40, ""), (50, "a1 a2")):
        reload(engine, seconds, listed=directory(members))
        found = engine.value(calls, MIDNIGHT + seconds * 1000)
        assert (found.value, found.interval) == (1, seconds)


def test_clients_hear_of_a_changed_group() -> None:
    engine = engine_of()
    opened(engine, "Now", owner="client")
    talks(engine, "7003", 10)
    assert engine.notices(MIDNIGHT + 10_000) == []
    changes = reload(engine, 20, listed=directory("a1 a2 a3"))
    assert [n.value.value for n in changes.notices if n.value] == [1]
    happens(engine, 30, at(e.EventReleased, 30, "7003"))
    assert [n.value.value for n in engine.notices(MIDNIGHT + 30_000) if n.value] == [0]
    talks(engine, "7001", 40)
    engine.notices(MIDNIGHT + 40_000)
    changes = reload(engine, 50, listed=directory("a2"))
    assert [n.value.value for n in changes.notices if n.value] == [0]


def test_the_last_value_of_an_emptied_group_is_told() -> None:
    engine = engine_of()
    calls = opened(engine, "Calls", profile="Minutes")
    engine.subscribe(calls, Notification(Mode.RESET_BASED), "client", MIDNIGHT)
    talks(engine, "7001", 10, 20)
    reload(engine, 30, listed=directory(""))
    told = [n.value.value for n in engine.notices(MIDNIGHT + 62_000) if n.value]
    assert told == [1]
    told = [n.value.value for n in engine.notices(MIDNIGHT + 122_000) if n.value]
    assert told == [0]


@settings(max_examples=150, deadline=None)
@given(stories, st.sampled_from(["Never", "Minutes", "Window"]))
def test_no_historical_value_jumps_and_rows_do_not_pile_up(
    story: list[tuple[int, str, str]], profile: str
) -> None:
    """At the moment of a reload, what is historical is what it was; a brute-force sum agrees.

    But for what counts what goes on at that moment, too: extremes of numbers, and the number
    of statuses, in which that of a new member is in progress.
    """
    engine = engine_of()
    names = [*(n for n in STAT_TYPES if n not in ("Now", "Most", "Least", "State")), *STATUSES]
    names.append("Manned")
    group = [opened(engine, name, profile=profile) for name in names]
    alone = {n: opened(engine, "Calls", f"Agent:a{n}", profile="Never") for n in (1, 2, 3)}
    members, t, talking = {"a1", "a2"}, 1, set()
    total, seen = 0, dict.fromkeys(alone, 0)
    for pause, dn, what in story:
        t += pause
        agent = f"a{dn[-1]}"
        if what == "toggle":
            before = [value(engine, one, t) for one in group]
            members ^= {agent}
            reload(engine, t, listed=directory(" ".join(sorted(members))))
            after = [value(engine, one, t) for one in group]
            if agent in members:
                for name in ("Talks", "Times"):
                    before[names.index(name)] = after[names.index(name)]
            assert dict(zip(names, after, strict=True)) == dict(zip(names, before, strict=True))
        elif what == "talk" and dn not in talking:
            talks(engine, dn, t)
            talking.add(dn)
        elif what == "end" and dn in talking:
            happens(engine, t, at(e.EventReleased, t, dn))
            talking.discard(dn)
        for n, one in alone.items():
            total += (value(engine, one, t) - seen[n]) * (f"a{n}" in members)
            seen[n] = value(engine, one, t)
    if profile == "Never":
        assert value(engine, group[0], t) == total
    engine.close_all(list(engine.statistics.values()), "")
    assert not any(engine.sources["ts1"].ledger.rows)


# -- objects ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("object_id", "changes", "reason"),
    [
        ("GroupAgents:Sales", {"agent_groups": {}}, "agent group 'Sales' was deleted"),
        ("GroupQueues:Support", {"queue_groups": {}}, "queue group 'Support' was deleted"),
        ("GroupPlaces:Floor", {"place_groups": {}}, "place group 'Floor' was deleted"),
        ("Place:P1", {"places": {}, "place_groups": {}}, "place 'P1' was deleted"),
        ("Queue:8003@sw1", {"dns": {}, "queue_groups": {}}, "DN '8003@sw1' was deleted"),
        ("Agent:a3", {"agents": {"a1": Agent("a1"), "a2": Agent("a2")}}, "agent 'a3' was deleted"),
        (
            "Place:P1",
            {"places": {"P1": Place("P1", (DNKey("7002", "sw1"),))}},
            "the DNs of place 'P1' were changed",
        ),
        (
            "GroupPlaces:Floor",
            {"places": {"P1": Place("P1", (DNKey("7002", "sw1"),))}},
            "the DNs of place 'P1' were changed",
        ),
    ],
)
def test_statistics_of_deleted_objects_are_closed(
    object_id: str, changes: dict[str, Any], reason: str
) -> None:
    listed = directory(auto_create=False)
    dns = {**listed.dns, **{k: DN(k, "Extension") for k in map(extension, (1, 2, 3))}}
    listed = evolve(listed, dns=dns)
    if "dns" in changes:
        changes = {**changes, "dns": {key: dns[key] for key in map(extension, (1, 2, 3))}}
    engine = engine_of(listed)
    name = "Waiting" if "Queue" in object_id else "Now"
    gone = opened(engine, name, object_id, owner="client")
    stays = opened(engine, "Now", "RegDN:7001@sw1", owner="other")
    talks(engine, "7001", 10)
    changed = reload(engine, 20, listed=evolve(listed, **changes))
    assert changed.closed == {reason: 1}
    assert gone.key not in engine.statistics
    assert value(engine, stays, 30) == 1
    if "was deleted" in reason:
        with pytest.raises(StatisticError, match="not configured"):
            opened(engine, name, object_id)


def extension(n: int) -> DNKey:
    return DNKey(f"700{n}", "sw1")


def test_with_auto_create_dns_and_agents_are_never_deleted() -> None:
    engine = engine_of()
    kept = [opened(engine, *name) for name in (("Waiting", "Queue:8001@sw1"), ("Now", "Agent:a1"))]
    changes = reload(engine, 5, listed=directory("", dns={}, agents={}, queue_groups={}))
    assert not changes.closed or list(changes.closed) == ["queue group 'Support' was deleted"]
    assert all(one.key in engine.statistics for one in kept)


def test_a_deleted_dn_is_deaf_and_its_agent_free() -> None:
    keys = {extension(n): DN(extension(n), "Extension") for n in (1, 2, 3)}
    listed = directory(auto_create=False, dns=keys, queue_groups={})
    engine = engine_of(listed)
    agent = opened(engine, "Time", "Agent:a1")
    talks(engine, "7001", 10)
    less = evolve(listed, dns=without(keys, extension(1)), places={}, place_groups={})
    reload(engine, 30, listed=less)
    assert value(engine, agent, 40) == 20
    talks(engine, "7001", 50, 70)
    assert value(engine, agent, 70) == 20
    reload(engine, 80, listed=listed)
    dn = opened(engine, "Calls", "RegDN:7001@sw1", 80)
    assert not dn.valid
    talks(engine, "7001", 90, 95)
    assert value(engine, dn, 95) == 1


def test_new_dns_and_places_are_there_at_once_and_not_monitored() -> None:
    engine = engine_of(directory(auto_create=False))
    with pytest.raises(StatisticError):
        opened(engine, "Waiting", "Queue:8009@sw1")
    key = DNKey("8009", "sw1")
    more = directory(
        auto_create=False,
        dns={**directory().dns, key: DN(key, "VirtualQueue")},
        queue_groups={"Support": (*KEYS[:2], key)},
    )
    happens(engine, 1, at(e.EventLinkConnected, 1, dn=""))
    group = opened(engine, "Waited", "GroupQueues:Support", 1, owner="client")
    assert group.valid
    changes = reload(engine, 5, listed=more)
    assert [n.kind for n in changes.notices] == ["StatisticInvalid"]
    assert not opened(engine, "Waiting", "Queue:8009@sw1", 5).valid
    happens(engine, 10, at(e.EventQueued, 10, "8009"))
    assert [n.kind for n in engine.notices(MIDNIGHT + 10_000)] == ["StatisticValid"]


def test_a_place_with_other_dns_sees_those() -> None:
    engine = engine_of()
    talks(engine, "7001", 10)
    talks(engine, "7002", 10)
    both = Place("P1", (extension(1), extension(2)))
    reload(engine, 20, listed=directory(places={"P1": both}))
    now = opened(engine, "Now", "Place:P1", 20)
    agent = opened(engine, "Now", "Agent:a2", 20)
    assert [value(engine, one, 20) for one in (now, agent)] == [2, 1]
    reload(engine, 30, listed=directory())
    assert now.key not in engine.statistics
    assert value(engine, opened(engine, "Now", "Place:P1", 30), 30) == 1
    happens(engine, 40, at(e.EventReleased, 40, "7002"))
    assert value(engine, agent, 40) == 0


def test_a_dn_of_another_kind_has_to_wait_for_a_restart() -> None:
    engine = engine_of()
    key = KEYS[0]
    other = {**directory().dns, key: DN(key, "Extension")}
    changes = reload(engine, 5, listed=directory(dns=other))
    assert changes.after_restart == ["[[dns]] 8001@sw1 stays a Queue, and is no Extension yet"]
    like = {**directory().dns, key: DN(key, "VirtualQueue")}
    assert reload(engine, 6, listed=directory(dns=like)).after_restart == []


# -- origination DNs ----------------------------------------------------------------------


def test_who_serves_a_queue_by_his_group_follows_the_configuration() -> None:
    """8001 becomes an origination DN of the group of a1 and a2; then a3 takes the place of a2."""
    engine = engine_of()
    statistic = opened(engine, "Logged", "Queue:8001@sw1")
    assert value(engine, statistic, 10) == 0
    origins = {"Sales": (KEYS[0],)}
    changes = reload(engine, 20, listed=evolve(directory("a1 a2"), origination_dns=origins))
    assert changes.sections["origination-dns"].added == ["Sales"]
    assert value(engine, statistic, 20) == 2
    reload(engine, 30, listed=evolve(directory("a3"), origination_dns=origins))
    assert value(engine, statistic, 30) == 1
    reload(engine, 40, listed=directory("a3"))
    assert value(engine, statistic, 40) == 0


def test_another_capacity_rule_holds_at_once_for_what_goes_on() -> None:
    """a1 has a chat: by one of each he is blocked, by a rule for three he is not."""
    engine = engine_of()
    chats, blocked = opened(engine, "Routable", "Agent:a1"), opened(engine, "Blocked", "Agent:a1")
    channel = {"agent_id": "a1", "media_type": "chat"}
    happens(engine, 10, at(e.EventMediaAdded, 10, **channel))
    happens(engine, 10, at(e.EventReadyForMedia, 10, **channel))
    happens(engine, 20, at(e.EventInvite, 20, interaction_id="i1", **channel))
    assert value(engine, chats, 20) == 0
    rules = Capacities({"Three": parse_capacity("chat = 3")}, {"a1": "Three"})
    listed = directory("a1 a2")
    changes = reload(engine, 50, listed=evolve(listed, capacities=rules))
    assert changes.sections["capacity-rules"].added == ["Three"]
    assert (value(engine, chats, 50), value(engine, blocked, 50)) == (1, 30)
    others = evolve(rules, agents={}, tenant="Three")
    changes = reload(engine, 60, listed=evolve(listed, capacities=others))
    assert changes.sections["capacity-rules"].changed == ["Three"]
    assert value(engine, chats, 60) == 1
    reload(engine, 70, listed=listed)
    assert value(engine, chats, 70) == 0
