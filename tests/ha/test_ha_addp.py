"""ADDP as stories: at, what happened (None: the timer), what must be done, when to look again."""

from math import inf

import pytest
from attrs import evolve

from statserver_trio.ha.addp import Addp, AddpOptions, AddpOptionsChanged, Heard, State
from statserver_trio.ha.messages import Config, ConfigAck, Poll, Reply
from statserver_trio.ha.store import Abort, Log, Trace
from statserver_trio.machine import Connected, Disconnect, Disconnected, Send

QUIET = AddpOptions(timeout=10, remote_timeout=20, trace="off")
LOST = Abort("addp-timeout")

# Every story is told by the dialling side, connected at 0 with a timeout of 10.
STORIES = {
    "silence is asked, then given up": [
        (10, None, [Send(Poll(1))], 20),
        (20, None, [LOST], inf),
        (21, Heard(), [], inf),
    ],
    "any byte is life": [
        (9, Heard(1), [], 19),
        (19, None, [Send(Poll(1))], 29),
        (28, Heard(3), [], 38),
        (38, None, [Send(Poll(2))], 48),
    ],
    "a poll is answered at once": [
        (4, Heard(), [], 14),
        (4, Poll(7), [Send(Reply(7))], 14),
    ],
    "an early timer changes nothing": [
        (3, None, [], 10),
    ],
    "a slightly late timer still gives up": [
        (10, None, [Send(Poll(1))], 20),
        (25, None, [LOST], inf),
    ],
    "who slept himself asks once more, and only once": [
        (10, None, [Send(Poll(1))], 20),
        (26, None, [Log("warning", "ADDP: our own timer came 6.0 s late; asking again"),
                    Send(Poll(2))], 36),
        (60, None, [LOST], inf),
    ],
    "after a sound he is excused again": [
        (10, None, [Send(Poll(1))], 20),
        (26, None, [Log("warning", "ADDP: our own timer came 6.0 s late; asking again"),
                    Send(Poll(2))], 36),
        (30, Heard(), [], 40),
        (40, None, [Send(Poll(3))], 50),
        (56, None, [Log("warning", "ADDP: our own timer came 6.0 s late; asking again"),
                    Send(Poll(4))], 66),
    ],
    "who slept before asking asks": [
        (100, None, [Send(Poll(1))], 110),
    ],
    "options change the running watch": [
        (6, AddpOptionsChanged(evolve(QUIET, timeout=5)), [], 5),
        (6, None, [Send(Poll(1))], 11),
    ],
    "the remote timeout is told again": [
        (6, AddpOptionsChanged(evolve(QUIET, remote_timeout=3)), [Send(Config(3000))], 10),
    ],
    "the accepting side may not configure us": [
        (1, Config(1000), [Disconnect("ADDP: the accepting side may not configure us")], 10),
    ],
    "it may wish for a timeout of ours": [
        (1, ConfigAck(4000), [], 4),
    ],
    "a strange event is answered": [
        (1, 5, [Disconnect("ADDP cannot make sense of int")], 10),
    ],
}  # fmt: skip


def tell(addp, event, now):
    return addp.handle_timer(now) if event is None else addp.handle_event(event, now)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_the_dialling_side(story):
    addp = Addp(dials=True, options=QUIET)
    assert addp.handle_event(Connected(), 0) == [Send(Config(20_000))]
    assert addp.next_deadline() == 10
    for now, event, actions, deadline in story:
        assert tell(addp, event, now) == actions, f"at {now}"
        assert addp.next_deadline() == deadline, f"at {now}"


def test_the_accepting_side_watches_when_it_is_told_to_and_as_it_is_told():
    addp = Addp(dials=False, options=AddpOptions(timeout=1, trace="both"))
    assert addp.handle_event(Connected(), 0) == []
    assert addp.next_deadline() == inf
    assert addp.handle_event(Config(20_000), 1) == [Send(ConfigAck())]
    assert addp.next_deadline() == 20
    assert addp.handle_event(AddpOptionsChanged(AddpOptions(timeout=2)), 2) == [
        Log("debug", "ADDP: the change takes effect with the next connection")
    ]
    assert addp.next_deadline() == 20
    assert addp.handle_event(Config(5_000), 3) == [Send(ConfigAck())]
    assert addp.next_deadline() == 5
    assert addp.handle_event(Config(0), 4) == [Send(ConfigAck())]
    assert addp.next_deadline() == inf


# addp-trace, whether the dialling side logs, whether the other one does
TRACES = [("local", True, False), ("remote", False, True), ("both", True, True),
          ("off", False, False)]  # fmt: skip


@pytest.mark.parametrize(("option", "here", "there"), TRACES)
def test_trace_is_about_logging_only(option, here, there):
    dials = Addp(True, AddpOptions(trace=option))
    accepts = Addp(False)
    accepts.handle_event(Connected(), 0)
    [config, *traces] = dials.handle_event(Connected(), 0)
    assert traces == [Trace(">", f"CONFIG timeout=10000ms trace={there}")] * here
    answer = accepts.handle_event(config.message, 0)
    assert [a for a in answer if isinstance(a, Send)] == [Send(ConfigAck())]
    assert any(isinstance(a, Trace) for a in answer) == there
    assert accepts.next_deadline() == dials.next_deadline() == 10


def test_the_trace_tells_the_round_trip():
    addp = Addp(True, AddpOptions(trace="local"))
    addp.handle_event(Connected(), 0)
    assert addp.handle_timer(10) == [Send(Poll(1)), Trace(">", "POLL seq=1")]
    addp.handle_event(Heard(), 10.5)
    assert addp.handle_event(Reply(1), 10.5) == [Trace("<", "REPLY seq=1 rtt=500ms")]
    assert addp.round_trip == 0.5
    assert addp.handle_event(Reply(1), 11) == [Trace("<", "REPLY seq=1 (late)")]


def test_protocol_default_sends_and_watches_nothing():
    addp = Addp(True, AddpOptions(enabled=False))
    assert addp.handle_event(Connected(), 0) == []
    assert addp.next_deadline() == inf
    assert addp.handle_event(Poll(3), 1) == [Send(Reply(3))]


def test_a_port_without_addp_watches_nothing_whatever_the_peer_wishes():
    addp = Addp(False, AddpOptions(enabled=False))
    addp.handle_event(Connected(), 0)
    [said] = addp.handle_event(Config(10_000, trace=True), 1)
    assert isinstance(said, Log)
    assert addp.next_deadline() == inf
    assert addp.handle_event(Poll(3), 1) == [Send(Reply(3))], "the peer's own watch works"


def test_each_link_begins_afresh_and_counters_go_on():
    addp = Addp(True, QUIET)
    addp.handle_event(Connected(), 0)
    addp.handle_timer(10)
    addp.handle_timer(20)
    assert (addp.state, addp.lost, addp.polls_sent) == (State.LOST, 1, 1)
    addp.handle_event(Disconnected(), 20)
    assert addp.next_deadline() == inf
    assert addp.handle_event(Connected(), 30) == [Send(Config(20_000))]
    assert addp.next_deadline() == 40
    addp.handle_timer(40)
    assert (addp.state, addp.polls_sent) == (State.POLLED, 2)
