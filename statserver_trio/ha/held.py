"""What of a source waits for its turn: events, snapshots, facts, and marks.

An event has a position, and a snapshot none; a fact has :data:`FACT` in its place. A mark has no
line: it says where the feed stood when it was connected anew, or that it was interrupted.
"""

from __future__ import annotations

from collections import deque
from itertools import islice

FACT = -1  # in place of the position of a fact
INTERRUPTION = (None, None)  # a mark: the feed was away, and cannot say what it has missed

Held = deque[tuple[int | None, bytes | None]]  # position and line


def is_past(held: Held, applied: int | None) -> bool:
    """Whether the fact at the head happened before the events that we have applied."""
    numbers = (p for p, line in islice(held, 1, None) if line and p not in (None, FACT))
    following = next(numbers, None)
    return following is not None and applied is not None and following <= applied
