"""Dialling: the configured backup connects, loses the link, and connects again.

Attempts begin ``connect-timeout`` apart, a little earlier or later so that many pairs do
not knock in step, and none lasts longer than that. An attempt that fails is nothing to
report twice: each reason is logged once, and then once an hour.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable
from math import inf
from random import Random

import trio

from ...ha.feed_words import PeerAbsent
from ..sockets import keep_alive
from ..supervisor import THE_WORLD, causes
from .link import Link
from .member import Member

log = logging.getLogger(__name__)

JITTER = 0.1  # of the interval, either way
REPEAT_SECONDS = 3600.0  # between two log lines of the same reason
REASONS_MAX = 100  # told apart
HANDSHAKE_SECONDS = 10.0  # for TLS, at most
UNANSWERED_MS = 60_000  # without ADDP: bytes that nobody acknowledges end the link

OpenStream = Callable[[], Awaitable[trio.abc.Stream]]


class Reasons:
    """Says every reason once, and then once an hour."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def news(self, reason: str) -> bool:
        """Whether this one should be logged now."""
        now = trio.current_time()
        if reason not in self._told and len(self._told) >= REASONS_MAX:
            self._told.clear()
        if now - self._told.get(reason, -inf) < REPEAT_SECONDS:
            return False
        self._told[reason] = now
        return True

    def forget(self) -> None:
        """It worked: what comes now is news again."""
        self._told.clear()


async def open_stream(
    host: str, port: int, context: ssl.SSLContext | None, watched: bool
) -> trio.abc.Stream:
    """Connect to the primary, TLS handshake included.

    Args:
        watched: By ADDP; if not, the system has to find out that nobody is there.

    Raises:
        OSError, trio.BrokenResourceError: It cannot be reached or trusted.
    """
    stream: trio.abc.Stream = await trio.open_tcp_stream(host, port)
    keep_alive(stream, 0 if watched else UNANSWERED_MS)
    if context is None:
        return stream
    secured = trio.SSLStream(stream, context, server_hostname=host, https_compatible=True)
    try:
        with trio.fail_after(HANDSHAKE_SECONDS):
            await secured.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return secured


class Dialler:
    """The task.

    Args:
        opener: How to get a stream.
        where: From there, for the log.
        connect_timeout: Seconds; see :meth:`change`.
    """

    def __init__(
        self,
        member: Member,
        opener: OpenStream,
        where: str,
        connect_timeout: float,
        rng: Random | None = None,
    ) -> None:
        self._member = member
        self._opener = opener
        self._where = where
        self._connect_timeout = connect_timeout
        self._rng = rng or Random()
        self._began = -inf
        self._jitter = 0.0
        self._pause = trio.CancelScope()
        self._reasons = Reasons()

    def change(self, connect_timeout: float) -> None:
        """Another interval, in effect at once."""
        self._connect_timeout = connect_timeout
        self._pause.deadline = self._next_at()

    def _next_at(self) -> float:
        return self._began + self._connect_timeout * (1 + self._jitter)

    async def run(self) -> None:
        """Stay with the primary until cancelled."""
        while True:
            with trio.CancelScope(deadline=self._next_at()) as self._pause:
                await trio.sleep_forever()
            self._began = trio.current_time()
            self._jitter = self._rng.uniform(-JITTER, JITTER)
            stream = await self._dial()
            if stream is not None:
                self._reasons.forget()
                link = Link(stream)
                self._member.connect(link)
                await self._member.stay(link)

    async def _dial(self) -> trio.abc.Stream | None:
        try:
            with trio.fail_after(self._connect_timeout):
                return await self._opener()
        except THE_WORLD as error:
            reason = causes(error)
            if self._reasons.news(reason):
                log.warning("the peer at %s cannot be reached: %s", self._where, reason)
            if _refused(error):
                self._member.tell(PeerAbsent())
            return None


def _refused(error: BaseException) -> bool:
    """Whether the host is there and says that nobody listens: the peer does not run."""
    if isinstance(error, BaseExceptionGroup):
        return all(_refused(each) for each in error.exceptions)
    cause = error.__cause__
    return isinstance(error, ConnectionRefusedError) or (cause is not None and _refused(cause))
