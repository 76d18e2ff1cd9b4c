"""The watchdog: which extension has held up everybody.

An extension runs in the server's event loop. Nobody can stop a step of it that does not
come to an end, in Python; but of one that took too long we can say whose it was, as soon as
it is over. While no extension is loaded there is no watchdog, and nothing to pay for it.
"""

from __future__ import annotations

import contextvars
import logging
import time
from collections.abc import Callable

import trio
from attrs import define, field

log = logging.getLogger(__name__)

STEP_SECONDS = 0.1  # that a single step may take before it is told
TOLD_EVERY = 60.0  # seconds between two lines about the same extension

# In the tasks of an extension: its path.
whose: contextvars.ContextVar[str] = contextvars.ContextVar("extension", default="")


@define
class Held:
    """What an extension has done to the others; seconds."""

    steps: int = 0
    longest: float = 0.0
    told_at: float = float("-inf")


@define(eq=False, slots=False)
class Watchdog(trio.abc.Instrument):
    """Looks at the clock before and after every step of an extension's tasks."""

    now: Callable[[], float] = time.perf_counter
    held: dict[str, Held] = field(factory=dict)
    _began: float = float("inf")  # of the step; we may have come in the middle of one

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """A task begins to do something."""
        if whose in task.context:
            self._began = self.now()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """It waits again."""
        path = task.context.get(whose)
        if path is None:
            return
        now = self.now()
        lasted = now - self._began
        if lasted < STEP_SECONDS:
            return
        held = self.held.setdefault(path, Held())
        held.steps += 1
        held.longest = max(held.longest, lasted)
        if now - held.told_at >= TOLD_EVERY:
            held.told_at = now
            log.error(
                "extension %s has held up the whole server for %.2f s (task %s); what takes long "
                "belongs into a thread",
                path,
                lasted,
                task.name,
            )

    def status(self, path: str) -> dict[str, float]:
        """For the status page."""
        held = self.held.get(path, Held())
        return {"longSteps": held.steps, "longestStep": held.longest}
