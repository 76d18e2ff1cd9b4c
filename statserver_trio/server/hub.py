"""The hub: the one engine in the middle, feeds on one side, clients on the other.

    feeds --apply--> engine --+--news------------------------> outboxes --flush--> sockets
                              +--notices--> sessions --events--^

Everything here happens at once and without waiting: a feed's batch is applied,
what that is worth telling goes into the outboxes of those concerned, and soon from
there to their sockets (:attr:`Hub.flush`). :meth:`Hub.run` does the same when the
engine's next deadline comes although nothing happened. No client can hold up another
one: an outbox takes what it is given, and one that overflows is dismissed with its
client.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from itertools import groupby
from math import inf

import attrs
import trio
from attrs import define, evolve, field

from ..api.messages import Event, ServerModeInfo
from ..api.outbox import Outbox, OutboxLimits, Traffic
from ..api.session import ClientSession, Limits
from ..api.spreading import is_shared, spread
from ..stats.engine import Engine
from ..stats.requests import StatisticRequest
from ..stats.statistic import Statistic
from ..stats.telling.notifications import (
    Mode,
    News,
    Notice,
    Notification,
    Subscription,
    one_by_one,
)
from ..tlib.codec import encode
from ..tlib.events import TEvent, Unhandled
from .clock import Clock
from .link_definitions import key_text

log = logging.getLogger(__name__)

SILENT = Notification(Mode.NO_NOTIFICATION)
ROUNDING_MS = 0.5  # added to a deadline, so that the millisecond it names has surely begun


@define(eq=False)
class HubClient:
    """One client, as the hub sees it.

    Attributes:
        outbox: What it is to be sent; taken out by its writer.
        dismiss: Called with a reason when the client must go; returns at once.
        hub: Where it has joined.
    """

    session: ClientSession
    outbox: Outbox
    dismiss: Callable[[str], None]
    hub: Hub
    is_gone: bool = field(default=False, init=False)

    def tell(self, events: list[Event]) -> None:
        """Queue events and wake the writer."""
        if self.is_gone or not events:
            return
        self.outbox.put(events)
        if self.outbox.overflowed:
            self.is_gone = True
            self.hub.overflowed += 1
            self.dismiss("it does not read what it is sent")
        else:
            self.hub.flush([self.outbox])


class Hub:
    """The engine and everybody who listens to it.

    Args:
        engine: With its sources.
        clock: What time it is.
        limits: What each client may have.
        mode: Which of a pair we are.

    Attributes:
        clients: By session.
        not_ready: Why nothing can be opened at the moment; see :meth:`set_ready`.
        flush: Called with the outboxes in which something waits now; returns at once.
        after_clients: Called when clients may have opened or closed something.
        after_engine: Called whenever somebody has done something to the engine.
        overflowed: Clients that were dismissed because they did not read.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        limits: Limits | None = None,
        mode: ServerModeInfo | None = None,
        outbox_limits: OutboxLimits | None = None,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.clients: dict[ClientSession, HubClient] = {}
        self.mode = mode or ServerModeInfo()
        self.not_ready = ""
        self.flush: Callable[[list[Outbox]], None] = _push_all
        self.after_clients: Callable[[], None] = _nothing
        self.after_engine: Callable[[], None] = _nothing
        self.overflowed = 0
        self._gone = Traffic()  # of clients that have left, and of values told to many at once
        self._limits = limits or Limits()
        self._outbox_limits = outbox_limits or OutboxLimits()
        self._alarm = trio.CancelScope()

    # -- feeds -----------------------------------------------------

    def apply(self, source_name: str, events: Iterable[TEvent | Unhandled], now_ms: int) -> None:
        """Let the events of a source happen, and tell whom they concern."""
        self.engine.apply(source_name, events, now_ms)
        self.distribute()

    def source_connected(self, name: str) -> None:
        """The source can be heard (again)."""
        self.engine.set_connected(name, True)
        self.distribute()

    def source_lost(self, name: str) -> None:
        """The source cannot be heard: what is computed from it is invalid."""
        self.engine.set_connected(name, False)
        self.distribute()

    # -- clients ---------------------------------------------------------------------------

    def join(self, push: Callable[[], None], dismiss: Callable[[str], None]) -> HubClient:
        """A client has connected; its first events are in its outbox.

        ``push`` is called when there is something in the outbox; see :class:`Outbox`.
        Call :meth:`leave` when it is gone, whatever happens.
        """
        outbox = Outbox(self._outbox_limits, push)
        session = ClientSession(self.engine, self._limits, self.mode, outbox)
        session.not_ready = self.not_ready
        client = HubClient(session, outbox, dismiss, self)
        self.clients[session] = client
        client.tell(session.connected())
        return client

    def receive(self, client: HubClient, data: str | bytes) -> None:
        """Do what a client's message asks for; the answers go to its outbox."""
        client.tell(client.session.handle_message(data, self.clock.now_ms()))
        self.after_clients()
        self._rearm()

    def leave(self, client: HubClient, at_most: int | None = None) -> bool:
        """A client is gone: give up its statistics; whether any are left to give up.

        Args:
            at_most: So many now; call again for the rest, and let others work in between.
        """
        client.is_gone = True
        is_first = self.clients.pop(client.session, None) is not None
        left = client.session.close(at_most)
        if is_first:
            self._gone.add(client.outbox, client.session.requests)
        self.after_clients()
        self._rearm()
        return left

    def traffic(self) -> Traffic:
        """What has been told to clients since the start."""
        whole = evolve(self._gone)
        for session, client in self.clients.items():
            whole.add(client.outbox, session.requests)
        return whole

    # -- statistics that somebody else wants --------------------------------------------------

    def hold(self, request: StatisticRequest, owner: object) -> Subscription:
        """Open a statistic for somebody who is no client and looks at it when he wants.

        Args:
            owner: Has an attribute ``session``, which is None: so he is told nothing.

        Raises:
            StatisticError: As for a client.
        """
        now = self.clock.now_ms()
        statistic = self.engine.open(request, now)
        subscription = self.engine.subscribe(statistic, SILENT, owner, now)
        self.after_clients()
        self._rearm()
        return subscription

    def release(self, subscription: Subscription) -> None:
        """He does not want it any more."""
        self.engine.unsubscribe(subscription)
        self.after_clients()
        self._rearm()

    # -- the server's own state --------------------------------------------------------------

    def set_mode(self, mode: ServerModeInfo) -> None:
        """Role or peer have changed: every client is told."""
        self.mode = mode
        for client in list(self.clients.values()):
            client.tell(client.session.mode_changed(mode))

    def set_ready(self, not_ready: str = "") -> None:
        """Refuse to open statistics (``not-ready``) for a reason, or without one allow it."""
        self.not_ready = not_ready
        for session in self.clients:
            session.not_ready = not_ready

    def leave_soon(self, reason: str) -> None:
        """Open nothing any more, and tell every client that there is the other member to go to."""
        self.set_ready(reason)
        self.set_mode(attrs.evolve(self.mode, leaving=True))

    def close_statistics(self, statistics: Iterable[Statistic], reason: str) -> None:
        """Their definition is gone: close them, and tell their clients why."""
        self.deliver(self.engine.close_all(statistics, reason))

    # -- telling clients ---------------------------------------------------------------------

    def deliver(self, told: Iterable[Notice | News]) -> None:
        """Hand out what the engine told somebody else."""
        for shared, run in groupby(told, is_shared):
            if shared:
                woken, count = spread(run)
                self._gone.told += count
                self.flush(woken)
            else:
                self._notify(one_by_one(run))
        self._rearm()

    def distribute(self) -> None:
        """Hand out whatever is due, and look at the next deadline again."""
        self.deliver(self.engine.news(self.clock.now_ms()))
        self._complain()

    def _complain(self) -> None:
        """Log what cannot be computed any more, where it began to, or could not be applied."""
        failing = self.engine.failing
        for statistic, error in failing.take_news():
            log.error("%s cannot be computed", key_text(statistic.key), exc_info=error)
        untold, failing.untold = failing.untold, 0
        if untold:
            log.error("and %d more cannot be computed", untold)
        for name, source in self.engine.sources.items():
            for event, error in source.passed_over.take_news():
                text = encode(event).decode("utf-8", "replace").rstrip()
                log.error("an event of %s cannot be applied: %s", name, text, exc_info=error)

    def _notify(self, notices: Iterable[Notice]) -> None:
        """What each client is told in words of its own."""
        now = self.clock.now_ms()
        by_session: dict[ClientSession, list[Notice]] = {}
        for notice in notices:
            by_session.setdefault(notice.subscription.owner.session, []).append(notice)
        for session, batch in by_session.items():
            client = self.clients.get(session)
            if client is not None:
                client.tell(session.notify(batch, now))

    async def run(self) -> None:
        """Wake the engine at its deadlines, wherever they move; until cancelled."""
        while True:
            with trio.CancelScope(deadline=self._deadline()) as self._alarm:
                await trio.sleep_forever()
            self.distribute()

    @property
    def wakes_at(self) -> float:
        """The time for which the alarm of :meth:`run` is set, for a simulation without tasks."""
        return self._alarm.deadline

    def _deadline(self) -> float:
        """The engine's next deadline, in Trio time; always in the future."""
        now = self.clock.now_ms()
        deadline = self.engine.next_deadline(now)
        if deadline == inf:
            return inf
        return self.clock.deadline((max(deadline, now + 1) + ROUNDING_MS) / 1000)

    def _rearm(self) -> None:
        self.after_engine()
        self._alarm.deadline = self._deadline()


def _push_all(outboxes: list[Outbox]) -> None:
    """Where nobody does it a few at a time."""
    for outbox in outboxes:
        outbox.push()


def _nothing() -> None:
    """Nobody has to know."""
