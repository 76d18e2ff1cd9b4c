"""The garbage collector, kept from holding the event loop.

Python looks through *all* objects now and then for cycles that nobody refers to. With
100,000 open statistics that takes a third of a second and finds nothing: statistics are
freed when they are closed, without its help. So the full collection is ours to time. As
long as it is short it is done regularly; where a large population has come into being,
that population is set aside as permanent instead, and is not looked through any more.

What is set aside and becomes part of a cycle later is not collected. That costs what
lived at that moment besides the statistics (clients' connections, mostly), once each time
the population grows by :data:`OBJECTS_MAX` objects (our decision).
"""

from __future__ import annotations

import gc

import trio

THRESHOLDS = (5_000, 5, 1_000_000_000)  # young objects as ever, in small steps; all, never
OBJECTS_MAX = 20_000  # looked through in a millisecond or two
PERIOD = 10.0  # seconds


def tidy() -> None:
    """Collect if that is quick, else set aside what is there.

    Nothing gets old but by a collection of the middle-aged, so where there was none since the
    last time the old ones are few, and may be counted. Even that takes too long of a million.
    """
    grew = gc.get_count()[2] > 0
    if grew or len(gc.get_objects(generation=2)) > OBJECTS_MAX:
        gc.freeze()
    else:
        gc.collect()


async def keep_short() -> None:
    """Time the collections of this process until cancelled; then all is as before."""
    before = gc.get_threshold()
    gc.freeze()  # modules and classes stay; to look through them first would take 20 ms
    gc.set_threshold(*THRESHOLDS)
    try:
        while True:
            await trio.sleep(PERIOD)
            tidy()
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
