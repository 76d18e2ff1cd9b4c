"""The tree of tasks as text."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import trio

from statserver_trio.server.task_tree import CHILDREN_MAX, task_tree


async def waiter() -> None:
    await trio.sleep_forever()


async def client() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(waiter)
        nursery.start_soon(waiter)


async def other() -> None:
    await trio.sleep(1000)


async def house(*rooms: Callable[[], Awaitable[None]]) -> None:
    async with trio.open_nursery() as nursery:
        for room in rooms:
            nursery.start_soon(room)


async def seen(*rooms: Callable[[], Awaitable[None]], tasks_max: int = 2000) -> list[str]:
    """The tree of a house with these rooms."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house, *rooms)
        await trio.testing.wait_all_tasks_blocked()
        [task] = nursery.child_tasks
        lines = task_tree(task, tasks_max)
        nursery.cancel_scope.cancel()
    return [re.sub(r"\.py:\d+", ".py:N", line) for line in lines]


async def test_who_waits_where(autojump_clock: trio.testing.MockClock) -> None:
    here = "test_task_tree.py:N"
    assert await seen(client, client, other) == [
        f"test_task_tree.house  {here}",
        f"  test_task_tree.client  {here}  (x 2)",
        f"    test_task_tree.waiter  {here} > _timeouts.py:N  (x 2)",
        f"  test_task_tree.other  {here} > _timeouts.py:N > _timeouts.py:N > _timeouts.py:N",
    ]


async def test_everything_is_in_it(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(waiter, name="somebody in particular")
        await trio.testing.wait_all_tasks_blocked()
        text = "\n".join(task_tree())
        nursery.cancel_scope.cancel()
    assert "somebody in particular" in text
    assert "test_everything_is_in_it" in text  # who asks is in it as well


async def test_it_is_bounded(autojump_clock: trio.testing.MockClock) -> None:
    lines = await seen(*[client] * (CHILDREN_MAX + 5))
    assert f"(x {CHILDREN_MAX})" in lines[1]
    assert lines[-1] == "  and 5 more"
    few = await seen(*[client] * 10, tasks_max=5)
    assert few[-1] == "  and 8 more"  # the house, one client with two, and one without
    assert len(few) < 10
