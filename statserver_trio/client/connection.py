"""Connecting: from a URL to a :class:`~.statserver.StatServer`, and what to say when it fails."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast
from urllib.parse import urlsplit

import h11
import trio
from attrs import frozen
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    HandshakeError,
    wrap_client_stream,
)
from wsproto.utilities import ProtocolError

from .liveness import ALONE_SECONDS, hang_up_on_silence
from .statserver import ConnectionLost, StatServer

SUBPROTOCOL = "statserver.v1"
FRAME_BYTES_MAX = 256 * 1024 * 1024  # of the server's; a larger one ends the connection
RECEIVE_BYTES = 64 * 1024
CONNECT_SECONDS = 5.0
GOODBYE_SECONDS = 1.0

# What the network and the libraries raise because of what the other side did.
FOREIGN = (
    OSError,
    ssl.SSLError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    ConnectionClosed,
    HandshakeError,
    ProtocolError,
    h11.ProtocolError,
    UnicodeError,
)


@frozen
class Address:
    """Where a server is."""

    host: str
    port: int
    resource: str
    is_secure: bool


def parse_url(url: str) -> Address:
    """Where ``ws://host:port/`` or ``wss://...`` is; ``host:port`` will do, too.

    Raises:
        ValueError: What is wrong, and what is allowed.
    """
    try:
        parts = urlsplit(url if "://" in url else f"ws://{url}")
        port = parts.port
    except ValueError:  # a port that is none, a bracket that never ends
        port, parts = None, urlsplit("ws:")
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError(f"{url!r} is no address of a Stat Server; write it as ws://host:port/")
    is_secure = parts.scheme == "wss"
    if port is None:
        port = 443 if is_secure else 80
    resource = parts.path or "/"
    return Address(
        parts.hostname, port, f"{resource}?{parts.query}" if parts.query else resource, is_secure
    )


async def _dial(address: Address, context: ssl.SSLContext | None) -> trio.abc.Stream:
    if not address.is_secure:
        return await trio.open_tcp_stream(address.host, address.port)
    stream = await trio.open_ssl_over_tcp_stream(
        address.host, address.port, ssl_context=context, https_compatible=True
    )
    try:
        await stream.do_handshake()  # here, where it can be said what is wrong with it
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream


@asynccontextmanager
async def connect(
    url: str, connect_timeout: float = CONNECT_SECONDS, ssl_context: ssl.SSLContext | None = None
) -> AsyncIterator[StatServer]:
    """Connect to one server for the length of a block; see :func:`.open_statserver`.

    Raises:
        ValueError: The URL is none.
        ConnectionLost: The server cannot be reached, or does not speak our protocol.
    """
    address = parse_url(url)
    stream: trio.abc.Stream | None = None
    try:
        with trio.fail_after(connect_timeout):
            stream = await _dial(address, ssl_context)
    except (*FOREIGN, trio.TooSlowError) as exc:
        raise ConnectionLost(_plainly(exc)) from None
    async with connect_over(stream, address, connect_timeout) as server:
        yield server


@asynccontextmanager
async def connect_over(
    stream: trio.abc.Stream, address: Address, connect_timeout: float = CONNECT_SECONDS
) -> AsyncIterator[StatServer]:
    """The same over a stream that exists already; it is closed at the end.

    A server that says nothing is asked whether it is there, and lost if it does not answer.
    """
    own: BaseException | None = None  # what the block itself raised
    try:
        async with trio.open_nursery() as nursery:
            with trio.fail_after(connect_timeout):
                ws = await wrap_client_stream(
                    nursery,
                    cast(trio.SocketStream, stream),  # any stream will do
                    f"{address.host}:{address.port}",
                    address.resource,
                    subprotocols=[SUBPROTOCOL],
                    max_message_size=FRAME_BYTES_MAX,
                    receive_buffer_size=RECEIVE_BYTES,
                )
            server = StatServer(ws)
            nursery.start_soon(server.read)
            nursery.start_soon(server.write)
            nursery.start_soon(hang_up_on_silence, server, ALONE_SECONDS)
            try:
                yield server
            except BaseException as exc:
                own = exc
                raise
            finally:
                server.lose("the connection has been closed")
            with trio.move_on_after(GOODBYE_SECONDS):
                await ws.aclose()
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        if own is not None and not isinstance(own, trio.Cancelled):
            raise own from own.__cause__
        foreign, rest = group.split((*FOREIGN, trio.TooSlowError, trio.Cancelled))
        if rest is not None or _is_cancelled_only(group):
            raise
        assert foreign is not None
        raise ConnectionLost(_plainly(foreign)) from None
    finally:
        await trio.aclose_forcefully(stream)


def _is_cancelled_only(group: BaseExceptionGroup[BaseException]) -> bool:
    return group.split(trio.Cancelled)[1] is None


def _plainly(error: BaseException) -> str:
    """What went wrong, in words for a person."""
    if isinstance(error, BaseExceptionGroup):
        inner: Sequence[BaseException] = error.exceptions
        said = dict.fromkeys(_plainly(e) for e in inner if not isinstance(e, trio.Cancelled))
        return "; ".join(said)
    if isinstance(error, trio.TooSlowError):
        return "no answer in time"
    if isinstance(error, trio.BrokenResourceError) and isinstance(error.__cause__, OSError):
        return _plainly(error.__cause__)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ConnectionRejected):
        body = error.body.decode(errors="replace").strip() if error.body else ""
        return f"refused with HTTP status {error.status_code}{f': {body}' if body else ''}"
    if isinstance(error, HandshakeError | ProtocolError | h11.ProtocolError):
        return "there is no Stat Server at that address"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return str(error) or type(error).__name__
