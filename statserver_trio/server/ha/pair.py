"""The pair: everything of our half that a server starts, stops and asks.

pair
|- member     alarm and session
`- dialler    at the configured backup; an acceptor at the configured primary
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import trio

from ... import __version__
from ...config.fingerprint import fingerprint
from ...config.schema import Config
from ...ha.peer import Peer
from ...ha.session import State
from ...stats.engine import Engine
from ..clock import Clock
from ..feed_task import FeedTask
from ..hub import Hub
from ..tap import Tap
from .accepting import Acceptor
from .backup import OneOfTwo
from .dialling import Dialler, OpenStream
from .feeds import PairFeeds
from .link import FLUSH_SECONDS
from .member import Member
from .options import identity, is_watched, peer_options
from .pair_store import PairStore

log = logging.getLogger(__name__)

FLUSH_LOOK_SECONDS = 0.05  # between two looks, at the end, at what the other member lacks
RELOAD_PATIENCE = 1800.0  # seconds for the backup to reload first (hot-standby.md, scenario 27)


class Pair:
    """Our half.

    Args:
        tap: Where events go when it is their turn.
        opener: How the backup reaches the primary; None at the primary.
        listeners: The primary's port for the backup.
        new_id: Makes ids that are never the same twice, anywhere.

    Attributes:
        feeds: The sink for our feed tasks.
    """

    def __init__(
        self,
        config: Config,
        hub: Hub,
        tap: Tap,
        clock: Clock,
        opener: OpenStream | None,
        listeners: Sequence[trio.abc.Listener[trio.abc.Stream]],
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._listeners = listeners
        peer = Peer(
            identity(config, f"statserver-trio {__version__}"),
            new_id(),
            new_id,
            peer_options(config),
        )
        self._config, self._extensions, self._runs = config, "", False
        peer.roles.fingerprint = fingerprint(config)
        self._store = PairStore(hub.engine, self._scratch, clock.now_ms, tap.apply)
        self._store.peer = peer.identity.peer
        self.member = Member(peer, self._store, hub, clock)
        self.feeds = PairFeeds(self.member, hub)
        for tserver in config.tserver:
            self.feeds.add(tserver.name, contiguous=not tserver.dns)
        self._dialler = None
        if opener is not None:
            where = f"{config.ha.peer_host}:{config.ha.peer_port}"
            self._dialler = Dialler(self.member, opener, where, config.ha.connect_timeout)
        self._acceptor = Acceptor(self.member, is_watched(config))

    def _scratch(self) -> Engine:
        """An engine like ours, as it is configured now, with nothing in it."""
        return self._hub.engine.empty_copy()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Live as a member until cancelled."""
        async with trio.open_nursery() as nursery:
            self.member.start()
            self._runs = True
            nursery.start_soon(self.member.run)
            if self._dialler is not None:
                nursery.start_soon(self._dialler.run)
            else:
                nursery.start_soon(self._acceptor.run, self._listeners)
            task_status.started()

    async def stop(self, patience: float = 0) -> None:
        """Say goodbye, and wait a moment for it to be heard.

        Args:
            patience: Seconds for the other member to take first what it still lacks: what our
                clients have opened last is nowhere else.
        """
        with trio.move_on_after(patience):
            await self._flushed()
        lacks = self._lacking()
        if lacks:
            log.warning("%d statistics have not reached the other member", lacks)
        link = self.member.link
        self.member.stop()
        if link is not None:
            with trio.move_on_after(FLUSH_SECONDS):
                await link.ended.wait()

    async def _flushed(self) -> None:
        """Come back when the other member lacks nothing."""
        while True:
            if not self._lacking():
                return
            await trio.sleep(FLUSH_LOOK_SECONDS)

    def _lacking(self) -> int:
        """How many statistics the other member would take now, and has not yet."""
        peer = self.member.peer
        if peer.session.state is not State.OPEN or peer.intake.is_joining or peer.intake.hopes:
            return 0
        return peer.replication.pending + peer.replication.in_flight

    def backup_owner(self, feeds: Mapping[str, FeedTask]) -> OneOfTwo:
        """Who keeps account of what is in our backup file."""
        return OneOfTwo(self.member, feeds)

    # -- what the rest of the server asks -----------------------------------------------------

    def not_ready(self) -> list[str]:
        """Why clients would not get what they come for."""
        if self.member.peer.intake.is_joining:
            return ["waiting for the picture of the other member"]
        return []

    def degraded(self) -> list[str]:
        """What is not as it should be, though clients are served."""
        peer = self.member.peer
        parked = list(peer.replication.parking.reasons)
        if self.member.link is None:
            return ["the other member is not connected"]
        if not parked:
            return []
        more = f" and {len(parked) - 1} more" if len(parked) > 1 else ""
        return [f"the other member cannot open {parked[0]}{more}: do both configurations agree?"]

    @property
    def peer_management(self) -> str:
        """The URL of the other member's management listener, as it has told; else empty."""
        greeting = self.member.peer.session.peer
        return "" if greeting is None else greeting.management

    def status(self) -> dict[str, Any]:
        """The pair's part of the status page."""
        said = self.member.status()
        said["session"]["strangers"] = self._acceptor.strangers
        return said

    def set_mode(self, mode: str) -> None:
        """The operator has changed our run mode; clients and peer are told."""
        self.member.set_mode(mode)

    def reloaded(self, config: Config) -> None:
        """Another configuration is in force."""
        self._config = config
        self.member.reloaded(fingerprint(config) + self._extensions, peer_options(config))
        if self._dialler is not None:
            self._dialler.change(config.ha.connect_timeout)

    def extensions_changed(self, offered: str) -> None:
        """Extensions offer something else than before, or have closed statistics.

        Args:
            offered: The same on two members that offer the same; empty for nothing. It is
                told behind the fingerprint, so that the peer offers again what it has parked.
        """
        self._extensions = offered and f"+{offered}"
        if self._runs:
            self.reloaded(self._config)
        else:
            self.member.peer.roles.fingerprint = fingerprint(self._config) + self._extensions

    def waits_for_peer(self, config: Config) -> str:
        """Why this configuration is not to be taken over yet; empty if it may be."""
        roles = self.member.peer.roles
        if not config.server.config_reload_delay_if_primary or roles.mode != "primary":
            return ""
        if self.member.link is None or _plain(roles.peer_fingerprint) == fingerprint(config):
            return ""
        return f"waiting for {self.member.peer.identity.peer} to reload first"

    async def peer_reloaded(self, config: Config) -> None:
        """Come back when :meth:`waits_for_peer` says nothing, or after half an hour."""
        with trio.move_on_after(RELOAD_PATIENCE) as scope:
            while self.waits_for_peer(config):
                await self.member.news.wait()
        if scope.cancelled_caught:
            log.error("the other member has not reloaded in %g s; going on", RELOAD_PATIENCE)


def _plain(fingerprint: str) -> str:
    """Of the configuration alone, whatever extensions offer."""
    return fingerprint.partition("+")[0]
