"""The network of a server: which ports it opens, and how it reaches others.

Everything else gets streams and listeners, and does not ask where they come from; a test
hands in a network of its own, in memory and with faults.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import trio

from ..config.schema import Config, Listen, TServer
from . import tls
from .feed_task import FeedOptions, open_stream
from .ha import dialling
from .ha.options import is_watched
from .reserve import RESERVED, ReservingListener

Listener = trio.abc.Listener[trio.abc.Stream]
Listeners = Sequence[Listener]
OpenStream = Callable[[], Awaitable[trio.abc.Stream]]


class Network(Protocol):
    """What a server needs of it."""

    async def listen(self, listen: Listen) -> list[Listener]:
        """Open a port.

        Raises:
            OSError: It is in use, or its certificate cannot be read; ``filename`` says where.
        """

    def tserver(self, tserver: TServer, options: FeedOptions) -> OpenStream:
        """How to connect to a T-Server."""

    def peer(self, config: Config) -> OpenStream:
        """How the configured backup connects to the primary of its pair."""

    def address(self, listener: Listener) -> tuple[str, int]:
        """Host and port of what :meth:`listen` opened."""


class Sockets:
    """TCP, and TLS where the configuration says so."""

    async def listen(self, listen: Listen) -> list[Listener]:
        """See :class:`Network`."""
        context = tls.for_port(listen)
        try:
            opened = await trio.open_tcp_listeners(listen.port, host=listen.host)
        except OSError as error:
            error.filename = f"{listen.host}:{listen.port}"
            raise
        listeners: list[Listener] = [
            ReservingListener(each, RESERVED[listen.id]) for each in opened
        ]
        if context is None:
            return listeners
        return [trio.SSLListener(each, context, https_compatible=True) for each in listeners]

    def tserver(self, tserver: TServer, options: FeedOptions) -> OpenStream:
        """See :class:`Network`."""
        return lambda: open_stream(options)

    def peer(self, config: Config) -> OpenStream:
        """See :class:`Network`."""
        ha, context, watched = config.ha, tls.for_peer(config.ha), is_watched(config)
        assert ha.peer_host is not None  # the configuration was checked
        assert ha.peer_port is not None
        host, port = ha.peer_host, ha.peer_port
        return lambda: dialling.open_stream(host, port, context, watched)

    def address(self, listener: Listener) -> tuple[str, int]:
        """See :class:`Network`."""
        if isinstance(listener, trio.SSLListener):
            return self.address(listener.transport_listener)
        assert isinstance(listener, ReservingListener)
        host, port = listener.socket.getsockname()[:2]
        return host, port
