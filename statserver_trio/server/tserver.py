"""Serve the simulated contact centre as a T-Server, to any number of clients.

One task lets the contact centre live at the pace of the clock and publishes what
happened in small batches; each connection is a nursery with a reader and a
writer around a :class:`~.simulator.feed_server.FeedServerSession`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import trio

from ..machine import Disconnect, Disconnected
from ..simulator.contact_centre import ContactCentre
from ..simulator.feed_server import Feed, FeedServerSession, Published
from ..simulator.settings import SWITCH
from ..tlib.codec import Decoder
from .clock import Clock
from .supervisor import THE_WORLD, causes

log = logging.getLogger(__name__)

TICK = 0.05  # seconds between two batches of events, at least
PIECE_BYTES = 64 * 1024  # read from a client at a time
BATCH_EVENTS_MAX = 5_000  # published in one go, so that a stalled process catches up in pieces
DRAIN_SECONDS = 5.0  # for the clients to read the last events, where their number is limited
CLIENTS_MAX = 1_000  # connected at once; a further one is closed at once


class TServer:
    """A T-Server for a contact centre.

    Args:
        centre: Where the events come from; its clock must be ``clock``'s.
        clock: The pace.
        switch: The name of the switch.
    """

    def __init__(self, centre: ContactCentre, clock: Clock, switch: str = SWITCH) -> None:
        self.feed = Feed(switch, list(centre.dns), centre.snapshot)
        self._centre = centre
        self._clock = clock
        self._clients: dict[_Client, None] = {}

    async def pace(self, events: int | None = None) -> None:
        """Publish events as their time comes; return after ``events`` of them."""
        while events is None or self.feed.position < events:
            due = self._clock.deadline(self._centre.next_time())
            await trio.sleep_until(max(due, trio.current_time() + TICK))
            left = BATCH_EVENTS_MAX if events is None else events - self.feed.position
            batch = self._centre.advance(self._clock.now(), min(left, BATCH_EVENTS_MAX))
            if batch:
                self.feed.publish(batch)
                for client in list(self._clients):
                    client.tell(Published())

    async def handle(self, stream: trio.abc.Stream) -> None:
        """Serve one client until it leaves."""
        if len(self._clients) >= CLIENTS_MAX:
            log.warning("more than %d clients: turning one away", CLIENTS_MAX)
            await trio.aclose_forcefully(stream)
            return
        client = _Client(FeedServerSession(self.feed))
        self._clients[client] = None
        try:
            await client.run(stream)
        finally:
            del self._clients[client]

    async def drain(self) -> None:
        """Wait until the clients have been sent everything, but not for ever."""
        with trio.move_on_after(DRAIN_SECONDS):
            for client in list(self._clients):
                await client.sent.wait()


class _Client:
    """One connection.

    Attributes:
        sent: Set while the client has been sent everything.
    """

    def __init__(self, session: FeedServerSession) -> None:
        self.sent = trio.Event()
        self.sent.set()
        self._session = session
        self._scope = trio.CancelScope()
        self._more = trio.Event()

    def tell(self, event: object) -> None:
        for action in self._session.handle_event(event, trio.current_time()):
            assert isinstance(action, Disconnect)
            log.info("closing client %s: %s", self._session.application, action.reason)
            self._scope.cancel()
        if self._session.outgoing:
            if self.sent.is_set():
                self.sent = trio.Event()
            self._more.set()

    async def run(self, stream: trio.abc.Stream) -> None:
        reason = "left"
        try:
            async with stream, trio.open_nursery() as nursery:
                self._scope = nursery.cancel_scope
                nursery.start_soon(self._write, stream)
                await self._read(stream)
                self._scope.cancel()
        except* THE_WORLD as group:
            reason = causes(group)
        finally:
            self._session.handle_event(Disconnected(), trio.current_time())
            self.sent.set()
        log.info("client %s: %s", self._session.application, reason)

    async def _read(self, stream: trio.abc.Stream) -> None:
        decoder = Decoder()
        while data := await stream.receive_some(PIECE_BYTES):
            for message in decoder.feed(data):
                if self._scope.cancel_called:
                    return
                self.tell(message)

    async def _write(self, stream: trio.abc.Stream) -> None:
        while True:
            await self._more.wait()
            self._more = trio.Event()
            await stream.send_all(self._session.take())
            if not self._session.outgoing:
                self.sent.set()


async def serve_tserver(
    make_centre: Callable[[float], ContactCentre],
    listeners: Sequence[trio.SocketListener],
    events: int | None = None,
) -> None:
    """Serve a contact centre that opens now, and close the listeners at the end.

    Args:
        make_centre: Given the time at which it opens, in Unix seconds.
        listeners: From ``trio.open_tcp_listeners``; it is there that a busy port shows.
        events: Stop after that many; None goes on until cancelled.
    """
    clock = Clock.system()
    server = TServer(make_centre(clock.now()), clock)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, server.handle, list(listeners))
        await server.pace(events)
        await server.drain()
        nursery.cancel_scope.cancel()
