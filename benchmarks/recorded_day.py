"""A recorded day of 2,000 agents, made with the product's simulator and kept in the cache.

Four contact centres of 500 agents, each with a seed and with numbers of its own, on one switch:
their events are put in the order of their times.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from attrs import frozen

from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.simulator.settings import FIRST_QUEUE_DN
from statserver_trio.tlib.codec import encode_all
from statserver_trio.tlib.events import TEvent

from .w1_material import cache

SEED = 20261130
START = 1_767_225_600  # 2026-01-01T00:00:00Z
SITES, AGENTS, QUEUES = 4, 500, 50
OCCUPANCY = 0.34  # makes about the 60 events/s that 2,000 agents of W1 make
DAY = 86_400  # seconds
MINUTE = 60

DNS = ("this_dn", "other_dn", "third_party_dn", "this_queue")
CALLS = ("conn_id", "previous_conn_id")
PEOPLE = ("agent_id", "other_agent_id", "place")


@frozen
class Recording:
    """A file of T-event lines."""

    path: Path
    events: int


def recorded(seconds: int) -> Recording:
    """So much of the day, made now or by a run before."""
    path = cache() / f"day-{SEED}-{OCCUPANCY}-{seconds}.jsonl"
    if not path.exists():
        print(f"recording {seconds / 3600:g} hours of the simulator, once", file=sys.stderr)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            for events in _minutes(seconds):
                file.write(encode_all(events))
        unfinished.rename(path)
    with path.open("rb") as file:
        pieces = iter(lambda: file.read(1 << 20), b"")
        return Recording(path, sum(piece.count(b"\n") for piece in pieces))


def _minutes(seconds: int) -> Iterator[list[TEvent]]:
    """The events of each minute of all sites, in order."""
    centres = [
        ContactCentre(Random(SEED + site), START, agents=AGENTS, queues=QUEUES, occupancy=OCCUPANCY)
        for site in range(SITES)
    ]
    position = 0
    for until in range(START + MINUTE, START + seconds + 1, MINUTE):
        events = [
            _of_site(event, site)
            for site, centre in enumerate(centres)
            for event in centre.advance(until)
        ]
        events.sort(key=lambda event: event.time or 0.0)
        for event in events:
            position += 1
            event.position = position
        yield events


def _of_site(event: TEvent, site: int) -> TEvent:
    """The event with numbers and names that no other site has."""
    told: Any = event
    for names in (DNS, PEOPLE, CALLS):
        for name in names:
            value = getattr(told, name, "")
            if value:
                setattr(told, name, f"{site}{value[1:] if names is CALLS else value}")
    return event


def agents() -> list[str]:
    """Their ids."""
    return [f"{site}a{n + 1}" for site in range(SITES) for n in range(AGENTS)]


def queues(switch: str) -> list[str]:
    """Their object ids."""
    numbers = range(FIRST_QUEUE_DN, FIRST_QUEUE_DN + QUEUES)
    return [f"{site}{number}@{switch}" for site in range(SITES) for number in numbers]
