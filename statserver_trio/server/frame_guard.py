"""A guard between the network and the WebSocket library.

The library takes any number of fragments for one message, a hundred thousand
empty ones included, and keeps them all. The guard reads along: it looks at
frame headers only, and ends the connection when a message comes in too many
pieces. It also says when the peer has gone before the handshake is over, which
the library would wait out.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

FRAGMENTS_MAX = 1024  # of one message; one more and the connection ends

_HEAD_END = b"\r\n\r\n"
_CONTROL = 0x08  # opcodes from here on are pings and the like, never fragments
_SHORT_LENGTHS = {126: 2, 127: 8}  # how many bytes of length follow


class FrameMeter:
    """Counts the fragments of the message that is arriving. Bytes in, verdict out."""

    def __init__(self, fragments_max: int = FRAGMENTS_MAX) -> None:
        self._max = fragments_max
        self._fragments = 0
        self._tail = b""  # of the HTTP head, then of a frame's header
        self._in_head = True
        self._skip = 0  # bytes of payload that are still to come

    def feed(self, data: bytes) -> bool:
        """Whether all is well after these bytes."""
        data = self._tail + data
        self._tail = b""
        if self._in_head:
            end = data.find(_HEAD_END)
            if end < 0:
                self._tail = data[-len(_HEAD_END) + 1 :]
                return True
            self._in_head = False
            data = data[end + len(_HEAD_END) :]
        return self._frames(data)

    def _frames(self, data: bytes) -> bool:
        at = min(self._skip, len(data))
        self._skip -= at
        while at < len(data):
            header = _header(data, at)
            if header is None:
                self._tail = data[at:]
                return True
            size, payload = header
            if not self._count(data[at]):
                return False
            skip = min(payload, len(data) - at - size)
            self._skip = payload - skip
            at += size + skip
        return True

    def _count(self, first: int) -> bool:
        """Count one frame by its first byte."""
        if first & 0x0F >= _CONTROL:
            return True
        self._fragments += 1
        fine = self._fragments <= self._max
        if first & 0x80:  # the last one of its message
            self._fragments = 0
        return fine


def _header(data: bytes, at: int) -> tuple[int, int] | None:
    """Sizes of the header and the payload of a frame; None while the header is incomplete."""
    if len(data) < at + 2:
        return None
    short = data[at + 1] & 0x7F
    extra = _SHORT_LENGTHS.get(short, 0)
    size = 2 + extra + (4 if data[at + 1] & 0x80 else 0)
    if len(data) < at + size:
        return None
    return size, int.from_bytes(data[at + 2 : at + 2 + extra], "big") if extra else short


class GuardedStream(trio.abc.Stream):
    """A stream that breaks when its peer plays tricks.

    Args:
        on_end: Called when nothing more will be received; returns at once.

    Attributes:
        trick: What the peer did, where the guard ended the connection.
    """

    def __init__(self, stream: trio.abc.Stream, on_end: Callable[[], None]) -> None:
        self.trick = ""
        self._stream = stream
        self._meter = FrameMeter()
        self._on_end = on_end

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Read on, unless the peer must not go on.

        Raises:
            trio.BrokenResourceError: The connection is broken, or a trick was found.
        """
        try:
            data = await self._stream.receive_some(max_bytes)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._on_end()
            raise
        if not data:
            self._on_end()
        elif not self._meter.feed(bytes(data)):
            self.trick = f"a message in more than {FRAGMENTS_MAX} fragments"
            self._on_end()
            raise trio.BrokenResourceError(self.trick)
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send."""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until something can be sent."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close; the peer gets an end of file."""
        self._on_end()
        await self._stream.aclose()
