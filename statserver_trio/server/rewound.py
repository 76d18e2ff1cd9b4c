"""A rewound stream: whoever takes a connection over reads it from its beginning."""

from __future__ import annotations

import trio


class RewoundStream(trio.abc.Stream):
    """A stream that begins with what was read from it already.

    Attributes:
        transport_stream: From which it was read, and to which everything goes as it is.
    """

    def __init__(self, stream: trio.abc.Stream, again: bytes) -> None:
        self.transport_stream = stream
        self._again = again

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Read on, from the beginning."""
        if not self._again:
            return await self.transport_stream.receive_some(max_bytes)
        await trio.lowlevel.checkpoint()
        size = len(self._again) if max_bytes is None else max_bytes
        data, self._again = self._again[:size], self._again[size:]
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send."""
        await self.transport_stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until something can be sent."""
        await self.transport_stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close."""
        await self.transport_stream.aclose()
