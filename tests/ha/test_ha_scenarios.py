"""The failure scenarios of the domain's list, by number, as far as they show without I/O.

Not here because they are I/O, processes or the engine: 11, 12 (backup file), 21, 22
(TLS), 27 (delayed reload), 31 to 32 (GroupBy, DNAction), and the timing half of 26.
"""

import itertools

import pytest
from attrs import evolve
from ha_pair import Connection, Feed, Pair, pushed

from statserver_trio.ha import replication
from statserver_trio.ha.addp import AddpOptions
from statserver_trio.ha.codec import Decoder, Outbox, encode
from statserver_trio.ha.door import Knocked
from statserver_trio.ha.feed_words import SourceAdded, SourceAt, SourceDescribed
from statserver_trio.ha.greeting import Identity
from statserver_trio.ha.intake_options import IntakeOptions
from statserver_trio.ha.messages import (
    Chunk,
    ChunkAck,
    Delete,
    DeleteAck,
    Gone,
    Hello,
    Poll,
    Reject,
    Result,
    Want,
)
from statserver_trio.ha.parking import RETRY_INTERVAL
from statserver_trio.ha.peer import OptionsChanged, PeerOptions, Stop
from statserver_trio.ha.replication import PART_SIZE
from statserver_trio.ha.replication_words import ReplicationOptions
from statserver_trio.ha.roles import ConfigurationReloaded, ModeChanged
from statserver_trio.ha.session import SessionOptions, State
from statserver_trio.ha.source_intake import State as Source
from statserver_trio.ha.store import (
    Abort,
    Admit,
    HoleLeft,
    Log,
    PeerMode,
    Refuse,
    SessionLost,
    SessionOpened,
)
from statserver_trio.machine import Disconnect

T = 10.0
KEYS = ("s:x:1", "s:x:2", "s:x:3")


def up(options=None, keys=KEYS, **kwargs):
    """A pair in session, with statistics on both, counting."""
    pair = Pair(options=options, **kwargs)
    pair.a.open(*keys)
    pair.drive(until=5)
    pair.event("x")
    pair.drive(until=6)
    assert pair.a.peer.session.state is pair.b.peer.session.state is State.OPEN
    pair.sent.clear()
    return pair


def opened(node):
    return [action.restored for action in node.done if isinstance(action, SessionOpened)]


def lost_at(pair, node, until):
    """When that node gives the link up."""
    while pair.now < until:
        pair.drive(seconds=0.05)
        if any(isinstance(action, SessionLost) for action in node.done):
            return pair.now
    return None


def quiet(pair, seconds=60):
    pair.event("x")
    pair.drive(seconds=seconds)
    pair.check()


def options(**changes):
    return evolve(PeerOptions(addp=AddpOptions(trace="off")), **changes)


def test_scenario_01_partition():
    pair = up()
    pair.partition()
    start = pair.now
    pair.a.open("s:x:new")
    assert lost_at(pair, pair.a, 100) - start + 1.1 >= T
    assert pair.now - start <= 2 * T + 0.2
    pair.drive(until=start + 2 * T + 0.2)
    assert pair.b.connection is None
    pair.heal()
    pair.sent.clear()
    quiet(pair)
    assert opened(pair.b) == [False, True]
    assert pushed(pair) == [["s:x:new"]]


@pytest.mark.parametrize("deaf", ["a", "b"])
def test_scenario_02_one_way_loss(deaf):
    pair = up()
    node = getattr(pair, deaf)
    pair.partition(node)
    start = pair.now
    assert lost_at(pair, node, 100) - start <= 2 * T + 0.2
    assert lost_at(pair, pair.other(node), 100) - start <= 4 * T + 0.2
    pair.heal()
    quiet(pair)
    assert opened(pair.b)[-1] is True


def test_scenario_03_half_open_and_the_newest_connection_wins():
    pair = up()
    pair.b.connection.blocked |= {"A", "B"}  # the network forgot this connection
    pair.b.disconnected()
    pair.drive(seconds=3)
    assert [x.reason for x in pair.a.done if isinstance(x, Admit)] == ["", "superseded"]
    assert opened(pair.a) == [False, True]
    quiet(pair)


def test_scenario_04_stopped_for_a_while():
    pair = up()
    pair.freeze(pair.b)
    pair.drive(seconds=3 * T)
    assert pair.a.connection is None
    pair.thaw(pair.b)
    quiet(pair)
    assert opened(pair.b) == [False, True]


def test_scenario_04_a_short_stop_is_no_loss():
    pair = up()
    pair.freeze(pair.b)
    pair.drive(seconds=1.3 * T)
    pair.thaw(pair.b)
    quiet(pair)
    assert opened(pair.b) == [False]


def test_scenario_05_crash_in_the_middle_of_a_chunk():
    pair = up()
    pair.a.open("s:x:new")
    pair.drive(seconds=0.0005)  # on its way
    pair.restart(pair.b)
    pair.drive(seconds=40)
    assert opened(pair.a) == [False, False]
    quiet(pair)


def test_scenario_05_the_acknowledgement_was_lost():
    pair = up()
    pair.a.open("s:x:new")
    pair.drive(seconds=0.0015)
    assert pair.messages(ChunkAck, "B")
    pair.cut()
    pair.sent.clear()
    quiet(pair)
    assert opened(pair.b)[-1] is True
    assert pushed(pair) == []  # acknowledged again, and not sent again
    assert len(pair.messages(ChunkAck, "B")) == 1


def test_scenario_06_restore_replicates_only_the_news():
    pair = up()
    pair.cut()
    pair.a.open("s:x:4")
    pair.b.open("s:x:5")
    quiet(pair)
    assert sorted(pushed(pair)) == [["s:x:4"], ["s:x:5"]]


EXPIRY = options(session=SessionOptions(expiration_timeout=60, expiration_period=7))


# how long apart, whether the session is restored
@pytest.mark.parametrize(("away", "restored"), [(50, True), (58, True), (61, False), (90, False)])
def test_scenario_07_08_expiry(away, restored):
    pair = up(EXPIRY)
    pair.cut()
    pair.network = False
    pair.drive(seconds=away)
    pair.network = True
    quiet(pair)
    assert opened(pair.b) == [False, restored]
    both = {key for keys in pushed(pair) for key in keys}
    assert both == (set() if restored else set(KEYS))
    assert pair.a.engine.numbers().keys() == set(KEYS)


def test_scenario_07_one_side_that_has_expired_is_enough():
    pair = up()
    pair.b.tell(OptionsChanged(EXPIRY))
    pair.cut()
    pair.network = False
    pair.drive(seconds=70)
    pair.network = True
    quiet(pair)
    assert opened(pair.b) == [False, False]


@pytest.mark.parametrize(("skew", "level"), [(0.5, None), (5, "warning"), (-600, "alarm")])
def test_scenario_09_clock_skew_is_told_and_changes_nothing(skew, level):
    pair = Pair()
    pair.b.wall_ahead = skew
    pair.a.open(*KEYS)
    pair.drive(until=3)
    quiet(pair)
    assert pair.a.peer.session.offset.seconds == pytest.approx(skew, abs=0.01)
    levels = [x.level for x in pair.b.done if isinstance(x, Log) and "clock" in x.text]
    assert levels == ([level] if level else [])


@pytest.mark.parametrize("who", ["a", "b"])
def test_scenario_10_a_restarted_member_gets_everything_back(who):
    pair = up()
    node = pair.restart(getattr(pair, who))
    pair.drive(seconds=40)
    assert node.engine.numbers().keys() == set(KEYS)
    node.open("s:x:1")  # a client that had it comes back
    quiet(pair)


def test_scenario_10_what_is_in_progress_keeps_its_true_start():
    pair = up()  # an action has begun
    pair.restart(pair.b)
    pair.drive(seconds=40)
    pair.event("x")
    pair.check()


def reload(node):
    """Its configuration knows everything from now on."""
    node.engine.unresolved.clear()
    node.tell(ConfigurationReloaded("two"))


def odd_one():
    """A pair of which B has never heard of something that A opens."""
    pair = up()
    pair.b.engine.unresolved.add("s:x:odd")
    return pair


def test_scenario_13_what_is_parked_is_offered_when_the_peer_was_reloaded_without_a_link():
    pair = odd_one()
    pair.a.open("s:x:odd")
    pair.drive(until=4)
    pair.network = False
    pair.cut()
    pair.drive(until=5)
    reload(pair.b)
    pair.network = True
    pair.drive(until=8)
    assert pair.a.peer.session.restored == 1
    assert "s:x:odd" in pair.b.engine.statistics


def test_scenario_13_an_answer_that_comes_after_a_reload_is_not_the_last_word():
    """The peer hears only after the reload that it could not be opened before (day 100052)."""
    pair = odd_one()
    pair.partition(pair.a)
    pair.a.open("s:x:odd")
    pair.drive(seconds=2)
    assert pair.a.peer.replication.in_flight == 1  # the answer is lost with the link
    pair.cut()
    reload(pair.b)
    pair.heal()
    pair.drive(seconds=60)
    assert pair.a.peer.session.restored == 1
    assert "s:x:odd" in pair.b.engine.statistics


def test_scenario_13_a_reload_while_the_greeting_travels_is_told():
    """The dialler's greeting tells the old fingerprint, and it has no session yet (day 300289)."""
    pair = odd_one()
    pair.a.open("s:x:odd")
    pair.drive(seconds=2)
    pair.cut()
    greetings = len(pair.messages(Hello))
    while len(pair.messages(Hello)) == greetings:
        pair.drive(seconds=0.0005)
    assert pair.b.peer.session.state is not State.OPEN
    reload(pair.b)
    pair.drive(seconds=5)
    assert pair.a.peer.roles.peer_fingerprint == "two"
    assert "s:x:odd" in pair.b.engine.statistics


def test_what_would_not_go_over_the_link_is_parked_and_the_rest_goes(monkeypatch):
    """A link that is closed because of it every second is worse than one statistic less."""
    pair = up()
    pair.a.open("s:x:even")
    quiet(pair)
    monkeypatch.setattr(replication, "ITEM_BYTES_MAX", 5)
    pair.a.open("s:x:odd")
    pair.drive(seconds=30)
    assert pair.a.peer.replication.parking.reasons == {"s:x:odd": Result.ERROR}
    assert pair.a.done.count(Log("warning", "the peer cannot open: s:x:odd (error)")) == 1
    assert pair.a.peer.session.state is State.OPEN
    monkeypatch.undo()
    pair.drive(seconds=RETRY_INTERVAL)
    quiet(pair)
    assert "s:x:odd" in pair.b.engine.statistics


def test_scenario_13_14_unknown_definitions_are_parked():
    pair = odd_one()
    pair.a.open("s:x:odd", "s:x:even")
    pair.drive(seconds=30)
    assert pair.a.peer.replication.parking.reasons == {"s:x:odd": Result.UNRESOLVED}
    warning = "the peer cannot open: s:x:odd (unresolved)"
    assert pair.a.done.count(Log("warning", warning)) == 1
    assert "s:x:even" in pair.b.engine.statistics
    reload(pair.b)
    pair.drive(seconds=5)
    assert "s:x:odd" in pair.b.engine.statistics
    quiet(pair)


# the side that is wrong, what is wrong, the code
STRANGERS = [
    ("b", {"application": "C"}, "not-my-peer"),
    ("b", {"peer": "C"}, "not-your-peer"),
    ("b", {"redundancy": "Warm Standby"}, "redundancy-type"),
    ("a", {"redundancy": "Not Specified"}, "redundancy-type"),
]


@pytest.mark.parametrize(("who", "wrong", "code"), STRANGERS)
def test_scenario_15_wrong_pair(who, wrong, code):
    pair = Pair()
    peer = getattr(pair, who).peer
    peer.session.identity = evolve(peer.session.identity, **wrong)
    pair.a.open(*KEYS)
    pair.drive(seconds=10)
    assert {reject.code for reject in pair.refused} == {code}
    assert pair.messages(Chunk) == []
    logged = [x for x in pair.a.done if isinstance(x, Log)]
    assert len(logged) == 1


def test_scenario_15_a_corrected_configuration_is_enough():
    pair = Pair()
    pair.b.peer.session.identity = Identity("C", "A", True)
    pair.a.open(*KEYS)
    pair.drive(seconds=10)
    pair.b.peer.session.identity = Identity("B", "A", True)
    quiet(pair)


def delete(node, *keys):
    for key in keys:
        node.engine.statistics.pop(key, None)
    node.pair.began = {k: v for k, v in node.pair.began.items() if k not in keys}
    node.tell(ConfigurationReloaded(f"without {keys}", keys))


def test_scenario_16_deletion_while_disconnected():
    pair = up()
    pair.cut()
    pair.network = False
    delete(pair.a, "s:x:1")
    pair.drive(seconds=20)
    assert pair.a.peer.deletion.tombstones.keys() == {"s:x:1"}
    pair.b.open("s:x:1", "s:x:9")  # a client there asks for it again
    del pair.began["s:x:1"]
    pair.network = True
    pair.drive(seconds=10)
    order = [type(m).__name__ for name, m in pair.sent if name == "A"]
    assert order.index("Delete") < order.index("ChunkAck")
    assert "s:x:1" not in pair.a.engine.statistics
    delete(pair.b, "s:x:1")
    pair.drive(seconds=10)
    assert pair.a.peer.deletion.tombstones == pair.b.peer.deletion.tombstones == {}
    quiet(pair)


def test_scenario_16_the_peer_never_deletes():
    pair = up(options(session=SessionOptions(expiration_timeout=60)))
    pair.b.open("s:x:1")
    pair.drive(seconds=1)
    delete(pair.a, "s:x:1", "s:x:2")
    pair.a.engine.unresolved |= {"s:x:1", "s:x:2"}  # so they cannot come back either
    pair.drive(seconds=30)
    assert pair.messages(DeleteAck) == []
    pair.drive(seconds=40)
    kept = [("s:x:1", 0, Gone.STILL_OPEN), ("s:x:2", 0, Gone.STILL_OPEN)]
    assert pair.messages(DeleteAck) == [DeleteAck(kept)]
    assert set(KEYS) & pair.a.engine.statistics.keys() == {"s:x:3"}
    # Of those that its configuration keeps it keeps what its own clients want.
    assert set(KEYS) & pair.b.engine.statistics.keys() == {"s:x:1", "s:x:3"}


def test_scenario_16_a_client_comes_for_what_the_peer_has_deleted():
    """It was open there for the peer only; to be wanted there, too, is no answer to the peer."""
    pair = up(options(session=SessionOptions(expiration_timeout=60)))
    delete(pair.a, "s:x:1")
    pair.drive(seconds=5)
    pair.b.open("s:x:1")
    pair.drive(seconds=70)
    assert pair.messages(DeleteAck) == [DeleteAck([("s:x:1", 0, Gone.STILL_OPEN)])]
    assert pair.a.peer.deletion.tombstones == {}


@pytest.mark.parametrize("again", ["before we say that we keep it", "later"])
def test_scenario_16_what_only_the_peer_deleted_comes_back_with_its_definition(again):
    pair = up(options(session=SessionOptions(expiration_timeout=60)))
    key = "s:x:1"
    pair.drive(seconds=1)
    delete(pair.b, key)
    pair.b.engine.unresolved.add(key)
    pair.drive(seconds=1)
    assert pair.a.peer.replication.parking.reasons == {key: Result.DELETED}
    pair.drive(seconds=0 if again.startswith("before") else 70)
    assert key not in pair.b.engine.statistics
    pair.b.engine.unresolved.clear()
    pair.b.tell(ConfigurationReloaded("with it"))
    pair.event("x")
    pair.drive(seconds=70)
    assert pair.b.engine.numbers()[key][0] > 0
    assert pair.b.engine.numbers() == pair.a.engine.numbers()


@pytest.mark.parametrize("linked", [True, False])
def test_scenario_16_what_the_peer_deleted_and_has_again_is_not_waited_for(linked):
    pair = up(options(session=SessionOptions(expiration_timeout=600)))
    if not linked:
        pair.cut()
        pair.network = False
    delete(pair.b, "s:x:1")
    pair.drive(seconds=2)
    pair.b.tell(ConfigurationReloaded(pair.a.peer.roles.fingerprint))
    pair.network = True
    pair.drive(seconds=5)
    assert pair.a.peer.session.restored == (not linked)
    assert pair.messages(DeleteAck)[-1].results == [("s:x:1", 0, Gone.STILL_OPEN)]
    pair.event("x")
    pair.drive(seconds=1)
    assert pair.b.engine.numbers()["s:x:1"] == pair.a.engine.numbers()["s:x:1"]


def test_scenario_16_a_tombstone_falls_after_a_day():
    pair = up()
    pair.cut()
    pair.network = False
    delete(pair.a, "s:x:1")
    pair.drive(seconds=86_390)
    assert pair.a.peer.deletion.tombstones
    pair.drive(seconds=20)
    assert not pair.a.peer.deletion.tombstones


def test_scenario_17_deleted_and_recreated():
    pair = up(keys=("s:x:1",))
    pair.event("x")
    pair.cut()
    pair.network = False
    delete(pair.a, "s:x:1")
    pair.drive(seconds=20)
    pair.a.open("s:x:1")
    pair.network = True
    pair.drive(seconds=10)
    assert pair.truth() == {"s:x:1": (0, 0)}
    pair.event("x")
    quiet(pair)
    assert pair.a.engine.numbers()["s:x:1"][0] == 1


def test_scenario_18_opened_on_both_while_disconnected():
    pair = up()
    pair.cut()
    pair.network = False
    pair.a.open("s:x:same")
    for _ in range(4):
        pair.drive(seconds=1)
        pair.event("x")
    pair.b.open("s:x:same")
    pair.network = True
    quiet(pair)
    assert pair.b.engine.numbers()["s:x:same"][0] == 3


def test_scenario_19_opened_on_both_at_once():
    pair = up()
    pair.a.open("s:x:same")
    pair.b.open("s:x:same")
    pair.drive(seconds=30)
    assert pushed(pair) == [["s:x:same"], ["s:x:same"]]  # one each way, no ping-pong
    quiet(pair)


@pytest.mark.parametrize(("major", "code"), [(2, ["version"]), (1, [])])
def test_scenario_20_versions(monkeypatch, major, code):
    monkeypatch.setattr("statserver_trio.ha.session.PROTOCOL_MAJOR", major)
    monkeypatch.setattr("statserver_trio.ha.session.PROTOCOL_MINOR", 7)
    pair = Pair()
    pair.drive(seconds=0.5)
    assert [reject.code for reject in pair.refused] == code
    assert pair.a.peer.session.minor == (0 if code else 7)


def test_scenario_23_24_roles_are_not_the_link():
    pair = up()
    pair.a.open(*(f"s:x:{n}" for n in range(100)))
    pair.b.tell(ModeChanged("primary"))
    pair.a.tell(ModeChanged("backup"))
    quiet(pair)
    assert opened(pair.b) == [False]
    assert pair.b.done.count(PeerMode("backup", "")) == 1
    pair.restart(pair.a)
    quiet(pair)
    assert pair.b.peer.identity.dials


def test_scenario_25_two_primaries():
    pair = up()
    pair.cut()
    pair.b.tell(ModeChanged("primary"))
    quiet(pair)
    alarm = Log("alarm", "both members of the pair are primary")
    assert [node.done.count(alarm) for node in pair.both] == [1, 1]


def test_scenario_26_many_statistics_go_in_chunks():
    pair = Pair(options=options(replication=ReplicationOptions(chunk_size=1000)))
    pair.a.open(*(f"s:x:{n}" for n in range(20_000)))
    pair.drive(seconds=5)
    assert [len(chunk) for chunk in pushed(pair)] == [PART_SIZE] * (20_000 // PART_SIZE)
    assert len(pair.b.engine.statistics) == 20_000
    gaps = [b - a for a, b in itertools.pairwise(chunk_times(pair))]
    parts = 1000 // PART_SIZE
    between = gaps[parts - 1 :: parts]  # two units of chunk-size
    assert min(between) == pytest.approx(0.1 - (parts - 1) * 0.002)
    within = [gap for n, gap in enumerate(gaps, 1) if n % parts]
    assert max(within) == pytest.approx(0.002)  # a round trip


def chunk_times(pair):
    return [chunk.wall for chunk in pair.messages(Chunk)]


def test_scenario_26_a_chunk_is_bounded_in_bytes_as_well():
    pair = up(options(replication=ReplicationOptions(max_chunk_bytes=30)))
    pair.a.open(*(f"s:x:{n}" for n in range(10, 20)))
    pair.drive(seconds=10)
    assert max(map(len, pushed(pair))) <= 3
    quiet(pair)


def test_scenario_28_flapping_halves_the_chunk():
    size = ReplicationOptions(chunk_size=1000)
    pair = up(options(replication=size))
    pair.a.open(*(f"s:x:{n}" for n in range(1000)))
    sizes = []
    for _ in range(15):
        pair.sent.clear()
        while not pair.messages(Chunk):
            pair.drive(seconds=0.0005)
        sizes.append(len(pushed(pair)[0]))
        pair.cut()
    assert sizes == [250] * 3 + [125] * 3 + [62] * 3 + [50] * 6
    quiet(pair, 300)
    assert opened(pair.a) == [False] + [True] * 15


def test_scenario_29_live_change_of_the_chunk_options():
    pair = up(options(replication=ReplicationOptions(chunk_size=10)))
    pair.a.open(*(f"s:x:{n}" for n in range(10, 110)))
    pair.drive(seconds=0.35)
    before = len(pushed(pair))
    now = options(replication=ReplicationOptions(chunk_size=30, chunk_timeout=1))
    pair.a.tell(OptionsChanged(now))
    pair.drive(seconds=10)
    assert {len(chunk) for chunk in pushed(pair)[:before]} == {10}
    assert {len(chunk) for chunk in pushed(pair)[before:-1]} == {30}
    times = chunk_times(pair)
    assert times[-1] - times[-2] == pytest.approx(1)


def second_hello(pair, boot_id):
    hello = pair.b.peer.session._greeting(pair.now)
    return Hello(**{**hello, "boot_id": boot_id})


def test_scenario_30_a_duplicate_is_refused_if_the_first_lives():
    pair = up()
    pair.a.tell(Knocked("second", (second_hello(pair, "other"),)))
    assert pair.messages(Poll, "A")
    pair.refuse = lambda connection, reject: pair.refused.append((connection, reject.code))
    pair.drive(seconds=3)
    assert pair.refused == [("second", "duplicate")]
    assert opened(pair.a) == [False]


def test_scenario_30_a_dead_one_is_replaced_after_two_seconds():
    pair = up()
    pair.partition()
    peer = pair.a.peer
    peer.handle_event(Knocked("second", (second_hello(pair, "other"),)), pair.now)
    deadline = peer.next_deadline()
    assert deadline == pytest.approx(pair.now + 2)
    assert Admit("second", "superseded") in peer.handle_timer(deadline)


def test_scenario_30_a_stranger_does_not_disturb():
    pair = up()
    stranger = second_hello(pair, "other")
    stranger.application = "stranger"
    done = pair.a.peer.handle_event(Knocked("second", (stranger,)), pair.now)
    assert [type(action) for action in done] == [Log, Refuse]
    assert not pair.messages(Poll, "A")


@pytest.mark.parametrize("result", [Result.UNSUPPORTED, Result.ERROR])
def test_scenario_33_extension_is_missing(result):
    pair = up()
    install = pair.b.engine.install
    pair.b.engine.install = lambda item, *rest: (
        result if "java" in item.key else install(item, *rest)
    )
    pair.a.open("s:x:java", "s:x:plain")
    pair.drive(seconds=5)
    assert pair.a.peer.replication.parking.reasons == {"s:x:java": result}
    pair.sent.clear()
    pair.drive(seconds=600)
    assert pushed(pair) == [["s:x:java"]]  # offered again


@pytest.mark.parametrize("data", [b"\xff" * 10, encode(Reject("x"))[:-1] + b"\xff", b"GET / HT"])
def test_scenario_34_garbage_closes_the_link_and_nothing_else(data):
    pair = up()
    pair.a.receive(pair.a.connection, data)
    assert pair.a.peer.malformed == 1
    quiet(pair)
    assert opened(pair.b) == [False, True]


def test_scenario_34_nothing_is_said_before_the_greeting():
    pair = Pair()
    for message in (Want(["k"]), Delete([("k", 0)]), ChunkAck(1, [], {}, 0.0, 0.0, 0.0)):
        done = pair.a.peer.handle_event(message, 0)
        assert [type(action) for action in done] == [Disconnect]


def test_scenario_34_a_silent_connection_is_hung_up_on():
    pair = Pair()
    pair.network = False
    pair.a.connect(Connection())
    pair.drive(seconds=4.9)
    assert pair.a.connection is not None
    pair.drive(seconds=0.2)
    assert pair.a.connection is None


def test_scenario_35_goodbye():
    pair = up()
    pair.b.open("s:x:late")
    pair.b.tell(Stop())
    pair.network = False
    pair.drive(seconds=0.1)
    assert SessionLost("shutdown", True) in pair.a.done
    assert pair.a.peer.session.state is State.SUSPENDED


# -- acceptance properties -----------------------------------------------------------------


@pytest.mark.parametrize("delay", [0.001, 0.5, 2.4])
@pytest.mark.parametrize("silent", [0.0, 3.3, 9.99])
def test_a_dead_peer_is_found_between_one_and_two_timeouts(delay, silent):
    pair = up(delay=delay / 2)
    heard = pair.now
    pair.drive(seconds=silent)
    start = pair.now
    pair.partition()
    found = lost_at(pair, pair.a, start + 30)
    assert found is not None
    assert T - delay - silent <= found - start <= 2 * T + 0.2
    assert found - heard >= T - delay


def test_no_false_loss_under_full_load_on_a_thin_and_distant_line():
    fast = options(
        addp=AddpOptions(timeout=1, remote_timeout=1, trace="off"),
        replication=ReplicationOptions(chunk_timeout=0, chunk_size=2000),
    )
    pair = Pair(options=fast, delay=0.1)
    pair.frame_time = 0.05
    for node in pair.both:
        node.open(*(f"s:x:{node.name}{n}" for n in range(20_000)))
    pair.drive(seconds=120)
    assert opened(pair.b) == [False]
    assert [node.peer.addp.lost for node in pair.both] == [0, 0]
    assert all(node.peer.replication.is_done for node in pair.both)


def test_a_chunk_that_is_replayed_changes_nothing():
    pair = up()
    pair.a.open("s:x:4")
    pair.event("x")
    pair.drive(seconds=1)
    [chunk] = pair.messages(Chunk)
    before = pair.b.engine.numbers()
    pair.b.tell(chunk)
    assert pair.b.engine.numbers() == before
    assert len(pair.messages(ChunkAck, "B")) == 2


def test_a_hole_is_filled_from_the_peer():
    pair = up()
    pair.blind(pair.b)
    for _ in range(5):
        pair.event("x")
    pair.see(pair.b)
    quiet(pair)
    intake = pair.b.peer.intake.sources["s"]
    assert (intake.repaired, intake.left) == (1, 0)


def test_a_hole_that_nobody_can_fill_is_left_and_repaired_later():
    pair = up(options(intake=IntakeOptions(journal_events=2)))
    pair.cut()
    pair.network = False
    pair.blind(pair.b)
    for _ in range(5):
        pair.drive(seconds=1)
        pair.event("x")
    pair.see(pair.b)
    pair.drive(seconds=4.9)
    assert not any(isinstance(action, HoleLeft) for action in pair.b.done)
    pair.drive(seconds=0.2)
    [left] = [each for each in pair.b.done if isinstance(each, HoleLeft)]
    assert (left.first, left.last) == (2, 6)
    pair.network = True
    quiet(pair)
    assert pair.a.peer.intake.standings == pair.b.peer.intake.standings


def test_a_member_that_finds_nobody_starts_alone():
    pair = Pair()
    pair.network = False
    pair.event("x")
    pair.drive(seconds=29.9)
    assert pair.a.peer.intake.is_joining
    pair.drive(seconds=0.2)
    assert not pair.a.peer.intake.is_joining
    pair.network = True
    pair.a.open(*KEYS)
    quiet(pair)


def test_a_picture_is_shown_to_the_peer_when_it_is_whole():
    pair = Pair()
    for node in pair.both:
        node.tell(SourceAdded("t"))
        pair.feeds["t"] = Feed("t")
        node.engine.add_source("t")
        node.tell(SourceAt("t", 5, snapshots_follow=True))
    pair.drive(seconds=2)
    assert pair.b.peer.intake.sources["t"].state is Source.JOINING
    for node in pair.both:
        node.tell(SourceDescribed("t"))
    pair.drive(seconds=1)
    assert pair.b.peer.intake.sources["t"].state is Source.LIVE
    assert pair.a.peer.intake.standings == pair.b.peer.intake.standings


def test_abort_is_how_a_dead_link_ends():
    pair = up()
    pair.partition()
    pair.drive(seconds=21)
    assert Abort("addp-timeout") in pair.a.done
    assert SessionLost("addp-timeout", False) in pair.a.done


def test_the_outbox_and_the_decoder_agree_on_a_big_chunk():
    pair = Pair()
    pair.a.open(*(f"s:x:{n:0>500}" for n in range(3000)))
    pair.drive(seconds=5)
    assert len(pair.b.engine.statistics) == 3000
    chunk = pair.messages(Chunk)[0]
    outbox, decoder = Outbox(), Decoder()
    outbox.put(chunk)
    decoder.greeted()
    got, frames = [], 0
    while (frame := outbox.next_frame()) is not None:
        got += decoder.feed(frame)
        frames += 1
    assert got == [chunk]
    assert frames > 2
