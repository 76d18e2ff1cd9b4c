"""Sockets: what can only be done to the system's own, under whatever stream lies on top.

Streams of tests have no socket; for those everything here does nothing.
"""

from __future__ import annotations

import logging
import socket
import struct
from contextlib import suppress

import trio

from .rewound import RewoundStream

log = logging.getLogger(__name__)

KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}  # s, s, probes
NO_LINGER = struct.pack("ii", 1, 0)  # on, for no time: closing resets


def socket_of(stream: trio.abc.Stream) -> trio.socket.SocketType | None:
    """The socket under a stream, through TLS; None where there is none."""
    if isinstance(stream, RewoundStream):
        stream = stream.transport_stream
    if isinstance(stream, trio.SSLStream):
        stream = stream.transport_stream
    return stream.socket if isinstance(stream, trio.SocketStream) else None


def plain_socket_of(stream: trio.abc.Stream) -> trio.socket.SocketType | None:
    """The socket to which the bytes of a stream go as they are; None with TLS, or without any."""
    if isinstance(stream, RewoundStream):
        stream = stream.transport_stream
    return stream.socket if isinstance(stream, trio.SocketStream) else None


def peer_name(stream: trio.abc.Stream) -> str:
    """Who is at the other end, for the log."""
    sock = socket_of(stream)
    if sock is None:
        return "?"
    try:
        return "{}:{}".format(*sock.getpeername()[:2])
    except OSError:  # gone already
        return "?"


def keep_alive(stream: trio.abc.Stream, unanswered_ms: int = 0) -> None:
    """Let the system find out about peers that are gone without a word, where it can.

    Args:
        unanswered_ms: Also end a connection whose bytes nobody acknowledges for so long;
            0 leaves that to the system, which takes a quarter of an hour.
    """
    sock = socket_of(stream)
    if sock is None:
        return
    options = {**KEEPALIVE, "TCP_USER_TIMEOUT": unanswered_ms} if unanswered_ms else KEEPALIVE
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in options.items():
            option = getattr(socket, name, None)
            if option is not None:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
    except OSError as error:  # gone already, or a system without it
        log.debug("no keepalive for %s: %s", peer_name(stream), error)


async def cut(stream: trio.abc.Stream) -> None:
    """Close a connection with a reset: nothing that is still on its way gets through."""
    sock = socket_of(stream)
    if sock is not None:
        with suppress(OSError):  # gone already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    await trio.aclose_forcefully(stream)
