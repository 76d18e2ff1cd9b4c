"""Lines in whatever pieces: the same messages; nothing a peer sends raises."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.tlib.codec import (
    LINE_BYTES_MAX,
    SHOWN_CHARACTERS,
    UNKNOWN_REQUEST,
    BadLine,
    Decoder,
    PollReply,
    PollRequest,
    QueryAddress,
    RegisterAddress,
    RegisterAll,
    RegisterClient,
    UnregisterAddress,
    decode_line,
    encode,
    encode_all,
)
from statserver_trio.tlib.events import (
    EVENT_TYPES,
    EventAgentNotReady,
    EventOnHook,
    EventRegistered,
    EventRinging,
    Unhandled,
)

RINGING = EventRinging(
    position=1201,
    time=1700000000.125,
    this_dn="7001",
    conn_id="006c02462a161006",
    call_type="Inbound",
    user_data={"Language": "Español", "List": {"n": 1}},
)
LINES = {
    "a call": (RINGING, encode(RINGING)),
    "an agent": (
        EventAgentNotReady(position=7, this_dn="7001", work_mode="AfterCallWork"),
        b'{"event":"EventAgentNotReady","EventSequenceNumber":7,"ThisDN":"7001",'
        b'"AgentWorkMode":"AfterCallWork"}\n',
    ),
    "a snapshot": (
        EventRegistered(this_dn="7001", reference_id=1, extensions={"AgentStatus": "Ready"}),
        b'{"event":"EventRegistered","ThisDN":"7001","ReferenceID":1,'
        b'"Extensions":{"AgentStatus":"Ready"}}\n',
    ),
    "attributes we do not know": (EventOnHook(), b'{"CallID":16,"event":"EventOnHook"}\n'),
    "an event we do not know keeps its position": (
        Unhandled(name="EventFromTheFuture", position=5, this_dn="1"),
        b'{"event":"EventFromTheFuture","EventSequenceNumber":5,"ThisDN":"1","X":[]}\n',
    ),
    "registration": (
        RegisterClient(ApplicationName="stat-primary", after=1041),
        b'{"request":"RegisterClient","ApplicationName":"stat-primary","after":1041}\n',
    ),
    "all": (RegisterAll(), b'{"request":"RegisterAll"}\n'),
    "one": (
        RegisterAddress(ThisDN="7001", ReferenceID=1),
        b'{"request":"RegisterAddress","ThisDN":"7001","ReferenceID":1}\n',
    ),
    "none": (
        UnregisterAddress(ThisDN="7001"),
        b'{"request":"UnregisterAddress","ThisDN":"7001"}\n',
    ),
    "query": (QueryAddress(ThisDN="7001"), b'{"request":"QueryAddress","ThisDN":"7001"}\n'),
    "poll": (PollRequest(n=7), b'{"request":"Poll","n":7}\n'),
    "reply": (PollReply(n=7), b'{"reply":"Poll","n":7}\n'),
}
BAD_LINES = {
    "not JSON": b"hello\n",
    "half a line": b'{"event":"EventOn\n',
    "no object": b"[1,2]\n",
    "no event": b'{"ThisDN":"7001"}\n',
    "an event that is no name": b'{"event":5}\n',
    "a wrong type": b'{"event":"EventOnHook","ThisDN":7001}\n',
    "no ConnID": b'{"event":"EventRinging","ThisDN":"7001"}\n',
    "two events on a line": b'{"event":"EventOnHook"}{"event":"EventOnHook"}\n',
    "not UTF-8": b'{"event":"EventOnHook","ThisDN":"\xff"}\n',
    "half a surrogate": b'{"event":"EventOnHook","ThisDN":"\\ud800"}\n',
    "a position beyond 64 bits": b'{"event":"EventOnHook","EventSequenceNumber":%d}\n' % 2**63,
    "a position below zero": b'{"event":"EventOnHook","EventSequenceNumber":-1}\n',
    "a time that no calendar knows": b'{"event":"EventOnHook","time":1e300}\n',
    "a number that is none": b'{"event":"EventOnHook","time":1e999}\n',
    "far too deep": b'{"event":"EventRinging","ConnID":"1","UserData":{"a":%s}}\n'
    % (b"[" * 20000 + b"]" * 20000),
    "far too deep, where nobody looks": b'{"x":%s}\n' % (b"[" * 20000 + b"]" * 20000),
}


def pieces(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


def decode(parts):
    decoder = Decoder()
    return [m for part in parts for m in decoder.feed(part)] + decoder.end()


@pytest.mark.parametrize(("message", "line"), LINES.values(), ids=LINES)
def test_a_line(message, line):
    assert decode([line]) == [message]
    assert decode(pieces(line, 1)) == [message]
    assert decode([line[:-1]]) == [message], "the end of a file"


@pytest.mark.parametrize("size", [1, 7, 64, 1000, 10**6])
def test_pieces_make_no_difference(size):
    messages = [message for message, _ in LINES.values()]
    data = b"".join(line for _, line in LINES.values())
    assert decode(pieces(data, size)) == messages


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES)
@pytest.mark.parametrize("size", [10**6, 977])
def test_a_bad_line_is_skipped(line, size):
    good = encode(RINGING)
    before, bad, after = decode(pieces(good + line + good, size))
    assert before == after == RINGING
    assert isinstance(bad, BadLine)
    assert len(bad.text) <= SHOWN_CHARACTERS
    assert bad.text == line.decode("utf-8", "replace").rstrip("\n")[: len(bad.text)]


def test_an_event_over_two_lines_is_two_bad_lines():
    line = b'{"event":"EventOnHook",\n"ThisDN":"1"}\n'
    assert [type(m) for m in decode([line])] == [BadLine, BadLine]


def test_kinds_do_not_depend_on_what_the_peer_writes():
    kinds = {decode_line(b'{"a":%s?' % (b" " * n)).kind for n in range(20)}
    assert len(kinds) == 1
    assert decode_line(b'{"request":"Whatever"}').kind == UNKNOWN_REQUEST
    assert decode_line(b'{"request":"Something"}').kind == UNKNOWN_REQUEST


@pytest.mark.parametrize("size", [10**6, 65536, 1000])
@pytest.mark.parametrize(("extra", "accepted"), [(0, True), (1, False)])
def test_the_longest_line(size, extra, accepted):
    empty = len(encode(EventOnHook(this_dn=""))) - 1
    line = encode(EventOnHook(this_dn="x" * (LINE_BYTES_MAX - empty - len(',"ThisDN":""') + extra)))
    assert len(line) == LINE_BYTES_MAX + extra + 1
    good = encode(RINGING)
    before, message, after = decode(pieces(good + line + good, size))
    assert before == after == RINGING
    if accepted:
        assert isinstance(message, EventOnHook)
    else:
        assert message.kind == f"line longer than {LINE_BYTES_MAX} bytes"


def test_a_line_without_end_takes_no_memory():
    decoder = Decoder()
    bad = [m for _ in range(100) for m in decoder.feed(b"x" * 65536)]
    assert len(bad) == 1
    assert decoder.feed(b"x\n" + encode(RINGING)) == [RINGING]


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.__name__)
def test_every_event_survives_the_wire(kind):
    required = {each.name: "1" for each in msgspec.structs.fields(kind) if each.required}
    event = kind(position=1, time=2.5, this_dn="7001", **required)
    assert decode([encode(event)]) == [event]


def test_blank_lines_are_nothing():
    assert decode([b"\n \r\n" + encode(RINGING) + b"\n"]) == [RINGING]


@given(st.lists(st.binary(max_size=200)))
def test_noise_raises_nothing(parts):
    decode(parts)


@given(st.data())
def test_any_cut_gives_the_same(data):
    lines = [line for _, line in LINES.values()] + [*BAD_LINES.values()][:11]
    chosen = data.draw(st.lists(st.sampled_from(lines), max_size=8))
    stream = b"".join(chosen)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decode(parts) == decode(pieces(stream, 1)) == [decode_line(line[:-1]) for line in chosen]


def test_several_at_once():
    assert encode_all([RINGING, RINGING]) == encode(RINGING) * 2
