"""Large contact centres: as many simulated halls side by side as it takes.

The simulator has 999 agents at most. A hall is one of its contact centres, with numbers,
agents, places and calls of its own; the events of all halls are merged by time and numbered
anew, so that the feed is that of one large site, the same for the same seed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from random import Random

from statserver_trio.simulator.contact_centre import generate
from statserver_trio.tlib.codec import encode_all

from . import workload

AGENTS = 900  # of a hall
QUEUES = 90
EVENTS_SPARE = 1.3  # halls are not equally busy

DN = re.compile(rb'"([789]\d\d\d)"')
AGENT = re.compile(rb'"([aP])(\d+)"')
CALL = re.compile(rb'"006d')
POSITION = re.compile(rb'"EventSequenceNumber":\d+')
TIME = re.compile(rb'"time":([\d.]+)')


def agents_of(halls: int) -> list[str]:
    """Their ids."""
    return [f"a{hall * 1000 + n}" for hall in range(halls) for n in range(1, AGENTS + 1)]


def queues_of(halls: int) -> list[str]:
    """Their numbers with the switch."""
    return [
        f"{hall}{8000 + n}@{workload.SWITCH}"
        for hall in range(1, halls + 1)
        for n in range(1, QUEUES + 1)
    ]


def recording(halls: int, events: int) -> list[bytes]:
    """So many lines, in order."""
    each = round(events / halls * EVENTS_SPARE)
    found = list(islice(merge(*(_hall(n, each) for n in range(halls))), events))
    return [
        POSITION.sub(b'"EventSequenceNumber":%d' % position, line)
        for position, (_, _, line) in enumerate(found, start=1)
    ]


def _hall(number: int, events: int) -> Iterator[tuple[float, int, bytes]]:
    """When, of which hall, and the line; where all names are those of the hall."""
    rng = Random(workload.SEED + number)
    made = generate(rng, events, AGENTS, QUEUES, start=workload.START)
    first, dn, call = number * 1000, rb'"%d\1"' % (number + 1), b'"%04x' % (number + 1)
    for line in encode_all(made).splitlines(keepends=True):
        line = AGENT.sub(lambda m: b'"%s%d"' % (m[1], first + int(m[2])), DN.sub(dn, line))
        time = TIME.search(line)
        assert time is not None
        yield float(time[1]), number, CALL.sub(call, line)
