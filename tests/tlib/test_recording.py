"""Recordings: times of arrival, rotation, and reading back."""

import pytest

from statserver_trio.tlib.codec import BadLine, RegisterAll, encode, encode_all
from statserver_trio.tlib.events import EventOffHook, EventOnHook, EventRinging
from statserver_trio.tlib.recording import Rotation, lines, read, stamped


def test_a_time_is_kept():
    event = EventOnHook(this_dn="1", time=5.0)
    assert stamped(event, 99.0) is event


def test_no_time_becomes_the_time_of_arrival():
    event = EventRinging(this_dn="1", conn_id="c", user_data={"a": 1}, position=3)
    copy = stamped(event, 99.25)
    assert copy == EventRinging(
        this_dn="1", conn_id="c", user_data={"a": 1}, position=3, time=99.25
    )
    assert event.time is None, "the live one is as it was"


def test_what_was_written_is_read_with_its_times():
    events = [EventOnHook(this_dn="1"), EventOffHook(this_dn="2", time=4.0)]
    data = lines(events, 1700000000.123)
    expected = [EventOnHook(this_dn="1", time=1700000000.123), events[1]]
    assert list(read([data])) == expected
    assert list(read([data[:10], data[10:11], data[11:-1]])) == expected


def test_only_events_are_read():
    session = [RegisterAll(), EventOnHook()]
    pieces = [encode_all(session), b'{"event":"EventFuture"}\n', b"oops\n", encode(EventOffHook())]
    first, bad, last = read(pieces)
    assert (first, last) == (EventOnHook(), EventOffHook())
    assert isinstance(bad, BadLine)


@pytest.mark.parametrize(
    ("size", "more", "due"), [(0, 10, False), (0, 1000, False), (90, 10, False), (91, 10, True)]
)
def test_when_a_file_is_full(size, more, due):
    assert Rotation(bytes_max=100).due(size, more) is due


@pytest.mark.parametrize(
    ("files", "names", "renames"),
    [
        (1, ["x"], []),
        (2, ["x", "x.1"], [("x", "x.1")]),
        (3, ["x", "x.1", "x.2"], [("x.1", "x.2"), ("x", "x.1")]),
    ],
)
def test_what_becomes_of_full_files(files, names, renames):
    rotation = Rotation(files_max=files)
    assert rotation.names("x") == names
    assert rotation.renames("x") == renames
