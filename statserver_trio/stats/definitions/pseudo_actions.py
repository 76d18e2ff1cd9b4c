"""Pseudo-actions of queues and route points, and where they count.

AgentLogin, AgentActive, AgentReady, DNLogin, DNActive and DNReady are durable
actions of a queue about the agents who serve it: nothing happens at the queue
itself, whence their name. The vendor counts them only where a number of now is
asked for, and never through a filter, for there is no call whose data it could
look at. With ``queue-use-pseudo-actions = false`` they count in every category,
still without a filter, and the first three carry an AgentID (statistics.md §4.4).

Where they do not count they may stand in a mask all the same: ``*`` names them.
"""

from __future__ import annotations

from ...model.actions import PSEUDO
from .object_types import MEDIATION

CATEGORIES = frozenset({"CurrentNumber", "CurrentRelativeNumberPercentage"})


def uncounted(object_type: str, category: str, is_filtered: bool, use_pseudo_actions: bool) -> int:
    """The actions that a statistic counts in none of its masks, as a set.

    Args:
        object_type: In its canonical spelling.
        use_pseudo_actions: ``queue-use-pseudo-actions``.
    """
    if object_type not in MEDIATION:
        return 0  # AgentLogin of a regular DN is a real action
    if is_filtered or (use_pseudo_actions and category not in CATEGORIES):
        return PSEUDO
    return 0


def never_counts(
    objects: frozenset[str], category: str, mask: int, use_pseudo_actions: bool
) -> bool:
    """Whether nothing is left of a mask, whatever queue is asked about it."""
    left = mask
    for object_type in objects:
        left &= ~uncounted(object_type, category, False, use_pseudo_actions)
    return bool(objects) and objects <= MEDIATION and bool(mask) and not left
