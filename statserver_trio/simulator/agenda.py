"""What happens next: stories that run side by side in simulated time.

A *story* is a generator that tells one thing from beginning to end, a call or
an agent's day. Where it has to wait it yields the seconds; where it waits for
somebody else it yields how long it is willing to, and is told whether it was
woken before that. So each call model reads like its line in the book, and the
race between "an agent is free" and "the caller hangs up" is decided here.
"""

from __future__ import annotations

from collections.abc import Generator
from heapq import heappop, heappush
from math import inf

from attrs import define, field

# Yields seconds to wait; receives True when it was woken, False when time was up.
Story = Generator[float, bool, None]


@define(eq=False)
class Process:
    """A story under way."""

    story: Story
    alarm: int = 0  # the number of the entry that may resume it; older ones are void


@define
class Agenda:
    """The entries still to come, in order of time, then of making.

    Args:
        now: Simulated time in Unix seconds; moves only in :meth:`run_next`.
    """

    now: float
    _entries: list[tuple[float, int, Process]] = field(factory=list, init=False)
    _made: int = field(default=0, init=False)

    def start(self, story: Story) -> Process:
        """Begin ``story`` at once, up to its first wait."""
        process = Process(story)
        self._resume(process, None)
        return process

    def wake(self, process: Process) -> None:
        """Let a waiting story go on now, after whatever runs at the moment."""
        self._enter(self.now, process, woken=True)

    def next_time(self) -> float:
        """When something happens next; ``inf`` if nothing ever will."""
        return self._entries[0][0] if self._entries else inf

    def run_next(self) -> None:
        """Let the next entry happen."""
        at, number, process = heappop(self._entries)
        self.now = at
        if abs(process.alarm) == number:
            self._resume(process, process.alarm < 0)

    def _resume(self, process: Process, woken: bool | None) -> None:
        try:
            wait = next(process.story) if woken is None else process.story.send(woken)
        except StopIteration:
            process.alarm = 0
            return
        assert wait >= 0, "a story cannot wait backwards"
        self._enter(self.now + wait, process, woken=False)

    def _enter(self, at: float, process: Process, *, woken: bool) -> None:
        self._made += 1
        process.alarm = -self._made if woken else self._made
        if at < inf:
            heappush(self._entries, (at, self._made, process))
