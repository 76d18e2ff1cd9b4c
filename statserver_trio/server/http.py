"""A small, strict HTTP/1.1 server for operators and probes; no framework.

    stream --> head, 5 s --> body, 64 KiB --> route --> handler --> response --+
      ^                                                                        |
      +------------------ keep-alive, until 60 s of silence -------------------+

One connection is one task of the listeners' nursery; it ends with its stream closed. What
a peer sends ends at most that connection: h11 reads heads, and what it refuses, or what
is longer than the limits below, is answered with a status and the connection closed. A
handler that breaks is answered with 500 and logged with its traceback: the statistics
must not go down with a page about them (our decision).

A route may take over a connection instead (a WebSocket upgrade): it is handed the
stream with everything that was read from it put back, see :class:`Takeover`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

import h11
import msgspec
import trio
from attrs import evolve, field, frozen
from attrs.validators import ge, gt

from .rewound import RewoundStream
from .sockets import peer_name
from .supervisor import THE_WORLD, causes

log = logging.getLogger(__name__)

HEAD_BYTES_MAX = 64 * 1024  # of a head that is not complete yet; beyond: 431, closed
BODY_BYTES_MAX = 64 * 1024  # of a request; beyond: 413, closed
RECEIVE_BYTES = 16 * 1024  # read at a time
TURNED_AWAY_MAX = 20  # told so (503) at the same time; beyond, closed without a word
LINGER_BYTES_MAX = 1024 * 1024  # read and thrown away after a refusal, so that it arrives
LINGER_SECONDS = 1.0  # likewise; then the connection is cut

JSON = "application/json"
SECURITY_HEADERS = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))

# What the libraries raise because of what a peer did.
FOREIGN = (*THE_WORLD, h11.ProtocolError, trio.ClosedResourceError)


@frozen
class Request:
    """A request, its body read.

    Attributes:
        path, query: Of the target, as they were sent: nothing is decoded.
        headers: Names in lower case.
    """

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """A header's value, its repetitions joined with commas; empty if it is not there."""
        return ", ".join(value for key, value in self.headers if key == name.lower())


@frozen
class Response:
    """What is answered."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


def text_response(text: str, status: int = 200) -> Response:
    """A line of text."""
    return Response(status, text.encode() + b"\n")


def json_response(value: Any, status: int = 200) -> Response:
    """A value as JSON; attrs classes are objects."""
    return Response(status, msgspec.json.encode(value), JSON)


Handler = Callable[[Request], Awaitable[Response]]
# Given the request (without a body) and the stream from which it can be read again. It may raise
# Refused as long as it has not touched the stream.
Takeover = Callable[[Request, trio.abc.Stream], Awaitable[None]]


class Refused(Exception):
    """A request that is not served, and why."""

    def __init__(self, status: int, why: str, *headers: tuple[str, str]) -> None:
        super().__init__(why)
        self.response = Response(status, why.encode() + b"\n", headers=headers)


class Routes:
    """Which handler answers what.

    Args:
        table: (method, path) to handler. A path that ends with ``*`` is a prefix; an
            exact path comes first, then the longest prefix. GET serves HEAD as well.
        takeovers: Paths at which a request with ``Upgrade`` takes the connection over.
    """

    def __init__(
        self,
        table: Mapping[tuple[str, str], Handler],
        takeovers: Mapping[str, Takeover] | None = None,
    ) -> None:
        self.takeovers = dict(takeovers or {})
        self._by_path: dict[str, dict[str, Handler]] = {}
        for (method, path), handler in table.items():
            self._by_path.setdefault(path, {})[method] = handler

    def find(self, method: str, path: str) -> Handler:
        """The handler of a request.

        Raises:
            Refused: 404 for an unknown path, 405 for another method, with those allowed.
        """
        methods = self._methods(path)
        if methods is None:
            raise Refused(404, f"nothing at {path}")
        handler = methods.get("GET" if method == "HEAD" else method)
        if handler is None:
            allowed = ", ".join(_allowed(methods))
            raise Refused(405, f"{method} is not for {path}; {allowed} is", ("Allow", allowed))
        return handler

    def _methods(self, path: str) -> dict[str, Handler] | None:
        if path in self._by_path:
            return self._by_path[path]
        prefixes = [p for p in self._by_path if p.endswith("*") and path.startswith(p[:-1])]
        return self._by_path[max(prefixes, key=len)] if prefixes else None


def _allowed(methods: Iterable[str]) -> list[str]:
    return sorted({*methods, *(("HEAD",) if "GET" in methods else ())})


@frozen(kw_only=True)
class HttpOptions:
    """How connections are treated; times in seconds.

    Attributes:
        connections_max: At once; a further one is turned away with 503. A wallboard keeps one.
        head_timeout: From the connection, or the first byte of a later request, to the end
            of its head; likewise for its body, TLS handshake included.
        idle_timeout: Of silence between two requests.
        send_timeout: For a response to be taken.
    """

    connections_max: int = field(default=500, validator=ge(1))
    head_timeout: float = field(default=5.0, validator=gt(0))
    idle_timeout: float = field(default=60.0, validator=gt(0))
    send_timeout: float = field(default=10.0, validator=gt(0))


class HttpServer:
    """Serves routes.

    Attributes:
        connections: At the moment.
        requests, refused, failed: Answered; of these with 400 and up; and connections
            that ended otherwise than in order.
    """

    def __init__(self, routes: Routes, options: HttpOptions | None = None) -> None:
        self.routes = routes
        self.options = options or HttpOptions()
        self.connections = 0
        self.requests = self.refused = self.failed = 0

    async def handle(self, stream: trio.abc.Stream) -> None:
        """Serve one connection until it ends; the stream is closed then."""
        if self.connections >= self.options.connections_max + TURNED_AWAY_MAX:
            await trio.aclose_forcefully(stream)
            return
        self.connections += 1
        has_place = self.connections <= self.options.connections_max
        try:
            await _Connection(self, stream).run(has_place)
        except* FOREIGN as group:
            self.failed += 1
            log.debug("connection of %s: %s", peer_name(stream), causes(group))
        finally:
            self.connections -= 1
            await trio.aclose_forcefully(stream)


class _Connection:
    """One connection: an h11 state machine, and the stream it speaks through."""

    def __init__(self, server: HttpServer, stream: trio.abc.Stream) -> None:
        self._server = server
        self._options = server.options
        self._stream = stream
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
        self._first_bytes: bytearray | None = bytearray()  # until the first head is through
        self._method = b""  # of the request that is being answered

    async def run(self, has_place: bool) -> None:
        """Answer requests, one after the other."""
        try:
            while (head := await self._head()) is not None:
                self._method = head.method
                if not has_place:
                    raise Refused(503, "too many connections; try again later")
                request = _read_head(head)
                if await self._taken_over(request):
                    return
                request = evolve(request, body=await self._body())
                await self._send(await self._answer(request))
                if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
                    return
                self._h11.start_next_cycle()
        except Refused as error:
            await self._refuse(error.response)
        except h11.RemoteProtocolError as error:
            await self._refuse(text_response(str(error), error.error_status_hint))

    async def _taken_over(self, request: Request) -> bool:
        """Let a route have the connection; only its first request can ask for that."""
        taker = self._server.routes.takeovers.get(request.path)
        first_bytes, self._first_bytes = self._first_bytes, None
        if taker is None or first_bytes is None or not request.header("upgrade"):
            return False
        self._server.connections -= 1  # it is counted where it goes
        try:
            await taker(request, RewoundStream(self._stream, bytes(first_bytes)))
        finally:
            self._server.connections += 1
        return True

    # -- reading -----------------------------------------------------------------------------

    async def _head(self) -> h11.Request | None:
        """The next request's head; None when there will be none."""
        is_first = self._first_bytes is not None
        began = bool(self._h11.trailing_data[0])
        if not is_first and not began:
            with trio.move_on_after(self._options.idle_timeout):
                began = await self._receive()
            if not began:
                return None
        with trio.move_on_after(self._options.head_timeout):
            while (event := self._h11.next_event()) is h11.NEED_DATA:
                began = await self._receive() or began
            return event if isinstance(event, h11.Request) else None  # else: closed
        if began:
            raise Refused(408, f"no complete head within {self._options.head_timeout:g} s")
        return None

    async def _body(self) -> bytes:
        body = bytearray()
        with trio.move_on_after(self._options.head_timeout):
            while True:
                if self._h11.they_are_waiting_for_100_continue:
                    await self._write(h11.InformationalResponse(status_code=100, headers=[]))
                event = self._h11.next_event()
                if event is h11.NEED_DATA:
                    await self._receive()
                elif isinstance(event, h11.Data):
                    body += event.data
                    if len(body) > BODY_BYTES_MAX:
                        raise Refused(413, f"a body has at most {BODY_BYTES_MAX} bytes")
                else:
                    assert isinstance(event, h11.EndOfMessage), event
                    return bytes(body)
        raise Refused(408, f"no complete body within {self._options.head_timeout:g} s")

    async def _receive(self) -> bool:
        """Take in what has arrived; False at the end of the stream."""
        data = bytes(await self._stream.receive_some(RECEIVE_BYTES))
        if self._first_bytes is not None:
            self._first_bytes += data
        self._h11.receive_data(data)
        return bool(data)

    # -- answering ---------------------------------------------------------------------------

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._server.routes.find(request.method, request.path)(request)
        except Refused as error:
            return error.response
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return text_response("this page has failed; the log says how", 500)

    async def _refuse(self, response: Response) -> None:
        """Say why, if that can be said, so that it arrives, and no more."""
        if self._h11.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        await self._send(evolve(response, headers=(*response.headers, ("Connection", "close"))))
        if isinstance(self._stream, trio.abc.HalfCloseableStream):
            # A socket that is closed with something unread takes back what it sent.
            await self._stream.send_eof()
            left = LINGER_BYTES_MAX
            with trio.move_on_after(LINGER_SECONDS):
                while left > 0 and (data := await self._stream.receive_some(RECEIVE_BYTES)):
                    left -= len(data)

    async def _send(self, response: Response) -> None:
        self._server.requests += 1
        self._server.refused += response.status >= 400
        head = h11.Response(
            status_code=response.status,
            headers=_headers(response),
            reason=HTTPStatus(response.status).phrase.encode(),
        )
        body = b"" if self._method == b"HEAD" else response.body
        await self._write(head, h11.Data(data=body), h11.EndOfMessage())

    async def _write(self, *events: h11.Event) -> None:
        data = b"".join(self._h11.send(event) or b"" for event in events)
        with trio.fail_after(self._options.send_timeout):
            await self._stream.send_all(data)


def _headers(response: Response) -> list[tuple[str, str]]:
    """All of them; what a page says of itself goes before what is said of every page."""
    own = {name.lower() for name, _ in response.headers}
    headers = [("Date", formatdate(time.time(), usegmt=True))]
    if response.status != HTTPStatus.NOT_MODIFIED:  # which has no body, and no length
        headers.append(("Content-Type", response.content_type))
        headers.append(("Content-Length", str(len(response.body))))
    headers += [each for each in SECURITY_HEADERS if each[0].lower() not in own]
    return [*headers, *response.headers]


def _read_head(head: h11.Request) -> Request:
    """A head in our words.

    Raises:
        Refused: What h11 lets through and we do not.
    """
    headers = tuple((name.decode(), value.decode("latin-1")) for name, value in head.headers)
    names = {name for name, _ in headers}
    if head.http_version not in (b"1.0", b"1.1"):
        raise Refused(505, "HTTP/1.0 and HTTP/1.1 are spoken here")
    if not head.target.startswith(b"/"):
        raise Refused(400, "a target begins with /")
    if {"content-length", "transfer-encoding"} <= names:
        raise Refused(400, "Content-Length or Transfer-Encoding, and not both")
    path, _, query = head.target.decode().partition("?")
    return Request(head.method.decode(), path, query, headers)


async def serve_http(
    routes: Routes,
    listeners: Sequence[trio.abc.Listener[trio.abc.Stream]],
    options: HttpOptions | None = None,
    *,
    task_status: trio.TaskStatus[HttpServer] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve routes until cancelled, and close the listeners then.

    Args:
        task_status: Told the server, for its numbers.
    """
    server = HttpServer(routes, options)
    task_status.started(server)
    await trio.serve_listeners(server.handle, list(listeners))
