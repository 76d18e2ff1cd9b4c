"""Real engines and a real feed, for stories of the store; whole pairs live in ``tests/sim``."""

from __future__ import annotations

from pathlib import Path
from random import Random

from statserver_trio.config.load import load
from statserver_trio.config.site import make_site
from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.stats.engine import Engine
from statserver_trio.tlib.codec import encode

CONF = Path(__file__).parent.parent.parent / "conf" / "standalone.toml"
SITE = make_site(load(CONF))
SWITCH = "sw1"
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
