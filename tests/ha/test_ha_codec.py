"""The wire, in both directions from one table, in any pieces, and against garbage."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.ha.codec import (
    FRAGMENT_BYTES,
    FRAME_BYTES_GREETING,
    FRAME_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    URGENT_MAX,
    Decoder,
    Outbox,
    OutboxFull,
    ProtocolError,
    TooLong,
    encode,
)
from statserver_trio.ha.messages import (
    WIRE_TYPES,
    Bye,
    Chunk,
    ChunkAck,
    Config,
    ConfigAck,
    Delete,
    DeleteAck,
    Fragment,
    Gone,
    Hello,
    Ignored,
    Item,
    JoinRequest,
    JoinState,
    Journal,
    JournalRequest,
    Kind,
    Memory,
    Mode,
    Poll,
    Reject,
    Release,
    ReleaseAck,
    Reply,
    Result,
    Standing,
    Want,
    Welcome,
)

GREETING = {
    "major": 1, "minor": 2, "product": "p", "application": "a", "other": "b",
    "redundancy": "r", "boot_id": "i", "fingerprint": "f", "wall": 1.5, "mode": "m",
    "joining": False, "standings": {"s": Standing("l", 3, 1.5, "o")}, "clients": "c",
}  # fmt: skip
GREETING_WIRE = (
    b"\x01\x02\xa1p\xa1a\xa1b\xa1r\xa1i\xa1f\xcb\x3f\xf8\0\0\0\0\0\0\xa1m\xc2\x81\xa1s\x94\xa1l\x03"
    b"\xcb\x3f\xf8\0\0\0\0\0\0\xa1o\xa1c"
)
ITEM = Item("k", "d", "h", Kind.DEF_ONLY, b"x", {"s": [(1, 2)]}, 3, False)
# the message, its frame without the length
WIRE = [
    (Config(10_000, True), b"\x93\xa6config\xcd\x27\x10\xc3"),
    (ConfigAck(), b"\x92\xa9configack\x00"),
    (Poll(7), b"\x92\xa4poll\x07"),
    (Reply(7), b"\x92\xa5reply\x07"),
    (
        Hello(**GREETING, memory=Memory("s", "p", 1, 2), management="o"),
        b"\xdc\x00\x10\xa5hello" + GREETING_WIRE + b"\x94\xa1s\xa1p\x01\x02\xa1o",
    ),
    (
        Welcome(**GREETING, session="s", restored=True, received=4, hello_wall=0.0, management="o"),
        b"\xdc\x00\x13\xa7welcome" + GREETING_WIRE + b"\xa1s\xc3\x04\xcb\0\0\0\0\0\0\0\0\xa1o",
    ),
    (Reject("self", "t"), b"\x93\xa6reject\xa4self\xa1t"),
    (Bye("r"), b"\x92\xa3bye\xa1r"),
    (
        Chunk("s", 1, {"s": 5}, 0.0, [ITEM]),
        b"\x96\xa5chunk\xa1s\x01\x81\xa1s\x05\xcb\0\0\0\0\0\0\0\0\x91"
        b"\x98\xa1k\xa1d\xa1h\xa3def\xc4\x01x\x81\xa1s\x91\x92\x01\x02\x03\xc2",
    ),
    (
        ChunkAck(1, [Result.OPENED, Result.KEPT], {"s": 5}, 0.0, 0.0, 0.0),
        b"\x97\xa8chunkack\x01\x92\xa6opened\xa4kept\x81\xa1s\x05" + b"\xcb\0\0\0\0\0\0\0\0" * 3,
    ),
    (Want(["k"]), b"\x92\xa4want\x91\xa1k"),
    (Release(1, ["k"]), b"\x93\xa7release\x01\x91\xa1k"),
    (ReleaseAck(1), b"\x92\xaareleaseack\x01"),
    (Delete([("k", 1)]), b"\x92\xa6delete\x91\x92\xa1k\x01"),
    (
        DeleteAck([("k", 1, Gone.STILL_OPEN)]),
        b"\x92\xa9deleteack\x91\x93\xa1k\x01\xaastill-open",
    ),
    (JournalRequest("s", 1, 2), b"\x94\xaejournalrequest\xa1s\x01\x02"),
    (
        Journal("s", 1, 2, [(1, b"x")], True),
        b"\x96\xa7journal\xa1s\x01\x02\x91\x92\x01\xc4\x01x\xc3",
    ),
    (JoinRequest(1, {"s": 0}), b"\x94\xabjoinrequest\x01\x81\xa1s\x00\x80"),
    (
        JoinState(1, {"s": 9}, b"x", {"s": Standing("l", 3, 0.0)}),
        b"\x95\xa9joinstate\x01\x81\xa1s\x09\xc4\x01x\x81\xa1s\x94\xa1l\x03\xcb\0\0\0\0\0\0\0\0\xa0",
    ),
    (Mode("primary", "f"), b"\x93\xa4mode\xa7primary\xa1f"),
]
IDS = [type(message).__name__ for message, _ in WIRE]


def framed(body):
    return len(body).to_bytes(4, "big") + body


def test_the_table_knows_every_message():
    assert {type(message) for message, _ in WIRE} | {Fragment} == set(WIRE_TYPES)


@pytest.mark.parametrize(("message", "body"), WIRE, ids=IDS)
def test_wire(message, body):
    data = framed(body)
    assert encode(message) == data
    assert list(Decoder().feed(data)) == [message]

    decoder = Decoder()  # a byte at a time
    for i in range(len(data) - 1):
        assert list(decoder.feed(data[i : i + 1])) == []
    assert list(decoder.feed(data[-1:])) == [message]

    decoder = Decoder()  # with the next one on its heels
    assert list(decoder.feed(data + data[:3])) == [message]
    assert list(decoder.feed(data[3:])) == [message]


def test_a_peer_that_does_not_tell_its_management_address_is_understood():
    hello = b"\x9f\xa5hello" + GREETING_WIRE + b"\xc0"  # as they were before it was added
    welcome = b"\xdc\x00\x12\xa7welcome" + GREETING_WIRE + b"\xa1s\xc3\x04\xcb" + b"\0" * 8
    found = list(Decoder().feed(framed(hello) + framed(welcome)))
    assert found == [
        Hello(**GREETING),
        Welcome(**GREETING, session="s", restored=True, received=4, hello_wall=0.0),
    ]
    assert [each.management for each in found] == ["", ""]


@given(st.lists(st.sampled_from([m for m, _ in WIRE]), max_size=6), st.lists(st.integers(1, 90)))
def test_pieces_do_not_matter(messages, sizes):
    data = b"".join(map(encode, messages))
    decoder, got = Decoder(), []
    for size in sizes:
        got += decoder.feed(data[:size])
        data = data[size:]
    assert [*got, *decoder.feed(data)] == messages


@given(st.binary(max_size=200), st.lists(st.integers(1, 50), max_size=5))
def test_garbage_raises_one_error_and_nothing_else(data, sizes):
    decoder = Decoder()
    try:
        for size in sizes:
            list(decoder.feed(data[:size]))
            data = data[size:]
        list(decoder.feed(data))
    except ProtocolError:
        with pytest.raises(ProtocolError):
            list(decoder.feed(encode(Poll(1))))  # for good


@given(st.sampled_from([body for _, body in WIRE]), st.data())
def test_spoilt_messages_raise_nothing_else(body, data):
    spoilt = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ProtocolError):
        list(Decoder().feed(framed(bytes(spoilt))))


# what arrives, and what is wrong with it
BROKEN = [
    (b"\xff\xff\xff\xff", "a frame of 4294967295 bytes; allowed are 65536"),
    (framed(b"\x92\xa4poll\xff"), "no message: Expected `int` >= 0 - at `$[1]`"),
    (framed(b"\x91" * 5000), "no message: Expected `str`, got `array` - at `$[0]`"),
    (framed(b""), "no message: Input data was truncated"),
    (framed(b"\x92\xa5chunk\xa1s"), "no message: Expected `array` of at least length 6, got 2"),
    (encode(Fragment(True, b"")), "an empty fragment"),
    (encode(Fragment(False, b"\x93\xa8fragment\xc2\xc4\x00")), "a fragment made of fragments"),
    (encode(Fragment(True, b"x" * 40_000)) * 2, "a message longer than 65536 bytes"),
]


@pytest.mark.parametrize(("data", "text"), BROKEN)
def test_broken(data, text):
    with pytest.raises(ProtocolError) as caught:
        list(Decoder().feed(data))
    assert str(caught.value) == text


def test_announced_lengths_take_no_memory():
    for body in (b"\x92\xa4want\xdd\xff\xff\xff\xff", b"\x92\xa3bye\xdb\xff\xff\xff\xff"):
        with pytest.raises(ProtocolError):
            list(Decoder().feed(framed(body)))


def test_what_is_newer_is_passed_over_if_it_says_so():
    assert list(Decoder().feed(framed(b"\x92\xa6?newer\x01"))) == [Ignored("?newer")]
    with pytest.raises(ProtocolError):
        list(Decoder().feed(framed(b"\x92\xa5newer\x01")))
    assert list(Decoder().feed(framed(b"\x93\xa4poll\x07\xa5extra"))) == [Poll(7)]


def test_acting_on_the_greeting_changes_the_rules_for_what_follows_in_the_same_piece():
    long = Want(["k" * 100_000])
    decoder, got = Decoder(), []
    for message in decoder.feed(encode(Poll(1)) + encode(long)):
        got.append(message)
        decoder.greeted()
    assert got == [Poll(1), long]
    with pytest.raises(ProtocolError):
        list(decoder.feed((FRAME_BYTES_MAX + 1).to_bytes(4, "big")))


def drained(outbox):
    frames = []
    while (frame := outbox.next_frame()) is not None:
        frames.append(frame)
    return frames


def test_a_poll_passes_between_two_fragments():
    outbox, long = Outbox(), Want(["k" * 300_000])
    outbox.put(long)
    outbox.put(Want(["after"]))
    frames = [outbox.next_frame()]
    outbox.put(Poll(1))
    frames += drained(outbox)
    assert all(len(frame) <= FRAME_BYTES_GREETING for frame in frames)
    decoder = Decoder()
    decoder.greeted()
    got = [message for frame in frames for message in decoder.feed(frame)]
    assert got == [Poll(1), long, Want(["after"])]
    assert len(frames) == 300_000 // FRAGMENT_BYTES + 1 + 2
    assert not outbox


def test_the_outbox_has_bounds():
    outbox = Outbox()
    with pytest.raises(TooLong):
        outbox.put(Want(["k" * MESSAGE_BYTES_MAX]))
    for _ in range(URGENT_MAX):
        outbox.put(Poll(1))
    with pytest.raises(OutboxFull):
        outbox.put(Poll(1))
    half = Want(["k" * (MESSAGE_BYTES_MAX - 100)])
    outbox.put(half)
    outbox.put(half)
    with pytest.raises(OutboxFull):
        outbox.put(half)
    outbox.clear()
    assert not outbox
    assert outbox.next_frame() is None
