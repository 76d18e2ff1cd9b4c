"""Accepting: the configured primary's ``ha`` port.

Whoever connects has five seconds and 64 KiB to say its greeting; everybody else is closed
before anything is said. What becomes of a greeting is the machines' decision (ha/door.py);
only then does a connection become the link.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import trio

from ...ha.session import GREETING_TIMEOUT
from ..sockets import keep_alive
from ..supervisor import THE_WORLD, causes
from .dialling import HANDSHAKE_SECONDS, UNANSWERED_MS, Reasons
from .link import Link
from .member import Member

log = logging.getLogger(__name__)

LOBBY_MAX = 16  # connections that have not been admitted; a further one is closed at once


class Acceptor:
    """The task, and its connections.

    Args:
        watched: By ADDP; if not, the system has to find out that nobody is there.

    Attributes:
        strangers: Connections that were closed without a greeting.
    """

    def __init__(self, member: Member, watched: bool) -> None:
        self.strangers = 0
        self._member = member
        self._watched = watched
        self._waiting = 0
        self._reasons = Reasons()

    async def run(self, listeners: Sequence[trio.abc.Listener[trio.abc.Stream]]) -> None:
        """Serve until cancelled."""
        await trio.serve_listeners(self.handle, list(listeners))

    async def handle(self, stream: trio.abc.Stream) -> None:
        """Live through one connection; it is closed then."""
        link = Link(stream)
        admitted = False
        try:
            if self._waiting < LOBBY_MAX:
                self._waiting += 1
                try:
                    admitted = await self._greet(link)
                finally:
                    self._waiting -= 1
            if admitted or link.closing:  # a refusal still has to be written
                await self._member.stay(link)
        finally:
            await trio.aclose_forcefully(stream)

    async def _greet(self, link: Link) -> bool:
        """Whether the newcomer is the link from now on."""
        keep_alive(link.stream, 0 if self._watched else UNANSWERED_MS)
        doing = "the TLS handshake"
        try:
            await self._shake_hands(link.stream)
            doing = "the greeting"
            with trio.fail_after(GREETING_TIMEOUT):
                said = await link.first_words()
        except THE_WORLD as error:
            self._turn_away(link, f"{doing} failed: {causes(error)}")
            return False
        if said is None:
            self._turn_away(link, "it does not speak our protocol")
            return False
        self._member.knock(link, said)
        await link.decided.wait()  # two seconds at most, see ha/door.py
        return self._member.link is link

    async def _shake_hands(self, stream: trio.abc.Stream) -> None:
        if isinstance(stream, trio.SSLStream):
            with trio.fail_after(HANDSHAKE_SECONDS):
                await stream.do_handshake()

    def _turn_away(self, link: Link, why: str) -> None:
        self.strangers += 1
        host = link.address.rpartition(":")[0]
        if self._reasons.news(f"{host}: {why}"):
            log.warning("closed a connection from %s: %s", link.address, why)
