"""Opening: to one server, or to both members of a pair as if they were one."""

from __future__ import annotations

import ssl
from contextlib import AbstractAsyncContextManager
from typing import Any, overload

from .connection import CONNECT_SECONDS, connect, parse_url
from .pair import StatServerPair, keep_open
from .statserver import StatServer


@overload
def open_statserver(
    url: str, /, *, connect_timeout: float = ..., ssl_context: ssl.SSLContext | None = ...
) -> AbstractAsyncContextManager[StatServer]:
    """A server."""


@overload
def open_statserver(
    url: str,
    another: str,
    /,
    *more: str,
    connect_timeout: float = ...,
    ssl_context: ssl.SSLContext | None = ...,
) -> AbstractAsyncContextManager[StatServerPair]:
    """Both members of a pair."""


def open_statserver(
    *urls: str,
    connect_timeout: float = CONNECT_SECONDS,
    ssl_context: ssl.SSLContext | None = None,
) -> Any:
    """Connect for the length of a block: to a server, or to both members of a pair.

    With several URLs every statistic is open with each member, and what they say comes as one
    stream of updates; whichever dies, the stream goes on with the other one (:mod:`.pair`).

    Args:
        urls: ``ws://host:port/`` or ``wss://...``.
        connect_timeout: Seconds for a connection and its handshakes.
        ssl_context: For ``wss``; by default the system's authorities are trusted.

    Raises:
        ValueError: A URL is none.
        ConnectionLost: No server can be reached, or it does not speak our protocol.
    """
    if len(urls) == 1:
        parse_url(urls[0])
        return connect(urls[0], connect_timeout, ssl_context)
    return stay_connected(*urls, connect_timeout=connect_timeout, ssl_context=ssl_context)


def stay_connected(
    *urls: str,
    connect_timeout: float = CONNECT_SECONDS,
    ssl_context: ssl.SSLContext | None = None,
) -> AbstractAsyncContextManager[StatServerPair]:
    """The same for any number of URLs: a server that stands alone is dialled again, too.

    Args:
        urls, connect_timeout, ssl_context: As for :func:`open_statserver`.

    Raises:
        ValueError: A URL is none, or there is none.
        ConnectionLost: No server can be reached at the beginning.
    """
    if not urls:
        raise ValueError("nobody to connect to: give a URL, such as ws://host:port/")
    for url in urls:
        parse_url(url)
    return keep_open(urls, lambda url: connect(url, connect_timeout, ssl_context))
