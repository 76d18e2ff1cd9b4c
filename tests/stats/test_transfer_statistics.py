"""Statistics that were carried to another server go on there as if they had always been.

One engine lives through a day of the simulated centre and opens statistics on
the way. At some event everything is carried to a fresh engine, over the wire
format; from then on both hear the same, and every value is the same.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from attrs import evolve
from reloads import a_stat_type, definitions, directory

from statserver_trio.config.load import load
from statserver_trio.config.site import Site, make_site
from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.stats.categories import CATEGORIES
from statserver_trio.stats.definitions import Definitions, StatType
from statserver_trio.stats.definitions.filters import parse_filter
from statserver_trio.stats.definitions.time_profiles import UTC, parse_time_profile
from statserver_trio.stats.definitions.time_ranges import parse_time_range
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.refusals import refusal
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.statistic import Statistic
from statserver_trio.stats.telling.notifications import Mode, Notification
from statserver_trio.stats.transfer import (
    adopt_statistic,
    definition_hash,
    export_statistic,
    request_of,
)

CONF = Path(__file__).parent.parent.parent / "conf" / "standalone.toml"
START = 1_767_258_000.0
IDS = {
    "Queue": ("8001@sw1", "8002@sw1"),
    "Agent": ("a1", "a2", "a3"),
    "Place": ("P1",),
    "RegDN": ("7002@sw1",),
    "GroupAgents": ("Sales",),
    "GroupQueues": ("AllQueues",),
}


# Filters that turn with something else than attached data, besides those of the site.
ATTRIBUTES = {
    "Told": 'ANI <> "" & (OtherDN > 7002 | ThisQueue = "8001")',
    "Manned": 'AgentID = "a1" | ~(AgentID <> "a3")',
}


@pytest.fixture(scope="module")
def site() -> Site:
    site = make_site(load(CONF))
    more = {name: parse_filter(name, text) for name, text in ATTRIBUTES.items()}
    filters = {**site.definitions.filters, **more}
    return evolve(site, definitions=evolve(site.definitions, filters=filters))


def an_engine(site: Site) -> Engine:
    engine = Engine(site.definitions, site.directory, site.world_options, site.resolution)
    engine.add_source("ts1", "sw1")
    return engine


def goes_with(
    definitions: Definitions, stat_type: StatType, profile: str | None, object_type: str
) -> bool:
    """Whether a stat type can be counted over that profile."""
    named = definitions.time_profile(profile)
    return not refusal(CATEGORIES[stat_type.category], stat_type, named, object_type)


def some_requests(site: Site, rng: Random) -> list[StatisticRequest]:
    """Every stat type on a few objects, with profiles and filters by chance."""
    requests = []
    for name, stat_type in site.definitions.stat_types.items():
        historical = CATEGORIES[stat_type.category].is_historical
        for object_type in sorted(stat_type.objects & IDS.keys()):
            profile = (
                rng.choice([None, "QuarterHour", "LastHour", "LastTen", "Session"])
                if historical
                else None
            )
            if not goes_with(site.definitions, stat_type, profile, object_type):
                profile = None
            chosen = rng.choice([None, None, "Gold", "Spanish", *ATTRIBUTES])
            object_id = rng.choice(IDS[object_type])
            ranges = rng.choice([None, "Range0-30"]), rng.choice([None, "Range0-5", "MinuteUp"])
            requests.append(
                StatisticRequest(object_type, object_id, name, profile, *ranges, chosen)
            )
    return requests


def values(engine: Engine, statistics: list[Statistic], now: int) -> dict[Any, Any]:
    return {s.key: engine.value(s, now).value for s in statistics}


def wire(data: Any) -> Any:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(data))


@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_an_opening_is_not_after_the_next_event(site: Site, seed: int, carried: bool) -> None:
    """The feed is silent, and what comes then is older than the opening by our clock."""
    rng = Random(seed)
    events = ContactCentre(Random(seed), START, agents=6, queues=2, speed=2).take(2000)
    cut = rng.randrange(500, 1000)
    last, following = (int((events[at].time or 0) * 1000) for at in (cut - 1, cut))
    requests = some_requests(site, rng)
    engines = []
    for opened_at in (following, last + 30_000):
        engine = an_engine(site)
        for event in events[:cut]:
            engine.apply("ts1", [event], int((event.time or 0) * 1000))
        opened = [engine.open(request, opened_at) for request in requests]
        if carried:
            data = [wire(export_statistic(statistic)) for statistic in opened]
            other, table = an_engine(site), wire(engine.sources["ts1"].export())
            other.sources["ts1"].adopt(table, last)
            opened = [other.open(request, opened_at) for request in requests]
            for statistic, told in zip(opened, data, strict=True):
                adopt_statistic(other, statistic, told, opened_at)
            engine = other
        engines.append((engine, opened))
    for number, event in enumerate(events[cut:]):
        now = int((event.time or 0) * 1000)
        for engine, _ in engines:
            engine.apply("ts1", [event], now)
        if number < 4 or number % 100 == 0:
            in_time, late = (values(engine, opened, now) for engine, opened in engines)
            assert in_time == late


@pytest.mark.parametrize("seed", range(6))
def test_they_go_on_alike(site: Site, seed: int) -> None:
    rng = Random(seed)
    events = ContactCentre(Random(seed), START, agents=6, queues=2, speed=2).take(3000)
    cut = rng.randrange(500, 2500)
    requests = some_requests(site, rng)
    first = an_engine(site)
    opened: list[Statistic] = []
    for position, event in enumerate(events[:cut]):
        assert event.time is not None
        now = int(event.time * 1000)
        first.apply("ts1", [event], now)
        while requests and rng.random() < len(requests) / (cut - position):
            opened.append(first.open(requests.pop(), now))
    now = int((events[cut - 1].time or 0) * 1000)

    second = an_engine(site)
    second.sources["ts1"].adopt(wire(first.sources["ts1"].export()), now)
    for statistic in opened:
        copy = second.open(request_of(statistic), now)
        assert copy.key == statistic.key
        assert definition_hash(copy) == definition_hash(statistic)
        adopt_statistic(second, copy, wire(export_statistic(statistic)), now)

    copies = [second.statistics[s.key] for s in opened]
    assert values(second, copies, now) == values(first, opened, now)
    for position in range(cut, len(events), 50):
        batch = events[position : position + 50]
        now = int((batch[-1].time or 0) * 1000)
        first.apply("ts1", list(batch), now)
        second.apply("ts1", list(batch), now)
        later = now + rng.randrange(0, 20_000)
        assert values(second, copies, later) == values(first, opened, later)
    for statistic, copy in zip(opened, copies, strict=True):
        one, other = wire(export_statistic(statistic)), wire(export_statistic(copy))
        assert one["opened_at"] == other["opened_at"]


LONG = parse_time_range("Short", "0-11")
# What is asked for, and what a site that means something else by it has.
OTHERWISE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"time_range": "Short"}, {"time_ranges": {"Short": LONG}}),
    ({"time_range2": "Short"}, {"time_ranges": {"Short": LONG}}),
    ({"filter": "Vip"}, {"filters": {"Vip": parse_filter("Vip", 'PairExists("Class","*")')}}),
    (
        {"time_profile": "Minutes"},
        {"time_profiles": {"Minutes": parse_time_profile("Minutes,Growing", "0:00 +0:02", UTC)}},
    ),
    ({}, {"stat_types": {"Factor": a_stat_type("Factor", "TotalNumber", "CallAnswered")}}),
]


@pytest.mark.parametrize(("asked", "otherwise"), OTHERWISE)
def test_the_same_name_for_something_else_has_another_hash(
    asked: dict[str, Any], otherwise: dict[str, Any]
) -> None:
    def hash_of(**changes: Any) -> str:
        engine = Engine(definitions(**changes), directory())
        engine.add_source("ts1", "sw1")
        request = StatisticRequest("Queue", "8001@sw1", "Factor", **asked)
        return definition_hash(engine.open(request, int(START * 1000)))

    assert hash_of() == hash_of() != hash_of(**otherwise)


@pytest.mark.parametrize("longest", ["Longest_Call", "Most_Calls_Waiting"])
def test_what_shares_its_extremes_with_others_takes_nothing_away_from_them(
    site: Site, longest: str
) -> None:
    """Somebody asks another server, which has just begun to count, for another profile."""
    here, there = an_engine(site), an_engine(site)
    events = ContactCentre(Random(4), START, agents=6, queues=2).take(800)
    stat_type = site.definitions.stat_types[longest]
    name = "8001@sw1" if "Queue" in stat_type.objects else "a1"
    object_type = "Queue" if "Queue" in stat_type.objects else "Agent"
    early = here.open(StatisticRequest(object_type, name, longest, "SinceStart"), 0)
    for engine in (here, there):
        engine.apply("ts1", events, 0)
    clock = {here.sources["ts1"].ledger: here.sources["ts1"].clock(0)}
    value = here.value_at(early, clock).value
    request = StatisticRequest(object_type, name, longest, "QuarterHour")
    told = export_statistic(there.open(request, 0))
    adopt_statistic(here, here.open(request, 0), told, 0)
    assert here.value_at(early, clock).value == value > 0


def test_whoever_waits_is_told_what_was_adopted(site: Site) -> None:
    """Found by the demo: a client kept the value from before until the next event."""
    events = ContactCentre(Random(3), START, agents=6, queues=2, speed=2).take(600)
    end = int(events[-1].time or 0) * 1000
    request = StatisticRequest("Queue", "8001@sw1", "Total_Calls_Entered")
    early, late = an_engine(site), an_engine(site)
    first = early.open(request, int(START) * 1000)
    early.apply("ts1", events, end)
    late.apply("ts1", events, end)
    second = late.open(request, end)
    subscription = late.subscribe(second, Notification(Mode.CHANGES_BASED), "a client", end)
    assert late.value_for(subscription, end).value == 0
    late.notices(end)
    adopt_statistic(late, second, wire(export_statistic(first)), end)
    [notice] = late.notices(end)
    assert notice.value is not None
    assert notice.value.value == early.value(first, end).value > 0


@pytest.mark.parametrize("profile", ["LastMinute", "Hour", "SinceStart"])
def test_what_is_carried_again_and_again_does_not_grow(site: Site, profile: str) -> None:
    """One member after the other is killed (chaos, seed 2: 84 MB after 38 kills)."""
    centre = ContactCentre(Random(1), START, agents=6, queues=2, speed=5)
    names = ("Longest_Call", "Total_Talk_Time", "Average_Handle_Time")
    requests = [
        StatisticRequest(object_type, object_id, name, profile)
        for name in names
        for object_type, object_id in (("Agent", "a1"), ("GroupAgents", "Sales"), ("Place", "P1"))
        if object_type in site.definitions.stat_types[name].objects
    ]
    engine = an_engine(site)
    now = round(START * 1000)
    for request in requests:
        engine.open(request, now)
    sizes = []
    for _ in range(24):
        events = centre.take(60)
        now = round((events[-1].time or 0) * 1000)
        engine.apply("ts1", events, now)
        told = {s.key: export_statistic(s) for s in engine.statistics.values()}
        sizes.append(len(msgspec.msgpack.encode(list(told.values()))))
        following = an_engine(site)
        following.sources["ts1"].adopt(wire(engine.sources["ts1"].export()), now)
        for request in requests:
            statistic = following.open(request, now)
            adopt_statistic(following, statistic, wire(told[statistic.key]), now)
        before = values(engine, list(engine.statistics.values()), now)
        assert values(following, list(following.statistics.values()), now) == before
        engine = following
    assert max(sizes[12:]) < 1.25 * max(sizes[6:12])
    assert engine.sources["ts1"].ledger.epoch < 100 * len(requests)


@pytest.mark.parametrize(
    "sums",
    [
        [1, 2, 3],
        [1, 2, "9", 4],
        [1, 2, 3, None],
        [1, 2, 3, 2**63],
        [1, 2, 3, 4, "many"],
        [1, 2, 3, 4, "1", "9" * 5000],
    ],
)
def test_sums_that_make_no_sense_change_nothing(site: Site, sums: list[Any]) -> None:
    """What is told as text is for squares alone: a text times the time would fill the memory."""
    engine = an_engine(site)
    request = StatisticRequest("Agent", "a1", "Total_Talk_Time", "Default")
    statistic = engine.open(request, round(START * 1000))
    data = msgspec.msgpack.decode(msgspec.msgpack.encode(export_statistic(statistic)))
    for name in ("base", "last"):
        broken = {**data["parts"]["main"][0], name: sums}
        told = {**data, "parts": {"main": [broken]}}
        with pytest.raises(ValueError, match=rf"at `\$\.parts.*{name}"):
            adopt_statistic(engine, statistic, told, round(START * 1000))
    assert export_statistic(statistic) == data
