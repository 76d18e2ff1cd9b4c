"""The feed session as stories: at, event or None for the timer, the actions it calls for."""

from math import inf

import pytest

from statserver_trio.machine import Connected, Disconnect, Disconnected, Send
from statserver_trio.tlib import registration
from statserver_trio.tlib.codec import (
    BadLine,
    PollReply,
    PollRequest,
    QueryAddress,
    RegisterAddress,
    RegisterAll,
    RegisterClient,
)
from statserver_trio.tlib.events import (
    EventAddressInfo,
    EventAgentReady,
    EventDNOutOfService,
    EventError,
    EventLinkConnected,
    EventLinkDisconnected,
    EventRegistered,
    EventServerConnected,
    EventUnregistered,
    Unhandled,
)
from statserver_trio.tlib.registration import FeedSession
from statserver_trio.tlib.registration_words import (
    Began,
    Deliver,
    Described,
    Expired,
    Gap,
    Lost,
    Memory,
    Received,
    Resumed,
    Skipped,
    SnapshotsFollow,
)

HELLO = Send(RegisterClient(ApplicationName="app"))
ALL = Send(RegisterAll())
UP = EventLinkConnected()
DOWN = EventLinkDisconnected()


def hello(after):
    return Send(RegisterClient(ApplicationName="app", after=after))


def at(position, dn="7001"):
    return EventAgentReady(position=position, this_dn=dn, time=1.0)


def server(position, switch="sw1"):
    return EventServerConnected(position=position, switch=switch)


def snapshot(dn="7001", **more):
    return EventRegistered(this_dn=dn, extensions={"calls": []}, **more)


def got(*messages):
    return Received(list(messages))


def deliver(*events):
    return Deliver(list(events))


# Monitoring since position 5, with the link up and a snapshot of 7001.
NEWER = Unhandled(name="EventFromTheFuture", position=6)
BEGINNING = [
    (0, Connected(), [HELLO]),
    (0, got(server(5)), [Began(5), ALL, deliver(server(5))]),
    (0, got(UP, snapshot()), [deliver(UP, snapshot())]),
]
TAKEN_UP_AT_5 = [*BEGINNING, (1, Disconnected(), []), (2, Connected(), [hello(5)])]

STORIES = {
    "the first registration": BEGINNING,
    "events in order, replies swallowed": [
        *BEGINNING,
        (1, got(at(6), PollReply(n=1), at(7)), [deliver(at(6), at(7))]),
    ],
    "polls are answered": [
        *BEGINNING,
        (1, got(PollRequest(n=4)), [Send(PollReply(n=4))]),
    ],
    "no EventServerConnected in time": [
        (0, Connected(), [HELLO]),
        (1, got(UP), [deliver(UP)]),
        (5, None, [Disconnect("no EventServerConnected within 5 s")]),
        (6, got(server(5)), []),
    ],
    "a long resume is progress": [
        *TAKEN_UP_AT_5,
        (6, got(at(6)), [deliver(at(6))]),
        (10, None, []),
        (11, None, [Disconnect("no EventServerConnected within 5 s")]),
    ],
    "resumed with nothing missed": [
        *TAKEN_UP_AT_5,
        (3, got(server(5), UP, snapshot()), [Resumed(5), ALL]),
        (3, got(at(6)), [deliver(at(6))]),
    ],
    "resumed after what was missed": [
        *TAKEN_UP_AT_5,
        (3, got(at(6), at(7)), [deliver(at(6), at(7))]),
        (3, got(server(7)), [Resumed(7), ALL]),
    ],
    "resumed: a DN that is new to us has its snapshot": [
        *TAKEN_UP_AT_5,
        (3, got(server(5), snapshot("7002")), [Resumed(5), ALL, deliver(snapshot("7002"))]),
    ],
    "resumed: the link has changed": [
        *TAKEN_UP_AT_5,
        (3, got(server(5), DOWN), [Resumed(5), ALL, deliver(DOWN)]),
        (4, got(UP, snapshot()), [deliver(UP, snapshot())]),
    ],
    "the feed has forgotten what we missed": [
        *TAKEN_UP_AT_5,
        (
            3,
            got(server(9), snapshot()),
            [Gap(5, 10), Lost(9), ALL, deliver(server(9), snapshot())],
        ),
        (4, got(at(10)), [deliver(at(10))]),
    ],
    "the feed still has a part of it": [
        *TAKEN_UP_AT_5,
        (3, got(at(8), at(9)), [Gap(5, 8), deliver(at(8), at(9))]),
        (3, got(server(9)), [Lost(9), ALL, deliver(server(9))]),
    ],
    "the feed has begun anew": [
        *TAKEN_UP_AT_5,
        (3, got(server(2)), [Lost(2), ALL, deliver(server(2))]),
        (4, got(at(3)), [deliver(at(3))]),
    ],
    "the feed does not tell its position": [
        *TAKEN_UP_AT_5,
        (3, got(server(None)), [Lost(None), ALL, deliver(server(None))]),
        (4, got(at(90)), [deliver(at(90))]),
    ],
    "we gave the feed up": [
        *BEGINNING,
        (1, Disconnected(), []),
        (6, Expired(), []),
        (9, Connected(), [HELLO]),
        (
            9,
            got(server(5), UP, snapshot()),
            [Began(5), ALL, deliver(server(5), UP, snapshot())],
        ),
    ],
    "duplicates are dropped": [
        *BEGINNING,
        (1, got(at(5), at(6), at(6), at(4), at(7)), [deliver(at(6), at(7))]),
    ],
    "a gap is told in its place, and new snapshots are asked for": [
        *BEGINNING,
        (1, got(at(6), at(9)), [deliver(at(6)), Gap(6, 9), deliver(at(9))]),
        (1, None, [ALL]),
        (2, got(snapshot()), [deliver(snapshot())]),
        (3, got(at(12)), [Gap(9, 12), deliver(at(12))]),
        (10, None, []),
        (11, None, [ALL]),
    ],
    "what we cannot read counts as well": [
        *BEGINNING,
        (1, got(NEWER, at(7)), [deliver(NEWER, at(7))]),
    ],
    "a registration without a snapshot is asked for one": [
        *BEGINNING,
        (
            1,
            got(EventRegistered(this_dn="7002")),
            [Send(QueryAddress(ThisDN="7002", ReferenceID=1))],
        ),
        (
            2,
            got(EventAddressInfo(this_dn="7002", reference_id=1, extensions={})),
            [deliver(EventAddressInfo(this_dn="7002", reference_id=1, extensions={}))],
        ),
    ],
    "and is delivered bare where there is none": [
        *BEGINNING,
        (
            1,
            got(EventRegistered(this_dn="7002")),
            [Send(QueryAddress(ThisDN="7002", ReferenceID=1))],
        ),
        (2, got(EventError(reference_id=1)), [deliver(EventRegistered(this_dn="7002"))]),
    ],
    "a failed registration is the model's business": [
        *BEGINNING,
        (1, got(EventError(this_dn="7009")), [deliver(EventError(this_dn="7009"))]),
    ],
    "after the link, the snapshots count again": [
        *BEGINNING,
        (1, got(snapshot()), []),
        (2, got(DOWN, UP, snapshot()), [deliver(DOWN, UP, snapshot())]),
    ],
    "so they do after a DN was lost": [
        *BEGINNING,
        (
            1,
            got(EventDNOutOfService(this_dn="7001", position=6), snapshot()),
            [deliver(EventDNOutOfService(this_dn="7001", position=6), snapshot())],
        ),
        (
            2,
            got(EventUnregistered(this_dn="7001"), snapshot()),
            [deliver(EventUnregistered(this_dn="7001"), snapshot())],
        ),
    ],
    "bad lines come out once per kind": [
        *BEGINNING,
        (1, got(BadLine("odd", "one"), at(6)), [Skipped("odd", "one"), deliver(at(6))]),
        (2, got(BadLine("odd", "two"), BadLine("even", "3")), [Skipped("even", "3")]),
    ],
    "another switch is refused": [
        (0, Connected(), [HELLO]),
        (
            0,
            got(server(5, "sw2"), snapshot()),
            [Disconnect("this feed is of switch sw2, not sw1")],
        ),
    ],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_session(story):
    play(FeedSession(application="app", switch="sw1"), story)


def play(session, story):
    for now, event, actions in story:
        done = session.handle_timer(now) if event is None else session.handle_event(event, now)
        assert done == actions, f"at {now}: {event}"
        assert event is not None or session.next_deadline() > now, f"at {now}: never satisfied"


def test_a_session_that_is_remembered_goes_on_like_one_that_was_away():
    before = FeedSession("app")
    play(before, [*BEGINNING, (1, got(at(6)), [deliver(at(6))])])
    memory = before.memory()
    assert memory == Memory(6, ("7001",), True)
    after = FeedSession("app")
    after.remember(memory)
    new = snapshot("7002")
    story = [
        (2, Connected(), [hello(6)]),
        # Of what is known nothing is said again; of what is not, everything.
        (2, got(at(7), server(7), UP, snapshot(), new), [
            deliver(at(7)), Resumed(7), ALL, deliver(new),
        ]),
    ]  # fmt: skip
    play(after, story)


def test_a_session_that_is_remembered_and_has_missed_something():
    after = FeedSession("app")
    after.remember(Memory(6, ("7001",), True))
    greeting = server(9)
    story = [
        (2, Connected(), [hello(6)]),
        (2, got(greeting, UP, snapshot()), [
            Gap(6, 10), Lost(9), ALL, deliver(greeting, UP, snapshot()),
        ]),
    ]  # fmt: skip
    play(after, story)


def test_a_list_of_dns():
    # Positions have holes, snapshots always count, and a resume brings others' events.
    session = FeedSession(application="app", dns=["7001", "7002"])
    first = [Send(RegisterAddress(ThisDN=f"700{n}", ReferenceID=n)) for n in (1, 2)]
    again = [Send(RegisterAddress(ThisDN=f"700{n}", ReferenceID=n + 2)) for n in (1, 2)]
    story = [
        (0, Connected(), [HELLO]),
        (0, got(server(5)), [Began(5), *first, deliver(server(5))]),
        (0, got(snapshot(reference_id=1)), [deliver(snapshot(reference_id=1))]),
        (1, got(at(9), at(20)), [deliver(at(9), at(20))]),
        (2, Disconnected(), []),
        (3, Connected(), [hello(20)]),
        (3, got(at(21, "7777"), at(22)), [deliver(at(22))]),
        (3, got(server(22)), [Resumed(22), *again]),
        (4, got(snapshot()), [deliver(snapshot())]),
    ]
    play(session, story)
    assert session.gaps == 0


def test_a_poll_behind_the_registration_shows_where_the_snapshots_end():
    session = FeedSession("app", marks=True)
    session.handle_event(Connected(), 0)
    mark = Send(PollRequest(n=registration.MARK))
    assert session.handle_event(got(server(5)), 0) == [Began(5), ALL, mark, deliver(server(5))]
    bare = EventRegistered(this_dn="7002")
    asked = Send(QueryAddress(ThisDN="7002", ReferenceID=1))
    assert session.handle_event(got(UP, snapshot(), bare, PollReply(n=1)), 0)[0] == asked
    assert session.handle_event(got(PollReply(n=registration.MARK)), 0) == []
    info = EventAddressInfo(this_dn="7002", reference_id=1)
    assert session.handle_event(got(info), 0) == [deliver(info), Described()]
    assert session.handle_event(got(PollReply(n=1)), 0) == []


def test_a_gap_is_described_when_its_snapshots_have_come():
    # From the gap on, not only from the request, which may have to wait.
    session = FeedSession("app", marks=True)
    mark = Send(PollRequest(n=registration.MARK))
    answer = got(PollReply(n=registration.MARK))
    play(
        session,
        [
            (0, Connected(), [HELLO]),
            (0, got(server(5)), [Began(5), ALL, mark, deliver(server(5))]),
            (1, got(at(8)), [Gap(5, 8), deliver(at(8))]),  # before the first answer
            (1, answer, []),
            (1, None, [ALL, mark]),
            (2, got(at(10)), [Gap(8, 10), deliver(at(10))]),
            (2, answer, []),  # to what was asked before the second gap
            (11, None, [ALL, mark]),
            (
                12,
                got(snapshot(), PollReply(n=registration.MARK)),
                [deliver(snapshot()), Described()],
            ),
            (30, got(at(12)), [Gap(10, 12), SnapshotsFollow(), deliver(at(12))]),
            (30, None, [ALL, mark]),
            (31, Disconnected(), []),
            (32, Connected(), [hello(12)]),
            (32, got(server(12)), [Resumed(12), ALL, mark]),
            (32, answer, [Described()]),
        ],
    )


def test_keepalive_is_on_while_connected():
    session = FeedSession(application="app", keepalive=2)
    play(
        session,
        [
            (0, Connected(), [HELLO]),
            (0, got(server(5)), [Began(5), ALL, deliver(server(5))]),
            (2, None, [Send(PollRequest(n=1))]),
            (3, got(), []),
            (5, None, [Send(PollRequest(n=2))]),
            (7, None, [Disconnect("no sound for 4 s, and no answer to a poll")]),
            (7, got(at(6)), []),
            (7, Disconnected(), []),
        ],
    )
    assert session.next_deadline() == inf
    assert session.after == 5


def test_everything_is_counted():
    session = FeedSession(application="app")
    session.handle_event(Connected(), 0)
    messages = [server(5), at(5), at(9), Unhandled(), RegisterAll(), BadLine("x", "x")]
    session.handle_event(got(*messages), 0)
    assert (session.duplicates, session.gaps, session.unhandled) == (1, 1, 1)
    assert session.skipped == {"a request, and we are no feed": 1, "x": 1}


def test_kinds_of_bad_lines_are_limited(monkeypatch):
    monkeypatch.setattr(registration, "SKIPPED_KINDS_MAX", 2)
    session = FeedSession(application="app")
    session.handle_event(Connected(), 0)
    actions = session.handle_event(got(*(BadLine(f"k{n}", "") for n in range(5))), 0)
    assert [action.kind for action in actions] == ["k0", "k1", registration.OTHER]
    assert session.skipped[registration.OTHER] == 3
