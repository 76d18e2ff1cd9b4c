"""Flat: what more statistics, and more objects, cost an event.

Prints the processor time per event, decoding included, with nothing open, with one time
profile and with as many profiles of the same as make a million statistics; and with twelve
statistics per object of ever more agents and queues, after all of them have logged in. What
counts are the ratios within one run.
"""

from __future__ import annotations

import gc
import time
from itertools import islice
from typing import Any

from attrs import frozen

from statserver_trio.stats.engine import Engine
from statserver_trio.tlib.codec import Decoder

from . import halls, workload
from .memory import Population, an_engine, requests

OPEN_RATIO_MAX = 1.1  # wanted: a million open against none
OBJECTS_RATIO_MAX = 2.5
ROUNDS = 3


@frozen
class Plan:
    """How much is measured.

    Attributes:
        halls, events: Of the recording for more and more statistics.
        profiles: How many of them, each time.
        sizes: Halls, for more and more objects.
        objects_events: Per hall; as many are applied before the clock runs.
        timed: Events of which the time is taken.
    """

    halls: int
    events: int
    profiles: tuple[int, ...]
    sizes: tuple[int, ...]
    objects_events: int
    timed: int


# 990 objects a hall: 2,000 and 110,000.
FULL = Plan(2, 200_000, (0, 1, 46), (2, 20, 111), 7_000, 100_000)
SHORT = Plan(1, 20_000, (0, 1, 9), (2, 6), 6_000, 8_000)


def open_all(engine: Engine, population: Population) -> None:
    """Open the statistics of a population."""
    for request in requests(population):
        engine.open(request, workload.START * 1000)


def seconds_for(engine: Engine, lines: list[bytes]) -> float:
    """Processor time to decode and count these."""
    data = workload.pieces(b"".join(lines))
    decoder, now = Decoder(), workload.START * 1000
    gc.collect()
    gc.freeze()
    began = time.process_time()
    for piece in data:
        engine.apply(workload.SOURCE, decoder.feed(piece), now)
    seconds = time.process_time() - began
    gc.unfreeze()
    return seconds


def by_statistics(plan: Plan) -> dict[str, float]:
    """Microseconds per event, by how many statistics are open; the least of some rounds."""
    lines = halls.recording(plan.halls, plan.events)
    best: dict[str, float] = {}
    for _ in range(ROUNDS):  # in turns, so that what disturbs the machine disturbs all
        for profiles in plan.profiles:
            engine = an_engine()
            if profiles:
                open_all(engine, Population("", plan.halls, profiles, 0))
            took = seconds_for(engine, lines) / len(lines) * 1e6
            name = str(len(engine.statistics))
            best[name] = round(min(took, best.get(name, took)), 3)
    return best


def by_objects(plan: Plan) -> dict[str, float]:
    """Microseconds per event, by how many objects there are."""
    best: dict[str, float] = {}
    for size in plan.sizes:
        warm = size * plan.objects_events
        lines = halls.recording(size, warm + plan.timed * ROUNDS)
        engine, decoder = an_engine(), Decoder()
        open_all(engine, Population("", size, 1, 0))
        engine.apply(workload.SOURCE, decoder.feed(b"".join(lines[:warm])), workload.START * 1000)
        rest = iter(lines[warm:])
        took = min(seconds_for(engine, list(islice(rest, plan.timed))) for _ in range(ROUNDS))
        best[str(size * (halls.AGENTS + halls.QUEUES))] = round(took / plan.timed * 1e6, 3)
    return best


def run(plan: Plan = FULL) -> dict[str, Any]:
    """Measure; what is returned is what is printed as JSON."""
    statistics, objects = by_statistics(plan), by_objects(plan)
    nothing, one, most = statistics.values()
    few, *_, many = objects.values()
    return {
        "row": "flat",
        "us_per_event_by_statistics": statistics,
        "us_per_event_by_objects": objects,
        "ratio_most_to_none": round(most / nothing, 3),
        "ratio_most_to_one_profile": round(most / one, 3),
        "ratio_objects": round(many / few, 3),
        "ratios_max": [OPEN_RATIO_MAX, OBJECTS_RATIO_MAX],
    }


def describe(result: dict[str, Any]) -> str:
    """One line for people."""
    by_statistics, by_objects = (
        ", ".join(f"{us} with {int(number):,}" for number, us in result[name].items())
        for name in ("us_per_event_by_statistics", "us_per_event_by_objects")
    )
    return (
        f"flat: {by_statistics} statistics open (us per event): the most cost "
        f"{result['ratio_most_to_none']}x of none (wanted: {OPEN_RATIO_MAX}x) and "
        f"{result['ratio_most_to_one_profile']}x of one profile; {by_objects} objects: "
        f"{result['ratio_objects']}x (at most {OBJECTS_RATIO_MAX}x)"
    )


def is_good(result: dict[str, Any]) -> bool:
    """Whether it is as flat as it has to be."""
    return bool(
        result["ratio_most_to_one_profile"] <= OPEN_RATIO_MAX
        and result["ratio_objects"] <= OBJECTS_RATIO_MAX
    )
