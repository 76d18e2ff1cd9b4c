"""The client for programs without Trio: the same requests, in ordinary calls.

::

    from statserver_trio.client.blocking import open_statserver

    with open_statserver("ws://a:7100/", "ws://b:7100/") as stats:
        waiting = stats.open("Queue:8001@sw1:CurrNumberWaitingCalls")
        for update in stats:
            print(update.statistic, update.value)

Trio runs in a thread of its own, and what is called here runs there; any thread may call. Ctrl-C
interrupts a call that waits, and the end of the block closes the connections.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

import trio

from ..api import messages as m
from .connection import CONNECT_SECONDS
from .opening import open_statserver as open_async
from .pair import StatServerPair
from .statserver import ConnectionLost, OpenStatistic, StatServer, Update

if TYPE_CHECKING:
    from ..stats.requests import StatisticRequest

T = TypeVar("T")


class BlockingStatServer:
    """A server, or both members of a pair; get one from :func:`open_statserver`.

    Its requests are those of :class:`.StatServer`, and raise what those raise.
    """

    def __init__(self, server: StatServer | StatServerPair, token: trio.lowlevel.TrioToken) -> None:
        self._server = server
        self._token = token

    def _run(self, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            return trio.from_thread.run(ask, trio_token=self._token)
        except (trio.RunFinishedError, trio.Cancelled):
            raise ConnectionLost("the connection has been closed") from None

    def open(
        self,
        what: str | StatisticRequest,
        *,
        mode: str = "ChangesBased",
        frequency: float = 0,
        insensitivity: float = 0,
    ) -> OpenStatistic:
        """Open a statistic; see :meth:`.StatServer.open`."""
        return self._run(
            lambda: self._server.open(
                what, mode=mode, frequency=frequency, insensitivity=insensitivity
            )
        )

    def open_ex(
        self,
        whose: m.ObjectRef,
        definition: m.MetricEx,
        *,
        mode: str = "ChangesBased",
        frequency: float = 0,
        insensitivity: float = 0,
    ) -> OpenStatistic:
        """Open what no configuration need know; see :meth:`.StatServer.open_ex`."""
        return self._run(
            lambda: self._server.open_ex(
                whose, definition, mode=mode, frequency=frequency, insensitivity=insensitivity
            )
        )

    def peek(self, statistic: OpenStatistic) -> m.Info:
        """The value now."""
        return self._run(lambda: self._server.peek(statistic))

    def explain(self, statistic: OpenStatistic) -> m.StatisticExplained:
        """How a value came about."""
        return self._run(lambda: self._server.explain(statistic))

    def close(self, statistic: OpenStatistic) -> None:
        """Be told no more about a statistic."""
        self._run(lambda: self._server.close(statistic))

    def profile(self, name: str) -> list[dict[str, Any]]:
        """What is configured: ``StatTypes``, ``TimeProfiles``, ``Objects``, ..."""
        return self._run(lambda: self._server.profile(name))

    def next(self, timeout: float | None = None) -> Update | None:
        """The next update; None where there is none within ``timeout`` seconds.

        Raises:
            ConnectionLost: There will be none. (Of a pair one waits for a member to come back.)
        """
        return self._run(lambda: self._next(timeout))

    async def _next(self, seconds: float | None) -> Update | None:
        with trio.move_on_after(inf if seconds is None else seconds):
            return await anext(self._server)
        return None

    def __iter__(self) -> Iterator[Update]:
        """Everything the server says on its own account, in order, without an end."""
        while True:
            update = self.next()
            assert update is not None
            yield update


@contextmanager
def open_statserver(
    *urls: str,
    connect_timeout: float = CONNECT_SECONDS,
    ssl_context: ssl.SSLContext | None = None,
) -> Iterator[BlockingStatServer]:
    """Connect for the length of a block: to a server, or to both members of a pair.

    Args:
        urls, connect_timeout, ssl_context: As for :func:`.opening.open_statserver`.

    Raises:
        ValueError: A URL is none.
        ConnectionLost: No server can be reached, or it does not speak our protocol.
    """
    opened: Future[tuple[BlockingStatServer, Callable[[], None]]] = Future()

    async def stay() -> None:
        token, over = trio.lowlevel.current_trio_token(), trio.Event()
        options: dict[str, Any] = {"connect_timeout": connect_timeout, "ssl_context": ssl_context}
        async with open_async(*urls, **options) as server:
            stats = BlockingStatServer(server, token)
            opened.set_result((stats, lambda: token.run_sync_soon(over.set)))
            await over.wait()

    def work() -> None:
        try:
            trio.run(stay)
        except BaseException as error:
            if opened.done():
                raise
            opened.set_exception(error)

    thread = threading.Thread(target=work, name="statserver client", daemon=True)
    thread.start()
    stats, leave = opened.result()
    try:
        yield stats
    finally:
        leave()
        thread.join()
