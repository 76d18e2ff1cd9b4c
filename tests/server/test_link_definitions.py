"""What a statistic is called on the link of a pair, and what is opened by that name."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest
from attrs import evolve

from statserver_trio.config.load import load
from statserver_trio.config.site import make_site
from statserver_trio.server.link_definitions import Hashes, definition_of, key_text, request_from
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_profiles import TimeProfile, parse_time_profile
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.transfer import adopt_statistic, export_statistic
from statserver_trio.tlib import events as e

SITE = make_site(load(Path(__file__).parents[2] / "conf" / "standalone.toml"))
NOW = 1_767_268_800_000
INLINE = {
    "Objects": "Queue",
    "Category": "ServiceFactor1",
    "Subject": "DNAction",
    "MainMask": "CallAnswered",
}


def inline_profile(kind: str, text: str) -> TimeProfile:
    return evolve(parse_time_profile(f"Inline,{kind}", text, UTC), name="")


def an_engine() -> Engine:
    engine = Engine(SITE.definitions, SITE.directory, SITE.world_options)
    engine.add_source("s", "sw1")
    return engine


def asked(**more: str | None) -> StatisticRequest:
    return StatisticRequest("Queue", "8001@sw1", "Service_Factor", "Hour", **more)


REQUESTS = {
    "no range": asked(),
    "one range": asked(time_range="Range0-10"),
    "a second one": asked(time_range2="Range0-5"),
    "another second one": asked(time_range2="Range0-10"),
    "both": asked(time_range="Range0-5", time_range2="Range0-10"),
    "the other way round": asked(time_range="Range0-10", time_range2="Range0-5"),
    "filtered": asked(time_range2="Range0-5", filter="Gold"),
    "defined by the client": evolve(
        asked(time_range2="Range0-5"),
        stat_type=parse_stat_type("", INLINE),
        time_profile=inline_profile("Sliding", "600:10"),
    ),
    "a state": StatisticRequest("GroupAgents", "Sales", "CurrentGroupState"),
}


def happens(engine: Engine) -> None:
    """One call is answered after 8 s, another given up after 7, a third one after 2."""
    calls = [{"this_dn": "8001", "conn_id": f"c{n}", "call_type": "Inbound"} for n in range(3)]
    phone = {**calls[0], "this_dn": "7001", "this_queue": "8001"}
    story = [
        *((0, e.EventQueued(**call)) for call in calls),
        (2, e.EventAbandoned(**calls[2])),
        (5, e.EventDiverted(third_party_dn="7001", **calls[0])),
        (5, e.EventRinging(**phone)),
        (7, e.EventAbandoned(**calls[1])),
        (8, e.EventEstablished(**phone)),
    ]
    for position, (seconds, event) in enumerate(story, 1):
        event.time, event.position = NOW / 1000 + seconds, position
        engine.apply("s", [event], NOW + seconds * 1000)


@pytest.mark.parametrize("name", REQUESTS)
def test_the_peer_opens_the_same_and_goes_on_with_it(name: str) -> None:
    ours, theirs = an_engine(), an_engine()
    statistic = ours.open(REQUESTS[name], NOW)
    happens(ours)
    now = NOW + 8000
    theirs.sources["s"].adopt(ours.sources["s"].export(), now)
    copy = theirs.open(request_from(definition_of(statistic)), now)
    assert copy.key == statistic.key
    assert Hashes().of(copy) == Hashes().of(statistic)
    adopt_statistic(theirs, copy, export_statistic(statistic), now)
    found = theirs.value(copy, NOW + 60_000).value
    assert found == ours.value(statistic, NOW + 60_000).value
    if name in ("a second one", "one range"):
        assert found == {"a second one": 50.0, "one range": 100 / 3}[name]


def test_hashes_tell_ranges_apart() -> None:
    hashes, engine = Hashes(), an_engine()
    ranged = [one for name, one in REQUESTS.items() if "range" in name or name.startswith("a s")]
    found = {hashes.of(engine.open(each, NOW)) for each in ranged}
    assert len(found) == len(ranged)


def test_different_ranges_are_different_names() -> None:
    engine = an_engine()
    texts = {name: key_text(engine.open(each, NOW).key) for name, each in REQUESTS.items()}
    assert len(set(texts.values())) == len(REQUESTS)
