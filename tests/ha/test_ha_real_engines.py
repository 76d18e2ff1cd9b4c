"""Whole pairs with real engines under random faults: primary == backup == oracle.

Every statistic on both members has the value of the oracle's, to the last bit,
current ones included. What is lost legitimately never happens here: a member is
restarted, or loses the source, only while the other one sees every event and
has every statistic. `SIM_RUNS=2000 SIM_FIRST=5000` chooses how many days, and which.
"""

from __future__ import annotations

import os
from random import Random

import pytest
from ha_real import SITE, RealPair

from statserver_trio.ha.addp import AddpOptions
from statserver_trio.ha.peer import PeerOptions
from statserver_trio.ha.replication import ReplicationOptions
from statserver_trio.ha.session import SessionOptions
from statserver_trio.stats.categories import CATEGORIES
from statserver_trio.stats.requests import StatisticRequest

FIRST = int(os.environ.get("SIM_FIRST", "0"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("SIM_RUNS", "40")))
FOUND = (1372,)  # failed once
OPTIONS = PeerOptions(
    addp=AddpOptions(timeout=2.0, remote_timeout=2.0, trace="off"),
    session=SessionOptions(expiration_timeout=20.0, expiration_period=5.0),
    replication=ReplicationOptions(chunk_size=3),
)
IDS = {
    "Queue": ("8001@sw1", "8002@sw1"),
    "Agent": ("a1", "a2", "a3"),
    "Place": ("P1",),
    "RegDN": ("7002@sw1",),
    "GroupAgents": ("Sales",),
    "GroupQueues": ("AllQueues",),
}
STEPS = (
    ["events"] * 12
    + ["open"] * 4
    + ["wait", "wait a moment", "wait a moment", "wait a little", "wait long"]
    + ["cut", "partition", "deaf", "heal", "heal", "blind", "see", "restart", "slow", "quick"]
)
WAITS = {"wait": 2.0, "wait a moment": 0.25, "wait a little": 0.0015, "wait long": 30.0}


def some_request(rng: Random) -> StatisticRequest:
    name = rng.choice(sorted(SITE.definitions.stat_types))
    stat_type = SITE.definitions.stat_types[name]
    object_type = rng.choice(sorted(stat_type.objects & IDS.keys()))
    historical = CATEGORIES[stat_type.category].is_historical
    profile = rng.choice([None, "QuarterHour", "LastHour"]) if historical else None
    chosen = rng.choice([None, None, "Gold", "Spanish"])
    object_id = rng.choice(IDS[object_type])
    ranges = rng.choice([None, "Range0-30"]), rng.choice([None, "Range0-5", "MinuteUp"])
    return StatisticRequest(object_type, object_id, name, profile, *ranges, chosen)


def is_exact(pair: RealPair, node) -> bool:
    intake = node.peer.intake.sources["s"]
    return (
        intake.applied == pair.feeds["s"].last and node.sees["s"] and intake.standing == pair.best
    )


def may_lose(pair: RealPair, node) -> bool:
    """Whether the other member holds everything that this one does."""
    other = pair.other(node)
    store = other.engine
    if not is_exact(pair, other) or other.peer.intake.standings != node.peer.intake.standings:
        return False
    exchanged = all(each.peer.replication.is_done for each in pair.both)
    has_all = pair.values(store.engine, store.found()) == pair.truth()
    return exchanged and has_all and not store.lacking()


def step(pair: RealPair, rng: Random, what: str) -> None:
    node = rng.choice(pair.both)
    match what.split():
        case ["events"]:
            for _ in range(rng.randrange(1, 25)):
                pair.event()
                pair.drive(seconds=rng.choice([0, 0.0005, 0.01, 1.0, 20.0]))
        case ["open"]:
            if is_exact(pair, node):
                node.open_request(some_request(rng))
        case ["wait", *_]:
            pair.drive(seconds=WAITS[what])
        case ["cut"]:
            pair.cut()
        case ["partition"]:
            pair.partition()
        case ["deaf"]:
            pair.partition(node)
        case ["heal"]:
            pair.heal()
        case ["blind"]:
            if may_lose(pair, node):
                pair.blind(node)
        case ["see"]:
            for each in pair.both:
                pair.see(each)
        case ["restart"]:
            if may_lose(pair, node):
                new = pair.restart(node)
                if rng.random() < 0.5:  # sooner than we have a picture, or somewhat later
                    pair.drive(seconds=rng.choice([3, 40]))
                new.come_back()
        case ["slow" | "quick"]:
            pair.delay = 0.3 if what == "slow" else 0.001


def a_bad_day(seed: int) -> RealPair:
    rng = Random(seed)
    pair = RealPair(options=OPTIONS)
    pair.drive(seconds=3)
    pair.best = pair.a.peer.intake.sources["s"].standing
    for _ in range(40):
        step(pair, rng, rng.choice(STEPS))
    pair.heal()
    pair.delay = 0.001
    for node in pair.both:
        pair.see(node)
    pair.drive(seconds=150)
    pair.event()
    pair.drive(seconds=150)
    return pair


@pytest.mark.parametrize("seed", sorted({*SEEDS, *FOUND}))
def test_after_a_bad_day_both_members_equal_the_oracle(seed: int) -> None:
    pair = a_bad_day(seed)
    pair.check()


@pytest.mark.parametrize("first", ["a", "b"])
def test_of_two_that_were_opened_between_the_same_events_the_earlier_one_counts(
    first: str,
) -> None:
    pair = RealPair(options=OPTIONS)
    pair.drive(seconds=3)
    for _ in range(30):
        pair.event()
        pair.drive(seconds=1)
    pair.network = False
    pair.cut()
    one = getattr(pair, first)
    names = [n for n, s in SITE.definitions.stat_types.items() if "Agent" in s.objects]
    for node in (one, pair.other(one)):
        for name in names:
            node.open_request(StatisticRequest("Agent", "a1", name))
        pair.drive(seconds=7)
    pair.network = True
    pair.drive(seconds=30)
    pair.event()
    pair.drive(seconds=30)
    pair.check()
