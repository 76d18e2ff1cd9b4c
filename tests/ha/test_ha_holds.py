"""Who keeps what open for whom, by example and by random days."""

import random

import pytest
from ha_pair import Pair

from statserver_trio.ha.addp import AddpOptions
from statserver_trio.ha.holds import LINGER, ORPHAN_SECONDS_MAX, UNWANTED_MAX, Released, Wanted
from statserver_trio.ha.messages import Release, ReleaseAck, Want
from statserver_trio.ha.peer import PeerOptions
from statserver_trio.ha.session import SessionOptions
from statserver_trio.ha.store import Unwanted

QUIET = PeerOptions(addp=AddpOptions(trace="off", timeout=3600, remote_timeout=3600))
DIALS = 30.0  # seconds between two attempts; a day has many
X, Y = "s:x:1", "s:x:2"


def up(*keys):
    """A pair in session; A's clients want these."""
    pair = Pair(options=QUIET, connect_timeout=DIALS)
    pair.a.open(*(keys or (X, Y)))
    pair.drive(until=3)
    pair.event("x")
    pair.drive(until=4)
    return pair


def leave(node, *keys):
    node.tell(Released(keys))


def open_at(pair):
    return [sorted(node.engine.statistics) for node in pair.both]


def unwanted(node):
    return [key for action in node.done if isinstance(action, Unwanted) for key in action.keys]


def apart(pair):
    pair.network = False
    pair.cut()


def together(pair):
    pair.network = True


def test_what_the_last_client_has_left_stays_for_a_quarter_of_an_hour():
    pair = up()
    assert pair.b.peer.holds.held(X)
    leave(pair.a, X)
    pair.drive(seconds=LINGER - 1)
    assert open_at(pair) == [[X, Y], [X, Y]]
    assert pair.messages(Release) == []
    pair.drive(seconds=2)
    assert pair.messages(Release) == [Release(1, [X])]
    assert pair.messages(ReleaseAck) == [ReleaseAck(1)]
    assert open_at(pair) == [[Y], [Y]]
    pair.drive(seconds=2 * ORPHAN_SECONDS_MAX)
    assert open_at(pair) == [[Y], [Y]]


def test_a_client_that_comes_back_in_time_finds_it():
    pair = up()
    leave(pair.a, X)
    pair.drive(seconds=LINGER - 1)
    pair.a.open(X)
    pair.drive(seconds=2 * LINGER)
    assert open_at(pair) == [[X, Y], [X, Y]]
    assert pair.messages(Release) == []


def test_a_client_of_the_other_member_is_enough():
    pair = up()
    pair.b.open(X)
    pair.drive(seconds=1)
    leave(pair.a, X)
    pair.drive(seconds=2 * LINGER)
    assert open_at(pair) == [[X, Y], [X, Y]]
    leave(pair.b, X)
    pair.drive(seconds=LINGER + 1)
    assert open_at(pair) == [[Y], [Y]]


def test_both_let_go_in_the_same_moment():
    pair = up()
    pair.b.open(X)
    pair.drive(seconds=1)
    leave(pair.a, X)
    leave(pair.b, X)
    pair.drive(seconds=LINGER + 1)
    assert open_at(pair) == [[Y], [Y]]


@pytest.mark.parametrize("away", [30, 3000])
def test_a_release_that_was_lost_with_the_link_is_told_again(away):
    pair = up()
    leave(pair.a, X)
    pair.drive(until=LINGER + 4.0005)  # the release is on its way
    assert pair.messages(Release) == [Release(1, [X])]
    apart(pair)
    pair.drive(seconds=away)  # restored, or expired
    together(pair)
    pair.drive(seconds=LINGER + 60)
    assert open_at(pair) == [[Y], [Y]]


def test_what_was_asked_for_is_asked_for_again_until_it_comes():
    pair = up()
    pair.b.tell(Wanted((X, Y)))
    pair.cut()  # on its way
    pair.drive(seconds=2 * DIALS)
    assert pair.b.peer.session.restored == 1
    assert [sorted(want.keys) for want in pair.messages(Want, "B")] == [[X, Y]] * 2
    pair.cut()
    pair.drive(seconds=2 * DIALS)
    assert len(pair.messages(Want)) == 2, "it has come"


def test_let_go_while_apart():
    pair = up()
    apart(pair)
    leave(pair.a, X)
    pair.drive(seconds=LINGER + 1)
    assert open_at(pair) == [[Y], [X, Y]]  # the peer cannot know
    together(pair)
    pair.drive(seconds=LINGER + 60)
    assert open_at(pair) == [[Y], [Y]]


@pytest.mark.parametrize("back", [20, LINGER - 60])
def test_clients_of_a_restarted_member_find_what_they_had(back):
    pair = up()
    node = pair.restart(pair.a, abruptly=False)
    pair.drive(seconds=back)
    node.open(X)
    pair.event("x")
    pair.drive(seconds=3 * LINGER)
    assert open_at(pair) == [[X], [X]]  # nobody came back for the other one
    del pair.began[Y]
    pair.check()


def test_a_member_that_is_down_for_long_finds_what_its_clients_had():
    pair = up()
    apart(pair)
    pair.drive(seconds=ORPHAN_SECONDS_MAX - 100)
    node = pair.restart(pair.a, abruptly=False)
    together(pair)
    pair.drive(seconds=60)
    node.open(X, Y)
    pair.drive(seconds=2 * LINGER)
    pair.check()


def test_a_member_that_is_restarted_again_and_again():
    pair = up()
    for _ in range(3):
        pair.restart(pair.a, abruptly=False)
        pair.drive(seconds=100)
        apart(pair)
        pair.drive(seconds=LINGER)
        together(pair)
    node = pair.restart(pair.a, abruptly=False)
    pair.drive(seconds=60)
    node.open(X, Y)
    pair.drive(seconds=2 * LINGER)
    pair.check()


def test_a_peer_that_is_gone_for_a_day_holds_nothing():
    pair = up()
    pair.b.open(Y)
    apart(pair)
    pair.drive(seconds=ORPHAN_SECONDS_MAX - 1)
    assert pair.b.peer.holds.held(X)
    pair.drive(seconds=2)
    assert unwanted(pair.b) == [X]
    assert open_at(pair) == [[X, Y], [Y]]


def test_an_expired_session_makes_no_difference():
    pair = up()
    apart(pair)
    pair.drive(seconds=5000)
    leave(pair.a, X)
    together(pair)
    pair.drive(seconds=3 * LINGER)
    assert open_at(pair) == [[Y], [Y]]


def test_a_replica_that_the_peer_does_not_want_either_lingers_from_its_installation():
    pair = up()
    pair.restart(pair.a, abruptly=False)
    pair.drive(seconds=LINGER - 10)
    assert open_at(pair) == [[X, Y], [X, Y]]
    pair.drive(seconds=60)
    assert open_at(pair) == [[], []]


def test_released_while_it_is_being_installed():
    pair = up(Y)
    actions = []
    perform, pair.b.perform = pair.b.perform, actions.extend  # the owner takes its time
    pair.a.open(X)
    pair.drive(seconds=1)
    leave(pair.a, X)
    pair.a.close([X])
    pair.drive(seconds=1)
    pair.b.perform = perform
    perform(actions)
    assert not pair.b.peer.holds.held(X)
    pair.drive(seconds=LINGER + 60)
    assert open_at(pair) == [[Y], [Y]]


def test_many_are_closed_a_few_at_a_time():
    pair = up(*(f"s:x:{n}" for n in range(2000)))
    leave(pair.a, *sorted(pair.a.engine.statistics))
    pair.drive(seconds=LINGER + 60)
    assert open_at(pair) == [[], []]
    told = [len(a.keys) for a in pair.a.done if isinstance(a, Unwanted)]
    assert told == [UNWANTED_MAX] * 4


STEPS = (
    ["open", "leave"] * 3
    + ["event", "wait", "wait a bit", "wait long"]
    + ["cut", "apart", "together", "restart"]
)
WAITS = {"wait": 20.0, "wait a bit": 0.0015, "wait long": 700.0}


def a_year(seed):
    """Clients come and go, members fall over; a restarted one's clients come back."""
    rng = random.Random(seed)
    options = PeerOptions(
        addp=AddpOptions(timeout=50.0, remote_timeout=50.0, trace="off"),
        session=SessionOptions(expiration_timeout=100.0, expiration_period=20.0),
    )
    pair = Pair(options=options, connect_timeout=5.0)
    pair.drive(seconds=8)
    wanted = {"A": set(), "B": set()}  # by the clients of
    since = {}  # the position from which on somebody has wanted it all the time
    for _ in range(60):
        what = rng.choice(STEPS)
        node = rng.choice(pair.both)
        key = f"s:x:{rng.randrange(4)}"
        match what:
            case "open":
                if key not in wanted["A"] | wanted["B"]:
                    since[key] = pair.feeds["s"].last
                wanted[node.name].add(key)
                node.open(key)
            case "leave" if key in wanted[node.name]:
                wanted[node.name].discard(key)
                leave(node, key)
            case "event":
                pair.event("x")
            case "cut":
                pair.cut()
            case "apart":
                apart(pair)
            case "together":
                together(pair)
            case "restart" if all(each.peer.replication.is_done for each in pair.both):
                together(pair)
                pair.drive(seconds=30)
                new = pair.restart(node, abruptly=False)
                pair.drive(seconds=rng.choice([40, 300, 800]))
                new.open(*sorted(wanted[node.name]))
            case _ if what in WAITS:
                pair.drive(seconds=WAITS[what])
    together(pair)
    pair.drive(seconds=60)
    pair.event("x")
    pair.drive(seconds=4 * LINGER)
    return pair, {key: since[key] for key in wanted["A"] | wanted["B"]}


@pytest.mark.parametrize("seed", range(40))
def test_open_is_what_somebody_wants(seed):
    pair, since = a_year(seed)
    assert open_at(pair) == [sorted(since), sorted(since)]
    numbers = pair.a.engine.numbers()
    assert numbers == pair.b.engine.numbers()
    for key, position in since.items():  # it may have lingered from an earlier client
        assert numbers[key] >= pair.feeds["s"].count("x", position)
