"""The client side of the server, over memory streams: good clients, and bad ones beside them.

Every test runs on a clock of its own that jumps to the next deadline. A good
client is a real WebSocket client; the bad ones speak bytes.
"""

import json
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import memory_stream_pair, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed, ConnectionRejected, wrap_client_stream

from statserver_trio.model.directory import Agent, Directory
from statserver_trio.server.client_task import (
    ClientOptions,
    ClientServer,
    goodbye,
)
from statserver_trio.server.clock import Clock
from statserver_trio.server.hub import Hub
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.engine import Engine
from statserver_trio.tlib.events import EventAgentLogin, EventServerConnected

T0 = 1_700_000_000
LOGINS = parse_stat_type(
    "Logins",
    {
        "Objects": "Agent",
        "Category": "CurrentNumber",
        "Subject": "DNAction",
        "MainMask": "LoggedIn",
    },
)
HEAD = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
OPEN = {
    "request": "OpenStatistic",
    "referenceId": 1,
    "object": {"objectId": "a1", "objectType": "Agent"},
    "metric": {"statisticType": "Logins"},
}


def new_hub():
    directory = Directory(agents={"a1": Agent("a1"), "a2": Agent("a2")})
    engine = Engine(Definitions(stat_types={"Logins": LOGINS}), directory)
    engine.add_source("ts1", "sw1")
    return Hub(engine, Clock(T0))


def log_in(hub, dn="7001", agent="a1"):
    hub.apply("ts1", [EventAgentLogin(this_dn=dn, agent_id=agent)], hub.clock.now_ms())


@pytest.fixture
async def server(autojump_clock):
    return ClientServer(new_hub(), ClientOptions(clients_max=3))


def attach(server, nursery):
    """A fresh connection; the client's end of it."""
    theirs, ours = memory_stream_pair()
    nursery.start_soon(server.handle, ours)
    return theirs


@asynccontextmanager
async def good_client(server, nursery, **options):
    stream = attach(server, nursery)
    options = {"subprotocols": ["statserver.v1"], **options}
    async with trio.open_nursery() as inner:
        ws = await wrap_client_stream(inner, stream, "x", options.pop("path", "/"), **options)
        yield ws
        await ws.aclose()


async def refusal(server, nursery, **options):
    """The status a client is refused with; None for one that is not."""
    status = None
    try:
        async with good_client(server, nursery, **options):
            pass
    except* ConnectionRejected as group:
        [rejected] = group.exceptions
        status = rejected.status_code
    return status


async def ask(ws, **request):
    await ws.send_message(json.dumps(request))
    return json.loads(await ws.get_message())


async def test_a_client_opens_hears_and_closes(server, nursery, autojump_clock):
    async with good_client(server, nursery) as ws:
        assert ws.subprotocol == "statserver.v1"
        assert json.loads(await ws.get_message()) == {
            "event": "ServerMode", "role": "primary", "peer": None, "synchronised": False,
        }  # fmt: skip
        opened, info = await ask(ws, **OPEN)
        assert opened == {"event": "StatisticOpened", "referenceId": 1, "statisticId": 1}
        assert (info["event"], info["value"], info["complete"]) == ("Info", 0, True)
        log_in(server.hub)
        assert json.loads(await ws.get_message())["value"] == 1
        closed = await ask(ws, request="CloseStatistic", referenceId=2, statisticId=1)
        assert closed == {"event": "StatisticClosed", "referenceId": 2, "statisticId": 1}
    await wait_all_tasks_blocked()
    assert (server.connections, server.served, server.failed) == (0, 1, 0)


async def test_who_offers_no_subprotocol_is_welcome(server, nursery, autojump_clock):
    async with good_client(server, nursery, subprotocols=None) as ws:
        assert ws.subprotocol is None
        assert json.loads(await ws.get_message())["event"] == "ServerMode"


async def test_a_client_that_vanishes_leaves_nothing_behind(server, nursery, autojump_clock):
    stream = attach(server, nursery)
    async with trio.open_nursery() as inner:
        ws = await wrap_client_stream(inner, stream, "x", "/")
        await ws.get_message()
        await ask(ws, **OPEN)
        assert len(server.hub.engine.statistics) == 1
        await trio.aclose_forcefully(stream)
    await wait_all_tasks_blocked()
    assert not server.hub.engine.statistics
    assert not server.hub.clients
    assert server.connections == 0


async def test_other_paths_and_one_client_too_many_are_refused(server, nursery, autojump_clock):
    assert await refusal(server, nursery, path="/metrics") == 404
    await wait_all_tasks_blocked()
    for _ in range(3):
        attach(server, nursery)
    await wait_all_tasks_blocked()
    assert await refusal(server, nursery) == 503
    assert server.turned_away == 2
    await trio.sleep(5.5)  # those three never said anything
    assert (server.connections, server.failed) == (0, 3)
    async with good_client(server, nursery) as ws:
        assert await ws.get_message()


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://evil.example", 403), ("null", 403), ("http://stat-b:7112", None)],
)
async def test_a_web_page_comes_only_if_it_is_a_friend(nursery, autojump_clock, origin, status):
    friends = ["http://stat-b:7112"]
    server = ClientServer(new_hub(), friends=lambda: friends)
    headers = [(b"Origin", origin.encode())]
    assert await refusal(server, nursery, extra_headers=headers) == status
    friends.append("*")
    assert await refusal(server, nursery, extra_headers=headers) is None


async def misbehave(stream, data, vanishes):
    """Send bytes; frames only after the handshake, as the library does not look at them before."""
    head, end, frames = data.partition(b"\r\n\r\n")
    try:
        await stream.send_all(head + end)
        await wait_all_tasks_blocked()
        await stream.send_all(frames)
    except trio.BrokenResourceError:
        return  # thrown out already
    if vanishes:
        await stream.send_stream.aclose()


def masked(opcode, payload, fin=True):
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + size.to_bytes(2, "big")
    return bytes([(0x80 if fin else 0) | opcode]) + length + bytes(4) + payload


BAD_BYTES = {
    "nothing": b"",
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" * 9,
    "a plain GET": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a POST": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    "a head without end": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
    "a host in no alphabet": HEAD.replace(b"Host: x", b"Host: \xff\xfe") + b"\r\n",
    "headers in no alphabet": HEAD + b"Sec-WebSocket-Protocol: \xe9\xff\r\n\r\n",
    "an unmasked frame": HEAD + b"\r\n\x81\x02{}",
    "a reserved opcode": HEAD + b"\r\n" + masked(0x3, b"x"),
    "text that is no UTF-8": HEAD + b"\r\n" + masked(0x1, b"\xff\xfe\xfd"),
    "2^62 bytes": HEAD + b"\r\n\x81\xff\x40" + bytes(7) + bytes(4) + b"x" * 3_000_000,
    "a flood of fragments": HEAD + b"\r\n" + masked(1, b"", False) + masked(0, b"", False) * 9_000,
    "a flood of pings": HEAD + b"\r\n" + masked(9, b"p" * 125) * 5_000,
    "a close frame of one byte": HEAD + b"\r\n" + masked(8, b"x"),
    "nonsense in frames": HEAD + b"\r\n" + masked(1, b"[[[") * 500 + masked(2, b"\x00" * 99),
}


@pytest.mark.parametrize("vanishes", [True, False])
@pytest.mark.parametrize("what", BAD_BYTES)
async def test_bad_clients_hurt_nobody_else(server, nursery, autojump_clock, what, vanishes):
    async with good_client(server, nursery) as ws:
        await ws.get_message()
        await ask(ws, **OPEN)
        bad = attach(server, nursery)
        async with trio.open_nursery() as inner:
            inner.start_soon(drain, bad)
            await misbehave(bad, BAD_BYTES[what], vanishes)
            await wait_all_tasks_blocked()
            log_in(server.hub)
            assert json.loads(await ws.get_message())["value"] == 1
            if vanishes or what not in ("a flood of pings", "nonsense in frames"):
                await trio.sleep(6)
                assert server.connections == 1
            inner.cancel_scope.cancel()
        await trio.aclose_forcefully(bad)
    await wait_all_tasks_blocked()
    assert server.connections == 0


async def drain(stream):
    try:
        while await stream.receive_some():
            pass
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass


async def test_a_flood_of_fragments_is_cut_early(server, nursery, autojump_clock):
    bad = attach(server, nursery)
    await misbehave(bad, HEAD + b"\r\n" + masked(1, b"{", False), False)
    for _ in range(10):
        await bad.send_all(masked(0, b"", False) * 100)
        await wait_all_tasks_blocked()
    assert server.connections == 1
    await bad.send_all(masked(0, b"", False) * 100)
    await wait_all_tasks_blocked()
    assert server.connections == 0


async def test_a_client_that_does_not_read_is_cut_off(server, nursery, autojump_clock):
    theirs, ours = memory_stream_pair()
    async with good_client(server, nursery) as ws:
        await ws.get_message()
        await ask(ws, **OPEN)
        nursery.start_soon(server.handle, ours)
        await misbehave(theirs, HEAD + b"\r\n" + masked(1, json.dumps(OPEN).encode()), False)
        await wait_all_tasks_blocked()
        assert len(server.hub.clients) == 2
        ours.send_stream.send_all_hook = trio.sleep_forever
        began = trio.current_time()
        log_in(server.hub)
        assert json.loads(await ws.get_message())["value"] == 1
        assert trio.current_time() == began
        assert server.connections == 2
        await trio.sleep(10)
        await wait_all_tasks_blocked()
        assert server.connections == 1
        assert len(server.hub.clients) == 1


async def test_a_client_that_only_asks_is_not_read_from(server, nursery, autojump_clock):
    theirs, ours = memory_stream_pair()
    nursery.start_soon(server.handle, ours)
    await theirs.send_all(HEAD + b"\r\n")
    await wait_all_tasks_blocked()
    ours.send_stream.send_all_hook = trio.sleep_forever
    await theirs.send_all(masked(1, b'{"request":"GetServerMode","referenceId":1}') * 5_000)
    await wait_all_tasks_blocked()
    [client] = server.hub.clients.values()
    assert client.outbox.congested
    assert len(client.outbox) < 1_100
    await trio.sleep(10)
    await wait_all_tasks_blocked()
    assert server.connections == 0


async def test_an_outbox_that_overflows_ends_the_connection(server, nursery, autojump_clock):
    async with good_client(server, nursery) as ws:
        await ws.get_message()
        [client] = server.hub.clients.values()
        client.outbox._limits = type(client.outbox._limits)(lasting_events=5)
        for _ in range(10):
            server.hub.set_mode(server.hub.mode)
        with pytest.raises(ConnectionClosed) as caught:
            await ws.get_message()
        assert caught.value.reason.code == 1008
        assert "does not read" in caught.value.reason.reason


async def test_draining_says_goodbye(server, nursery, autojump_clock):
    silent = attach(server, nursery)
    async with good_client(server, nursery) as ws:
        await ws.get_message()
        nursery.start_soon(server.drain, "ws://b:7110/")
        with pytest.raises(ConnectionClosed) as caught:
            await ws.get_message()
        assert caught.value.reason.code == 1001
        said = caught.value.reason.reason
        assert said == "the server is shutting down; its peer is at ws://b:7110/"
        assert await refusal(server, nursery) == 503
    await trio.aclose_forcefully(silent)


async def test_cancelling_ends_everything(server, autojump_clock):
    async with trio.open_nursery() as nursery:
        stream = attach(server, nursery)
        async with trio.open_nursery() as inner:
            ws = await wrap_client_stream(inner, stream, "x", "/")
            await ws.get_message()
            nursery.cancel_scope.cancel()
            with pytest.raises(ConnectionClosed):
                await ws.get_message()
    assert server.connections == 0
    assert not server.hub.clients


async def test_over_real_sockets(nursery):
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    server = await nursery.start(ClientServer(new_hub()).run, listeners)
    port = listeners[0].socket.getsockname()[1]
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with trio.open_nursery() as inner:
        ws = await wrap_client_stream(inner, stream, "x", "/")
        assert json.loads(await ws.get_message())["role"] == "primary"
        [client] = server.clients
        assert "127.0.0.1" in client.name
        server.hub.apply("ts1", [EventServerConnected(switch="sw1")], server.hub.clock.now_ms())
        await ws.aclose()
    nursery.cancel_scope.cancel()


async def connect(nursery, port, receive_bytes=None):
    """A client over a real socket; with a small buffer for one that is going to read slowly."""
    sock = trio.socket.socket()
    if receive_bytes is not None:
        sock.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, receive_bytes)
    await sock.connect(("127.0.0.1", port))
    ws = await wrap_client_stream(nursery, trio.SocketStream(sock), "x", "/")
    await ws.get_message()
    return ws


async def values_until(ws, is_enough):
    """All values that come."""
    found = []
    while not is_enough(found):
        events = json.loads(await ws.get_message())
        events = events if isinstance(events, list) else [events]
        found += [event["value"] for event in events if event["event"] == "Info"]
    return found


async def test_who_reads_slowly_gets_fewer_values_and_the_last_one(nursery):
    """Over real sockets, where values are pushed until one of them does not fit."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    listeners[0].socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_SNDBUF, 4096)
    port = listeners[0].socket.getsockname()[1]
    server = await nursery.start(ClientServer(new_hub()).run, listeners)
    hub, count = server.hub, 300
    slow = await connect(nursery, port, 4096)
    quick = await connect(nursery, port)
    for ws in (slow, quick):
        for reference in range(20):  # a frame of two kilobytes for each event
            await ws.send_message(json.dumps({**OPEN, "referenceId": reference}))
    with trio.fail_after(30):
        for ws in (slow, quick):
            await values_until(ws, lambda found: len(found) == 20)
        for number in range(1, count + 1):
            log_in(hub, dn=str(7000 + number))
            await values_until(quick, ([number] * 20).__eq__)
        got = await values_until(slow, lambda found: found[-20:] == [count] * 20)
    assert got == sorted(got)
    assert len(got) < 20 * count
    assert server.connections == 2
    for ws in (slow, quick):
        await ws.aclose()
    nursery.cancel_scope.cancel()


def test_whatever_bytes_arrive():
    """Frames made of chance: the server ends the connection or not, and never fails."""

    @given(st.lists(FRAME_BYTES, max_size=12), st.booleans())
    @settings(max_examples=150, deadline=None)
    def story(pieces, shakes_hands):
        trio.run(_told, pieces, shakes_hands, clock=trio.testing.MockClock(autojump_threshold=0))

    async def _told(pieces, shakes_hands):
        server = ClientServer(new_hub())
        async with trio.open_nursery() as nursery:
            bad = attach(server, nursery)
            nursery.start_soon(drain, bad)
            head = HEAD + b"\r\n" if shakes_hands else b""
            for piece in [head, *pieces]:
                await misbehave(bad, piece, False)
            await wait_all_tasks_blocked()
            await trio.aclose_forcefully(bad)
        assert server.connections == 0
        assert not server.hub.engine.statistics

    story()


FRAME_BYTES = st.one_of(
    st.binary(max_size=200),
    st.builds(masked, st.integers(0, 15), st.binary(max_size=200), st.booleans()),
    st.builds(masked, st.just(1), st.just(json.dumps(OPEN).encode())),
    st.sampled_from([HEAD, b"\r\n", b"GET / HTTP/1.1\r\n", b"\r\n\r\n", b"Host: \xff\r\n"]),
)


@pytest.mark.parametrize("peer", [None, "", f"ws://{'a' * 80}:7110/", f"ws://{'ä' * 40}:7110/"])
def test_an_address_that_does_not_fit_is_not_cut_in_two(peer):
    assert goodbye(peer) == "the server is shutting down"
