"""The HTTP server, over streams in memory: strict, patient for a while, and never surprised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.server.http import (
    BODY_BYTES_MAX,
    HEAD_BYTES_MAX,
    TURNED_AWAY_MAX,
    HttpOptions,
    HttpServer,
    Request,
    Response,
    Routes,
    json_response,
    text_response,
)

HOST = "Host: here\r\n"


async def echo(request: Request) -> Response:
    return json_response(
        {"path": request.path, "query": request.query, "body": request.body.decode("latin-1")}
    )


async def longer(request: Request) -> Response:
    return text_response("the longer prefix")


async def broken(request: Request) -> Response:
    raise ZeroDivisionError


async def takeover(request: Request, stream: trio.abc.Stream) -> None:
    data = await stream.receive_some(10)
    data += await stream.receive_some()
    await stream.send_all(b"taken over: " + bytes(data))


ROUTES = Routes(
    {
        ("GET", "/echo"): echo,
        ("POST", "/echo"): echo,
        ("POST", "/orders/*"): echo,
        ("GET", "/orders/long/*"): longer,
        ("GET", "/broken"): broken,
        ("GET", "/socket"): echo,
    },
    {"/socket": takeover},
)


class Peer:
    """Somebody who is connected."""

    def __init__(self, nursery: trio.Nursery, server: HttpServer) -> None:
        self.stream, theirs = trio.testing.memory_stream_pair()
        self.ended = trio.Event()

        async def serve() -> None:
            await server.handle(theirs)
            self.ended.set()

        nursery.start_soon(serve)

    async def says(self, text: str | bytes) -> None:
        await self.stream.send_all(text.encode("latin-1") if isinstance(text, str) else text)

    async def hears(self) -> str:
        """Whatever there is now."""
        await trio.testing.wait_all_tasks_blocked()
        try:
            return bytes(await self.stream.receive_some()).decode("latin-1")
        except trio.BrokenResourceError:
            return ""

    async def asks(self, text: str | bytes) -> str:
        await self.says(text)
        return await self.hears()


Connect = Callable[..., Peer]


@pytest.fixture
async def connect(nursery: trio.Nursery) -> Connect:
    server = HttpServer(ROUTES)

    def connect(**options: Any) -> Peer:
        if options:
            server.options = HttpOptions(**options)
        return Peer(nursery, server)

    return connect


def status(answer: str) -> int:
    return int(answer.split(" ")[1])


async def test_requests_of_one_connection_are_answered_in_turn(connect: Connect) -> None:
    peer = connect()
    answer = await peer.asks(f"GET /echo?a=%20b HTTP/1.1\r\n{HOST}\r\n")
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert body == '{"path":"/echo","query":"a=%20b","body":""}'
    for line in (
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        "Date: ",
    ):
        assert line.lower() in head.lower()
    post = f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 3\r\n\r\nabc"
    assert '"body":"abc"' in await peer.asks(post)
    await peer.says(post + post[:40])  # two at once, the second one in pieces
    assert (await peer.hears()).count('"body":"abc"') == 1
    assert '"body":"abc"' in await peer.asks(post[40:])
    await peer.stream.send_eof()
    await peer.ended.wait()


CASES = [
    ("GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n", 404),
    ("DELETE /echo HTTP/1.1\r\nHost: h\r\n\r\n", 405),
    ("POST /orders/1 HTTP/1.1\r\nHost: h\r\n\r\n", 200),
    ("GET /orders/long/1 HTTP/1.1\r\nHost: h\r\n\r\n", 200),
    ("POST /orders/long/1 HTTP/1.1\r\nHost: h\r\n\r\n", 405),
    ("GET /broken HTTP/1.1\r\nHost: h\r\n\r\n", 500),
    ("GET /echo HTTP/1.1\r\n\r\n", 400),
    ("GET /echo HTTP/2.0\r\nHost: h\r\n\r\n", 505),
    ("GET /echo HTTP/1.0\r\n\r\n", 200),
    ("GET http://h/echo HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    ("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    ("GET /echo HTTP/1.1\r\nHost: h\r\nBad header\r\n\r\n", 400),
    ("GET /echo HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400),
    ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    (
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    ("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    (f"GET /echo HTTP/1.1\r\nHost: h\r\nA: {'a' * 2 * HEAD_BYTES_MAX}\r\n\r\n", 431),
    (
        f"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: {BODY_BYTES_MAX + 1}\r\n\r\n"
        + "b" * (BODY_BYTES_MAX + 1),
        413,
    ),
    ("GET /echo HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", 200),
]


@pytest.mark.parametrize(("request_text", "expected"), CASES, ids=range(len(CASES)))
async def test_every_request_has_its_status(
    connect: Connect, request_text: str, expected: int
) -> None:
    answer = await connect().asks(request_text)
    assert status(answer) == expected
    if expected == 405:
        assert "\r\nAllow: " in answer
    if expected >= 400 and expected not in (404, 405, 500):
        assert "\r\nconnection: close" in answer.lower()
    assert "Traceback" not in answer


async def test_what_is_allowed_is_said(connect: Connect) -> None:
    assert "Allow: GET, HEAD, POST\r\n" in await connect().asks(f"PUT /echo HTTP/1.1\r\n{HOST}\r\n")


@pytest.mark.parametrize("path", ["/echo", "/nowhere", "/broken"])
async def test_head_is_get_without_a_body(connect: Connect, path: str) -> None:
    peer = connect()
    with_body = await peer.asks(f"GET {path} HTTP/1.1\r\n{HOST}\r\n")
    without = await peer.asks(f"HEAD {path} HTTP/1.1\r\n{HOST}\r\n")
    size = len(with_body.partition("\r\n\r\n")[2])
    assert without.endswith("\r\n\r\n")
    assert f"content-length: {size}\r\n" in without.lower()
    assert "200" in await peer.asks(f"GET /echo HTTP/1.1\r\n{HOST}\r\n")


async def test_a_peer_that_waits_to_be_asked_for_the_body_is(connect: Connect) -> None:
    peer = connect()
    head = f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    assert (await peer.asks(head)).startswith("HTTP/1.1 100")
    assert '"body":"ab"' in await peer.asks("ab")


@pytest.mark.parametrize(
    ("said", "seconds", "expected"),
    [
        ("", 5, 0),
        ("GET /echo", 5, 408),
        (f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 9\r\n\r\nabc", 5, 408),
        (f"GET /echo HTTP/1.1\r\n{HOST}\r\n", 60, 200),
        (f"GET /echo HTTP/1.1\r\n{HOST}\r\nGET /echo", 5, 200),
    ],
)
async def test_nobody_is_waited_for_longer_than_that(
    connect: Connect, autojump_clock: Any, said: str, seconds: int, expected: int
) -> None:
    """At the limit the connection is closed, with a word if something was half said."""
    began = trio.current_time()
    peer = connect()
    if said:
        await peer.says(said)
    heard = b""
    async for data in peer.stream:
        heard += bytes(data)
    assert trio.current_time() - began == pytest.approx(seconds)
    assert (status(heard.decode()) if heard else 0) == expected


async def test_a_peer_that_does_not_read_is_left(nursery: trio.Nursery, mock_clock: Any) -> None:
    server = HttpServer(ROUTES, HttpOptions(send_timeout=3))
    ours, theirs = trio.testing.lockstep_stream_pair()
    nursery.start_soon(server.handle, theirs)
    await ours.send_all(f"GET /echo HTTP/1.1\r\n{HOST}\r\n".encode())
    await trio.testing.wait_all_tasks_blocked()
    mock_clock.jump(3.1)
    await trio.testing.wait_all_tasks_blocked()
    assert (server.connections, server.failed) == (0, 1)


async def test_too_many_connections(connect: Connect) -> None:
    request = f"GET /echo HTTP/1.1\r\n{HOST}\r\n"
    first = connect(connections_max=1)
    assert status(await first.asks(request)) == 200
    others = [connect() for _ in range(TURNED_AWAY_MAX)]
    await trio.testing.wait_all_tasks_blocked()
    silent = connect()
    assert await silent.hears() == ""
    assert status(await others[0].asks(request)) == 503
    await first.stream.aclose()
    for other in others:
        await other.stream.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert status(await connect().asks(request)) == 200


async def test_a_route_can_take_the_connection_over(connect: Connect) -> None:
    request = f"GET /socket HTTP/1.1\r\n{HOST}Upgrade: x\r\nConnection: upgrade\r\n\r\nand more"
    assert await connect().asks(request) == f"taken over: {request}"
    peer = connect()
    plain = f"GET /socket HTTP/1.1\r\n{HOST}\r\n"
    assert status(await peer.asks(plain)) == 200
    assert status(await peer.asks(request)) == 200  # too late: not its first request


async def test_a_broken_handler_is_logged(connect: Connect, caplog: Any) -> None:
    peer = connect()
    assert status(await peer.asks(f"GET /broken HTTP/1.1\r\n{HOST}\r\n")) == 500
    assert "ZeroDivisionError" in caplog.text
    assert status(await peer.asks(f"GET /echo HTTP/1.1\r\n{HOST}\r\n")) == 200


PIECES = st.sampled_from(
    [text.encode("latin-1")[:200] for text, _ in CASES]
    + [b"GET ", b"/echo", b" HTTP/1.1", b"\r\n", b"\r\n\r\n", b"Content-Length: 5", b": ", b"\0"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=30), max_size=12), st.booleans())
def test_whatever_a_peer_sends_is_answered_or_left(pieces: list[bytes], eof: bool) -> None:
    async def main() -> None:
        server = HttpServer(ROUTES)
        ours, theirs = trio.testing.memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.handle, theirs)
            try:
                for piece in pieces:
                    await ours.send_all(piece)
                    await trio.testing.wait_all_tasks_blocked()
                if eof:
                    await ours.send_eof()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
            answer = b""
            async for data in ours:
                answer += bytes(data)
        assert server.connections == 0
        assert answer[:5] in (b"", b"HTTP/")

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
