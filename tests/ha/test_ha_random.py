"""Any schedule of faults: afterwards both members hold what one that saw everything holds.

The faults are drawn by hypothesis as a list, so it can shrink them. What is lost
legitimately never happens here: a member is restarted, or loses the source, only
while the other one sees every event and has every statistic.
"""

from ha_pair import Pair
from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.ha.addp import AddpOptions
from statserver_trio.ha.peer import PeerOptions
from statserver_trio.ha.replication_words import ReplicationOptions
from statserver_trio.ha.session import SessionOptions

OPTIONS = PeerOptions(
    addp=AddpOptions(timeout=2.0, remote_timeout=2.0, trace="off"),
    session=SessionOptions(expiration_timeout=20.0, expiration_period=5.0),
    replication=ReplicationOptions(chunk_size=3),
)
STEPS = [
    "event", "event", "event", "event",
    "open A", "open B", "open same", "share A", "share B",
    "wait", "wait a moment", "wait a moment", "wait a little", "wait long",
    "cut", "partition", "deaf A", "deaf B", "heal",
    "blind A", "blind B", "see",
    "restart A", "restart B", "slow", "quick",
]  # fmt: skip
WAITS = {"wait": 2.0, "wait a moment": 0.25, "wait a little": 0.0015, "wait long": 30.0}


def may_lose(pair, node):
    """Whether the other member holds everything that this one does."""
    other = pair.other(node)
    applied = all(
        other.peer.intake.sources[name].applied == feed.last and other.sees[name]
        for name, feed in pair.feeds.items()
    )
    in_step = other.peer.intake.standings == node.peer.intake.standings
    has_all = other.engine.numbers() == pair.truth()
    exchanged = all(each.peer.replication.is_done for each in pair.both)
    return applied and in_step and has_all and exchanged and not other.engine.incomplete()


def is_exact(pair, node, source="s"):
    """Whether its picture lacks nothing, so that what is opened now is counted right."""
    intake = node.peer.intake.sources[source]
    caught_up = intake.applied == pair.feeds[source].last and node.sees[source]
    return caught_up and intake.standing == pair.best


def step(pair, what, n):
    a, b = pair.a, pair.b
    match what.split():
        case ["event"]:
            pair.event(f"o{n % 3}")
        case ["open", who]:
            for node in pair.both:
                if who in (node.name, "same") and is_exact(pair, node):
                    node.open(f"s:o{n % 3}:{who}{n}")
        case ["share", who]:  # one that the other member may have opened earlier
            node = a if who == "A" else b
            if is_exact(pair, node):
                node.open(f"s:o{n % 3}:same{n}")
        case ["wait", *_]:
            pair.drive(seconds=WAITS[what])
        case ["cut"]:
            pair.cut()
        case ["partition"]:
            pair.partition()
        case ["deaf", who]:
            pair.partition(a if who == "A" else b)
        case ["heal"]:
            pair.heal()
        case ["blind", who]:
            node = a if who == "A" else b
            if may_lose(pair, node):
                pair.blind(node)
        case ["see"]:
            for node in pair.both:
                pair.see(node)
        case ["restart", who]:
            node = a if who == "A" else b
            if may_lose(pair, node):
                pair.restart(node).come_back()
        case ["slow" | "quick"]:
            pair.delay = 0.3 if what == "slow" else 0.001


def play(steps):
    pair = Pair(options=OPTIONS)
    pair.drive(seconds=3)
    pair.best = pair.a.peer.intake.sources["s"].standing
    for what, n in steps:
        step(pair, what, n)
    pair.heal()
    pair.delay = 0.001
    for node in pair.both:
        pair.see(node)
    pair.drive(seconds=150)
    pair.event("o0")
    pair.drive(seconds=150)
    return pair


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5)), max_size=40))
def test_after_any_faults_both_members_equal_the_oracle(steps):
    play(steps).check()
