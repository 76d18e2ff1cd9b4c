"""The member: our half of the pair, with everything its machines ask for.

    feeds, clients, operators --tell--> Peer (ha/peer.py) --actions--> link, store, hub, log

The machines decide; what they want done is done here at once, in order, and what they
ask the engine is answered on the spot. Three tasks wait for them:

    alarm     wakes the machines at their next deadline: polls, chunks, patience
    session   installs what the peer pushed, a slice at a time; a cancel scope whose
              deadline is the session's remaining life once the link is lost
    link      (dialling.py, accepting.py) one connection after the other
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import inf
from typing import Any

import trio
from attrs import frozen

from ...api.messages import ServerModeInfo
from ...ha.addp import Heard
from ...ha.clock_offset import WallTime
from ...ha.codec import OutboxFull, TooLong
from ...ha.door import Knocked
from ...ha.holds import Released
from ...ha.messages import Ignored, Message
from ...ha.peer import Malformed, OptionsChanged, Peer, PeerOptions, Started, Stop
from ...ha.replication_words import Closed, Opened
from ...ha.roles import ConfigurationReloaded, ModeChanged
from ...ha.session import State
from ...ha.status import is_synchronised, status
from ...ha.store import (
    Abort,
    Admit,
    AdoptWorld,
    ApplyEvents,
    BeginAt,
    Greeted,
    HoleLeft,
    InstallItems,
    Joined,
    Log,
    PeerMode,
    Refuse,
    SessionExpired,
    SessionLost,
    SessionOpened,
    Trace,
    Unwanted,
    perform,
)
from ...machine import Connected, Disconnect, Disconnected, Send
from ..clock import Clock
from ..hub import Hub
from .installer import Installer
from .link import Link
from .pair_store import PairStore

log = logging.getLogger(__name__)

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "alarm": logging.ERROR,
}
MOVES = (ApplyEvents, HoleLeft, AdoptWorld, BeginAt)  # after which more may be installed
WALL_SECONDS = 10.0  # between two looks at the wall clock


@frozen(eq=False)
class Newcomer:
    """A connection that has said its greeting, and everything that it has said."""

    link: Link
    said: tuple[Message, ...]


class Member:
    """The owner of the machines.

    Args:
        peer: All of them.
        store: The engine as they see it.
        hub: Whose clients are told of modes and of statistics that are closed.

    Attributes:
        link: The present connection.
        synchronised: The peer has had everything of ours at least once in this session,
            and we do not wait for its picture.
    """

    def __init__(
        self,
        peer: Peer,
        store: PairStore,
        hub: Hub,
        clock: Clock,
    ) -> None:
        self.peer = peer
        self.store = store
        self.hub = hub
        self.installer = Installer(store, hub, self.tell)
        self.link: Link | None = None
        self.synchronised = False
        self._clock = clock
        self._wall_told = -inf
        self._alarm = trio.CancelScope()
        self._session_life = trio.CancelScope()
        self._session_began = trio.Event()
        self.news = trio.Event()  # set, and replaced, when something about the peer has changed
        self.on_change: Callable[[], None] = lambda: None  # of a source's state; feeds.py
        self._rules: dict[type, Callable[[Any], None]] = {
            Send: lambda action: self._send(action.message),
            Greeted: lambda action: self._greeted(),
            Admit: self._admit,
            Refuse: self._refuse,
            InstallItems: self.installer.install,
            Joined: self._joined,
            Unwanted: self._unwanted,
            SessionOpened: self._session_opened,
            SessionLost: self._session_lost,
            SessionExpired: lambda action: log.warning("the session has expired"),
            PeerMode: self._peer_mode,
            Trace: self._trace,
            Log: lambda action: log.log(LEVELS[action.level], "%s", action.text),
        }
        hub.engine.keeps = True
        hub.after_clients = self.clients_changed

    # -- what happens ------------------------------------------------------------------------

    def start(self) -> None:
        """Begin: from here on the machines wait for the peer, as long as they are to."""
        self._tell_wall()
        self.tell(Started())

    def tell(self, *events: object) -> None:
        """Let the machines know, and do what they want done."""
        for event in events:
            self._perform(self.peer.handle_event(event, self._clock.monotonic()))
        self._settle()

    def clients_changed(self) -> None:
        """Clients have opened statistics, or the last one that wanted one has left."""
        opened: list[str] = []
        released: list[str] = []
        for statistic in self.hub.engine.take_changed_hands():
            (opened if statistic.subscriptions else released).append(self.store.opened(statistic))
        if opened:
            self.tell(Opened(tuple(opened)))
        if released:
            self.tell(Released(tuple(released)))

    def reloaded(self, fingerprint: str, options: PeerOptions) -> None:
        """Another configuration is in force; what it closed must not come back."""
        gone = self.store.forget_closed()
        if gone:
            log.info("%d statistics deleted by the configuration; the peer is told", len(gone))
        self.tell(OptionsChanged(options), ConfigurationReloaded(fingerprint, tuple(gone)))

    def set_mode(self, mode: str) -> None:
        """The operator has changed our run mode."""
        self.tell(ModeChanged(mode))

    # -- the link ----------------------------------------------------------------------------

    def connect(self, link: Link) -> None:
        """There is a connection; the present one, if any, is as good as closed."""
        self.link = link
        log.info("link %d: connected with %s", link.number, link.address)
        self._tell_wall()
        self.tell(Connected())

    async def stay(self, link: Link) -> None:
        """Live through a connection that was told to :meth:`connect`."""
        try:
            await link.run(
                lambda size: self.hear(link, Heard(size)),
                lambda message: self.hear(link, message),
                lambda text: self.hear(link, Malformed(text)),
            )
        finally:
            self.part(link)

    def knock(self, link: Link, said: list[Message]) -> None:
        """Somebody has connected and said Hello; :meth:`Link.close` or admission follows."""
        self.tell(Knocked(Newcomer(link, tuple(said)), tuple(said)))

    def hear(self, link: Link, event: Message | Ignored | object) -> None:
        """Something came over a connection; of a former one it is passed over."""
        if link is self.link:
            self.tell(self.store.pictures.checked(event))

    def part(self, link: Link) -> None:
        """A connection is over, whoever ended it."""
        if link is self.link:
            self.link = None
            log.info("link %d: %s", link.number, link.reason or "closed")
            self.tell(Disconnected())

    def _send(self, message: object) -> None:
        assert isinstance(message, Message)
        if self.link is None:
            return
        try:
            self.link.put(message)
        except (TooLong, OutboxFull) as error:
            log.error("link %d: %s; hanging up", self.link.number, error)
            self._hang_up(str(error))

    def _greeted(self) -> None:
        if self.link is not None:
            self.link.decoder.greeted()

    def _hang_up(self, reason: str, abruptly: bool = False) -> None:
        link = self.link
        if link is not None:
            link.close(reason, abruptly)
            self.part(link)

    def _admit(self, action: Admit) -> None:
        newcomer = action.connection
        assert isinstance(newcomer, Newcomer)
        if self.link is not None:
            self._hang_up(action.reason)
        self.connect(newcomer.link)
        self.tell(Heard(), *newcomer.said)
        newcomer.link.decided.set()

    def _refuse(self, action: Refuse) -> None:
        assert isinstance(action.connection, Newcomer)
        link = action.connection.link
        log.warning("%s refused: %s", link.address, action.message.code)
        link.put(action.message)
        link.close("refused")
        link.decided.set()

    def _trace(self, action: Trace) -> None:
        number = 0 if self.link is None else self.link.number
        log.info("ADDP %d %s %s", number, action.direction, action.text)

    # -- doing what the machines want --------------------------------------------------------

    def _perform(self, actions: list[object]) -> None:
        """Do all of it; hanging up comes last, since it brings about more to be done."""
        end: Disconnect | Abort | None = None
        for action in actions:
            if isinstance(action, Disconnect | Abort):
                end = end or action
                continue
            if end is not None and isinstance(action, Send):
                continue  # nobody would hear it
            rule = self._rules.get(type(action))
            if rule is not None:
                rule(action)
                continue
            done, answer = perform(action, self.store)
            assert done, f"nobody does {action!r}"
            if isinstance(action, MOVES):
                self._moved(action)
            if answer is not None:
                self._perform(self.peer.handle_event(answer, self._clock.monotonic()))
        if end is not None:
            self._hang_up(end.reason, isinstance(end, Abort))

    def _moved(self, action: ApplyEvents | HoleLeft | AdoptWorld | BeginAt) -> None:
        if isinstance(action, HoleLeft):
            lost = action.source, action.first, action.last
            log.error("%s: the events %d to %d are lost to us", *lost)
        sources = self.hub.engine.sources
        if isinstance(action, AdoptWorld):
            self.hub.distribute()
        elif not (isinstance(action, BeginAt) or sources[action.source].is_connected):
            self.on_change()  # if it comes from a backup file: there is news of it now
        self.installer.moved()

    def _settle(self) -> None:
        """After every call of the machines: when to wake them next, what clients may see."""
        self._alarm.deadline = self.peer.next_deadline()
        if self.peer.session.state is not State.OPEN or self.peer.intake.is_joining:
            self.synchronised = False
        elif not self.synchronised and is_synchronised(self.peer):
            self.synchronised = True
            log.info("synchronised with %s", self.peer.identity.peer)
        greeting, leaving = self.peer.session.peer, self.hub.mode.leaving
        address = (greeting.clients or None) if greeting is not None else None
        mode = ServerModeInfo(self.peer.roles.mode, address, self.synchronised, leaving)
        if mode != self.hub.mode:
            self.hub.set_mode(mode)

    # -- news --------------------------------------------------------------------------------

    def _peer_mode(self, action: PeerMode) -> None:
        log.info("the peer is %s", action.mode)
        self._tell_news()

    def _tell_news(self) -> None:
        self.news.set()
        self.news = trio.Event()

    def _session_opened(self, action: SessionOpened) -> None:
        how = "restored" if action.restored else "new"
        log.info("session %s with %s: %s", action.session[:8], action.peer, how)
        self._session_life.deadline = inf
        if not action.restored:
            self._closed(self.installer.forget())
            self._session_life.cancel()
            self._session_began.set()

    def _session_lost(self, action: SessionLost) -> None:
        planned = ", as announced" if action.planned else ""
        log.warning("the link to the peer is lost: %s%s", action.reason, planned)
        self._closed(self.installer.forget())
        left = self.peer.options.session.expiration_timeout
        self._session_life.deadline = self._clock.monotonic() + left
        self._tell_news()

    def _joined(self, action: Joined) -> None:
        sources = ", ".join(action.sources)
        if action.result == "adopted":
            log.info("joined: the picture of %s is the peer's", sources)
            self.installer.look_for_holes(self.store.open_keys())
        else:
            log.info("the picture of %s begins alone, from its own snapshots", sources)
        self.on_change()

    def _unwanted(self, action: Unwanted) -> None:
        """Nobody of either member wants these: closed, and no client has to be told."""
        closed = self.store.close_unwanted(action.keys)
        if closed:
            log.info("%d statistics closed that nobody wants any more", len(closed))
            self._closed(closed)

    def _closed(self, keys: list[str]) -> None:
        """These are not open any more, and no client has to be told."""
        if keys:
            self._perform(self.peer.handle_event(Closed(keys), self._clock.monotonic()))
            self.hub.deliver([])  # extensions are told

    # -- tasks -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Drive the machines until cancelled; the link is somebody else's task."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch)
            nursery.start_soon(self._sessions)

    async def _watch(self) -> None:
        """The alarm: the machines' next deadline, wherever it moves."""
        while True:
            with trio.CancelScope(deadline=self.peer.next_deadline()) as self._alarm:
                await trio.sleep_forever()
            self.wake()

    @property
    def wakes_at(self) -> float:
        """The time for which the alarm is set, for a simulation without tasks."""
        return self._alarm.deadline

    def wake(self) -> None:
        """Time has passed."""
        now = self._clock.monotonic()
        if now - self._wall_told >= WALL_SECONDS:
            self._tell_wall()
        self._perform(self.peer.handle_timer(now))
        self._settle()

    async def _sessions(self) -> None:
        """One session after the other, each with a life of its own."""
        while True:
            await self._session_began.wait()
            self._session_began = trio.Event()
            with trio.CancelScope() as self._session_life:
                await self.installer.run()

    def _tell_wall(self) -> None:
        self._wall_told = self._clock.monotonic()
        self.peer.handle_event(WallTime(self._clock.wall()), self._wall_told)

    # -- the end, and the status -------------------------------------------------------------

    def stop(self) -> None:
        """Say goodbye: the peer knows then that it was planned."""
        self.tell(Stop())

    def status(self) -> dict[str, Any]:
        """The members ``peer``, ``session``, ``replication``, ``addp`` and the sources."""
        said = status(self.peer)
        said["peer"] |= {
            "address": None if self.link is None else self.link.address,
            "synchronised": self.synchronised,
        }
        sent = 0 if self.link is None else self.link.bytes_sent  # on this link
        said["replication"] |= {"inexact": self.store.inexact, "bytesSent": sent}
        return said
