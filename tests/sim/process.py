"""One process of the pair: a server's parts, wired as ``server/assembly.py`` does, and no Trio.

Alarms, sockets and the session's work come from the agenda. A process can be killed, or
stopped and continued; nothing of it happens while it is dead or frozen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

import trio
from attrs import evolve

from statserver_trio.api.messages import ServerModeInfo
from statserver_trio.server.assembly import feed_options
from statserver_trio.server.clock import Clock
from statserver_trio.server.ha.pair import Pair
from statserver_trio.server.hub import Hub
from statserver_trio.server.link_definitions import key_text
from statserver_trio.server.reload import Reloader
from statserver_trio.server.tap import Tap
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.statistic import Statistic

from .agenda import Alarm
from .link import Dialler, SimLink, accept
from .network import End, Host
from .site import config_of, site_of
from .switch import SimFeed

if TYPE_CHECKING:
    from .day import Day
    from .site import Variant

_numbers = itertools.count(1)


async def _never() -> trio.abc.Stream:
    raise AssertionError("the simulation dials itself")


class Process:
    """One process, from its start to its end.

    Args:
        host: Where it runs.
        role: By configuration: ``primary`` or ``backup``.
        variant: Which configuration it reads at the start.

    Attributes:
        alive: Until it is killed.
        knocking: Connections that came while it was frozen.
        proven: Statistics that have been seen to be right, by key.
    """

    def __init__(self, day: Day, host: Host, role: str, variant: Variant) -> None:
        self.day = day
        self.host = host
        self.role = role
        self.variant = variant
        self.alive = True
        self.proven: dict[str, Statistic | None] = {}
        self.config = evolve(config_of(role, variant), ha=day.ha)
        self.links: dict[SimLink, None] = {}
        self.lobby: dict[SimLink, None] = {}
        self.knocking: list[End] = []
        self.clients: list[Callable[[str], None]] = []  # told when it is gone
        self._late: list[Callable[[], object]] = []  # what came due while it was frozen
        self._works = False
        self._number = 0
        self._make()
        self._alarms = [
            Alarm(day.agenda, lambda: self.member.wakes_at, lambda: self._ring(self.member.wake)),
            Alarm(day.agenda, lambda: self.hub.wakes_at, lambda: self._ring(self.hub.distribute)),
            *(
                Alarm(day.agenda, feed.session.next_deadline, lambda f=feed: self._ring(f.ring))
                for feed in self.feeds.values()
            ),
        ]

    def _make(self) -> None:
        day, config = self.day, self.config
        self.clock = Clock(
            day.epoch + day.wall_ahead[self.host.name],
            lambda: self.clock.now() + day.wall_jump[self.host.name],
            lambda: day.agenda.now,
        )
        site = site_of(self.role, self.variant)
        engine = Engine(site.definitions, site.directory, site.world_options, site.resolution)
        for tserver in config.tserver:
            engine.add_source(tserver.name, tserver.switch)
            engine.set_connected(tserver.name, False)
        self.hub = Hub(engine, self.clock, None, ServerModeInfo(role=self.role))
        opener = _never if self.role == "backup" else None
        tap = Tap(self.hub, {})
        self.pair = Pair(config, self.hub, tap, self.clock, opener, [], day.new_id)
        self.member = self.pair.member
        self.store = self.member.store
        self.installer = self.member.installer
        self.installer.slice_items = day.plan.slice_items
        self.peer = self.member.peer
        self.reloader = Reloader(None, config, self.hub, self.pair)
        self.hub.after_clients = self._after_clients
        self.feeds = {
            tserver.name: SimFeed(
                self,
                day.switches[tserver.name],
                evolve(feed_options(config, tserver), keepalive=day.plan.feed_keepalive),
            )
            for tserver in config.tserver
        }

    def start(self) -> None:
        """Begin to live."""
        self.member.start()
        self.hub.distribute()
        for feed in self.feeds.values():
            feed.dial()
        if self.role == "backup":
            Dialler(self)
        self.look()

    # -- time -----------------------------------------------------------------------------

    def after(self, seconds: float, do: Callable[[], object]) -> None:
        """Let something of this process happen later, or as soon as it is not frozen."""
        self.day.agenda.after(seconds, lambda: self._run(do))

    def soon(self, do: Callable[[], object]) -> None:
        """Let something of this process happen next."""
        self.after(0.0, do)

    def _run(self, do: Callable[[], object]) -> None:
        if not self.alive:
            return
        if self.host.frozen:
            self._late.append(do)
            return
        self.day.speaker = self.host.name
        do()
        self.look()

    def _ring(self, do: Callable[[], object]) -> bool:
        if not self.alive or self.host.frozen:
            return False
        self.day.speaker = self.host.name
        do()
        self.look()
        return True

    def look(self) -> None:
        """Something has happened: see when to wake up next, and whether there is work."""
        if not self.alive or self.host.frozen:
            return
        for alarm in self._alarms:
            alarm.look()
        if self.installer._more.is_set() and not self._works:
            self._works = True
            self.after(self.day.plan.work_delay, self._work)

    def _work(self) -> None:
        """What the session's task does (``server/ha/installer.py``), a slice at a time."""
        self._works = False
        if self.peer.session.id is None:  # it waits for the next session
            return
        self.installer._more = trio.Event()
        if self.installer.work():
            self.installer._more.set()

    # -- the end, and less ----------------------------------------------------------------

    def kill(self, politely: bool, power: bool) -> None:
        """It is gone with all it knew; with its host, nobody even says so."""
        if politely:
            self.member.stop()
            for link in list(self.links):
                link._write()
        self.alive = False
        for end in list(self.host.ends):
            if power:
                end.vanish()
            else:
                end.reset()
        self.host.up = not power
        for leave in self.clients:
            leave("the server is gone")

    def freeze(self) -> None:
        """Stopped, as by SIGSTOP."""
        self.host.frozen = True

    def thaw(self) -> None:
        """Continued: timers are late, and sockets full."""
        self.host.frozen = False
        if self.day.rng.random() < 0.5:
            self._ring(self.member.wake)
        for end in list(self.host.ends):
            end.read_on()
        for end in self.knocking:
            accept(self, end)
        self.knocking.clear()
        late, self._late = self._late, []
        for do in late:
            self._run(do)
        self.look()

    def left(self, link: SimLink) -> None:
        """A connection is over."""
        self.links.pop(link, None)

    def next_number(self) -> int:
        """Of a connection."""
        self._number += 1
        return self._number

    @property
    def other_host(self) -> Host:
        """Where the other member runs."""
        return self.day.hosts["B" if self.host.name == "A" else "A"]

    # -- clients and operators ------------------------------------------------------------

    def _after_clients(self) -> None:
        """As Member wants it; what is opened for the first time, the oracle opens, too."""
        engine = self.hub.engine
        news: list[Statistic] = []
        for statistic in engine._changed_hands:
            is_open = engine.statistics.get(statistic.key) is statistic
            is_known = self.store.statistic(key_text(statistic.key)) is statistic
            if is_open and statistic.subscriptions and not is_known:
                news.append(statistic)
        for statistic in news:
            self.day.opened(self, statistic)
        self.member.clients_changed()

    def reload(self, variant: Variant) -> None:
        """Another configuration file is there, and SIGHUP was sent."""
        self.variant = variant
        self.config = evolve(config_of(self.role, variant), ha=self.day.ha)
        before = set(self.store.open_keys())
        self.reloader._apply(self.config)
        self.day.deleted(self, before - set(self.store.open_keys()))
        self.look()
