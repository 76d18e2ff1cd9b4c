"""A source that was lost: what counts, from when on, and what the clock says meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from statserver_trio.config.load import load
from statserver_trio.config.site import make_site
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.tlib.events import (
    EventLinkConnected,
    EventServerConnected,
    EventServerDisconnected,
)

SITE = make_site(load(Path(__file__).parent.parent.parent / "conf" / "standalone.toml"))
NOON = 1_767_268_800  # 2026-01-01T12:00:00Z
MS = NOON * 1000


@pytest.fixture
def engine() -> Engine:
    engine = Engine(SITE.definitions, SITE.directory, SITE.world_options, "millisecond")
    engine.add_source("ts1", "sw1")
    engine.apply("ts1", [EventServerConnected(position=5000, time=NOON)], MS)
    return engine


def test_a_feed_that_was_restarted_counts_anew_and_is_heard(engine: Engine) -> None:
    source = engine.sources["ts1"]
    engine.apply("ts1", [EventServerDisconnected(time=NOON + 1)], MS + 1000)
    assert source.position is None
    engine.apply("ts1", [EventServerConnected(position=3, time=NOON + 2)], MS + 2000)
    engine.apply("ts1", [EventLinkConnected(position=4, time=NOON + 3)], MS + 3000)
    assert source.position == 4
    assert source.duplicates == 0


def test_a_gap_lasts_until_the_feed_is_back(engine: Engine) -> None:
    """Incomplete is also an interval that began when nobody could hear anything."""
    request = StatisticRequest("Queue", "8001@sw1", "Total_Calls_Entered", "QuarterHour")
    statistic = engine.open(request, MS)
    assert engine.sources["ts1"].last_gap is None
    engine.apply("ts1", [EventServerDisconnected(time=NOON + 60)], MS + 60_000)
    engine.apply("ts1", [EventServerConnected(position=9, time=NOON + 1000)], MS + 1_000_000)
    assert not engine.value(statistic, MS + 1_100_000).complete  # 12:18:20, of 12:15 on
    assert engine.value(statistic, MS + 1_900_000).complete  # 12:31:40, of 12:30 on


def test_a_clock_stands_still_until_there_is_news(engine: Engine) -> None:
    source = engine.sources["ts1"]
    assert source.clock(MS + 7000) == MS + 7000
    source.lost_at = MS + 5000
    assert source.clock(MS + 7000) == source.clock(MS + 9000) == MS + 5000
    assert source.time_of_arrival(MS + 7000) == MS + 7000
    assert source.known_until(MS + 4000) == MS + 4000
    engine.apply("ts1", [EventLinkConnected(position=5001, time=NOON + 6)], MS + 9000)
    assert source.clock(MS + 9500) == MS + 6500
