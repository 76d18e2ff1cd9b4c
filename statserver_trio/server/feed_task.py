"""One task per T-Server: keep a feed session going, whatever happens to the link.

    stream --> reader --Decoder--> FeedSession --Deliver--> sink
                                      |   ^
    stream <-- writer <----Send-------+   +-- alarm (the session's next deadline)

One connection is one nursery. Whoever notices its end first cancels it, the
stream is closed, and only then is the session told. What was applied outlives
the connection for ``loss_timeout`` seconds: a feed that is back by then goes on
where it stopped, and nobody above notices.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Protocol

import trio
from attrs import field, frozen
from attrs.validators import ge, gt

from ..machine import Connected, Disconnect, Disconnected, Send
from ..tlib.codec import Decoder, encode
from ..tlib.events import TEvent, Unhandled
from ..tlib.registration import FeedSession
from ..tlib.registration_words import (
    Began,
    Deliver,
    Described,
    Expired,
    Gap,
    Lost,
    Memory,
    Received,
    Resumed,
    Skipped,
    SnapshotsFollow,
)
from .clock import Clock
from .supervisor import THE_WORLD, causes

log = logging.getLogger(__name__)

PIECE_BYTES = 64 * 1024  # read at a time; between two pieces the other tasks get their turn
OUTBOX_CHUNKS_MAX = 64  # not taken by the feed; one more and the connection is closed

OpenStream = Callable[[], Awaitable[trio.abc.Stream]]


class Sink(Protocol):
    """Who wants the events. Its methods return at once and do not fail."""

    def apply(self, source_name: str, events: list[TEvent | Unhandled], now_ms: int) -> None:
        """Apply events that arrived at ``now_ms`` (Unix milliseconds)."""

    def source_connected(self, name: str, resumed: bool, position: int | None) -> None:
        """Registered; ``resumed`` says that nothing was missed.

        Else snapshots follow, of what is after the event of that position.
        """

    def snapshots_follow(self, name: str) -> None:
        """Positions were missing, so all snapshots are asked for anew; only if ``marks`` is set."""

    def source_described(self, name: str) -> None:
        """All snapshots that were asked for have been applied; only if ``marks`` is set."""

    def source_lost(self, name: str, reason: str) -> None:
        """A connection that was registered is gone. Nothing has been applied for it yet."""

    def source_given_up(self, name: str, now_ms: int) -> None:
        """What was known of the source does not hold any more.

        It was away for ``loss_timeout``, or is back and events were missed; in that case
        :meth:`source_connected` follows.
        """


@frozen(kw_only=True)
class FeedOptions:
    """Where the feed is and how it is treated; times in seconds.

    Attributes:
        name: The source's name, for the sink and the log.
        dns, marks: See :class:`~.tlib.registration.FeedSession`.
        keepalive: Of silence; 0 switches it off.
        redial: Between the beginnings of two attempts to connect.
        connect_timeout: For the connection and its TLS handshake.
        loss_timeout: Without a registered connection until the source is given up; ``inf``
            where somebody else decides that.
    """

    name: str
    host: str = "127.0.0.1"
    port: int = 7200
    application: str = "statserver"
    switch: str = ""
    dns: Sequence[str] | None = None
    marks: bool = False
    keepalive: float = field(default=10.0, validator=ge(0))
    redial: float = field(default=3.0, validator=gt(0))
    connect_timeout: float = field(default=5.0, validator=gt(0))
    loss_timeout: float = field(default=5.0, validator=ge(0))
    ssl_context: ssl.SSLContext | None = None


async def open_stream(options: FeedOptions) -> trio.abc.Stream:
    """Connect to the feed, TLS handshake included.

    Raises:
        OSError, trio.BrokenResourceError: It cannot be reached or trusted.
    """
    context = options.ssl_context
    if context is None:
        return await trio.open_tcp_stream(options.host, options.port)
    stream = await trio.open_ssl_over_tcp_stream(
        options.host, options.port, ssl_context=context, https_compatible=True
    )
    try:
        await stream.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream


class FeedTask:
    """The task.

    Args:
        options: Which feed.
        sink: Who wants its events.
        clock: What time it is when they arrive.
        opener: How to get a stream; :func:`open_stream` unless a test knows better.
        on_gap: Told the positions around a hole in the stream.

    Attributes:
        session: For the status page: positions, duplicates, gaps, bad lines.
        connected: Registered at the moment.
    """

    def __init__(
        self,
        options: FeedOptions,
        sink: Sink,
        clock: Clock,
        opener: OpenStream | None = None,
        on_gap: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.options = options
        self.session = FeedSession(
            application=options.application,
            switch=options.switch,
            dns=options.dns,
            keepalive=options.keepalive,
            marks=options.marks,
        )
        self.connected = False
        self._sink = sink
        self._clock = clock
        self._opener = opener or self._open
        self._on_gap = on_gap
        self._lost_at = -inf  # Trio time at which it was connected last
        self._expires_at = inf  # Trio time at which what was applied is given up
        self._dialled_at = -inf
        self._mourned = False  # the log knows that nobody answers
        self._reason = ""
        self._connection = trio.CancelScope()
        self._alarm = trio.CancelScope()
        self._outbox: trio.MemorySendChannel[bytes]

    def remember(self, memory: Memory) -> None:
        """Go on as if our process had only lost the connection; before :meth:`run`."""
        self.session.remember(memory)
        self._expires_at = trio.current_time() + self.options.loss_timeout

    def last_connected(self) -> float | None:
        """Seconds since we last were, for the status page; none if never since the start."""
        if self.connected:
            return 0.0
        return None if self._lost_at == -inf else self._clock.monotonic() - self._lost_at

    async def run(self) -> None:
        """Stay with the feed until cancelled; raise only what is a bug."""
        while True:
            stream: trio.abc.Stream | None = None
            with trio.CancelScope(deadline=self._expires_at):
                stream = await self._next_stream()
            if stream is None:
                self._expire()
            else:
                await self._stay(stream)

    # -- between connections ------------------------------------------------------------

    async def _next_stream(self) -> trio.abc.Stream:
        """Dial until somebody answers, one attempt per ``redial`` seconds."""
        while True:
            await trio.sleep_until(self._dialled_at + self.options.redial)
            self._dialled_at = self._clock.monotonic()
            try:
                with trio.fail_after(self.options.connect_timeout):
                    return await self._opener()
            except THE_WORLD as error:
                if not self._mourned:
                    self._mourned = True
                    log.warning("feed %s cannot be reached: %s", self.options.name, causes(error))

    async def _open(self) -> trio.abc.Stream:
        return await open_stream(self.options)

    def _expire(self) -> None:
        """The feed stayed away: what it told us no longer holds."""
        log.warning("feed %s is away for too long: giving up its objects", self.options.name)
        self._expires_at = inf
        self.session.handle_event(Expired(), self._clock.monotonic())
        self._sink.source_given_up(self.options.name, self._clock.now_ms())

    # -- one connection -----------------------------------------------------------------

    async def _stay(self, stream: trio.abc.Stream) -> None:
        """Live through one connection."""
        self._mourned = False
        self._reason = "closed by the feed"
        send, receive = trio.open_memory_channel[bytes](OUTBOX_CHUNKS_MAX)
        self._outbox = send
        try:
            async with stream, trio.open_nursery() as nursery:
                self._connection = nursery.cancel_scope
                nursery.start_soon(self._write, stream, receive)
                nursery.start_soon(self._watch)
                self._tell(Connected())
                await self._read(stream)
                self._connection.cancel()
        except* THE_WORLD as group:
            self._reason = causes(group)
        finally:
            send.close()
            receive.close()
            self._gone()

    def _gone(self) -> None:
        self.session.handle_event(Disconnected(), self._clock.monotonic())
        log.info("feed %s disconnected: %s", self.options.name, self._reason)
        if self.connected:
            self.connected = False
            self._lost_at = self._clock.monotonic()
            self._expires_at = self._lost_at + self.options.loss_timeout
            self._sink.source_lost(self.options.name, self._reason)

    async def _read(self, stream: trio.abc.Stream) -> None:
        decoder = Decoder()
        while data := await stream.receive_some(PIECE_BYTES):
            # A cancelled task that has its data already is not stopped until it waits.
            if self._connection.cancel_called:
                return
            self._tell(Received(decoder.feed(data)))

    async def _write(
        self, stream: trio.abc.Stream, outbox: trio.MemoryReceiveChannel[bytes]
    ) -> None:
        async for data in outbox:
            await stream.send_all(data)

    async def _watch(self) -> None:
        """Wake the session at its deadline, wherever that moves."""
        while True:
            with trio.CancelScope(deadline=self.session.next_deadline()) as self._alarm:
                await trio.sleep_forever()
            self._perform(self.session.handle_timer(self._clock.monotonic()))

    def _tell(self, event: object) -> None:
        self._perform(self.session.handle_event(event, self._clock.monotonic()))
        self._alarm.deadline = self.session.next_deadline()

    # -- what the session wants done ----------------------------------------------------

    def _perform(self, actions: list[object]) -> None:
        name, now_ms = self.options.name, self._clock.now_ms()
        requests: list[bytes] = []
        for action in actions:
            match action:
                case Deliver(events):
                    self._sink.apply(name, events, now_ms)
                case Send(message):
                    requests.append(encode(message))
                case Began() | Lost() | Resumed():
                    self._registered(action)
                case SnapshotsFollow():
                    self._sink.snapshots_follow(name)
                case Described():
                    self._sink.source_described(name)
                case Disconnect(reason):
                    self._hang_up(reason)
                case Gap(after, first):
                    self._gap(after, first)
                case Skipped(kind, text):
                    log.warning("feed %s: skipping lines: %s: %s", name, kind, text)
                case _:
                    raise AssertionError(f"not an action of a feed session: {action!r}")
        if requests:
            self._send(b"".join(requests))

    def _registered(self, outcome: Began | Lost | Resumed) -> None:
        if isinstance(outcome, Lost):
            self._sink.source_given_up(self.options.name, self._clock.now_ms())
        self._expires_at = inf
        self.connected = True
        resumed = isinstance(outcome, Resumed)
        log.info("feed %s connected%s", self.options.name, ", nothing missed" if resumed else "")
        self._sink.source_connected(self.options.name, resumed, outcome.position)

    def _gap(self, after: int, first: int) -> None:
        log.warning("feed %s: no events between %d and %d", self.options.name, after, first)
        if self._on_gap is not None:
            self._on_gap(self.options.name, after, first)

    def _send(self, data: bytes) -> None:
        try:
            self._outbox.send_nowait(data)
        except trio.WouldBlock:
            self._hang_up("the feed does not read our requests")

    def _hang_up(self, reason: str) -> None:
        self._reason = reason
        self._connection.cancel()
