"""The keepalive as stories: at, what was heard (None: the timer), actions, next deadline."""

from math import inf

import pytest

from statserver_trio.machine import Disconnect, Send
from statserver_trio.tlib.codec import PollReply, PollRequest
from statserver_trio.tlib.keepalive import Keepalive, State

BYTES = b"..."
LOST = Disconnect("no sound for 20 s, and no answer to a poll")


def poll(n):
    return Send(PollRequest(n=n))


# Every story begins at 0 with a timeout of 10.
STORIES = {
    "silence is asked, then given up": [
        (10, None, [poll(1)], 20),
        (20, None, [LOST], inf),
        (21, BYTES, [], inf),
    ],
    "a busy feed is never asked": [
        (9, BYTES, [], 19),
        (18, BYTES, [], 28),
        (19, None, [], 28),
    ],
    "any bytes are life, a reply or not": [
        (10, None, [poll(1)], 20),
        (19, BYTES, [], 29),
        (29, None, [poll(2)], 39),
        (30, PollReply(n=2), [], 40),
    ],
    "a poll is answered": [
        (4, PollRequest(n=7), [Send(PollReply(n=7))], 14),
    ],
    "an early timer changes nothing": [
        (3, None, [], 10),
    ],
    "a slightly late timer still gives up": [
        (10, None, [poll(1)], 20),
        (25, None, [LOST], inf),
    ],
    "who slept himself asks again": [
        (10, None, [poll(1)], 20),
        (26, None, [poll(2)], 36),
        (36, None, [LOST], inf),
    ],
    "who slept before asking asks": [
        (100, None, [poll(1)], 110),
    ],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_keepalive(story):
    watch = Keepalive(timeout=10, now=0)
    assert watch.next_deadline() == 10
    for now, heard, actions, deadline in story:
        done = watch.handle_timer(now) if heard is None else watch.handle_event(heard, now)
        assert done == actions, f"at {now}"
        assert watch.next_deadline() == deadline, f"at {now}"


def test_zero_switches_it_off_but_polls_are_answered():
    watch = Keepalive(timeout=0, now=0)
    assert watch.next_deadline() == inf
    assert watch.handle_timer(1e9) == []
    assert watch.handle_event(PollRequest(n=3), 1e9) == [Send(PollReply(n=3))]
    assert watch.next_deadline() == inf
    assert watch.state is State.ALIVE
