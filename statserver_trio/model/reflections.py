"""Reflections: what becomes of a distributed call, counted at the queue it came from.

A queue is told nothing once it has distributed a call; whether it was answered,
abandoned at the agent's phone, or how long it took is seen at the regular DN and
reflected back to every visit that brought it there. Durations of what happens up
to the answer count from the entry into the queue (statistics.md §4.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .actions import CODES
from .calls import Leg, Phase
from .nodes import MediationDN, RegularDN

if TYPE_CHECKING:
    from .world import World

# How a ringing leg ended -> what the queue counts, from the entry into the queue.
RINGING_ENDED = {
    "abandoned": "CallAbandonedFromRinging",
    "forwarded": "CallForwarded",
    "released": None,
    "transferred": None,
    "conferenced": None,
}


def reflect(world: World, leg: Leg, name: str, t: int) -> None:
    """Count ``name`` at every queue the leg came from, with the time since entry."""
    for visit in leg.visits:
        world.chronicle.happened(visit.queue, CODES[name], t - visit.entered, leg.call)


def reflect_ending(world: World, dn: RegularDN, leg: Leg, cause: str, t: int) -> None:
    """Count the end of a leg at its queues, and let go of the visits that are settled."""
    if leg.phase is Phase.TALKING:
        for visit in leg.visits:
            # A queue whose logged-in agents we know has missed a call that somebody else took;
            # without that knowledge every call counts as its own (our decision).
            own = not visit.queue.members or dn in visit.queue.members
            name = "CallReleased" if own else "CallMissed"
            world.chronicle.happened(visit.queue, CODES[name], t - leg.since, leg.call)
    else:
        name_or_none = RINGING_ENDED.get(cause)
        if name_or_none is not None:
            reflect(world, leg, name_or_none, t)
    for visit in list(leg.call.visits.values()):
        if visit.wait is None and visit.target == dn.key.number:
            del leg.call.visits[visit.queue]


def reflect_after_call_work(
    world: World, dn: RegularDN, duration: int, visited: tuple[MediationDN, ...]
) -> None:
    """After-call work is over: completed for the call's queues, missed for the agent's others.

    Nothing is counted where the call came by no queue at all.
    """
    if not visited:
        return
    for queue in visited:
        world.chronicle.happened(queue, CODES["ACWCompleted"], duration)
    for queue in dn.serves:
        if queue not in visited:
            world.chronicle.happened(queue, CODES["ACWMissed"], duration)
