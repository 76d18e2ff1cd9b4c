"""The garbage collector's times, and that it still does its work."""

import gc
import weakref

import trio

from statserver_trio.server import garbage


class Knot:
    def __init__(self):
        self.me = self


async def test_cycles_are_collected_and_a_large_population_is_set_aside(
    autojump_clock, monkeypatch
):
    before = gc.get_threshold()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(garbage.keep_short)
        await trio.testing.wait_all_tasks_blocked()
        knot = weakref.ref(Knot())
        assert knot() is not None
        await trio.sleep(garbage.PERIOD + 1)
        assert knot() is None
        frozen = gc.get_freeze_count()
        monkeypatch.setattr(garbage, "OBJECTS_MAX", 1_000)
        population = [[] for _ in range(10_000)]
        gc.collect(1)
        await trio.sleep(garbage.PERIOD)
        assert gc.get_freeze_count() >= frozen + len(population)
        nursery.cancel_scope.cancel()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
