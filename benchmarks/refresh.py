"""Refresh: what it costs to look at statistics that are told every ten seconds.

Every statistic has one subscription of the mode TimeBased. A fifth of them grow with time all
the while; their clients are told when they have grown by a day, the others of every change.
Measured is all the CPU that the engine spends in ten seconds on finding out what to tell

    still     where nothing happens
    touched   where 4 % of the agents have a call, and their statistics are told
    anyway    where nothing happens, but clients are told of every statistic all the same
              (insensitivity 0)

against P5: 1.2 million statistics every ten seconds at 3 % of a core, or 250 ns each. What
counts is the ratio to reading every value once, taken in one run: nanoseconds are a machine's.
"""

from __future__ import annotations

import gc
import time
from math import inf
from random import Random

from attrs import frozen

from statserver_trio.model.directory import Directory
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.telling.notifications import Mode, Notification
from statserver_trio.tlib import events as e

from . import workload

SEED = 20261123
PERIOD = 10  # seconds
TOUCHED = 0.04
NS_MAX = 250  # per statistic and round, on a core that is left alone
RATIO_MIN = 8  # so much more it costs to read every value
BEGINNING = (workload.START + 50 * 60) * 1000  # ms; no profile resets in the minutes after it
BATCHES = 20  # in which events come between two rounds
DAY = 86_400

TALK = "CallInbound,CallOutbound,CallInternal"
# What stands still while nothing happens, and changes when a call ends.
STILL = (
    ("TotalNumber", "DNAction", TALK),
    ("TotalTime", "DNAction", TALK),
    ("AverageTime", "DNAction", TALK),
    ("TotalAdjustedTime", "DNAction", TALK),
    ("TotalNumber", "DNAction", "CallInbound"),
    ("TotalTime", "DNAction", "CallInbound"),
    ("TotalAdjustedNumber", "DNAction", TALK),
    ("TotalNumberInTimeRange", "DNAction", TALK),
)
# What grows while an agent waits.
GROWING = (
    ("TotalTime", "AgentStatus", "WaitForNextCall"),
    ("TotalTime", "AgentStatus", "*,~LoggedOut,~NotMonitored"),
)


@frozen
class Size:
    """How much of it: each agent has ten statistics per time profile."""

    agents: int
    profiles: int
    rounds: int


FULL = Size(agents=5000, profiles=24, rounds=3)  # 1.2 million statistics
SHORT = Size(agents=250, profiles=12, rounds=5)
ANYWAY = Size(agents=250, profiles=12, rounds=3)


class Site:
    """An engine, its subscriptions, and a clock."""

    def __init__(self, size: Size, told_anyway: bool = False) -> None:
        self.size = size
        self.now = BEGINNING
        self.engine = Engine(Definitions(), Directory())
        self.engine.add_source(workload.SOURCE, workload.SWITCH)
        self._random = Random(SEED)
        self._say(self._logins())
        self._open(told_anyway)
        self._say(self._calls(range(size.agents)))  # everybody has had one
        self.now += 1000 * PERIOD
        self.engine.notices(self.now)

    def _open(self, told_anyway: bool) -> None:
        changes = Notification(Mode.TIME_BASED, PERIOD, 0 if told_anyway else 1)
        rarely = Notification(Mode.TIME_BASED, PERIOD, 0 if told_anyway else DAY)
        rows = [(changes, row) for row in STILL] + [(rarely, row) for row in GROWING]
        types = [(wanted, workload.stat_type(*row, "Agent")) for wanted, row in rows]
        for profile in workload.profiles(self.size.profiles * 2)[1::2]:  # the growing ones
            for agent in range(self.size.agents):
                for wanted, each in types:
                    request = StatisticRequest("Agent", f"a{agent}", each, profile)
                    statistic = self.engine.open(request, self.now)
                    subscription = self.engine.subscribe(statistic, wanted, None, self.now)
                    self.engine.value_for(subscription, self.now)

    def _logins(self) -> list[e.TEvent]:
        found: list[e.TEvent] = []
        for number in range(self.size.agents):
            told = {"this_dn": f"{10_000 + number}", "agent_id": f"a{number}"}
            found += [e.EventAgentLogin(**told), e.EventAgentReady(**told)]
        return found

    def _calls(self, agents: range | list[int]) -> list[e.TEvent]:
        """A call of some seconds at each of them."""
        began, call = self.now / 1000, {"call_type": "Inbound"}
        found: list[e.TEvent] = []
        for agent in agents:
            names = {"this_dn": f"{10_000 + agent}", "conn_id": f"c{agent}"}
            ended = began + self._random.randint(2, 8)
            found.append(e.EventEstablished(**names, time=began, **call))
            found.append(e.EventReleased(**names, time=ended, **call))
        return sorted(found, key=lambda event: event.time or 0)

    def _say(self, events: list[e.TEvent]) -> None:
        self.engine.apply(workload.SOURCE, events, self.now)

    def round(self, touched: float) -> tuple[float, int]:
        """Seconds of CPU of one period, and how much was told in it."""
        chosen = self._random.sample(range(self.size.agents), round(touched * self.size.agents))
        calls = self._calls(chosen)
        due = self.now + PERIOD * 1000
        seconds, told, share = 0.0, 0, len(calls) // BATCHES + 1
        for number in range(BATCHES + 1):
            if number < BATCHES:
                batch = calls[number * share : (number + 1) * share]
                self.now += PERIOD * 1000 // (BATCHES + 1)
                self._say(batch)
            else:
                self.now = due
            began = time.process_time()
            told += len(self.engine.notices(self.now))
            seconds += time.process_time() - began
        return seconds, told

    def reading(self) -> float:
        """Seconds of CPU to read every value once."""
        began = time.process_time()
        for statistic in self.engine.statistics.values():
            self.engine.value(statistic, self.now)
        return time.process_time() - began


def run(size: Size = FULL) -> dict[str, object]:
    """Measure; what is returned is what is printed as JSON."""
    site = Site(size)
    gc.collect()
    gc.freeze()
    site.round(0.0)  # whatever has to be found out first
    reading = still = touched = inf
    told = 0
    for _ in range(size.rounds):  # in turns, so that what disturbs the machine disturbs all
        reading = min(reading, site.reading())
        still = min(still, site.round(0.0)[0])
        seconds, told = site.round(TOUCHED)
        touched = min(touched, seconds)
    count = len(site.engine.statistics)
    anyway, told_anyway = _anyway()
    gc.unfreeze()
    return {
        "row": "refresh",
        "statistics": count,
        "told_per_round": told,
        "still_ns": round(still / count * 1e9, 1),
        "touched_ns": round(touched / count * 1e9, 1),
        "reading_ns": round(reading / count * 1e9),
        "anyway_ns": round(anyway / told_anyway * 1e9),
        "ns_max": NS_MAX,
        "ratio_reading_to_touched": round(reading / touched, 1),
        "ratio_min": RATIO_MIN,
    }


def _anyway() -> tuple[float, int]:
    """Seconds of a round in which everybody is told, and how many that are."""
    site = Site(ANYWAY, told_anyway=True)
    site.round(0.0)
    return min(site.round(0.0) for _ in range(ANYWAY.rounds))


def describe(result: dict[str, object]) -> str:
    """One line for people."""
    return (
        f"refresh: of {result['statistics']:,} statistics a round of ten seconds costs "
        f"{result['still_ns']} ns each where nothing happens and {result['touched_ns']} ns where "
        f"{result['told_per_round']:,} are told (at most {result['ns_max']} ns; to read all costs "
        f"{result['ratio_reading_to_touched']}x that, at least {result['ratio_min']}x); "
        f"telling everybody anyway {result['anyway_ns']:,} ns each"
    )


def is_good(result: dict[str, object]) -> bool:
    """Whether the ratio is what it may be."""
    ratio, limit = result["ratio_reading_to_touched"], result["ratio_min"]
    assert isinstance(ratio, float)
    assert isinstance(limit, int)
    return ratio >= limit
