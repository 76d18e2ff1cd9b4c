"""What a former member of a group has done travels to another server, and is the same there."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reloads import (
    GROUP_STATUSES,
    MIDNIGHT,
    STAT_TYPES,
    STATUSES,
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

from statserver_trio.expressions.memberships import parse_membership
from statserver_trio.model.actions import mask_of
from statserver_trio.model.directory import Directory
from statserver_trio.stats import replacing
from statserver_trio.stats.definitions import StatType
from statserver_trio.stats.definitions.filters import parse_filter
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_profiles import UTC, parse_time_profile
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.statistic import Statistic
from statserver_trio.stats.transfer import (
    adopt_statistic,
    export_statistic,
    request_of,
)
from statserver_trio.tlib import events as e

NAMES = [name for name in (*STAT_TYPES, *STATUSES, *GROUP_STATUSES) if name != "State"]


def wire(data: Any) -> Any:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(data))


def replace_world(engine: Engine, name: str, told: Any, now: int, heard_at: int) -> None:
    replacing.replace_world(engine, name, engine.sources[name].read(told), now, heard_at)


def carried(first: Engine, seconds: float, listed: Directory | None = None) -> Engine:
    """A fresh server that is told everything, over the wire format, right after some event."""
    now = MIDNIGHT + round(seconds * 1000)
    happens(first, seconds, at(e.EventOnHook, seconds, "7009"))
    second = Engine(first.definitions, listed or first.directory)
    second.add_source("ts1", "sw1")
    second.sources["ts1"].adopt(wire(first.sources["ts1"].export()), now)
    for statistic in first.statistics.values():
        copy = second.open(request_of(statistic), now)
        adopt_statistic(second, copy, wire(export_statistic(statistic)), now)
    return second


def values(engine: Engine, seconds: float) -> dict[Any, Any]:
    return {key: value(engine, one, seconds) for key, one in engine.statistics.items()}


def opened_all(engine: Engine, profile: str, names: list[str] = NAMES) -> dict[str, Statistic]:
    found = {name: opened(engine, name, profile=profile) for name in names}
    for name in names:
        found[f"{name} of Vips"] = opened(engine, name, profile=profile, filter="Vip")
    return found


def test_a_former_member_is_told() -> None:
    """a2 talks 20-50 and 70-100, where he leaves; half a minute later another server takes over."""
    engine = engine_of()
    group = opened_all(engine, "Never")
    talks(engine, "7002", 20, 50)
    talks(engine, "7002", 70)
    reload(engine, 100, listed=directory("a1 a3"))
    talks(engine, "7001", 110, 130)
    expected = {
        "Calls": 2,
        "Time": 50,
        "Longest": 30,
        "Most": 1,
        "Talking": 80,
        "Average": 80 / 130,
    }
    assert {name: value(engine, group[name], 130) for name in expected} == expected
    other = carried(engine, 130)
    found = {name: value(other, other.statistics[group[name].key], 130) for name in expected}
    assert found == expected


@settings(max_examples=120, deadline=None)
@given(stories, st.integers(0, 25), st.sampled_from(["Never", "Minutes", "Window"]), st.booleans())
def test_it_goes_on_alike_whoever_comes_and_leaves(
    story: list[tuple[int, str, str]], cut: int, profile: str, twice: bool
) -> None:
    """Another server takes over at some moment, and perhaps a third one from that."""
    engine = engine_of()
    opened_all(engine, profile)
    other: Engine | None = None
    members, t, talking = {"a1", "a2"}, 1, set()
    for number, (pause, dn, what) in enumerate([*story, (61, "7001", "end")]):
        if number == min(cut, len(story)):
            other = carried(engine, t)
            if twice:
                other = carried(other, t)
            assert values(other, t) == values(engine, t)
        t += pause
        engines = [each for each in (engine, other) if each is not None]
        if what == "toggle":
            members ^= {f"a{dn[-1]}"}
            for each in engines:
                reload(each, t, listed=directory(" ".join(sorted(members))))
        elif (what == "talk") != (dn in talking):
            talking ^= {dn}
            cls = e.EventEstablished if dn in talking else e.EventReleased
            vip = {"Class": "Vip"} if pause % 2 else None
            for each in engines:
                happens(each, t, at(cls, t, dn, user_data=vip))
        if other is not None:
            assert values(other, t) == values(engine, t)
            assert values(other, t + 45) == values(engine, t + 45)


# -- members who are one thing here and another thing there -------------------------------


def test_who_left_the_group_there_and_not_here_begins_anew() -> None:
    engine = engine_of()
    time = opened(engine, "Time")
    talks(engine, "7002", 20, 50)
    reload(engine, 100, listed=directory("a1"))
    other = carried(engine, 110, directory("a1 a2"))
    copy = other.statistics[time.key]
    assert value(other, copy, 110) == 30
    talks(other, "7002", 120, 125)
    assert value(other, copy, 130) == 35
    reload(other, 140, listed=directory("a1"))
    assert value(other, copy, 150) == 35


@pytest.mark.parametrize("profile", ["Never", "Minutes", "Window"])
def test_who_is_in_the_group_there_and_not_here_has_left_it(profile: str) -> None:
    """a2 talks 20-50 and from 60 on; at 100 a server takes over that has not got him."""
    engine = engine_of()
    statistics = opened_all(engine, profile)
    talks(engine, "7002", 20, 50)
    talks(engine, "7002", 60)
    before = values(engine, 100)
    other = carried(engine, 100, directory("a1"))
    after = values(other, 100)
    # These are of what goes on, too.
    present = ("Now", "Most", "Least", *GROUP_STATUSES)
    gone = {s.key for name, s in statistics.items() if name.partition(" of ")[0] in present}
    assert {k: v for k, v in after.items() if k not in gone} == {
        k: v for k, v in before.items() if k not in gone
    }
    assert after[statistics["Now"].key] == 0
    happens(other, 118, at(e.EventReleased, 118, "7002"))
    talks(other, "7001", 118, 119)
    assert value(other, other.statistics[statistics["Talking"].key], 119) == {
        "Never": 71, "Minutes": 41, "Window": 41,
    }[profile]  # fmt: skip
    talks(other, "7001", 121, 122)
    assert value(other, other.statistics[statistics["Calls"].key], 125) == {
        "Never": 3, "Minutes": 1, "Window": 2,
    }[profile]  # fmt: skip


def test_a_replaced_world_that_does_not_know_an_agent_keeps_what_he_did() -> None:
    """He talked for 30 s on each of two switches; one of them is seen anew."""

    def two_switches(*logins: str) -> Engine:
        engine = Engine(definitions(), directory())
        for number, source in enumerate(("ts1", "ts2"), 1):
            engine.add_source(source, f"sw{number}")
            cls = e.EventAgentReady if source in logins else e.EventOnHook
            who = {"agent_id": "a1"} if source in logins else {}
            engine.apply(source, [at(cls, 0, **who)], MIDNIGHT)
        return engine

    engine = two_switches("ts1", "ts2")
    time = opened(engine, "Time", "Agent:a1")
    for source in ("ts1", "ts2"):
        engine.apply(source, [at(e.EventEstablished, 10)], MIDNIGHT + 10_000)
        engine.apply(source, [at(e.EventReleased, 40)], MIDNIGHT + 40_000)
    assert value(engine, time, 50) == 60
    data = wire(two_switches("ts1").sources["ts2"].export())
    replace_world(engine, "ts2", data, now := MIDNIGHT + 50_000, now)
    assert len(time.nodes) == 1
    assert value(engine, time, 50) == 60


def test_what_a_replaced_picture_has_invented_goes_when_the_better_one_comes() -> None:
    """A server that missed the end of a call took it for a very long one, in two statistics."""

    def longest(engine: Engine) -> list[Statistic]:
        return [opened(engine, "Longest", who) for who in ("Agent:a1", "GroupAgents:Sales")]

    right, wrong = engine_of(), engine_of()
    told, here = longest(right), longest(wrong)
    talks(right, "7001", 10, 80)
    talks(wrong, "7001", 10, 400)
    assert [value(wrong, each, 410) for each in here] == [390, 390]
    happens(right, 400, at(e.EventOnHook, 400, "7009"))
    now = MIDNIGHT + 410_000
    replace_world(wrong, "ts1", wire(right.sources["ts1"].export()), now, now)
    for statistic, theirs in zip(here, told, strict=True):
        adopt_statistic(wrong, statistic, wire(export_statistic(theirs)), now)
    assert [value(wrong, each, 410) for each in here] == [70, 70]


def test_what_one_of_two_replaced_pictures_has_invented_goes_too() -> None:
    """The same at the first of two switches; both pictures are replaced before anybody tells."""

    def two_switches(ends: float) -> tuple[Engine, list[Statistic]]:
        engine = Engine(definitions(), directory())
        for number, source in enumerate(("ts1", "ts2"), 1):
            engine.add_source(source, f"sw{number}")
            login = at(e.EventAgentReady, 0, agent_id="a1")
            engine.apply(source, [login], MIDNIGHT)
        found = [opened(engine, "Longest", who) for who in ("Agent:a1", "GroupAgents:Sales")]
        talks(engine, "7001", 10, ends)
        for source in ("ts1", "ts2"):
            engine.apply(source, [at(e.EventOnHook, 400, "7009")], MIDNIGHT + 400_000)
        return engine, found

    right, told = two_switches(80)
    wrong, here = two_switches(400)
    assert [value(wrong, each, 410) for each in here] == [390, 390]
    now = MIDNIGHT + 410_000
    for source in ("ts1", "ts2"):
        replace_world(wrong, source, wire(right.sources[source].export()), now, now)
    for statistic, theirs in zip(here, told, strict=True):
        adopt_statistic(wrong, statistic, wire(export_statistic(theirs)), now)
    assert [value(wrong, each, 410) for each in here] == [70, 70]


@pytest.mark.parametrize("first", [0, 1])
def test_since_when_a_status_goes_on_is_not_what_a_replaced_picture_said(first: int) -> None:
    """A server that missed the end of a call sees the next one go on; so it took them for one."""
    in_call = StatType(
        "In_Call",
        frozenset({"Agent", "Place"}),
        "CurrentContinuousTime",
        "AgentStatus",
        mask_of("CallInbound"),
    )

    def open_both(engine: Engine) -> list[Statistic]:
        requests = [StatisticRequest("Agent", "a1", in_call, filter=f) for f in (None, "Vip")]
        return [engine.open(request, MIDNIGHT) for request in requests]

    right, wrong = engine_of(), engine_of()
    told, here = open_both(right), open_both(wrong)
    talks(right, "7001", 10, 80)
    talks(wrong, "7001", 10)
    talks(right, "7001", 90)
    assert [value(wrong, each, 100) for each in here] == [90, 0]
    now = MIDNIGHT + 100_000
    happens(right, 100, at(e.EventOnHook, 100, "7009"))
    replace_world(wrong, "ts1", wire(right.sources["ts1"].export()), now, now)
    for index in (first, 1 - first):
        data = wire(export_statistic(told[index]))
        adopt_statistic(wrong, here[index], data, now)
    assert [value(wrong, each, 100) for each in here] == [10, 0]


def test_what_goes_on_again_is_not_what_went_on_in_a_replaced_picture() -> None:
    """A server missed that a call ended and began again; the filter makes a counter of the row."""

    filters = {"Others": parse_filter("Others", '~PairExists("Class","Vip")')}

    def time(engine: Engine, profile: str, seconds: int) -> Statistic:
        request = StatisticRequest("Agent", "a1", "Time", profile, filter="Others")
        engine.definitions = definitions(filters=filters)
        return engine.open(request, MIDNIGHT + seconds * 1000)

    right, wrong = engine_of(), engine_of()
    told, here = (time(engine, "Never", 100) for engine in (right, wrong))
    talks(right, "7001", 110, 180)
    talks(wrong, "7001", 110)
    talks(right, "7001", 190)
    happens(right, 200, at(e.EventOnHook, 200, "7009"))
    now = MIDNIGHT + 200_000
    replace_world(wrong, "ts1", wire(right.sources["ts1"].export()), now, now)
    # Somebody opens another one that reads the same row, before what is right has come.
    later = [time(engine, "Window", 200) for engine in (right, wrong)]
    adopt_statistic(wrong, here, wire(export_statistic(told)), now)
    for engine in (right, wrong):
        happens(engine, 230, at(e.EventReleased, 230))
    assert [value(right, later[0], 230), value(wrong, later[1], 230)] == [30, 30]
    assert [value(right, told, 230), value(wrong, here, 230)] == [110, 110]


def test_whoever_took_it_over_looks_back_no_further() -> None:
    """What was before the window is known to whom it was told, and to nobody else."""
    options = {"Objects": "Queue", "Category": "EstimWaitTime", "Subject": "DNAction"}
    estimate = parse_stat_type("Estimate", {**options, "MainMask": "CallWait"})
    request = StatisticRequest("Queue", "8001@sw1", estimate, "Window")
    engines = engine_of(), engine_of()
    for engine in engines:
        login = at(e.EventAgentLogin, 1, agent_id="a1", this_queue="8001")
        happens(engine, 1, login)
    told = engines[0].open(request, MIDNIGHT + 1000)

    def arrives(engine: Engine, t: int) -> None:
        happens(engine, t, at(e.EventQueued, t, "8001", conn_id=f"c{t}"))

    for engine in engines:
        arrives(engine, 10)
        happens(engine, 12, at(e.EventDiverted, 12, "8001", conn_id="c10", third_party_dn="7001"))
        happens(engine, 13, at(e.EventEstablished, 13, conn_id="c10", this_queue="8001"))
        happens(engine, 40, at(e.EventReleased, 40, conn_id="c10"))
    here = engines[1].open(request, MIDNIGHT + 40_000)
    adopt_statistic(engines[1], here, wire(export_statistic(told)), MIDNIGHT + 40_000)
    both = (engines[0], told), (engines[1], here)
    for waiting, t in enumerate((55, 65, 75, 85), 1):
        for engine in engines:
            arrives(engine, t)
        assert [value(engine, each, t) for engine, each in both] == [27 * waiting] * 2
    for t in (95, 105, 115, 125):
        for engine in engines:
            arrives(engine, t)
    assert [value(engine, each, 125) for engine, each in both] == [0, 0]


@pytest.mark.parametrize("profile", ["Window", "Minutes"])
def test_a_replaced_picture_may_have_been_of_a_later_time(profile: str) -> None:
    """Its clock was ahead of what the peer knew; what was noted then is of no use now."""
    right, wrong = engine_of(), engine_of()
    told, here = (opened(engine, "Time", "Agent:a1", profile=profile) for engine in (right, wrong))
    talks(right, "7001", 10)
    talks(wrong, "7001", 10, 20)
    happens(wrong, 175, at(e.EventOnHook, 175, "7009"))
    happens(right, 115, at(e.EventOnHook, 115, "7009"))
    now = MIDNIGHT + 175_000
    replace_world(wrong, "ts1", wire(right.sources["ts1"].export()), now, now)
    adopt_statistic(wrong, here, wire(export_statistic(told)), now)
    for engine in (right, wrong):
        happens(engine, 200, at(e.EventReleased, 200))
    for second in range(200, 260, 5):
        assert value(wrong, here, second) == value(right, told, second)


def test_what_goes_on_is_tallied_once_whichever_switch_is_seen_anew() -> None:
    """A call goes on at each of two switches when the picture of one is replaced by the same."""
    engine = Engine(definitions(), directory())
    for number, source in enumerate(("ts1", "ts2"), 1):
        engine.add_source(source, f"sw{number}")
        login = at(e.EventAgentReady, 0, agent_id="a1")
        engine.apply(source, [login, at(e.EventEstablished, 10)], MIDNIGHT + 10_000)
    most, least = (opened(engine, name, "Agent:a1", seconds=20) for name in ("Most", "Least"))
    assert [value(engine, each, 25) for each in (most, least)] == [2, 2]
    now = MIDNIGHT + 30_000
    replace_world(engine, "ts2", wire(engine.sources["ts2"].export()), now, now)
    assert [value(engine, each, 35) for each in (most, least)] == [2, 2]
    engine.apply("ts2", [at(e.EventReleased, 40)], MIDNIGHT + 40_000)
    assert [value(engine, each, 50) for each in (most, least)] == [2, 1]


@pytest.mark.parametrize("who", ["Agent:a1", "GroupAgents:Sales"])
@pytest.mark.parametrize("sharing", [False, True])
def test_what_goes_on_is_tallied_once_when_its_only_picture_is_replaced(
    who: str, sharing: bool
) -> None:
    """The same with one switch: nothing that counted for the old picture counts on."""
    engine = engine_of()
    talks(engine, "7001", 10)
    both = [opened(engine, name, who, seconds=20) for name in ("Most", "Least")]
    if sharing:  # others read the same rows
        others = [opened(engine, n, who, seconds=22, profile="Minutes") for n in ("Most", "Least")]
        both = [*both, *others]
    other = carried(engine, 30)
    happens(other, 33, at(e.EventOnHook, 33, "7009"))
    now = MIDNIGHT + 35_000
    replace_world(engine, "ts1", wire(other.sources["ts1"].export()), now, now)
    assert {value(engine, each, 40) for each in both} == {1}
    happens(engine, 50, at(e.EventReleased, 50))
    assert [value(engine, each, 55) for each in both[:2]] == [1, 0]


def test_what_a_replaced_picture_had_at_once_was_the_most() -> None:
    """Two calls went on there; one of them has ended meanwhile, and nobody has seen when."""
    engine, other = engine_of(), engine_of()
    talks(engine, "7001", 10)
    for each in (engine, other):
        talks(each, "7002", 10)
    most = opened(engine, "Most", seconds=20)
    for each in (engine, other):
        happens(each, 30, at(e.EventOnHook, 30, "7009"))
    now = MIDNIGHT + 35_000
    replace_world(engine, "ts1", wire(other.sources["ts1"].export()), now, now)
    assert value(engine, most, 40) == 2
    happens(engine, 50, at(e.EventReleased, 50, "7002", conn_id="c7002"))
    assert value(engine, most, 55) == 2


@pytest.mark.parametrize("chosen", [None, "Others"])
def test_what_goes_on_counts_from_the_opening_whenever_each_picture_saw_it_begin(
    chosen: str | None,
) -> None:
    """A server that came late has seen a call begin when it came; the better picture knows."""
    filters = {"Others": parse_filter("Others", '~PairExists("Class","Vip")')}
    right, late = engine_of(), engine_of()
    right.definitions = late.definitions = definitions(filters=filters)
    talks(right, "7001", 10)
    talks(late, "7001", 50)
    names = ("Time", "Calls", "Average")
    here = {n: opened(late, n, "Agent:a1", seconds=60, filter=chosen) for n in names}
    there = opened(right, "Calls", "Agent:a1", seconds=20, filter=chosen)
    time = opened(right, "Time", "Agent:a1", 20, "Window", filter=chosen)
    now = MIDNIGHT + 70_000
    replace_world(late, "ts1", wire(right.sources["ts1"].export()), now, now - 60_000)
    # Who knows better takes it over, and has others on the same row.
    copy = opened(right, "Time", "Agent:a1", seconds=70, filter=chosen)
    adopt_statistic(right, copy, wire(export_statistic(here["Time"])), now)
    for engine in (right, late):
        happens(engine, 100, at(e.EventReleased, 100))
    told = {name: value(late, statistic, 100) for name, statistic in here.items()}
    assert told == {"Time": 40, "Calls": 1, "Average": 1}
    assert [value(right, each, 100) for each in (copy, there, time)] == [40, 1, 50]


@pytest.mark.parametrize("profile", ["Minutes", "Window"])
@pytest.mark.parametrize("name", ["Calls", "Most"])
def test_what_was_counted_at_a_later_time_than_ours_is_found_again(profile: str, name: str) -> None:
    """Snapshots were stamped by a machine that is behind, and its picture is kept (day 5786)."""
    there, late = engine_of(), engine_of()
    told, here = (opened(each, name, "Agent:a1", profile=profile) for each in (there, late))
    for start in (200, 230, 260):
        talks(there, "7001", start, start + 10)
    happens(late, 5, at(e.EventAgentReady, 5, agent_id="a1"))
    late.sources["ts1"].position = there.sources["ts1"].position
    adopt_statistic(late, here, wire(export_statistic(told)), MIDNIGHT + 5000)
    for engine in (there, late):
        happens(engine, 275, at(e.EventOnHook, 275, "7009"))
    for second in range(275, 400, 5):
        assert value(late, here, second) == value(there, told, second), second


@pytest.mark.parametrize("profile", ["Never", "Minutes", "Window", "Last"])
@pytest.mark.parametrize("ahead", [-1000, 1000])
def test_a_clock_that_was_guessed_is_no_ones(profile: str, ahead: int) -> None:
    """A server whose own clock is wrong has only snapshots, which say no time, and is asked."""
    profiles = {**definitions().time_profiles, "Last": parse_time_profile("L,Selection", "5", UTC)}
    right, late = engine_of(), Engine(definitions(time_profiles=profiles), directory())
    right.definitions = late.definitions
    late.add_source("ts1", "sw1")
    now = MIDNIGHT + (50 + ahead) * 1000
    # Stamped on arrival, as by the tap.
    stamp = 50 + ahead
    snapshots = at(e.EventAgentReady, stamp, agent_id="a1"), at(e.EventEstablished, stamp)
    late.apply("ts1", snapshots, now)
    here = opened(late, "Time", "Agent:a1", seconds=60 + ahead, profile=profile)
    talks(right, "7001", 10)
    there = opened(right, "Time", "Agent:a1", seconds=60, profile=profile)
    now += 20_000
    replace_world(late, "ts1", wire(right.sources["ts1"].export()), now, now - 60_000)
    for engine in (right, late):
        happens(engine, 100, at(e.EventReleased, 100))
    assert value(right, there, 110) == value(late, here, 110)


@pytest.mark.parametrize("ahead", [-1000, 1000])
def test_nor_of_what_nobody_contributes_to_yet(ahead: int) -> None:
    """A virtual group without members seemed to have been opened before the peer's (1319403)."""
    groups = {"Sales": parse_membership('LoggedIn("8001@sw1")')}
    listed = directory(agent_groups={}, virtual_agent_groups=groups)
    right, late = engine_of(), Engine(definitions(), listed)
    late.add_source("ts1", "sw1")
    now = MIDNIGHT + (50 + ahead) * 1000
    late.apply("ts1", [at(e.EventOnHook, 50 + ahead)], now)
    here = opened(late, "Time", "GroupAgents:Sales", seconds=60 + ahead)
    assert not here.sources
    talks(right, "7001", 10)
    now += 20_000
    replace_world(late, "ts1", wire(right.sources["ts1"].export()), now, now - 60_000)
    assert here.opened_at == MIDNIGHT + 60_000


def test_who_has_counted_everything_himself_believes_no_other_durations() -> None:
    """An agent and his group read one row; the group's comes from a server that missed an end."""
    here, wrong = engine_of(), engine_of()
    agent = opened(here, "Longest", "Agent:a1", seconds=20)
    group = opened(wrong, "Longest", "GroupAgents:Sales", seconds=5)
    talks(here, "7001", 30, 40)
    talks(wrong, "7001", 10, 18)  # that was before he came
    talks(wrong, "7001", 30, 90)
    for engine in (here, wrong):
        happens(engine, 100, at(e.EventOnHook, 100, "7009"))
    copy = opened(here, "Longest", "GroupAgents:Sales", seconds=100)
    adopt_statistic(here, copy, wire(export_statistic(group)), MIDNIGHT + 100_000)
    assert value(here, agent, 100) == 10
    assert value(here, copy, 100) == 10


def test_how_long_it_lasted_up_to_a_hole_is_a_guess() -> None:
    """Two statistics read the row; what lasted until the hole had ended long before (day 14021)."""
    right, wrong = engine_of(), engine_of()
    agents = [opened(each, "Longest", "Agent:a1", seconds=20) for each in (right, wrong)]
    groups = [opened(each, "Longest", "GroupAgents:Sales", seconds=20) for each in (right, wrong)]
    talks(right, "7001", 30, 40)
    talks(wrong, "7001", 30)
    happens(wrong, 95, e.EventServerDisconnected(time=MIDNIGHT / 1000 + 95))
    replacing.doubt_durations(wrong, "ts1")
    happens(right, 100, at(e.EventOnHook, 100, "7009"))
    assert value(wrong, groups[1], 95) == 65
    for told, here in (agents, groups):
        adopt_statistic(wrong, here, wire(export_statistic(told)), MIDNIGHT + 100_000)
        assert value(wrong, here, 100) == 10


def test_what_was_before_the_row_is_believed() -> None:
    """The same, where the longest was before anybody here counted."""
    here, other = engine_of(), engine_of()
    group = opened(other, "Longest", "GroupAgents:Sales", seconds=5)
    for engine in (here, other):
        talks(engine, "7001", 10, 28)
    agent = opened(here, "Longest", "Agent:a1", seconds=29)
    for engine in (here, other):
        talks(engine, "7001", 30, 40)
        happens(engine, 100, at(e.EventOnHook, 100, "7009"))
    copy = opened(here, "Longest", "GroupAgents:Sales", seconds=100)
    adopt_statistic(here, copy, wire(export_statistic(group)), MIDNIGHT + 100_000)
    assert value(here, agent, 100) == 10
    assert value(here, copy, 100) == 18


def test_who_has_missed_nothing_lets_nobody_move_the_beginning_of_what_goes_on() -> None:
    """The same row of a filter is read by what a server opened that saw the call begin late."""
    filters = {"Others": parse_filter("Others", '~PairExists("Class","Vip")')}
    right, late = engine_of(), engine_of()
    right.definitions = late.definitions = definitions(filters=filters)
    talks(right, "7001", 10)
    talks(late, "7001", 50)
    mine = opened(right, "Time", "Agent:a1", 5, filter="Others")
    told = opened(late, "Time", "Agent:a1", 60, "Minutes", filter="Others")
    for engine in (right, late):
        happens(engine, 70, at(e.EventOnHook, 70, "7009"))
    copy = opened(right, "Time", "Agent:a1", 70, "Minutes", filter="Others")
    adopt_statistic(right, copy, wire(export_statistic(told)), MIDNIGHT + 70_000)
    happens(right, 100, at(e.EventReleased, 100))
    assert [value(right, each, 100) for each in (mine, copy)] == [90, 40]
