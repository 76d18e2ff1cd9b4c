"""Frames that are sent without waiting: what they are, and what if there is no room."""

from __future__ import annotations

import socket
from functools import partial
from itertools import groupby

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import memory_stream_pair
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping, Pong, TextMessage

from statserver_trio.api.outbox import Outbox
from statserver_trio.server import direct
from statserver_trio.server.direct import DirectStream, Flusher, text_frame

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 100_000]


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_is_what_the_library_would_have_made(size):
    text = "x" * size
    theirs = Connection(ConnectionType.SERVER).send(TextMessage(data=text))
    assert text_frame(text.encode()) == bytes(theirs)


@given(st.lists(st.text(max_size=300), max_size=5))
def test_the_other_end_reads_what_was_written(texts):
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(b"".join(text_frame(text.encode()) for text in texts))
    assert [event.data for event in client.events()] == texts


def test_a_stream_without_a_socket_of_its_own_is_never_free():
    ours, _ = memory_stream_pair()
    stream = DirectStream(ours)
    stream.serve(Outbox(), lambda: None)
    assert not stream.is_free


def told(outbox, text):
    """A text that waits in an outbox; there it is JSON."""
    outbox.put_value(1, text.encode(), b"")


async def small_pair():
    """Two ends of a connection that takes a few kilobytes until they are read.

    Ours with an outbox, and a list that gets longer when something has to wait.
    """
    listener = trio.socket.socket()
    await listener.bind(("127.0.0.1", 0))
    listener.listen()
    theirs = trio.socket.socket()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await theirs.connect(listener.getsockname())
    ours, _ = await listener.accept()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    listener.close()
    stream, outbox, blocked = DirectStream(trio.SocketStream(ours)), Outbox(), []
    stream.serve(outbox, lambda: blocked.append(None))
    return stream, outbox, blocked, trio.SocketStream(theirs)


async def test_what_does_not_fit_comes_before_what_is_sent_next():
    stream, outbox, blocked, theirs = await small_pair()
    server, client = Connection(ConnectionType.SERVER), Connection(ConnectionType.CLIENT)
    sent = 0
    async with stream, theirs:
        while stream.is_free:
            told(outbox, f"{sent:06}" * 500)
            assert not blocked
            stream.push()
            sent += 1
        assert stream.has_rest
        assert len(blocked) == 1
        async with trio.open_nursery() as nursery:
            # A pong of the library, in the middle of a frame of ours.
            nursery.start_soon(stream.send_all, server.send(Pong(payload=b"here")))
            nursery.start_soon(stream.flush)
            got, pongs = [], 0
            with trio.fail_after(5):
                while len(got) < sent or not pongs:
                    client.receive_data(await theirs.receive_some())
                    for event in client.events():
                        pongs += isinstance(event, Pong)
                        if isinstance(event, TextMessage):
                            got.append(event)
        assert "".join(event.data for event in got) == "".join(f"{n:06}" * 500 for n in range(sent))
        assert not stream.has_rest
        assert stream.is_free


async def test_while_somebody_waits_to_send_nobody_goes_past_him():
    stream, outbox, blocked, theirs = await small_pair()
    async with stream, theirs, trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, bytes(1_000_000))
        await trio.sleep(0.05)
        told(outbox, "later")
        stream.push()
        assert (len(outbox), len(blocked)) == (1, 1)
        nursery.cancel_scope.cancel()
    assert not stream.is_free  # half of something was sent; nothing fits behind it


async def test_while_it_is_held_nothing_goes_past():
    stream, outbox, blocked, theirs = await small_pair()
    async with stream, theirs:
        stream.hold()
        told(outbox, "second")
        stream.push()
        await stream.send_all(text_frame(b"first"))
        stream.push()
        assert (len(outbox), len(blocked)) == (1, 2)
        stream.release()
        stream.push()
        assert (len(outbox), len(blocked)) == (0, 2)
        expected = text_frame(b"first") + text_frame(b"second")
        got = b""
        with trio.fail_after(5):
            while len(got) < len(expected):
                got += await theirs.receive_some()
        assert got == expected


async def test_behind_a_close_frame_nothing_is_pushed():
    stream, outbox, blocked, theirs = await small_pair()
    async with stream, theirs:
        await stream.send_all(Connection(ConnectionType.SERVER).send(CloseConnection(code=1000)))
        told(outbox, "too late")
        stream.push()
        assert (len(outbox), len(blocked)) == (1, 1)


async def test_what_is_closed_is_not_written_to():
    """Its descriptor may be somebody else's by then."""
    stream, outbox, _, theirs = await small_pair()
    await stream.aclose()
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")  # takes the free number
    told(outbox, "lost")
    stream.push()
    stream.release()
    stream.push()
    assert not stream.has_socket
    assert len(outbox) == 1
    await listeners[0].aclose()
    await theirs.aclose()


async def send_for_ever(stream, outbox):
    while True:
        told(outbox, "x" * 1000)
        stream.push()
        await stream.flush()
        await trio.sleep(0.001)


async def test_a_broken_connection_is_found_by_whoever_flushes():
    stream, outbox, _, theirs = await small_pair()
    async with stream:
        await theirs.aclose()
        with trio.fail_after(5), pytest.raises(trio.BrokenResourceError):
            await send_for_ever(stream, outbox)


async def test_the_flusher_lets_others_work_in_between(mock_clock):
    flusher, happened = Flusher(), []

    def push(number):
        happened.append(number)
        mock_clock.jump(direct.AT_A_TIME / 20)

    async def other():
        while True:
            happened.append("other")
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(flusher.run)
        nursery.start_soon(other)
        flusher.wants([Outbox(push=partial(push, number)) for number in range(120)])
        while len(happened) < 120 or 119 not in happened:
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert [each for each in happened if each != "other"] == list(range(120))
    longest = max(len(list(run)) for what, run in groupby(happened, key=type) if what is int)
    assert longest <= 2 * direct.CLIENTS_AT_A_TIME


def test_a_ping_is_no_text():
    frame = Connection(ConnectionType.SERVER).send(Ping(payload=b""))
    assert frame[0] != text_frame(b"")[0]
