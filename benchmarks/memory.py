"""Memory: what an open statistic takes, all in, and what it costs to open.

Statistics are opened on the engine, of all agents and queues over so many time profiles,
and the process is asked how much it has grown: that has worlds, rows, columns and tables
in it, not only the statistics themselves. Then events are counted, which fills the columns
of the profiles; then a client subscribes to each of them; and then a second engine takes all of it
over, as one that joins a pair does: it has to remember for each statistic what its own columns
cannot know.

Every population is measured in a process of its own, in which nothing has been freed yet.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from attrs import asdict, frozen

from statserver_trio.model.directory import Directory
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.telling.notifications import Mode, Notification
from statserver_trio.stats.transfer import adopt_statistic, export_statistic, request_of
from statserver_trio.tlib.codec import Decoder

from . import halls, workload

BYTES_MAX = 300
PAGE = os.sysconf("SC_PAGE_SIZE")


@frozen
class Population:
    """How many halls and profiles there are statistics of, and how many events they count.

    Attributes:
        joins: Whether another engine takes over what was counted. That takes long.
    """

    name: str
    halls: int
    profiles: int
    events: int
    joins: bool = False


# Three profiles are what large sites have; of many the rows are shared by more.
FULL = (
    Population("3 profiles", 37, 3, 100_000),  # 1.2 million statistics
    Population("24 profiles", 5, 24, 50_000),  # 1.3 million
    Population("3 profiles in a pair", 4, 3, 50_000, joins=True),
)
SHORT = (Population("3 profiles in a pair", 1, 3, 10_000, joins=True),)


def resident() -> int:
    """Bytes of this process that are in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE


def requests(population: Population) -> Iterator[StatisticRequest]:
    """One for each statistic, an object after the other, as clients open them."""
    profiles = workload.profiles(population.profiles)
    agents, queues = halls.agents_of(population.halls), halls.queues_of(population.halls)
    types = workload.definitions().stat_types.values()
    for kind, ids in (("Queue", queues), ("Agent", agents)):
        of_kind = [each for each in types if kind in each.objects]
        for object_id in ids:
            for stat_type in of_kind:
                # Current ones have no profile, so that there is one of them.
                once = stat_type.category.startswith("Current")
                for profile in profiles[:1] if once else profiles:
                    # A client's request has a string of its own.
                    own = object_id.encode().decode()
                    yield StatisticRequest(kind, own, stat_type, profile)


def asking_alone(population: Population) -> float:
    """Seconds that it takes to make all requests."""
    began = time.process_time()
    for _ in requests(population):
        pass
    return time.process_time() - began


def an_engine() -> Engine:
    """Nothing is open."""
    engine = Engine(workload.definitions(), Directory())
    engine.add_source(workload.SOURCE, workload.SWITCH)
    return engine


def measure(population: Population, recording: Path) -> dict[str, Any]:
    """In this process: bytes per statistic, and what an opening costs."""
    now = workload.START * 1000
    asking = asking_alone(population)
    gc.collect()
    gc.disable()  # as in a server, which looks through new objects only
    empty = resident()
    first = an_engine()
    began = time.process_time()
    for request in requests(population):
        first.open(request, now)
    seconds, opened = time.process_time() - began - asking, resident()
    decoder = Decoder()
    with recording.open("rb") as file:
        while piece := file.read(workload.PIECE_BYTES):
            first.apply(workload.SOURCE, decoder.feed(piece), now)
    number, counting = len(first.statistics), resident()
    found = {
        "statistics": number,
        "agents": len(halls.agents_of(population.halls)),
        "bytes": round((opened - empty) / number, 1),
        "bytes_counting": round((counting - empty) / number, 1),
        "opening_us": round(seconds / number * 1e6, 2),
    }
    wanted, client = Notification(Mode.CHANGES_BASED), object()
    for statistic in first.statistics.values():
        first.subscribe(statistic, wanted, client, now)
    subscribed = resident()
    found["bytes_subscribed"] = round((subscribed - counting) / number, 1)
    if population.joins:
        second = joined(first, now)
        found["bytes_taken_over"] = round((resident() - subscribed) / number, 1)
        assert len(second.statistics) == number
    return found


def joined(first: Engine, now: int) -> Engine:
    """Another engine that goes on from there."""
    second, source = first.empty_copy(), first.sources[workload.SOURCE]
    second.sources[workload.SOURCE].adopt(wire(source.export()), now)
    for statistic in first.statistics.values():
        copy = second.open(request_of(statistic), now)
        adopt_statistic(second, copy, wire(export_statistic(statistic)), now)
    return second


def wire(data: Any) -> Any:
    """As it comes out of a link: nothing is the same object as before."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(data))


def measured_apart(population: Population) -> dict[str, Any]:
    """The same in a new process; what made the recording has left no room in it to be reused."""
    with TemporaryDirectory() as directory:
        recording = Path(directory) / "events"
        recording.write_bytes(b"".join(halls.recording(population.halls, population.events)))
        told = json.dumps(asdict(population))
        command = [sys.executable, "-m", "benchmarks.memory", told, str(recording)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def run(populations: tuple[Population, ...] = FULL) -> dict[str, Any]:
    """Measure; what is returned is what is printed as JSON."""
    return {
        "row": "memory",
        "populations": {each.name: measured_apart(each) for each in populations},
        "bytes_max": BYTES_MAX,
    }


def describe(result: dict[str, Any]) -> str:
    """One line for people."""
    told = [
        f"{each['statistics']:,} over {name} take {each['bytes']} B each "
        f"({each['bytes_counting']} after events, {each['bytes_subscribed']} more subscribed to, "
        f"{each.get('bytes_taken_over', 'not')} taken over; {each['opening_us']} us to open)"
        for name, each in result["populations"].items()
    ]
    return f"memory: {', '.join(told)}; at most {result['bytes_max']} B"


def is_good(result: dict[str, Any]) -> bool:
    """Whether they are as small as they have to be."""
    return all(each["bytes"] <= result["bytes_max"] for each in result["populations"].values())


if __name__ == "__main__":
    print(json.dumps(measure(Population(**json.loads(sys.argv[1])), Path(sys.argv[2]))))
