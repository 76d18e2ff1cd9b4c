"""The AMI parser: the same messages however the bytes are cut, and nothing breaks it."""

from __future__ import annotations

import pytest
from asterisk_stories import capture
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.asterisk.ami import BLOCK_BYTES_MAX, AmiMessage, AmiParser

TALK = (
    b"Asterisk Call Manager/13.0.0\r\n"
    b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
    b"Event: QueueCallerJoin\r\nQueue: support\r\nCallerIDName: A: B\r\n"
    b"ChanVariable: a=1\r\nChanVariable: b=2\r\nAccountCode: \r\n\r\n"
    b"\r\n"
    b"Event: Hangup\nCause: 16\n\n"
)
MESSAGES = [
    AmiMessage((("Response", "Success"), ("Message", "Authentication accepted"))),
    AmiMessage(
        (
            ("Event", "QueueCallerJoin"),
            ("Queue", "support"),
            ("CallerIDName", "A: B"),
            ("ChanVariable", "a=1"),
            ("ChanVariable", "b=2"),
            ("AccountCode", ""),
        )
    ),
    AmiMessage((("Event", "Hangup"), ("Cause", "16"))),
]


def parsed(data: bytes, size: int) -> tuple[list[AmiMessage], AmiParser]:
    parser = AmiParser()
    messages = []
    for start in range(0, len(data), size):
        messages += parser.feed(data[start : start + size])
    return messages + parser.end(), parser


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, len(TALK)])
def test_messages_do_not_depend_on_the_pieces(size: int) -> None:
    messages, parser = parsed(TALK, size)
    assert messages == MESSAGES
    assert parser.banner == "Asterisk Call Manager/13.0.0"
    assert not parser.bad


def test_a_message_knows_its_event_and_all_values_of_a_key() -> None:
    join = MESSAGES[1]
    assert join.event == "QueueCallerJoin"
    assert join.all("ChanVariable") == ["a=1", "b=2"]
    assert join.get("ChanVariable") == "a=1"
    assert join.get("Nonsense") == ""
    assert MESSAGES[0].event == ""


def test_the_last_block_of_a_file_needs_no_empty_line() -> None:
    assert parsed(b"Event: Shutdown", 4)[0] == [AmiMessage((("Event", "Shutdown"),))]


@pytest.mark.parametrize("size", [1, 1000, BLOCK_BYTES_MAX * 2])
@pytest.mark.parametrize(
    "long",
    [
        b"Event: Long\r\nData: " + b"x" * BLOCK_BYTES_MAX + b"\r\n\r\n",
        b"Event: Long\r\n"
        + b"Data: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 1300
        + b"\r\n",
    ],
    ids=["one line", "many lines"],
)
def test_a_block_too_long_is_skipped_and_counted_once(size: int, long: bytes) -> None:
    messages, parser = parsed(long + b"Event: Next\r\n\r\n", size)
    assert messages == [AmiMessage((("Event", "Next"),))]
    assert parser.bad == {"block too long": 1}


def test_a_line_that_is_no_pair_is_left_out_and_counted() -> None:
    messages, parser = parsed(b"Event: A\nnoise\nB: 1\n\n", 3)
    assert messages == [AmiMessage((("Event", "A"), ("B", "1")))]
    assert parser.bad == {"line without a key": 1}


def test_what_is_not_text_is_read_as_well_as_it_can_be() -> None:
    assert parsed(b"Event: \xff\n\n", 1)[0][0].event == "\ufffd"


@given(st.lists(st.binary(max_size=40)))
def test_garbage_in_any_pieces_gives_what_it_gives_whole(pieces: list[bytes]) -> None:
    parser = AmiParser()
    messages = [m for piece in pieces for m in parser.feed(piece)] + parser.end()
    assert messages == parsed(b"".join(pieces), 10_000)[0]


@given(st.text(alphabet="ab:\r\n", max_size=60), st.integers(1, 9))
def test_line_ends_anywhere(text: str, size: int) -> None:
    assert parsed(text.encode(), size)[0] == parsed(text.encode(), 10_000)[0]


@pytest.mark.parametrize("name", ["pbx-run.ami.txt", "agent-login.txt", "queue-status.txt"])
def test_real_streams_in_odd_pieces(name: str) -> None:
    data = capture(name)
    whole, _ = parsed(data, len(data))
    assert parsed(data, 1)[0] == whole
    assert parsed(data, 977)[0] == whole
