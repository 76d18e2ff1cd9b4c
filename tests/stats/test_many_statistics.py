"""Many statistics: what they have in common is there once, and shows nowhere."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator

import pytest
from attrs import evolve

from statserver_trio.model.directory import Directory
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_profiles import UTC, parse_time_profile
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.extended.offers import Offer
from statserver_trio.stats.meaning import Key
from statserver_trio.stats.open_statistics import OpenStatistics
from statserver_trio.stats.requests import StatisticError, StatisticRequest
from statserver_trio.stats.statistic import Statistic
from statserver_trio.tlib.events import EventAgentLogin, EventEstablished, EventReleased

NOW = 1_767_225_600_000
MASKS = (
    "CallInbound", "CallOutbound", "CallInternal", "CallConsult", "CallUnknown", "CallDialing",
    "CallRinging", "CallOnHold", "CallHeld", "CallAnswered", "CallReleased", "CallAbandoned",
)  # fmt: skip
BYTES_MAX = 300


def stat_type(name: str, mask: str, category: str = "TotalTime") -> dict[str, str]:
    objects = "Agent, RegDN, GroupAgents"
    return {"Objects": objects, "Category": category, "Subject": "DNAction", "MainMask": mask}


def definitions(category: str = "TotalTime") -> Definitions:
    profiles = ("Day,Growing", "0:00"), ("Hour,Growing", "0:00 +1:00"), ("Last,Sliding", "900:60")
    return Definitions(
        {name: parse_stat_type(name, stat_type(name, name, category)) for name in MASKS},
        {
            made.name: made
            for made in (parse_time_profile(name, text, UTC) for name, text in profiles)
        },
    )


def an_engine() -> Engine:
    engine = Engine(definitions(), Directory())
    engine.add_source("ts1", "sw1")
    return engine


def requests(agents: int) -> Iterator[StatisticRequest]:
    for number in range(agents):
        for mask in MASKS:
            for profile in ("Day", "Hour", "Last"):
                yield StatisticRequest("Agent", f"a{number}", mask, profile)


def test_one_takes_no_more_than_300_bytes_with_all_that_belongs_to_it() -> None:
    """Rows, columns, tables and the agents themselves; three profiles read each row."""
    engine = an_engine()
    for request in requests(1):  # what is made once is made
        engine.open(request, NOW)
    gc.collect()
    tracemalloc.start()
    try:
        for request in requests(200):
            engine.open(request, NOW)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(engine.statistics) == 200 * len(MASKS) * 3
    assert taken / len(engine.statistics) <= BYTES_MAX


def test_what_is_taken_over_by_name_is_what_the_name_means_now() -> None:
    engine = an_engine()
    request = StatisticRequest("Agent", "a1", "CallInbound", "Day")
    before = engine.open(request, NOW)
    engine.close_all([before], "")
    engine.configure(definitions("TotalNumber"), Directory())
    after = engine.open(request, NOW)
    assert (before.category.name, after.category.name) == ("TotalTime", "TotalNumber")
    assert before.key == after.key
    assert hash(before.key) == hash(after.key)


def test_another_wording_is_that_of_all() -> None:
    engine = an_engine()
    one, other = (
        engine.open(StatisticRequest("Agent", agent, "CallInbound", "Day"), NOW)
        for agent in ("a1", "a2")
    )
    worded = evolve(one.stat_type, description="Talking")
    one.stat_type = worded
    assert other.stat_type.description == ""
    other.stat_type = worded
    assert one.stat_type is other.stat_type is worded
    assert one.meaning is other.meaning
    assert engine.statistics[one.key] is one


def test_definitions_that_clients_bring_along_are_told_apart() -> None:
    engine = an_engine()
    found = [
        engine.open(
            StatisticRequest("Agent", "a1", parse_stat_type("", stat_type("", mask)), "Day"), NOW
        )
        for mask in MASKS + MASKS
    ]
    assert len({statistic.key for statistic in found}) == len(engine.statistics) == len(MASKS)
    assert found[: len(MASKS)] == found[len(MASKS) :]


def test_what_is_refused_stays_refused() -> None:
    engine = an_engine()
    for _ in range(2):
        with pytest.raises(StatisticError, match="not for Queue"):
            engine.open(StatisticRequest("Queue", "8001@sw1", "CallInbound", "Day"), NOW)


def test_of_statistics_opened_together_each_goes_on_by_itself() -> None:
    """They share where their first interval began, until one of them begins anew."""
    engine = an_engine()
    login = EventAgentLogin(time=NOW / 1000 - 60, this_dn="7001", agent_id="a1")
    call = {"this_dn": "7001", "conn_id": "c1", "call_type": "Inbound"}
    engine.apply("ts1", [login, EventEstablished(time=NOW / 1000 - 30, **call)], NOW)
    day, last = (
        engine.open(StatisticRequest("Agent", "a1", "CallInbound", profile), NOW + 60_000)
        for profile in ("Day", "Last")
    )
    first, second = day.parts["main"][0], last.parts["main"][0]
    assert first.base is second.base
    first.begin(NOW - 5_000, 7)
    # The next event is of a time before the opening, which was therefore earlier.
    engine.apply("ts1", [EventReleased(time=NOW / 1000 + 2, **call)], NOW + 60_000)
    assert (first.opened_at, first.epoch) == (NOW - 5_000, 7)
    assert (second.opened_at, second.epoch) == (NOW + 2_000, 1)


def test_who_wants_changes_is_told_of_the_row_and_no_one_else() -> None:
    engine = an_engine()
    one, other = (
        engine.open(StatisticRequest("Agent", "a1", "CallInbound", profile), NOW)
        for profile in ("Day", "Last")
    )
    row = one.parts["main"][0].row
    assert row is other.parts["main"][0].row
    row.tell_no_more(one)
    assert list(row.readers) == []
    row.tell(one)
    row.tell(other)
    row.tell_no_more(one)
    assert list(row.readers) == [other]


def test_with_a_second_source_agents_are_followed() -> None:
    """With one there is nothing to follow, and nothing is kept for it."""
    engine = an_engine()
    agent = engine.open(StatisticRequest("Agent", "a1", "CallInbound", "Day"), NOW)
    engine.add_source("ts2", "sw2")
    login = EventAgentLogin(time=NOW / 1000, this_dn="7001", agent_id="a1")
    engine.apply("ts2", [login], NOW)
    assert [source.name for source in agent.sources] == ["ts1", "ts2"]
    engine.close_all([agent], "")
    assert engine._following.concerned(["agents"]) == []


def test_what_an_extension_tells_of_a_tenant_can_be_opened() -> None:
    """It counts neither statuses nor actions."""
    engine = an_engine()
    engine.extended.offer("a.py", (Offer("a.py", "Told", frozenset({"Tenant"})),))
    told = engine.open(StatisticRequest("Tenant", "Environment", "Told"), NOW)
    assert told.nodes == []
    engine.close_all([told], "")
    assert not engine.statistics


def test_they_are_a_mapping_by_key() -> None:
    engine = an_engine()
    opened = [engine.open(request, NOW) for request in requests(2)]
    found = engine.statistics
    assert isinstance(found, OpenStatistics)
    assert len(found) == len(opened) == len(list(found))
    assert {id(each) for each in found.values()} == {id(each) for each in opened}
    assert all(found[each.key] is each for each in opened)
    one: Statistic = opened[0]
    names, object_id = one.key
    assert found.find(names, object_id) is one
    found[one.key] = one
    assert len(found) == len(opened)
    assert found.pop(one.key) is one
    assert one.key not in found
    assert len(found) == len(opened) - 1
    with pytest.raises(KeyError):
        del found[one.key]
    assert Key(names, "nobody") not in found
    for each in opened[1:]:
        del found[each.key]
    assert not found
    assert found.find(names, object_id) is None
