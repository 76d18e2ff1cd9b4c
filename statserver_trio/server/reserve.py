"""The reserve: whoever comes to a port for clients does not get one of the last files.

A process may have so many files open (``ulimit -n``), and a thousand clients can use them up. The
link of the pair, the feeds, the backup file and the log want some, too, now and then, and matter
more. Files are numbered, and a new one gets the lowest number that is free: so who gets one of the
last numbers has come when there is hardly any left, and is sent away at once.
"""

from __future__ import annotations

import logging
import resource
from math import inf

import trio

log = logging.getLogger(__name__)

# Files that those who come to a port, by its id, do not get: for operators when clients have all
# others, and for the link of the pair, feeds and a backup file when operators have theirs, too.
RESERVED = {"default": 24, "management": 12, "ha": 0}
SAID_EVERY = 60.0  # seconds


class ReservingListener(trio.abc.Listener[trio.SocketStream]):
    """A listener that lets nobody in who would take one of so many last files."""

    def __init__(self, listener: trio.SocketListener, reserved: int) -> None:
        self.socket = listener.socket
        self._listener = listener
        self._reserved = reserved
        self._said_at = -inf

    async def accept(self) -> trio.SocketStream:
        """The next one that is let in."""
        while True:
            stream = await self._listener.accept()
            if stream.socket.fileno() < _files() - self._reserved:
                return stream
            await trio.aclose_forcefully(stream)
            self._say()

    async def aclose(self) -> None:
        """Stop listening."""
        await self._listener.aclose()

    def _say(self) -> None:
        now = trio.current_time()
        if now >= self._said_at + SAID_EVERY:
            self._said_at = now
            port = self.socket.getsockname()[1]
            left = self._reserved
            log.error("port %d lets nobody in: %d files can be opened, no more", port, left)


def _files() -> float:
    """How many the process may have open."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return inf if most == resource.RLIM_INFINITY else most
