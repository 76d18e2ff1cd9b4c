"""Sources of which a feed tells only some DNs: positions grow, and do not count.

Nothing shows that something was missed but the feed's own word. Every event here is ten
positions after the one before it, and a feed stands in between when it is connected.
"""

import pytest
from ha_pair import Pair

from statserver_trio.ha.addp import AddpOptions
from statserver_trio.ha.peer import PeerOptions
from statserver_trio.ha.store import HoleLeft

KEY = "s:x:1"


def up():
    pair = Pair(options=PeerOptions(addp=AddpOptions(trace="off")), step=10)
    pair.a.open(KEY)
    pair.drive(until=5)
    for _ in range(5):
        pair.event("x")
        pair.drive(seconds=1)
    return pair


def intake(node):
    return node.peer.intake.sources["s"]


def holes(node):
    return intake(node).repaired, intake(node).left, intake(node).hole


def quiet(pair):
    pair.drive(seconds=30)
    pair.check()
    assert pair.a.peer.intake.standings == pair.b.peer.intake.standings


def test_positions_that_jump_are_no_holes():
    pair = up()
    quiet(pair)
    assert [holes(node) for node in pair.both] == [(0, 0, None)] * 2


@pytest.mark.parametrize("who", ["a", "b"])
def test_a_feed_that_resumes_leaves_no_hole(who):
    pair = up()
    node = getattr(pair, who)
    pair.blind(node)
    for _ in range(3):
        pair.event("x")
        pair.drive(seconds=1)
    pair.resume(node, missed=3)
    pair.event("x")
    quiet(pair)
    assert holes(node) == (0, 0, None)


@pytest.mark.parametrize("who", ["a", "b"])
@pytest.mark.parametrize("then", ["quiet", "busy"])
@pytest.mark.parametrize("missed", [0, 3])
def test_what_a_feed_that_cannot_resume_has_missed_comes_from_the_peer(who, then, missed):
    pair = up()
    node = getattr(pair, who)
    pair.blind(node)
    for _ in range(missed):
        pair.event("x")
        pair.drive(seconds=1)
    pair.see(node)
    assert holes(node) == (0, 0, (51, 55 + 10 * missed))
    if then == "busy":
        pair.event("x")
    pair.drive(seconds=1.1)  # long enough to know that nothing more is coming
    assert holes(node) == (1, 0, None)
    pair.event("x")
    quiet(pair)
    assert pair.a.engine.numbers() == pair.b.engine.numbers()


def test_a_peer_that_does_not_hear_either_cannot_say_that_there_was_nothing():
    pair = up()
    for node in pair.both:
        pair.blind(node)
    pair.event("x")
    pair.see(pair.b)
    pair.drive(seconds=4.9)
    assert holes(pair.b) == (0, 0, (51, 65))
    pair.drive(seconds=10)
    [left] = [each for each in pair.b.done if isinstance(each, HoleLeft)]
    assert (left.first, left.last) == (51, 65)


def test_a_peer_that_cannot_resume_either_cannot_say_that_there_was_nothing():
    pair = up()
    for node in pair.both:
        pair.blind(node)
    pair.event("x")
    for node in pair.both:
        pair.see(node)
    pair.drive(seconds=30)
    assert all(holes(node)[:2] == (0, 1) for node in pair.both)


@pytest.mark.parametrize("who", ["a", "b"])
def test_a_restarted_member_that_joins_in_silence(who):
    pair = up()
    node = pair.restart(getattr(pair, who), abruptly=False)
    pair.drive(seconds=30)
    assert holes(node)[1:] == (0, None)
    node.open(KEY)
    pair.event("x")
    quiet(pair)
