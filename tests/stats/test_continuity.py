"""Times without a gap, where everything happens at once.

An agent is on two phones, whole sequences of events fall into one second, and statistics are
opened and carried to another server in the middle of them. What a second looked like half-way
must make no difference later.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from test_against_brute_force import (
    DEFINITIONS,
    DIRECTORY,
    MIDNIGHT,
    OPTIONS,
    PROFILES,
    SWITCH,
    Asked,
    Both,
    call,
    quick,
)

from statserver_trio.stats.engine import Engine
from statserver_trio.stats.statistic import Statistic
from statserver_trio.stats.transfer import adopt_statistic, export_statistic, request_of
from statserver_trio.tlib import events as e

NAMED = evolve(DEFINITIONS, time_profiles={one.name: one for one in PROFILES.values()})
MASKS = (
    "CallInbound,AfterCallWork",
    "WaitForNextCall,CallInbound",
    "NotReadyForNextCall,WaitForNextCall",
    "WaitForNextCall",
)
WORDS = ("ready", "away", "lunch", "acw", "talk", "gold", "iron", "end")
# Where most of it happens: moments of two neighbouring seconds, and of a later one.
times = st.sampled_from([1000, 1250, 1500, 1750, 2000, 2500, 3000, 40_000, 40_500, 61_000])
happenings = st.tuples(times, st.sampled_from(["7001", "7002"]), st.sampled_from(WORDS))
questions = st.builds(
    Asked,
    st.sampled_from([("Agent", "a1"), ("Place", "P1"), ("GroupAgents", "Sales")]),
    st.sampled_from(["AgentStatus", "DNStatus"]),
    st.sampled_from(MASKS),
    st.just("*"),
    st.sampled_from(["never", "0:00 +0:01", "40:10"]),
    st.sampled_from(["", "", "gold", "typed"]),
    st.just(0),
)


def an_event(dn: str, word: str) -> e.TEvent:
    gold = {"Segment": "gold"}
    match word:
        case "ready":
            return e.EventAgentReady(this_dn=dn, agent_id="a1")
        case "away" | "lunch":
            reason = {"ReasonCode": "Lunch"} if word == "lunch" else None
            return e.EventAgentNotReady(this_dn=dn, agent_id="a1", extensions=reason)
        case "acw":
            return e.EventAgentNotReady(this_dn=dn, agent_id="a1", work_mode="AfterCallWork")
        case "talk":
            return call(e.EventEstablished, dn, f"c{dn}")
        case "gold" | "iron":
            data = gold if word == "gold" else {"Segment": "iron"}
            return call(e.EventAttachedDataChanged, dn, f"c{dn}", user_data=data)
    return call(e.EventReleased, dn, f"c{dn}")


def told(both: Both, t: int, dn: str, word: str) -> None:
    event = an_event(dn, word)
    event.time = (MIDNIGHT + t) / 1000
    both.tell(event, MIDNIGHT + t)


def moved(both: Both, t: int) -> None:
    """Let a fresh server go on in place of the engine, told over the wire format."""
    now = MIDNIGHT + t
    old, new = both.engine, Engine(NAMED, DIRECTORY, OPTIONS)
    new.add_source("ts1", SWITCH)
    wire = msgspec.msgpack.decode(msgspec.msgpack.encode(old.sources["ts1"].export()))
    new.sources["ts1"].adopt(wire, now)
    copies: dict[Statistic, Statistic] = {}
    for one in old.statistics.values():
        copies[one] = new.open(request_of(one), now)
        data: Any = msgspec.msgpack.decode(msgspec.msgpack.encode(export_statistic(one)))
        adopt_statistic(new, copies[one], data, now)
    both.engine = new
    both.open = [(asked, {n: copies[s] for n, s in found.items()}) for asked, found in both.open]
    both.openings = {copies[s]: when for s, when in both.openings.items()}


@settings(quick, max_examples=120)
@given(
    st.lists(happenings, min_size=6, max_size=14),
    questions,
    st.lists(
        st.tuples(st.sampled_from(["never", "0:00 +0:01", "40:10"]), st.integers(0, 9)),
        min_size=2,
        max_size=4,
    ),
    st.one_of(st.none(), st.integers(2, 12)),
)
def test_however_much_happens_in_one_second(
    story: list[tuple[int, str, str]],
    asked: Asked,
    openings: list[tuple[str, int]],
    move: int | None,
) -> None:
    """The same is asked over several intervals, so that all read the same rows."""
    story = sorted(story, key=lambda each: each[0])
    both = Both(MIDNIGHT)
    told(both, 0, "7001", "away")
    t = 0
    for number, (following, dn, word) in enumerate(story):
        for profile, place in openings:
            if place == number:
                both.ask(evolve(asked, profile=profile, opened=t), MIDNIGHT + t)
        if number == move:
            moved(both, t)
        t = following
        told(both, t, dn, word)
        both.compare(MIDNIGHT + t)
    both.compare(MIDNIGHT + 62_000)
    both.compare(MIDNIGHT + 130_000)


@pytest.mark.parametrize("opened_at", ["before", "in the gap"])
@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (["acw"], {"before": 1, "in the gap": 1}),  # it never left
        (["acw", "ready"], {"before": 1, "in the gap": 0}),  # it left after all
        (["acw", "ready", "acw"], {"before": 1, "in the gap": 1}),
        ([], {"before": 1, "in the gap": 0}),
    ],
)
def test_a_gap_in_the_middle_of_a_second(
    after: list[str], expected: dict[str, int], moves: bool, opened_at: str
) -> None:
    """A call and its after-call work, with an instant of waiting in between."""
    both = Both(MIDNIGHT)
    told(both, 0, "7001", "ready")
    asked = Asked(("Agent", "a1"), "AgentStatus", MASKS[0], "*", "never", False, 0)
    both.ask(evolve(asked, profile="40:10"), MIDNIGHT)  # of the same rows
    if opened_at == "before":
        both.ask(asked, MIDNIGHT)
    told(both, 1000, "7001", "talk")
    told(both, 5000, "7001", "end")
    if opened_at != "before":
        both.ask(asked, MIDNIGHT + 5000)
    if moves:
        moved(both, 5000)
    for number, word in enumerate(after, 1):
        told(both, 5000 + number, "7001", word)
    told(both, 9000, "7002", "end")
    both.compare(MIDNIGHT + 9000)
    number = both.open[1][1]["TotalContinuousNumber"]
    assert both.engine.value(number, MIDNIGHT + 9000).value == expected[opened_at]
    told(both, 20_000, "7001", "away")
    both.compare(MIDNIGHT + 21_000)
    assert both.engine.value(number, MIDNIGHT + 21_000).value == expected[opened_at]
