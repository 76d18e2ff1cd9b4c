"""What the whole does around its machines: status, holds, late acknowledgements, the odd event."""

import pytest
from ha_pair import Pair

from statserver_trio.ha.addp import AddpOptions
from statserver_trio.ha.messages import Chunk, ChunkAck
from statserver_trio.ha.peer import PeerOptions
from statserver_trio.ha.replication_words import Opened
from statserver_trio.ha.status import phase, status
from statserver_trio.ha.store import Log
from statserver_trio.machine import Disconnect

QUIET = PeerOptions(addp=AddpOptions(trace="off", timeout=3600, remote_timeout=3600))


def up():
    pair = Pair(options=QUIET)
    pair.a.open("s:x:1", "s:x:2")
    pair.drive(until=3)
    return pair


def test_status_and_phase():
    pair = Pair(options=QUIET)
    assert phase(pair.b.peer) == "CONNECTING"
    pair.a.open("s:x:1")
    pair.drive(until=0.0015)
    assert phase(pair.b.peer) == "HANDSHAKE"
    pair.drive(until=3)
    shown = status(pair.a.peer)
    assert shown["peer"]["synchronised"] is True
    assert shown["session"]["state"] == "open"
    assert shown["replication"]["acknowledged"] == 1
    assert shown["sources"][0]["gaps"] == {"repaired": 0, "left": 0, "open": 0}
    assert phase(pair.a.peer) == "SYNCED"
    pair.network = False
    pair.cut()
    assert phase(pair.a.peer) == "LOST"
    pair.drive(seconds=700)
    assert phase(pair.a.peer) == "EXPIRED"


def test_each_knows_where_the_others_clients_connect():
    pair = Pair(options=QUIET)
    a, b = pair.a.peer.session, pair.b.peer.session
    a.clients, b.clients = "ws://a:7100/", "wss://b:7100/"
    a.management = "http://a:7102"
    pair.drive(until=3)
    assert pair.a.peer.session.peer.management == ""
    assert pair.b.peer.session.peer.management == "http://a:7102"
    assert status(pair.b.peer)["peer"]["management"] == "http://a:7102"
    assert pair.a.peer.session.peer.clients == "wss://b:7100/"
    assert pair.b.peer.session.peer.clients == "ws://a:7100/"
    assert status(pair.a.peer)["peer"]["clients"] == "wss://b:7100/"


def results(node):
    return {result.value: n for result, n in node.peer.installation.results.items() if n}


def test_a_member_that_pushes_less_gets_what_the_other_one_has():
    pair = up()
    pair.event("x")
    pair.drive(seconds=1)
    pair.event("x")
    pair.b.close(["s:x:1"])  # a replica; and then a client asks for it
    pair.b.open("s:x:1")
    pair.drive(seconds=60)
    pair.check()
    assert results(pair.a) == {"kept-more": 1}
    assert results(pair.b) == {"opened": 2, "adopted": 1}


def test_a_missing_acknowledgement_is_warned_about_and_then_ends_the_link():
    pair = up()
    tell = pair.a.tell
    pair.a.tell = lambda event: None if isinstance(event, ChunkAck) else tell(event)
    pair.a.open("s:x:3")
    pair.drive(seconds=61)
    text = "a chunk has not been acknowledged for 60 s"
    assert pair.a.done.count(Log("warning", text)) == 1
    pair.drive(seconds=540)
    assert Disconnect("a chunk was not acknowledged") in pair.a.done


# what the peer does wrong, how it is answered
WRONG = [
    (lambda c: evolve_chunk(c, seq=9), "protocol-error: chunk 9 after 1"),
    (lambda c: evolve_chunk(c, session="x"), "protocol-error: a chunk of another session"),
    (
        lambda c: ChunkAck(9, [], {}, 0.0, 0.0, 0.0),
        "protocol-error: acknowledges chunk 9, never sent",
    ),
    (lambda c: 5, "nobody knows what to do with int"),
]


def evolve_chunk(chunk, **changes):
    fields = {name: getattr(chunk, name) for name in chunk.__struct_fields__}
    return Chunk(**{**fields, **changes})


@pytest.mark.parametrize(("make", "text"), WRONG)
def test_what_is_not_expected_is_answered(make, text):
    pair = up()
    [chunk] = pair.messages(Chunk)
    assert pair.b.peer.handle_event(make(chunk), pair.now) == [Disconnect(text)]


@pytest.mark.parametrize("is_known_there", [True, False])
def test_a_statistic_that_is_closed_while_it_travels_is_not_remembered(is_known_there):
    pair = up()
    if not is_known_there:
        pair.b.engine.unresolved.add("s:x:3")
    pair.a.open("s:x:3")
    pair.drive(seconds=0.0005)
    pair.a.close(["s:x:3"])
    pair.drive(seconds=1)
    assert not pair.a.peer.replication.knows("s:x:3")
    assert not pair.a.peer.replication.parking.reasons


def test_what_is_closed_while_it_travels_and_comes_back_from_the_peer_is_known_to_it():
    """The acknowledgement of the one that was closed comes after the other one (day 1201106)."""
    pair = up()
    at_once, pair.b.work_at_once = pair.b.work_at_once, lambda: None  # it does not acknowledge
    pair.a.open("s:x:3")
    pair.drive(seconds=0.0005)
    pair.a.close(["s:x:3"])
    pair.drive(seconds=0.01)
    pair.b.open("s:x:3")
    pair.drive(seconds=1)
    assert "s:x:3" in pair.a.engine.statistics
    pair.b.work_at_once = at_once
    at_once()
    pair.drive(seconds=5)
    assert pair.a.peer.replication.knows("s:x:3")
    assert pair.b.peer.replication.knows("s:x:3")


def test_a_statistic_that_is_wanted_again_while_it_travels_travels_again():
    pair = up()
    pair.a.open("s:x:3")
    pair.drive(seconds=0.0005)
    pair.a.tell(Opened(("s:x:3",)))
    pair.drive(seconds=1)
    assert [len(chunk.items) for chunk in pair.messages(Chunk)] == [2, 1, 1]


def test_what_crosses_on_the_way_is_not_sent_twice():
    """Both push the same one; who has more hears that it was taken before he installs the other."""
    pair = up()
    pair.network = False
    pair.cut()
    pair.b.open("s:x:3")
    pair.event("x")
    pair.a.open("s:x:3")
    at_once, pair.b.work_at_once = pair.b.work_at_once, lambda: None
    pair.network = True
    pair.drive(seconds=2)
    pair.b.work_at_once = at_once
    at_once()
    pair.drive(seconds=5)
    pair.check()
    assert results(pair.a)["adopted"] == results(pair.b)["kept-more"] == 1
    pushed = [name for name, said in pair.sent if isinstance(said, Chunk) and "s:x:3" in str(said)]
    assert sorted(pushed) == ["A", "B"]
