"""One task per client: a WebSocket, its session, and nothing left behind.

    socket --> guard --> trio-websocket --> reader --> hub.receive --> outbox
    socket <------------ trio-websocket <-- writer <------------------+

One client is one nursery. The library behind it is measured, not trusted: the
handshake has a deadline; values go out past it as long as the socket takes them
(:mod:`.direct`), else exactly one task writes; a send that takes too long
ends the connection for good, because a cancelled one corrupts the stream; and
whatever comes out of it because of what a peer sent ends that client alone.

A client that asks faster than it reads is not read from until it has caught up,
so the only outboxes that can overflow are those of clients that do not read.

A client may also come to the management listener, as a browser does: :meth:`ClientServer.adopt`
takes it in, into the nursery of the others, so that it is counted, and sent away, like them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

import h11
import trio
from attrs import field, frozen
from attrs.validators import ge, gt
from trio_websocket import (
    ConnectionClosed,
    HandshakeError,
    WebSocketConnection,
    WebSocketRequest,
    wrap_server_stream,
)
from wsproto.utilities import ProtocolError

from ..api.outbox import Outbox
from ..api.session import MESSAGE_BYTES_MAX
from .direct import DirectStream, Flusher
from .frame_guard import GuardedStream
from .http import Refused
from .hub import Hub, HubClient
from .origins import ANY, is_friend, why_not
from .sockets import keep_alive, peer_name
from .supervisor import THE_WORLD, causes

log = logging.getLogger(__name__)

SUBPROTOCOL = "statserver.v1"
PATHS = ("/", "/ws")
RECEIVE_BYTES = 64 * 1024  # read at a time; between two pieces the others get their turn
MESSAGES_QUEUED = 1  # read ahead by the library; the rest waits in the network
TURNED_AWAY_MAX = 100  # told so (503) at the same time; beyond, closed without a word
STATISTICS_GIVEN_UP = 500  # at a time, when a client has gone; then others get their turn

# What the libraries raise because of what a peer sent, garbage in a head included.
FOREIGN = (
    *THE_WORLD,
    ConnectionClosed,
    HandshakeError,
    ProtocolError,
    h11.ProtocolError,
    UnicodeError,
    trio.ClosedResourceError,
)
CLOSE_REASON_BYTES_MAX = 123  # what a close frame has room for (RFC 6455 §5.5)
NORMAL, GOING_AWAY, POLICY = 1000, 1001, 1008  # close codes, RFC 6455 §7.4.1


@frozen(kw_only=True)
class ClientOptions:
    """How clients are treated; times in seconds.

    Attributes:
        clients_max: Connected at once; a further one is turned away with HTTP 503.
        handshake_timeout: From the connection to the end of its handshake, TLS included.
        send_timeout: For one frame to be taken; a client that is slower is closed.
        close_timeout: For the closing handshake; then the connection is cut.
    """

    clients_max: int = field(default=5000, validator=ge(1))
    handshake_timeout: float = field(default=5.0, validator=gt(0))
    send_timeout: float = field(default=10.0, validator=gt(0))
    close_timeout: float = field(default=1.0, validator=gt(0))
    message_bytes_max: int = field(default=MESSAGE_BYTES_MAX, validator=ge(1))


class ClientServer:
    """Serves the clients of a hub.

    Args:
        friends: The origins of web pages that may come; see :mod:`.origins`.

    Attributes:
        connections: All of them, also those that are not through with the handshake.
        clients: Those that are.
        served, turned_away, failed: How many there have been.
        too_slow: Of those that failed, who did not take a frame in time.
    """

    def __init__(
        self,
        hub: Hub,
        options: ClientOptions | None = None,
        friends: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self.hub = hub
        self.friends = friends
        self.options = options or ClientOptions()
        self.connections = 0
        self.clients: dict[_Client, None] = {}
        self.served = self.turned_away = self.failed = self.too_slow = 0
        self.flusher = Flusher()
        self._places_taken = 0  # by those who may stay once they are through
        self._draining = False
        self._empty = trio.Event()
        self._begun = trio.Event()  # clients are served, or have been
        self._nursery: trio.Nursery | None = None  # of the clients, while they are served

    async def run(
        self,
        listeners: Sequence[trio.abc.Listener[trio.abc.Stream]],
        *,
        task_status: trio.TaskStatus[ClientServer] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve the hub's clients until cancelled, and close the listeners then.

        Args:
            listeners: TCP or TLS ones; it is when they are opened that a busy port shows.
        """
        async with trio.open_nursery() as self._nursery:
            try:
                self.hub.flush = self.flusher.wants
                self._nursery.start_soon(self.flusher.run)
                self._begun.set()
                task_status.started(self)
                if listeners:
                    await trio.serve_listeners(self.handle, list(listeners))
                await trio.sleep_forever()
            finally:
                self._nursery = None

    async def adopt(self, stream: trio.abc.Stream) -> None:
        """Serve a client who came to somebody else's listener; come back when it has left.

        Whoever comes before clients are served waits, as in the backlog of their own port, but
        no longer than a handshake may take.

        Raises:
            Refused: Clients are not served yet, or no more; the stream was not touched.
        """
        with trio.move_on_after(self.options.handshake_timeout):
            await self._begun.wait()
        if self._nursery is None:
            raise Refused(503, "clients are not served at the moment; try again later")
        has_left = trio.Event()

        async def live() -> None:
            try:
                await self.handle(stream, is_welcome=True)
            finally:
                has_left.set()

        self._nursery.start_soon(live)
        # The stream must not be closed under the client: its nursery decides when it goes.
        with trio.CancelScope(shield=True):
            await has_left.wait()

    async def handle(self, stream: trio.abc.Stream, is_welcome: bool = False) -> None:
        """Serve one client until it leaves; the stream is closed then.

        Args:
            is_welcome: Whoever accepted it has seen where its page is from, if it is one.
        """
        if self.connections >= self.options.clients_max + TURNED_AWAY_MAX:
            self.turned_away += 1
            await trio.aclose_forcefully(stream)
            return
        self.connections += 1
        has_place = self._places_taken < self.options.clients_max and not self._draining
        self._places_taken += has_place
        keep_alive(stream)
        client = _Client(self, stream)
        try:
            await client.run(has_place, is_welcome)
        finally:
            self.connections -= 1
            self._places_taken -= has_place
            if not self.connections:
                self._empty.set()

    async def drain(self, peer: str | None = None) -> None:
        """Send every client away, politely where that is possible; later ones get a 503.

        Args:
            peer: Where else they are served, for the reason of the close frame.
        """
        reason = goodbye(peer)
        self._draining = True
        for client in list(self.clients):
            client.dismiss(reason, GOING_AWAY)
        if self.connections:
            self._empty = trio.Event()
            with trio.move_on_after(2 * self.options.close_timeout):
                await self._empty.wait()


class _Client:
    """One connection."""

    def __init__(self, server: ClientServer, stream: trio.abc.Stream) -> None:
        self._server = server
        self._hub = server.hub
        self._options = server.options
        self._direct = DirectStream(stream)
        self._stream = GuardedStream(self._direct, self._ended)
        self._outbox = Outbox()  # the hub's, when it is known there
        self._handshake = trio.CancelScope()
        self._conversation = trio.CancelScope()
        self._more = trio.Event()  # something is in the outbox
        self._room = trio.Event()  # the outbox has been emptied
        self._sending = False
        self._reason = "left"
        self._code = NORMAL
        self.name = peer_name(stream)

    def dismiss(self, reason: str, code: int = POLICY) -> None:
        """Send the client away."""
        self._reason, self._code = reason, code
        self._direct.hold()
        self._conversation.cancel()

    def _ended(self) -> None:
        """Nothing more will be received; a handshake need not be waited for."""
        self._handshake.cancel()

    async def run(self, has_place: bool, is_welcome: bool) -> None:
        """Live through the connection."""
        try:
            async with trio.open_nursery() as nursery:
                ws = await self._shake_hands(nursery, has_place, is_welcome)
                if ws is not None:
                    await self._converse(ws)
                    await self._say_goodbye(ws)
                nursery.cancel_scope.cancel()
        except* FOREIGN as group:
            self._server.failed += 1
            self._reason = causes(group)
        finally:
            await trio.aclose_forcefully(self._direct)
        log.info("client %s: %s", self.name, self._stream.trick or self._reason)

    # -- the handshake -----------------------------------------------------------------------

    async def _shake_hands(
        self, nursery: trio.Nursery, has_place: bool, is_welcome: bool
    ) -> WebSocketConnection | None:
        """The connection, or None for one that was refused or did not come about in time."""
        self._reason = "no WebSocket handshake in time"
        self._handshake.deadline = trio.current_time() + self._options.handshake_timeout
        with self._handshake:
            request = await wrap_server_stream(
                nursery,
                self._stream,
                message_queue_size=MESSAGES_QUEUED,
                max_message_size=self._options.message_bytes_max,
                receive_buffer_size=RECEIVE_BYTES,
            )
            friends = (ANY,) if is_welcome else self._server.friends()
            refusal = _refusal(request, has_place, friends)
            if refusal is not None:
                await self._refuse(request, *refusal)
                return None
            offered = request.proposed_subprotocols
            ws = await request.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
            self._reason = "left"
            return ws
        self._server.failed += 1
        return None

    async def _refuse(self, request: WebSocketRequest, status: int, why: str) -> None:
        self._server.turned_away += 1
        self._reason = f"refused with {status}"
        headers = [(b"Content-Type", b"text/plain"), (b"Connection", b"close")]
        await request.reject(status, extra_headers=headers, body=f"{why}\n".encode())

    # -- the conversation --------------------------------------------------------------------

    async def _converse(self, ws: WebSocketConnection) -> None:
        """Read and write until either side has had enough."""
        server, hub = self._server, self._hub
        server.served += 1
        server.clients[self] = None
        push = self._direct.push if self._direct.has_socket else self._wake_writer
        client = hub.join(push, self.dismiss)
        self._outbox = client.outbox
        self._direct.serve(client.outbox, self._wake_writer)
        log.debug("client %s has come", self.name)
        try:
            async with trio.open_nursery() as nursery:
                self._conversation = nursery.cancel_scope
                nursery.start_soon(self._write, ws)
                await self._read(ws, client)
                self._conversation.cancel()
        finally:
            self._direct.hold()
            del server.clients[self]
            with trio.CancelScope(shield=True):  # it must be done, and ends by itself
                while hub.leave(client, STATISTICS_GIVEN_UP):
                    await trio.lowlevel.checkpoint()

    def _wake_writer(self) -> None:
        self._more.set()

    def _has_room(self) -> None:
        if not self._outbox.congested:
            self._room.set()
            self._room = trio.Event()

    async def _read(self, ws: WebSocketConnection, client: HubClient) -> None:
        while True:
            try:
                data = await ws.get_message()
            except ConnectionClosed:
                return
            # A cancelled task that has its message already is not stopped until it waits.
            if self._conversation.cancel_called:
                return
            self._hub.receive(client, data)
            while client.outbox.congested:
                self._wake_writer()  # who tells when there is room, also if it was pushed
                await self._room.wait()

    async def _write(self, ws: WebSocketConnection) -> None:
        """Send what has to be waited for; frames go out as fast as the client takes them."""
        while True:
            await self._more.wait()
            self._more = trio.Event()
            if self._conversation.cancel_called:  # do not begin what would be cut in two
                return
            while True:
                rest = self._direct.has_rest
                frame = b"" if rest else self._outbox.take()
                if not (rest or frame):
                    self._has_room()
                    break
                self._sending = True
                self._direct.hold()
                try:
                    with trio.fail_after(self._options.send_timeout):
                        if rest:
                            await self._direct.flush()
                        else:
                            await ws.send_message(frame.decode())
                except ConnectionClosed:
                    return  # the reader hears of it, too
                except trio.TooSlowError:
                    waited = self._options.send_timeout
                    self._server.too_slow += 1
                    raise trio.TooSlowError(f"took nothing for {waited:g} s") from None
                self._sending = False
                self._direct.release()
                self._has_room()

    async def _say_goodbye(self, ws: WebSocketConnection) -> None:
        """Close in order, unless a frame was cut in two: then nothing can be said any more."""
        if not (self._sending or self._direct.has_rest):
            with trio.move_on_after(self._options.close_timeout):
                reason = self._reason.encode()[:CLOSE_REASON_BYTES_MAX]
                await ws.aclose(self._code, reason.decode(errors="ignore"))


def goodbye(peer: str | None) -> str:
    """Why a server that stops closes; the last word is where to go instead, if there is room."""
    reason = "the server is shutting down"
    longer = f"{reason}; its peer is at {peer}"
    return longer if peer and len(longer.encode()) <= CLOSE_REASON_BYTES_MAX else reason


def _refusal(
    request: WebSocketRequest, has_place: bool, friends: Iterable[str]
) -> tuple[int, str] | None:
    """Status and reason for a client that may not stay."""
    if not has_place:
        return 503, "no place for another client"
    if request.path.partition("?")[0] not in PATHS:
        return 404, f"nothing here; clients connect to {PATHS[0]}"
    origin = dict(request.headers).get(b"origin", b"").decode("latin-1")
    if origin and not is_friend(origin, friends):
        return 403, why_not(origin)
    return None
