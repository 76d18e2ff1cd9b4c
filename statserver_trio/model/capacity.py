"""Capacity: what may still be sent to somebody, by the rule that is configured for him.

A rule (:mod:`..expressions.capacities`) says how many interactions of which medium go together.
It is the agent's own, else that of the place where he works, else the tenant's, else one of each
medium. For every medium it comes to three numbers, the vendor's capacity vector
(docs.genesys.com, RTME 8.5.0, Capacity/CapacityVector):

    current   what is being worked on, offers included
    max       what may be at most, beside what there is of other media
    margin    what may still be sent there, 0 where nobody waits for anything

Routable goes on while the agent waits for interactions of a medium and has a margin, NotRoutable
while not; Blocked while only the margin is missing (our decision, for no public text says what
that name means). Calls have all this where a rule is configured, for an agent with a monitored
telephone: without one nobody routes by it, and it would have to be counted with every call (our
decision). Each source decides by what it tells itself, as with virtual groups, and for the same
reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..expressions.capacities import ONE_OF_EACH, Capacity
from .actions import CODES
from .directory import Directory
from .media_channels import MediaChannel, channel_number, clear, make, put, remove
from .nodes import AgentNode, PlaceNode
from .occurrences import NO_FACTS, VOICE

if TYPE_CHECKING:
    from .world import World

WAIT = CODES["WaitForNextCall"]
AVAILABLE, BLOCKED = CODES["Available"], CODES["Blocked"]
ROUTABLE, NOT_ROUTABLE = CODES["Routable"], CODES["NotRoutable"]


class Room(NamedTuple):
    """What goes on of a medium, and what may."""

    current: int
    most: int

    @property
    def is_left(self) -> bool:
        """Whether another one may be sent there."""
        return self.current < self.most


def rule_of(directory: Directory, somebody: AgentNode | PlaceNode) -> Capacity | None:
    """The rule that is configured for an agent or a place; None where none is."""
    known = directory.capacities
    if known.is_empty:
        return None
    if isinstance(somebody, PlaceNode):
        agents = [dn.agent for dn in somebody.dns]
        agents += [channel.agent for channel in somebody.channels]
        present = next((agent for agent in agents if agent is not None), None)
        if present is not None:
            return rule_of(directory, present)
        return known.rules.get(known.places.get(somebody.name, known.tenant))
    places = [dn.place for dn in somebody.dns]
    places += [channel.place for channel in somebody.channels]
    theirs = (known.places.get(place.name) for place in places if place is not None)
    name = known.agents.get(somebody.id) or next(filter(None, theirs), None) or known.tenant
    return known.rules.get(name)


def loads(somebody: AgentNode | PlaceNode) -> Mapping[str, int]:
    """How many interactions of each medium there are at an agent or a place."""
    found = {VOICE: sum(len(dn.legs) for dn in somebody.dns)}
    for channel in somebody.channels:
        found[channel.media] = found.get(channel.media, 0) + len(channel.handled)
    return found


def room(rule: Capacity | None, present: Mapping[str, int], medium: str) -> Room:
    """What there is of a medium, and how much there may be."""
    return Room(present.get(medium, 0), (rule or ONE_OF_EACH).most(medium, present))


def waits_for_calls(somebody: AgentNode | PlaceNode) -> bool:
    """Whether he would take a call at any of the telephones, had he the time."""
    for dn in somebody.dns:
        state = dn.state.get("agent")
        if dn.is_monitored and state is not None and state.action == WAIT:
            return True
    return False


# -- steps --------------------------------------------------------------------------------


def settle(world: World, agent: AgentNode, t: int) -> None:
    """Let Routable, NotRoutable and Blocked of an agent be what they have come to."""
    rule = rule_of(world.directory, agent)
    _have_voice(world, agent, rule, t)
    if not agent.channels:
        return
    present = loads(agent)
    for channel in agent.channels:
        _settle(world, channel, room(rule, present, channel.media).is_left, t)


def _settle(world: World, channel: MediaChannel, is_left: bool, t: int) -> None:
    available = channel.state.get("available")
    waits = available is not None
    if channel.media == VOICE:
        waits = waits_for_calls(channel.agent)
    if not waits:
        clear(world, channel, "blocked")
        if channel.media == VOICE:
            put(world, channel, "routable", NOT_ROUTABLE, t, NO_FACTS)
    elif is_left:
        clear(world, channel, "blocked")
        reasons = NO_FACTS if available is None else available.reasons
        put(world, channel, "routable", ROUTABLE, t, reasons)
    else:
        put(world, channel, "routable", NOT_ROUTABLE, t, NO_FACTS)
        put(world, channel, "blocked", BLOCKED, t, NO_FACTS)


def _have_voice(world: World, agent: AgentNode, rule: Capacity | None, t: int) -> None:
    """Calls have a channel of an agent while there is a rule, and a telephone that is heard."""
    channel = world.channels.get(channel_number(agent.id, VOICE))
    telephone = next((dn for dn in agent.dns if dn.is_monitored), None)
    if rule is None or telephone is None:
        if channel is not None:
            remove(world, channel)
    elif channel is None:
        make(world, agent, telephone.place, VOICE, t)
