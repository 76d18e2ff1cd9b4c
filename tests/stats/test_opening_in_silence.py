"""Opening a statistic while nothing has happened for a while."""

from __future__ import annotations

from statserver_trio.model.directory import Directory
from statserver_trio.model.world import WorldOptions
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.stat_types import parse_stat_type
from statserver_trio.tlib.events import EventEstablished, EventOffHook

MIDNIGHT = 1_767_225_600


def test_a_call_that_was_stuck_before_does_not_count() -> None:
    """The check that removes it was due, but no event had come to bring it about."""
    talk = parse_stat_type(
        "",
        {
            "Objects": "RegDN",
            "Category": "TotalTime",
            "Subject": "DNAction",
            "MainMask": "CallInbound",
        },
    )
    engine = Engine(Definitions(), Directory(), WorldOptions(stuck_call_timeout_ms=150_000))
    engine.add_source("ts1", "sw1")
    call = EventEstablished(time=MIDNIGHT, this_dn="7001", conn_id="c1", call_type="Inbound")
    engine.apply("ts1", [call], MIDNIGHT * 1000)
    opened = engine.open(StatisticRequest("RegDN", "7001@sw1", talk), (MIDNIGHT + 185) * 1000)
    later = EventOffHook(time=MIDNIGHT + 190, this_dn="7001")
    engine.apply("ts1", [later], (MIDNIGHT + 190) * 1000)
    assert engine.value(opened, (MIDNIGHT + 190) * 1000).value == 0
