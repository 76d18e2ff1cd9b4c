"""Garbage: whatever Asterisk, a network or an enemy sends, nothing is raised.

And whatever is told keeps the promises of a stream: positions grow, a call is
queued before it leaves its queue, and leaves it once.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.asterisk.ami import AmiMessage, AmiParser
from statserver_trio.asterisk.ami_translator import EVENTS, AmiTranslator
from statserver_trio.asterisk.dating import dated
from statserver_trio.asterisk.queue_log import VERBS, QueueLogTranslator
from statserver_trio.asterisk.replay import ami_events, in_order
from statserver_trio.tlib.codec import decode_line, encode
from statserver_trio.tlib.events import (
    EventAbandoned,
    EventDiverted,
    EventLinkDisconnected,
    EventQueued,
    EventRegistered,
    TEvent,
)

VALUES = {
    "Uniqueid": ["c1", "c2", "a1", "", "1.5"],
    "Linkedid": ["c1", "c2", ""],
    "DestUniqueid": ["a1", "b1", ""],
    "Channel": ["SIP/1-1", "SIP/trunk-1", "Local/1@x-1;1", ""],
    "DestChannel": ["SIP/1-1", "SIP/2-1", "Local/1@x-1;1", ""],
    "Queue": ["support", "sales", ""],
    "Interface": ["SIP/1", "SIP/2", ""],
    "Location": ["SIP/1", "SIP/3"],
    "Paused": ["0", "1", "perhaps"],
    "PausedReason": ["Lunch", ""],
    "Status": ["1", "5", "x"],
    "RingTime": ["1", "6000", "-1", "nan", "long"],
    "HoldTime": ["0", "9", "1e308"],
    "Timestamp": ["1800000000.5", "1700000000", "inf", "soon"],
    "Exten": ["h", "800"],
    "Variable": ["QUEUESTATUS"],
    "Value": ["TIMEOUT", ""],
    "DialStatus": ["ANSWER", "BUSY", "CANCEL", "X"],
    "TransfererUniqueid": ["a1"],
    "OrigTransfererUniqueid": ["a1"],
}
FIELDS = st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in VALUES.items()})
NAMES = st.sampled_from([*EVENTS, "FullyBooted", "Nonsense", ""])
MESSAGES = st.builds(
    lambda name, fields: AmiMessage((("Event", name), *fields.items())), NAMES, FIELDS
)


def keep_their_promises(events: list[TEvent]) -> None:
    waiting: Counter[tuple[str, str]] = Counter()
    for event in events:
        assert decode_line(encode(event)) == event
        match event:
            case EventQueued():
                waiting[event.conn_id, event.this_dn] += 1
            case EventRegistered(address_type="Queue"):
                for call in event.extensions["calls"]:
                    waiting[call["ConnID"], event.this_dn] = 1
            case EventLinkDisconnected():
                waiting.clear()
            case EventDiverted() | EventAbandoned() if event.this_dn == event.this_queue:
                waiting[event.conn_id, event.this_dn] -= 1
                assert waiting[event.conn_id, event.this_dn] >= 0
    assert all(a.position < b.position for a, b in pairwise(events))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(MESSAGES, st.floats()), max_size=40))
def test_ami_in_any_order(talk: list[tuple[AmiMessage, float]]) -> None:
    translator = AmiTranslator("sw1")
    events = [e for message, arrived in talk for e in translator.translate(message, arrived)]
    events += translator.finish()
    keep_their_promises(events)
    assert all(a.position < b.position for a, b in pairwise(in_order(events)))
    times = dated([message for message, _ in talk])
    assert times == sorted(times)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([b"\r\n\r\n", b"Event: Hangup\n"])))
)
def test_bytes_of_any_kind(pieces: list[bytes]) -> None:
    ami_events(pieces, "sw1")
    assert AmiParser().feed(b"".join(pieces)) is not None


WORDS = st.sampled_from(
    ["c1", "c2", "support", "sales", "NONE", "Ann", "Bob", "6000", "-1", "", "x"]
)
LINES = st.builds(
    lambda at, words, verb, tail: "|".join([at, *words, verb, *tail]),
    st.sampled_from(["1800000000", "1800000009", "0", "x", "1e400"]),
    st.lists(WORDS, min_size=3, max_size=3),
    st.sampled_from([*VERBS, "SINGASONG"]),
    st.lists(WORDS, max_size=5),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(LINES, st.text(max_size=30)), max_size=40))
def test_queue_log_in_any_order(lines: list[str]) -> None:
    translator = QueueLogTranslator("sw1")
    events = [event for line in lines for event in translator.translate(line)]
    keep_their_promises(events)
