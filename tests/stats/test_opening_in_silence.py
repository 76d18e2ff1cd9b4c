"""Opening a statistic while nothing has happened for a while."""

from __future__ import annotations

from statserver_trio.model.actions import mask_of
from statserver_trio.model.directory import Directory, DNKey
from statserver_trio.model.world import WorldOptions
from statserver_trio.stats.definitions import Definitions, StatType
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_profiles import TimeProfile
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.tlib.events import (
    CallEvent,
    EventEstablished,
    EventLinkConnected,
    EventLinkDisconnected,
    EventOffHook,
    EventReleased,
)

MIDNIGHT = 1_767_225_600
START = MIDNIGHT + 15 * 60 - 60  # a minute before the first quarter of an hour is over


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


def test_what_comes_late_happens_when_it_says_whoever_has_opened_something_meanwhile() -> None:
    """A feed was away for two minutes and resumes; somebody asked for a statistic then."""
    talk = StatType("Talk", frozenset({"RegDN"}), "TotalTime", "DNAction", mask_of("CallInbound"))
    quarters = TimeProfile("Q", "Growing", "0:00 +0:15", tuple(range(0, 1440, 15)))

    def value(opens_another: bool) -> object:
        engine = Engine(Definitions(), Directory())
        engine.add_source("ts1", "sw1")

        def say(kind: type[CallEvent], second: int, dn: str = "7001") -> None:
            event = kind(time=START + second, this_dn=dn, conn_id=f"c{dn}", call_type="Inbound")
            engine.apply("ts1", [event], (START + 150) * 1000)

        say(EventEstablished, 0)
        say(EventEstablished, 0, "7002")
        request = StatisticRequest("RegDN", "7001@sw1", talk, quarters)
        asked = engine.open(request, START * 1000)
        if opens_another:
            request = StatisticRequest("RegDN", "7002@sw1", talk, quarters)
            engine.open(request, (START + 300) * 1000)
        say(EventReleased, 20)  # before the quarter of an hour is over
        say(EventEstablished, 70)
        say(EventReleased, 75)
        return engine.value(asked, (START + 150) * 1000).value

    assert value(opens_another=False) == value(opens_another=True) == 5


def test_a_queue_of_a_group_is_there_before_anybody_asks_for_it() -> None:
    """The link is lost and comes back; whoever asks later sees the same as who asked before."""
    monitored = StatType(
        "M", frozenset({"GroupQueues"}), "CurrentTime", "DNAction", mask_of("Monitored")
    )

    def value(asks_before: bool) -> object:
        listed = Directory(queue_groups={"Lines": (DNKey("8001", "sw1"),)})
        engine = Engine(Definitions(), listed)
        engine.add_source("ts1", "sw1")
        request = StatisticRequest("GroupQueues", "Lines", monitored)
        engine.apply("ts1", [EventOffHook(time=START, this_dn="7001")], START * 1000)
        if asks_before:
            engine.open(request, START * 1000)
        for event in (EventLinkDisconnected, EventLinkConnected):
            engine.apply("ts1", [event(time=START + 10)], (START + 10) * 1000)
        asked = engine.open(request, (START + 20) * 1000)
        return engine.value(asked, (START + 30) * 1000).value

    assert value(asks_before=False) == value(asks_before=True) == 20
