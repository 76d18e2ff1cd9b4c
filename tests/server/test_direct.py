"""Frames that are sent without waiting: what they are, and what if there is no room."""

from __future__ import annotations

import socket

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import memory_stream_pair
from wsproto.connection import Connection, ConnectionType
from wsproto.events import Ping, Pong, TextMessage

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
    assert not DirectStream(ours).is_free


async def small_pair():
    """Two ends of a connection that takes a few kilobytes until they are read."""
    listener = trio.socket.socket()
    await listener.bind(("127.0.0.1", 0))
    listener.listen()
    theirs = trio.socket.socket()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await theirs.connect(listener.getsockname())
    ours, _ = await listener.accept()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    listener.close()
    return DirectStream(trio.SocketStream(ours)), trio.SocketStream(theirs)


async def test_what_does_not_fit_comes_before_what_is_sent_next():
    stream, theirs = await small_pair()
    server, client = Connection(ConnectionType.SERVER), Connection(ConnectionType.CLIENT)
    sent = 0
    async with stream, theirs:
        while stream.is_free:
            stream.send_now(text_frame(b"%06d" % sent * 500))
            sent += 1
        assert stream.has_rest
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
    stream, theirs = await small_pair()
    async with stream, theirs, trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, bytes(1_000_000))
        await trio.sleep(0.05)
        assert not stream.is_free
        nursery.cancel_scope.cancel()


async def send_for_ever(stream):
    while True:
        if stream.is_free:
            stream.send_now(text_frame(b"x" * 1000))
        await stream.flush()
        await trio.sleep(0.001)


async def test_a_broken_connection_is_found_by_whoever_flushes():
    stream, theirs = await small_pair()
    async with stream:
        await theirs.aclose()
        with trio.fail_after(5), pytest.raises(trio.BrokenResourceError):
            await send_for_ever(stream)


async def test_the_flusher_gives_everybody_a_turn(autojump_clock):
    flusher, pushed = Flusher(), []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(flusher.run)
        pushes = [lambda n=n: pushed.append(n) for n in range(120)]
        for push in (*pushes, *pushes):  # wanted twice is done once
            flusher.wants(push)
        await trio.testing.wait_all_tasks_blocked()
        assert pushed == list(range(120))
        nursery.cancel_scope.cancel()


def test_a_ping_is_no_text():
    frame = Connection(ConnectionType.SERVER).send(Ping(payload=b""))
    assert frame[0] != text_frame(b"")[0]
