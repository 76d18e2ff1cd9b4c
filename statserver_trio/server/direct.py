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
from collections.abc import Callable

import trio

from .sockets import plain_socket_of

TEXT = 0x81  # the only, or last, frame of a text message
SHORT, MEDIUM = 126, 127  # lengths that say how many bytes the real length has
CLIENTS_AT_A_TIME = 50  # written to, about a millisecond; then the other tasks get their turn


def text_frame(text: bytes) -> bytes:
    """A message of a server as one frame, as the RFC 6455 (section 5.2) has it."""
    size = len(text)
    if size < SHORT:
        return bytes((TEXT, size)) + text
    if size < 1 << 16:
        return bytes((TEXT, SHORT)) + size.to_bytes(2, "big") + text
    return bytes((TEXT, MEDIUM)) + size.to_bytes(8, "big") + text


class DirectStream(trio.abc.Stream):
    """A stream to which can also be written without waiting, where a plain socket is below it."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._socket = plain_socket_of(stream)
        self._lock = trio.Lock()
        self._rest = b""  # of a frame that the system has not taken whole

    @property
    def is_free(self) -> bool:
        """Whether :meth:`send_now` may be called: nobody is in the middle of something."""
        return self._socket is not None and not self._rest and not self._lock.locked()

    def send_now(self, data: bytes) -> None:
        """Send at once; what the system does not take of it goes with :meth:`flush`."""
        assert self._socket is not None
        assert self.is_free
        try:
            sent = os.write(self._socket.fileno(), data)
        except OSError:  # no room; or a broken connection, which whoever flushes will hear of
            sent = 0
        self._rest = data[sent:]

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
        async with self._lock:
            await self._stream.send_all(self._rest + bytes(data) if self._rest else data)
            self._rest = b""

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until something can be sent."""
        async with self._lock:
            await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close."""
        self._socket = None
        await self._stream.aclose()


class Flusher:
    """Writes to all clients for whom there is something, a few at a time."""

    def __init__(self) -> None:
        self._waiting: dict[Callable[[], None], None] = {}
        self._more = trio.Event()

    def wants(self, push: Callable[[], None]) -> None:
        """There is something for a client: call this soon, which returns at once."""
        self._waiting[push] = None
        self._more.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._more.wait()
            self._more = trio.Event()
            while self._waiting:
                for push in list(self._waiting)[:CLIENTS_AT_A_TIME]:
                    del self._waiting[push]
                    push()
                await trio.lowlevel.checkpoint()
