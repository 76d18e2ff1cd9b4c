"""The pair of :mod:`ha_pair` with real engines: T-events, worlds, statistics of every kind.

The source is the simulated contact centre, told one event at a time; the oracle
is a third engine that hears everything and never fails.
"""

from __future__ import annotations

from math import inf
from pathlib import Path
from random import Random

import ha_pair
import pytest

from statserver_trio.config.load import load
from statserver_trio.config.site import make_site
from statserver_trio.ha.holds import Wanted
from statserver_trio.ha.replication import Closed, Opened
from statserver_trio.ha.store import SessionLost
from statserver_trio.server.link_definitions import key_text
from statserver_trio.server.pair_store import PairStore
from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.transfer import adopt_statistic, export_statistic, request_of
from statserver_trio.tlib.codec import decode_line, encode

CONF = Path(__file__).parent.parent.parent / "conf" / "standalone.toml"
SITE = make_site(load(CONF))
SWITCH = "sw1"
SLICE_ITEMS = 2  # installed at a time ...
SLICE_SECONDS = 0.0003  # ... and how long that takes, so that events come in between
START = 1_767_268_800  # 2026-01-01T12:00:00Z


def an_engine() -> Engine:
    engine = Engine(SITE.definitions, SITE.directory, SITE.world_options, "millisecond")
    engine.add_source("s", SWITCH)
    return engine


class RealFeed:
    """The simulated T-Server; what it says happens now, whatever its own clock says."""

    def __init__(self, name, seed=1):
        self.name, self.log = name, []
        self.centre = ContactCentre(Random(seed), START, agents=6, queues=2)

    @property
    def last(self):
        return self.log[-1][0] if self.log else 0

    def say(self, obj, time):
        event = self.centre.take(1)[0]
        event.time = START + time / 1024
        self.log.append((event.position, encode(event)))
        return self.log[-1]

    def snapshots(self, time):
        found = []
        for dn in self.centre.dns:
            event = self.centre.snapshot(dn)
            event.time, event.position = START + time, None
            found.append((None, encode(event)))
        return found


class RealStore(PairStore):
    """A store that tells the harness what it installs."""

    def __init__(self, node):
        engine = an_engine()
        super().__init__(engine, an_engine, node.now_ms, engine.apply)

    def add_source(self, name):
        assert name in self.engine.sources

    def found(self):
        return {text: self.statistic(text) for text in self.open_keys()}


class RealNode(ha_pair.Node):
    """One process with a real engine."""

    def __init__(self, pair, name, other, dials, options):
        super().__init__(pair, name, other, dials, options)
        self.engine = RealStore(self)
        self.worked_at = 0.0

    def now_ms(self):
        return int((START + self.pair.now) * 1000)

    def register(self, name):
        feed = self.pair.feeds[name]
        self.tell(ha_pair.SourceAt(name, feed.last))
        self.tell(ha_pair.Arrived(name, feed.snapshots(self.pair.now)))

    def open_request(self, request):
        store = self.engine
        statistic = store.engine.open(request, self.now_ms())
        known = key_text(statistic.key) in store.open_keys()
        text = store.opened(statistic)
        if not known:
            self.pair.opened(statistic, text, self)
        self.wanted[text] = request
        self.tell(Opened((text,)))

    def come_back(self):
        store = self.engine
        for request in self.wanted.values():
            store.opened(store.engine.open(request, self.now_ms()))
        self.tell(Opened(tuple(self.wanted)))

    def close(self, keys):
        self.tell(Closed(self.engine.close_unwanted(keys)))

    def perform(self, actions):
        store = self.engine
        for action in actions:
            if isinstance(action, SessionLost):
                store.forget_waiting()
            super().perform([action])

    def work_at_once(self):
        """It takes its time; see below."""

    def work_due(self):
        return self.worked_at + SLICE_SECONDS if self.engine.can_go_on else inf

    def work(self):
        self.worked_at = self.pair.now
        for answer in self.engine.go_on(SLICE_ITEMS):
            self.tell(answer)
            lacking = self.engine.lacking(self.engine.take_doubtful())
            if lacking:
                self.tell(Wanted(tuple(lacking)))


RealStore.incomplete = RealStore.lacking


class RealPair(ha_pair.Pair):
    """The pair, and the oracle beside it."""

    def __init__(self, **options):
        self.oracle = an_engine()
        self.truths = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ha_pair, "Node", RealNode)
            patch.setattr(ha_pair, "Feed", RealFeed)
            super().__init__(**options)
        feed = self.feeds["s"]
        lines = [decode_line(line) for _, line in feed.snapshots(0)]
        self.oracle.apply("s", lines, START * 1000)

    def restart(self, node, abruptly=True):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ha_pair, "Node", RealNode)
            return super().restart(node, abruptly)

    def now_ms(self):
        return int((START + self.now) * 1000)

    def event(self, obj="x", source="s"):
        super().event(obj, source)
        self.oracle.apply("s", [decode_line(self.feeds["s"].log[-1][1])], self.now_ms())

    def opened(self, statistic, text, node):
        """The oracle opens it at the same moment, whoever did first."""
        if text in self.truths:
            return
        mine = self.oracle.open(request_of(statistic), self.now_ms())
        adopt_statistic(self.oracle, mine, export_statistic(statistic), self.now_ms(), True)
        self.truths[text] = mine

    def values(self, engine, statistics):
        at = {source.ledger: self.last_ms() + 5000 for source in engine.sources.values()}
        return {t: engine.value_at(s, at).value for t, s in statistics.items()}

    def last_ms(self):
        return max(e.sources["s"].world(0).now for e in self.engines())

    def engines(self):
        return [self.oracle, *(node.engine.engine for node in self.both)]

    def truth(self):
        return self.values(self.oracle, self.truths)

    def check(self):
        truth = self.truth()
        for node in self.both:
            store = node.engine
            assert self.values(store.engine, store.found()) == truth, node.name
