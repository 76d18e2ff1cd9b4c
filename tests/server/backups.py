"""For tests of the backup file: a busy engine, cut while events go on, and what came of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from statserver_trio.config.load import load
from statserver_trio.config.site import make_site
from statserver_trio.server.backup.cutting import Cut
from statserver_trio.server.backup.files import Reader, Writer
from statserver_trio.server.backup.form import Ending, Head
from statserver_trio.server.backup.items import item_of
from statserver_trio.server.backup.restoring import Restoration
from statserver_trio.server.link_definitions import Hashes
from statserver_trio.stats.categories import CATEGORIES
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.refusals import refusal
from statserver_trio.stats.requests import StatisticRequest

CONF = Path(__file__).parent.parent.parent / "conf" / "standalone.toml"
SITE = make_site(load(CONF))
START = 1_767_258_000.0  # 2026-01-01T09:00:00Z
IDS = {
    "Queue": ("8001@sw1", "8002@sw1"),
    "Agent": ("a1", "a2", "a3"),
    "Place": ("P1",),
    "RegDN": ("7002@sw1",),
    "GroupAgents": ("Sales",),
    "GroupQueues": ("AllQueues",),
}


def an_engine(resolution: str = "millisecond") -> Engine:
    engine = Engine(SITE.definitions, SITE.directory, SITE.world_options, resolution)
    engine.add_source("ts1", "sw1")
    return engine


def some_requests(rng: Random) -> list[StatisticRequest]:
    """Every stat type on a few objects, with profiles and filters by chance."""
    requests = []
    for name, stat_type in SITE.definitions.stat_types.items():
        historical = CATEGORIES[stat_type.category].is_historical
        for object_type in sorted(stat_type.objects & IDS.keys()):
            profile = (
                rng.choice([None, "QuarterHour", "LastHour", "LastTen", "Session"])
                if historical
                else None
            )
            named = SITE.definitions.time_profile(profile)
            if refusal(CATEGORIES[stat_type.category], stat_type, named, object_type):
                profile = None
            chosen = rng.choice([None, None, "Gold", "Spanish"])
            object_id = rng.choice(IDS[object_type])
            requests.append(StatisticRequest(object_type, object_id, name, profile, filter=chosen))
    return requests


class Beating:
    """An engine to which events happen one by one, and everybody who listens to it."""

    def __init__(self, engine: Engine, now: int) -> None:
        self.engine, self.now = engine, now
        self.cut: Cut | None = None

    def apply(self, event: Any, late: int = 7) -> None:
        self.now = int(event.time * 1000) + late
        self.engine.apply("ts1", [event], self.now)
        if self.cut is not None:
            self.cut.applied("ts1", [event], self.now)

    def begin(self, **options: Any) -> Cut:
        source = self.engine.sources["ts1"]
        self.cut = Cut(
            self.engine,
            partial(item_of, hashes=Hashes()),
            lambda: {"ts1": Ending(source.position, None)},
            lambda: self.now,
            **options,
        )
        return self.cut


def write(path: Path, beating: Beating, application: str = "app", **options: Any) -> None:
    """A file in which nothing happened meanwhile."""
    writer = Writer(path)
    writer.begin(Head(application, "test", beating.now))
    for piece in beating.begin(**options).pieces():
        writer.put(piece)
    writer.finish()
    beating.cut = None


def read(path: Path, engine: Engine, **options: Any) -> Restoration:
    """Play the file into an engine in which nothing has happened."""
    reader, play = Reader(path), Restoration(engine, "app", **options)
    play.take(reader.head)
    while (frame := reader.next()) is not None:
        play.take(frame)
    return play


def values(engine: Engine, now: int) -> dict[Any, Any]:
    return {key: engine.value(each, now) for key, each in engine.statistics.items()}
