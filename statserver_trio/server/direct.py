"""Frames to clients without waiting, as long as the client takes them.

Nearly all values are told to clients whose sockets have room. To wake a task of the client for
each, which asks the library for a frame and awaits a send that does not block, costs several
times what the send itself does. So one task writes for all clients: it builds the frame, which
of a server is a header and the text, and hands it to the system at once. Where the system does
not take all of it, the rest and everything after it is the business of the client's own writer.

:class:`DirectStream` lies between the library and the socket and sees to it that nothing gets
between the two parts of a frame: neither a pong of the library nor its close.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from functools import lru_cache

import trio

from ..api.outbox import Outbox
from .sockets import plain_socket_of

TEXT = 0x81  # the only, or last, frame of a text message
SHORT, MEDIUM = 126, 127  # lengths that say how many bytes the real length has
NO_SOCKET = -1
CLOSE = b"\x88"  # what a close frame begins with
AT_A_TIME = 0.002  # seconds to write; then the other tasks get their turn
CLIENTS_AT_A_TIME = 25  # written to, a quarter of a millisecond; then a look at the clock


def text_frame(text: bytes) -> bytes:
    """A message of a server as one frame, as the RFC 6455 (section 5.2) has it."""
    return _header(len(text)) + text


@lru_cache(4096)
def _header(size: int) -> bytes:
    if size < SHORT:
        return bytes((TEXT, size))
    if size < 1 << 16:
        return bytes((TEXT, SHORT)) + size.to_bytes(2, "big")
    return bytes((TEXT, MEDIUM)) + size.to_bytes(8, "big")


class DirectStream(trio.abc.Stream):
    """A stream to which can also be written without waiting, where a plain socket is below it.

    Everything that one client costs when a value is told to thousands is in here: the fewer
    objects have to be looked at, the less has to come out of slow memory.

    Attributes:
        is_free: Whether there may be a :meth:`push`: nobody is in the middle of something, and
            no close frame was sent.
    """

    __slots__ = (
        "_blocked", "_descriptor", "_ended", "_held", "_lock", "_outbox", "_rest", "_stream",
        "is_free",
    )  # fmt: skip

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        socket = plain_socket_of(stream)
        self._descriptor = NO_SOCKET if socket is None else socket.fileno()
        self._lock = trio.Lock()
        self._rest = b""  # of a frame that the system has not taken whole
        self._held = True
        self._ended = False  # nothing can follow: a close frame, or half a frame that was given up
        self._outbox = Outbox()
        self._blocked: Callable[[], None] = _nobody
        self.is_free = False

    @property
    def has_socket(self) -> bool:
        """Whether it can ever be free."""
        return self._descriptor != NO_SOCKET

    def serve(self, outbox: Outbox, blocked: Callable[[], None]) -> None:
        """Push what is in an outbox from now on.

        Args:
            blocked: Called where it cannot be pushed, and somebody has to wait; returns at once.
        """
        self._outbox, self._blocked = outbox, blocked
        self.release()

    def push(self) -> None:
        """Send what waits as far as the system takes it; the rest goes with :meth:`flush`."""
        outbox = self._outbox
        while self.is_free:
            text = outbox.take()
            if not text:
                return
            data = _header(len(text)) + text  # as text_frame has it, without another call
            try:
                sent = os.write(self._descriptor, data)
            except OSError:  # no room; or a broken connection, which whoever flushes will hear of
                sent = 0
            if sent < len(data):
                self._rest = data[sent:]
                self.is_free = False
            elif outbox.is_plain and not outbox.tray:
                return
        self._blocked()

    def hold(self) -> None:
        """Let nothing be pushed until :meth:`release`."""
        self._held, self.is_free = True, False

    def release(self) -> None:
        """Whoever held it has sent what came first."""
        self._held = False
        self._look()

    def _look(self) -> None:
        """Find out whether it is free."""
        busy = self._rest or self._held or self._ended or self._lock.locked()
        self.is_free = self.has_socket and not busy

    @property
    def has_rest(self) -> bool:
        """Whether a frame was begun, and is not sent to its end."""
        return bool(self._rest)

    async def flush(self) -> None:
        """Wait until all of what was begun is sent."""
        if self._rest:
            await self.send_all(b"")

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receive."""
        return await self._stream.receive_some(max_bytes)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, behind what was begun."""
        self.is_free = False
        if data[:1] == CLOSE:
            self._ended = True
        try:
            async with self._lock:
                await self._stream.send_all(self._rest + bytes(data) if self._rest else data)
                self._rest = b""
        except BaseException:
            self._ended = True
            raise
        self._look()

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until something can be sent."""
        async with self._lock:
            await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close."""
        # Before it is closed: the next connection may get the same descriptor.
        self._descriptor, self.is_free = NO_SOCKET, False
        await self._stream.aclose()


class Flusher:
    """Pushes what is in outboxes, a few at a time."""

    def __init__(self) -> None:
        self._waiting: deque[Outbox] = deque()
        self._more = trio.Event()

    def wants(self, outboxes: list[Outbox]) -> None:
        """There is something in these: push it soon. Returns at once."""
        if outboxes:
            self._waiting += outboxes
            self._more.set()

    async def run(self) -> None:
        """Work until cancelled."""
        waiting = self._waiting
        while True:
            await self._more.wait()
            self._more = trio.Event()
            while waiting:
                until = trio.current_time() + AT_A_TIME
                while waiting and trio.current_time() < until:
                    for _ in range(min(CLIENTS_AT_A_TIME, len(waiting))):
                        push = waiting.popleft().push
                        push()
                await trio.lowlevel.checkpoint()


def _nobody() -> None:
    """Nobody waits."""
