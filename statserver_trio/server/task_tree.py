"""The tree of tasks, as text: who waits for whom, and where.

    serve.serve                            serve.py:62 > hub.py:214
    |- client_task._Client.run (x 998)     client_task.py:158 > ...
    `- ...

Nothing is stopped for it: every task but the one that asks is suspended anyway, and its frames can
be looked at. Tasks that do the same at the same place are one line, so a thousand clients are
three; and of what is left no more than so many are looked at, because the loop waits meanwhile.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from pathlib import Path

import trio
from attrs import define

TASKS_MAX = 2000  # looked at; some 15 µs each (our decision)
CHILDREN_MAX = 400  # of one nursery, so that clients leave something for the others
FRAMES_MAX = 4  # of one task, the innermost ones

PACKAGE = Path(__file__).parent.parent
TRIO_CORE = Path(trio.lowlevel.__file__).parent / "_core"


@define
class _Budget:
    """How many tasks may still be looked at."""

    left: int


def task_tree(root: trio.lowlevel.Task | None = None, tasks_max: int = TASKS_MAX) -> list[str]:
    """One line per task, or per kind of task; indented by who started it.

    Args:
        root: Where to begin; Trio's own unless given.
        tasks_max: Looked at; of the others there is only a number.
    """
    root = root or trio.lowlevel.current_root_task()
    return [] if root is None else _lines_of(root, _Budget(tasks_max))


def _lines_of(task: trio.lowlevel.Task, budget: _Budget) -> list[str]:
    budget.left -= 1
    lines = [f"{_short(task.name)}  {where(task)}"]
    for number, nursery in enumerate(task.child_nurseries):
        if len(task.child_nurseries) > 1:
            lines.append(f"  nursery {number + 1}")
        lines += _of_nursery(nursery, budget)
    return lines


def _of_nursery(nursery: trio.Nursery, budget: _Budget) -> list[str]:
    children = sorted(nursery.child_tasks, key=lambda task: task.name)
    looked_at = children[: min(CHILDREN_MAX, max(budget.left, 0))]
    trees: list[tuple[str, ...]] = []
    for child in looked_at:
        if budget.left <= 0:
            break
        trees.append(tuple(_lines_of(child, budget)))
    lines = []
    for (first, *rest), same in groupby(sorted(trees)):
        count = len(list(same))
        lines.append(f"  {first}{f'  (x {count})' if count > 1 else ''}")
        lines += [f"  {line}" for line in rest]
    if len(trees) < len(children):
        lines.append(f"  and {len(children) - len(trees)} more")
    return lines


def where(task: trio.lowlevel.Task) -> str:
    """Where a task waits: the innermost places outside of Trio's core."""
    places = [
        f"{file}:{line}"
        for frame, line in task.iter_await_frames()
        if (file := _shown(frame.f_code.co_filename))
    ]
    left_out = "... > " if len(places) > FRAMES_MAX else ""
    return left_out + " > ".join(places[-FRAMES_MAX:])


@lru_cache(maxsize=1000)
def _shown(filename: str) -> str:
    """A file as a person knows it; empty for how a task waits."""
    path = Path(filename)
    if path.is_relative_to(TRIO_CORE):
        return ""
    return str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else path.name


def _short(name: str) -> str:
    return name.removeprefix(f"{PACKAGE.name}.")
