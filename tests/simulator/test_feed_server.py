"""The T-Server's side of the feed, and both sides against each other."""

from random import Random

import pytest

from statserver_trio.machine import Connected, Disconnect, Disconnected, Send
from statserver_trio.simulator import feed_server
from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.simulator.feed_server import Feed, FeedServerSession, Published
from statserver_trio.simulator.snapshots import Snapshots
from statserver_trio.tlib.codec import (
    BadLine,
    Decoder,
    PollReply,
    PollRequest,
    QueryAddress,
    RegisterAddress,
    RegisterAll,
    RegisterClient,
    UnregisterAddress,
    encode,
)
from statserver_trio.tlib.events import (
    EventAddressInfo,
    EventError,
    EventLinkConnected,
    EventOffHook,
    EventRegistered,
    EventServerConnected,
    EventUnregistered,
)
from statserver_trio.tlib.registration import FeedSession
from statserver_trio.tlib.registration_words import Deliver, Received

DNS = {"1": "DN", "2": "DN"}


def make_feed(published=5, recent=100):
    snapshots = Snapshots(DNS)
    feed = Feed("sw1", list(DNS), snapshots.take, recent)
    feed.publish([at(n) for n in range(1, published + 1)])
    return feed


def at(position, dn=None):
    return EventOffHook(position=position, time=1.0, this_dn=dn or ("1" if position % 2 else "2"))


def snapshot(dn, reference_id=None):
    extensions = {"calls": [], "AgentStatus": "LoggedOut"}
    return EventRegistered(
        this_dn=dn, address_type="DN", reference_id=reference_id, extensions=extensions
    )


def info(dn, reference_id):
    same = snapshot(dn)
    return EventAddressInfo(
        this_dn=dn, address_type="DN", reference_id=reference_id, extensions=same.extensions
    )


def error(code, message, **more):
    return EventError(error_code=code, error_message=message, **more)


def server(position):
    return EventServerConnected(switch="sw1", position=position)


HELLO = RegisterClient(ApplicationName="app")
UP = EventLinkConnected()
BEGINNING = [(HELLO, [server(5), UP])]
ALL = [*BEGINNING, (RegisterAll(), [snapshot("1"), snapshot("2")])]

# Request, an int to publish events up to there, or None for nothing; answers. Events 1 to 5
# have been published; odd ones are of DN 1, even ones of DN 2.
STORIES = {
    "nothing to resume": BEGINNING,
    "resumed from the middle": [
        (RegisterClient(after=3), [at(4), at(5), server(5), UP]),
    ],
    "resumed with nothing missed": [(RegisterClient(after=5), [server(5), UP])],
    "resumed from the beginning": [
        (RegisterClient(after=0), [at(1), at(2), at(3), at(4), at(5), server(5), UP]),
    ],
    "a position that never was": [(RegisterClient(after=77), [server(5), UP])],
    "everybody": [*ALL, (6, [at(6)]), (8, [at(7), at(8)])],
    "what came before RegisterAll is not lost": [
        *BEGINNING,
        (7, []),
        (RegisterAll(), [at(6), at(7), snapshot("1"), snapshot("2")]),
        (8, [at(8)]),
    ],
    "one DN": [
        *BEGINNING,
        (RegisterAddress(ThisDN="1", ReferenceID=9), [snapshot("1", 9)]),
        (8, [at(7)]),
        (
            UnregisterAddress(ThisDN="1", ReferenceID=10),
            [EventUnregistered(this_dn="1", reference_id=10)],
        ),
        (10, []),
    ],
    "a query": [*BEGINNING, (QueryAddress(ThisDN="2", ReferenceID=3), [info("2", 3)])],
    "no such DN": [
        *BEGINNING,
        (
            RegisterAddress(ThisDN="3", ReferenceID=3),
            [error("InvalidDN", "there is no DN 3", this_dn="3", reference_id=3)],
        ),
    ],
    "a poll": [(PollRequest(n=3), [PollReply(n=3)])],
    "a reply": [(PollReply(n=3), [])],
    "a request too early": [
        (
            RegisterAddress(ThisDN="1", ReferenceID=3),
            [
                error(
                    "ClientNotRegistered",
                    "RegisterClient comes first",
                    this_dn="1",
                    reference_id=3,
                )
            ],
        )
    ],
    "registered twice": [
        *BEGINNING,
        (HELLO, [error("UnsupportedOperation", "registered already")]),
    ],
    "what we do not know": [
        (BadLine("unknown request", "..."), [error("UnsupportedOperation", "unknown request")]),
        (at(1), [error("UnsupportedOperation", "that is no request")]),
    ],
}


def play(session, story):
    feed = session.feed
    for event, answers in story:
        if isinstance(event, int):
            feed.publish([at(n) for n in range(feed.position + 1, event + 1)])
            event = Published()
        assert session.handle_event(event, 0.0) == []
        assert Decoder().feed(session.take()) == answers, event


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_session(story):
    play(FeedServerSession(make_feed()), [(Connected(), []), *story])


def test_what_is_forgotten_cannot_be_resumed():
    feed = make_feed(published=50, recent=10)
    assert feed.can_resume(40)
    assert not feed.can_resume(39)
    play(FeedServerSession(feed), [(RegisterClient(after=39), [server(50), UP])])


def test_a_slow_client_is_disconnected(monkeypatch):
    monkeypatch.setattr(feed_server, "OUTGOING_BYTES_MAX", 1000)
    session = FeedServerSession(make_feed())
    play(session, ALL)
    actions = []
    for n in range(6, 100):
        session.feed.publish([at(n)])
        actions += session.handle_event(Published(), 0.0)
    assert [type(action) for action in actions] == [Disconnect]
    assert len(session.outgoing) < 2000


def test_a_client_that_talks_nonsense_is_disconnected():
    session = FeedServerSession(make_feed())
    bad = BadLine("no JSON", "x")
    actions = [session.handle_event(bad, 0.0) for _ in range(feed_server.BAD_LINES_MAX + 1)]
    assert actions[:-1] == [[]] * feed_server.BAD_LINES_MAX
    assert [type(action) for action in actions[-1]] == [Disconnect]
    session.take()
    assert session.handle_event(HELLO, 0.0) == []
    assert not session.outgoing, "nobody is there any more"


def test_nobody_is_told_after_the_end():
    session = FeedServerSession(make_feed())
    play(session, [*ALL, (Disconnected(), []), (9, [])])
    assert session.next_deadline() == float("inf")
    assert session.handle_timer(1e9) == []


def test_both_sides_over_a_link_that_keeps_breaking():
    # Whatever was cut off is sent again: the client applies the stream exactly once.
    centre = ContactCentre(Random(7), agents=5)
    feed = Feed("sw1", list(centre.dns), centre.snapshot)
    client, rng, now = FeedSession(application="app", switch="sw1"), Random(8), 0.0
    applied, outcomes = [], []

    def tell(event):
        requests = b""
        for action in client.handle_event(event, now):
            match action:
                case Send(message):
                    requests += encode(message)
                case Deliver(events):
                    applied.extend(e.position for e in events if e.time is not None)
                case _:
                    outcomes.append(type(action).__name__)
        return requests

    for _ in range(100):
        session, to_client, to_server, wire = FeedServerSession(feed), Decoder(), Decoder(), b""
        requests = tell(Connected())
        for _ in range(rng.randrange(1, 12)):
            now += 1
            for request in to_server.feed(requests):
                session.handle_event(request, now)
            feed.publish(centre.take(rng.randrange(5)))
            session.handle_event(Published(), now)
            wire += session.take()
            cut = rng.randrange(len(wire) + 1)
            arrived, wire = wire[:cut], wire[cut:]
            requests = tell(Received(to_client.feed(arrived)))
        tell(Disconnected())
    assert set(outcomes) == {"Began", "Resumed"}
    assert outcomes.count("Resumed") > 20
    assert applied == list(range(applied[0], applied[-1] + 1))
    assert applied[-1] > 1000
