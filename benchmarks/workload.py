"""The workload: a seeded recording, and statistics to open on it.

Everything is made from one seed, so that two runs, and two versions of the
program, do exactly the same work.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random

from statserver_trio.model.directory import Directory
from statserver_trio.simulator.contact_centre import generate
from statserver_trio.stats.definitions import Definitions, StatType
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_profiles import (
    TimeProfile,
    parse_time_profile,
    parse_zone,
)
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.tlib.codec import encode_all

SEED = 20261123
EVENTS = 200_000
AGENTS = 500
QUEUES = 50
START = 1_767_225_600  # 2026-01-01T00:00:00Z
SWITCH = "sw1"
SOURCE = "ts1"
PIECE_BYTES = 64 * 1024
PROFILES_MAX = 24

TALK = "CallInbound,CallOutbound,CallInternal"
AGENT_TYPES = (
    ("TotalNumber", "DNAction", TALK),
    ("TotalTime", "DNAction", TALK),
    ("TotalNumber", "DNAction", "CallAnswered"),
    ("TotalTime", "DNAction", "CallOnHold"),
    ("TotalTime", "AgentStatus", "*,~LoggedOut,~NotMonitored"),
    ("TotalTime", "AgentStatus", "NotReadyForNextCall"),
    ("TotalTime", "AgentStatus", "WaitForNextCall"),
    ("TotalTime", "AgentStatus", "AfterCallWork"),
    ("TotalNumber", "AgentStatus", "AfterCallWork"),
    ("ElapsedTimePercentage", "AgentStatus", "WaitForNextCall"),
    ("CurrentNumber", "AgentStatus", "WaitForNextCall"),
    ("AverageTime", "DNAction", TALK),
)
QUEUE_TYPES = (
    ("TotalNumber", "DNAction", "CallEntered"),
    ("TotalNumber", "DNAction", "CallAnswered"),
    ("TotalNumber", "DNAction", "CallAbandoned,CallAbandonedFromRinging"),
    ("AverageTime", "DNAction", "CallAnswered"),
    ("TotalTime", "DNAction", "CallWait"),
    ("CurrentNumber", "DNAction", "CallWait"),
    ("CurrentMaxTime", "DNAction", "CallWait"),
    ("TotalNumber", "DNAction", "CallReleased"),
    ("TotalTime", "DNAction", "CallReleased"),
    ("TotalNumber", "DNAction", "CallDistributed"),
)


def recording() -> bytes:
    """The T-event lines, about 240 bytes each."""
    events = generate(Random(SEED), events=EVENTS, agents=AGENTS, queues=QUEUES, start=START)
    return encode_all(events)


def pieces(data: bytes) -> list[bytes]:
    """As a socket would deliver them."""
    return [data[i : i + PIECE_BYTES] for i in range(0, len(data), PIECE_BYTES)]


def profiles(count: int) -> list[TimeProfile]:
    """So many time profiles: growing ones with different resets, and sliding ones."""
    zone = parse_zone("UTC")
    made = [parse_time_profile("P0,Growing", "0:00", zone)]
    for number in range(1, count):
        if number % 2:
            value = f"0:{number:02d} +1:00"
            made.append(parse_time_profile(f"P{number},Growing", value, zone))
        else:
            minutes = 15 * number
            value = f"{minutes * 60}:{minutes * 2}"
            made.append(parse_time_profile(f"P{number},Sliding", value, zone))
    return made


def stat_type(category: str, subject: str, mask: str, objects: str) -> StatType:
    """One stat type; its name says what it is."""
    options = {"Objects": objects, "Category": category, "Subject": subject, "MainMask": mask}
    return parse_stat_type(f"{objects}/{category}/{subject}/{mask}", options)


def definitions() -> Definitions:
    """What is opened, by name: what a pair's members know each other's statistics by."""
    types = [stat_type(*row, "Agent") for row in AGENT_TYPES]
    types += [stat_type(*row, "Queue") for row in QUEUE_TYPES]
    found = profiles(PROFILES_MAX)
    return Definitions({t.name: t for t in types}, {profile.name: profile for profile in found})


def named_types() -> dict[str, dict[str, str]]:
    """The same stat types for a configuration file, by name."""
    found = {}
    for objects, rows in (("Agent", AGENT_TYPES), ("Queue", QUEUE_TYPES)):
        for number, (category, subject, mask) in enumerate(rows):
            found[f"{objects}{number}"] = {
                "Objects": objects, "Category": category, "Subject": subject, "MainMask": mask,
            }  # fmt: skip
    return found


def names(count: int) -> Iterator[tuple[str, str, str, str]]:
    """``count`` different statistics: object type, object, stat type and time profile."""
    agents = [f"a{number}" for number in range(1, AGENTS + 1)]
    queues = [f"{8000 + number}@{SWITCH}" for number in range(1, QUEUES + 1)]
    found = (
        (objects, object_id, f"{objects}{number}", profile.name)
        for profile in profiles(PROFILES_MAX)
        for objects, ids, rows in (("Agent", agents, AGENT_TYPES), ("Queue", queues, QUEUE_TYPES))
        for object_id in ids
        for number, (category, _, _) in enumerate(rows)
        # Current statistics have no profile, and would be the same ones again.
        if profile.name == "P0" or not category.startswith("Current")
    )
    return islice(found, count)


def engine_with(statistics: int) -> Engine:
    """An engine with about so many statistics open on the agents and queues.

    More statistics are more time profiles of the same things, which is how real
    sites come to a million (several reports and wallboards over few masks).
    """
    known = definitions()
    engine = Engine(known, Directory())
    engine.add_source(SOURCE, SWITCH)
    now = START * 1000
    agent_types = [t for t in known.stat_types.values() if "Agent" in t.objects]
    queue_types = [t for t in known.stat_types.values() if "Queue" in t.objects]
    agents = [f"a{number}" for number in range(1, AGENTS + 1)]
    queues = [f"{8000 + number}@{SWITCH}" for number in range(1, QUEUES + 1)]
    for profile in known.time_profiles.values():
        for kind, objects, types in (
            ("Agent", agents, agent_types),
            ("Queue", queues, queue_types),
        ):
            for object_id in objects:
                for each in types:
                    if len(engine.statistics) >= statistics:
                        return engine
                    # Current statistics have no profile, and so are shared from the second on.
                    engine.open(StatisticRequest(kind, object_id, each, profile), now)
    raise ValueError(f"{PROFILES_MAX} time profiles do not make {statistics} statistics")
