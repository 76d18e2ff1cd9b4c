"""Quiet occurrences: what goes on while nobody counts it.

An agent shows up to six pseudo-actions at each queue that he serves, and at most sites nobody asks
for any of them. So as long as that is so they are only remembered, in one tuple for all of his
queues; who asks, or begins to count, gets occurrences like any others, and the same ones from then
on. Of 3,600 agents with two queues each that is a tenth of the memory of their statistics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .occurrences import NO_FACTS, Facts, Occurrence

if TYPE_CHECKING:
    from .nodes import DNNode


class Quiet(NamedTuple):
    """A durable action that nobody looks at.

    Attributes:
        agent_id: Whom it is about, where that is known from it alone.
    """

    action: int
    start: int
    agent_id: str


Shown = tuple[Occurrence | Quiet, ...]


def is_quiet(shown: Shown) -> bool:
    """Whether there is any among these that nobody looks at."""
    return any(type(each) is Quiet for each in shown)


def aloud(dn: DNNode, shown: Shown) -> tuple[Occurrence, ...]:
    """The same, to be looked at."""
    return tuple(
        [
            Occurrence(each.action, each.start, dn, None, reasons_of(each.agent_id))
            if isinstance(each, Quiet)
            else each
            for each in shown
        ]
    )


def reasons_of(agent_id: str) -> Facts:
    """What is known of a pseudo-action besides."""
    return {"AgentID": agent_id} if agent_id else NO_FACTS
