"""Reflections: what becomes of a distributed call, counted at the queue it came from.

A queue is told nothing once it has distributed a call; whether it was answered,
abandoned at the agent's phone, or how long it took is seen at the regular DN and
reflected back to every visit that brought it there. Durations of what happens up
to the answer count from the entry into the queue (statistics.md §4.4). All of it
carries the id of the agent who is logged in at the regular DN (our decision).
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


def reflect(world: World, dn: RegularDN, leg: Leg, name: str, t: int) -> None:
    """Count ``name`` at every queue the leg came from, with the time since entry."""
    for visit in leg.visits:
        spent, agent_id = t - visit.entered, dn.agent_id
        world.chronicle.happened(visit.queue, CODES[name], spent, leg.call, agent_id=agent_id)


def reflect_ending(world: World, dn: RegularDN, leg: Leg, cause: str, t: int) -> None:
    """Count the end of a leg at its queues, and let go of the visits that are settled."""
    if leg.phase is Phase.TALKING:
        for visit in leg.visits:
            # A queue whose logged-in agents we know has missed a call that somebody else took;
            # without that knowledge every call counts as its own (our decision).
            own = not visit.queue.members or dn in visit.queue.members
            name = "CallReleased" if own else "CallMissed"
            world.chronicle.happened(
                visit.queue, CODES[name], t - leg.since, leg.call, agent_id=dn.agent_id
            )
    else:
        name_or_none = RINGING_ENDED.get(cause)
        if name_or_none is not None:
            reflect(world, dn, leg, name_or_none, t)
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
    happened, agent_id = world.chronicle.happened, dn.agent_id
    for queue in visited:
        happened(queue, CODES["ACWCompleted"], duration, agent_id=agent_id)
    for queue in dn.serves:
        if queue not in visited:
            happened(queue, CODES["ACWMissed"], duration, agent_id=agent_id)
