"""A contact centre whose configuration changes while it works: three agents, whoever is listed.

What the tests of reloads, and of statistics with former members, have in common.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve
from hypothesis import strategies as st

from statserver_trio.model.directory import DN, Agent, Directory, DNKey, Place
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.filters import parse_filter
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_profiles import UTC, parse_time_profile
from statserver_trio.stats.definitions.time_ranges import parse_time_range
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.reconfigure import Changes, reconfigure
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.statistic import Statistic
from statserver_trio.stats.telling.notifications import Notification
from statserver_trio.tlib import events as e

MIDNIGHT = 1_700_006_400_000
OBJECTS = "RegDN, Agent, GroupAgents, Place, GroupPlaces"
KEYS = [DNKey(number, "sw1") for number in ("8001", "8002", "8003")]

# name: category, mask
STAT_TYPES = {
    "Calls": ("TotalNumber", "CallInbound"),
    "Time": ("TotalTime", "CallInbound"),
    "Whole": ("TotalAdjustedTime", "CallInbound"),
    "Now": ("CurrentNumber", "CallInbound"),
    "Longest": ("MaxTime", "CallInbound"),
    "Shortest": ("MinTime", "CallInbound,CallInboundCompleted"),
    "Most": ("MaxNumber", "CallInbound"),
    "Least": ("MinNumber", "CallInbound"),
    "Quick": ("TotalNumberInTimeRange", "CallInbound"),
    "Average": ("AverageOfCurrentNumber", "CallInbound"),
    "Lasting": ("AverageOfCurrentTime", "CallInbound"),
    "State": ("CurrentState", "*"),
    "Routable": ("CurrentNumber", "Routable"),
    "Blocked": ("TotalTime", "Blocked"),
}
QUEUE_TYPES = {
    "Waiting": ("CurrentNumber", "CallWait"),
    "Waited": ("TotalTime", "CallWait"),
    "Factor": ("ServiceFactor1", "CallAnswered"),
    "Logged": ("CurrentNumber", "AgentLogin"),
}
STATUSES = {
    "Talks": ("TotalNumber", "CallInbound"),
    "Talking": ("TotalTime", "CallInbound"),
    "LongestTalk": ("MaxTime", "CallInbound"),
    "ShortestTalk": ("MinTime", "CallInbound"),
    "Times": ("TotalContinuousNumber", "CallInbound,AfterCallWork"),
}


# Of the group's own status.
GROUP_STATUSES = {
    "Manned": ("TotalTime", "WaitForNextCall"),
    "Since": ("CurrentTime", "*"),
    "Turns": ("TotalNumber", "WaitForNextCall"),
    "Own": ("CurrentState", "*"),
}


def a_stat_type(name: str, category: str, mask: str, subject: str = "DNAction") -> Any:
    options = {"Objects": OBJECTS, "Category": category, "Subject": subject, "MainMask": mask}
    if name in QUEUE_TYPES:
        options["Objects"] = "Queue, GroupQueues"
    if subject == "AgentStatus":
        options["Objects"] = "Agent, GroupAgents"
    if subject == "GroupStatus":
        options["Objects"] = "GroupAgents, GroupPlaces"
    return parse_stat_type(name, options)


def definitions(**changes: Any) -> Definitions:
    stat_types = {n: a_stat_type(n, *what) for n, what in (STAT_TYPES | QUEUE_TYPES).items()}
    stat_types |= {n: a_stat_type(n, *what, "AgentStatus") for n, what in STATUSES.items()}
    stat_types |= {n: a_stat_type(n, *what, "GroupStatus") for n, what in GROUP_STATUSES.items()}
    profiles = {
        "Never": parse_time_profile("Never,Growing", "never", UTC),
        "Minutes": parse_time_profile("Minutes,Growing", "0:00 +0:01", UTC),
        "Window": parse_time_profile("Window,Sliding", "60:10", UTC),
    }
    return evolve(
        Definitions(
            stat_types=stat_types,
            time_profiles=profiles,
            time_ranges={"Short": parse_time_range("Short", "0-10")},
            filters={"Vip": parse_filter("Vip", 'PairExists("Class","Vip")')},
        ),
        **changes,
    )


def directory(sales: str = "a1 a2", **changes: Any) -> Directory:
    return evolve(
        Directory(
            dns={key: DN(key, "Queue") for key in KEYS},
            agents={name: Agent(name) for name in ("a1", "a2", "a3")},
            places={"P1": Place("P1", (DNKey("7001", "sw1"),))},
            agent_groups={"Sales": tuple(sales.split())},
            place_groups={"Floor": ("P1",)},
            queue_groups={"Support": tuple(KEYS[:2])},
        ),
        **changes,
    )


def engine_of(listed: Directory | None = None) -> Engine:
    """Three agents at 7001 to 7003, ready since midnight."""
    engine = Engine(definitions(), listed or directory())
    engine.add_source("ts1", "sw1")
    happens(engine, 0, *(
        at(e.EventAgentReady, 0, dn=f"700{n}", agent_id=f"a{n}") for n in (1, 2, 3)
    ))  # fmt: skip
    return engine


def at(cls: type, seconds: float, dn: str = "7001", **more: Any) -> Any:
    if issubclass(cls, e.CallEvent):
        more = {"conn_id": f"c{dn}", "call_type": "Inbound", **more}
    return cls(time=MIDNIGHT / 1000 + seconds, this_dn=dn, **more)


def happens(engine: Engine, seconds: float, *events: Any) -> None:
    engine.apply("ts1", events, MIDNIGHT + round(seconds * 1000))


def talks(engine: Engine, dn: str, begin: float, end: float | None = None) -> None:
    happens(engine, begin, at(e.EventEstablished, begin, dn))
    if end is not None:
        happens(engine, end, at(e.EventReleased, end, dn))


def opened(
    engine: Engine,
    name: str,
    object_id: str = "GroupAgents:Sales",
    seconds: float = 0,
    profile: str = "Never",
    owner: Any = None,
    **more: Any,
) -> Statistic:
    object_type, _, object_id = object_id.partition(":")
    request = StatisticRequest(object_type, object_id, name, profile, **more)
    now = MIDNIGHT + round(seconds * 1000)
    statistic = engine.open(request, now)
    if owner is not None:
        engine.value_for(engine.subscribe(statistic, Notification(), owner, now), now)
    return statistic


def value(engine: Engine, statistic: Statistic, seconds: float) -> Any:
    return engine.value(statistic, MIDNIGHT + round(seconds * 1000)).value


def reload(
    engine: Engine,
    seconds: float,
    new: Definitions | None = None,
    listed: Directory | None = None,
) -> Changes:
    now = MIDNIGHT + round(seconds * 1000)
    return reconfigure(engine, new or engine.definitions, listed or engine.directory, now)


# Who does what after how many seconds; ``toggle`` lets him join the group, or leave it.
stories = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from(["7001", "7002", "7003"]),
        st.sampled_from(["talk", "end", "toggle"]),
    ),
    min_size=2,
    max_size=25,
)
