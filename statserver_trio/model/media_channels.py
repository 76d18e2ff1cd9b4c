"""Media channels: what an agent does with interactions, one channel per agent and medium.

::

    EventMediaAdded ── Active ──────────────────────────────────────────── EventMediaRemoved
                       NotRoutable ── EventReadyForMedia ── Routable ── EventNotReadyForMedia
    EventInvite ── Delivering ─┬─ EventAccepted ── Handling... ── EventInteractionPartyRemoved
                               ├─ EventRejected                   (or EventProcessingStopped)
                               └─ EventRevoked

A channel is to agent and place what a DN is, only that nobody can be logged in there but its
agent. Accepted, Rejected and Revoked carry how long the interaction was offered, the Completed
ones how long it was worked on (statistics.md §4.5, t-events.md §4). Our decision, where those
say nothing:

* routing is possible while the agent is ready for the medium; capacity rules are not known here;
* the place is that of the EventMediaAdded, where it has a DN on the same switch;
* who is offered an interaction again, or accepts what he was not offered, just has it;
* statuses stay those of telephones: no channel decides the status of agent or place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..tlib import events as e
from .actions import CODES, DIRECTIONS
from .directory import DNKey
from .interactions import STRATEGY, Interaction, heard, leave
from .nodes import MONITORED, AgentNode, DNNode, PlaceNode
from .occurrences import NO_FACTS, Facts, Occurrence, Status

if TYPE_CHECKING:
    from .world import World

Rule = Callable[["World", Any, int], None]

DELIVERING = CODES["Delivering"]
HANDLING = {direction: CODES["Handling" + direction] for direction in DIRECTIONS}
STARTED = {direction: CODES[f"Handling{direction}Started"] for direction in DIRECTIONS}
COMPLETED = {CODES["Handling" + each]: CODES[f"Handling{each}Completed"] for each in DIRECTIONS}
ACTIVE, ROUTABLE, NOT_ROUTABLE = (CODES[each] for each in ("Active", "Routable", "NotRoutable"))


class ChannelFacts(Occurrence):
    """What goes on at a channel and belongs to no interaction: still of its medium."""

    __slots__ = ("_media",)

    def __init__(self, action: int, t: int, channel: MediaChannel, reasons: Facts) -> None:
        super().__init__(action, t, channel, reasons=reasons)
        self._media = channel.media

    @property
    def media(self) -> str:
        """The channel's."""
        return self._media


class MediaChannel(DNNode):
    """One medium of one agent."""

    __slots__ = ("agent", "handled", "media", "place")

    def __init__(
        self, agent: AgentNode, place: PlaceNode | None, media: str, switch: str, t: int
    ) -> None:
        super().__init__(DNKey(channel_number(agent.id, media), switch), "MediaChannel", t)
        self.state.clear()
        self.status = Status(MONITORED, t, Occurrence(MONITORED, t, self))
        self.agent, self.place, self.media = agent, place, media
        self.handled: dict[Interaction, Occurrence] = {}
        self.parents = (agent,) if place is None else (place, agent)
        for parent in self.parents:
            parent.channels[self] = None

    def going_on(self) -> Iterator[tuple[Occurrence, int]]:
        """What goes on there, each since it began."""
        for occurrence in (*self.state.values(), *self.handled.values()):
            yield occurrence, occurrence.start


def channel_number(agent_id: str, media: str) -> str:
    """What tells the channels of a world apart."""
    return f"{media}:{agent_id}"


# -- steps --------------------------------------------------------------------------------


def put(world: World, channel: MediaChannel, slot: str, action: int, t: int, why: Facts) -> None:
    """Let ``action`` be what goes on in that slot from ``t`` on."""
    present = channel.state.get(slot)
    if present is not None and present.action == action and present.reasons == why:
        return
    if present is not None:
        world.chronicle.ended(present)
    channel.state[slot] = ChannelFacts(action, t, channel, why)
    world.chronicle.began(channel.state[slot])


def begin(
    world: World, channel: MediaChannel, interaction: Interaction, action: int, t: int
) -> None:
    """The agent is offered the interaction, or works on it."""
    occurrence = Occurrence(action, t, channel, interaction)
    channel.handled[interaction] = interaction.handled[channel.key.number] = occurrence
    world.chronicle.began(occurrence)


def end(world: World, channel: MediaChannel, interaction: Interaction) -> Occurrence | None:
    """He is, or does, no more; what that was."""
    interaction.handled.pop(channel.key.number, None)
    occurrence = channel.handled.pop(interaction, None)
    if occurrence is not None:
        world.chronicle.ended(occurrence)
    return occurrence


def remove(world: World, channel: MediaChannel) -> None:
    """The channel is gone; all that goes on there ends, and nothing else is counted for it."""
    for interaction in list(channel.handled):
        end(world, channel, interaction)
    for occurrence in channel.state.values():
        world.chronicle.ended(occurrence)
    channel.state.clear()
    for parent in channel.parents:
        assert isinstance(parent, AgentNode | PlaceNode)
        del parent.channels[channel]
    del world.channels[channel.key.number]


# -- rules --------------------------------------------------------------------------------


def media_added(world: World, event: e.EventMediaAdded, t: int) -> None:
    """The agent has the medium; he is not ready for it before he says so."""
    agent = world.agent(event.agent_id)
    if agent is None or channel_number(event.agent_id, event.media_type) in world.channels:
        return
    world.saw(agent)
    place = world.place(event.place)
    channel = MediaChannel(agent, place, event.media_type, world.switch, t)
    world.channels[channel.key.number] = channel
    put(world, channel, "active", ACTIVE, t, NO_FACTS)
    put(world, channel, "routable", NOT_ROUTABLE, t, event.reasons or NO_FACTS)


def media_removed(world: World, event: e.EventMediaRemoved, t: int) -> None:
    """He has it no more."""
    channel = _channel(world, event)
    if channel is not None:
        remove(world, channel)


def _readiness(action: int) -> Rule:
    def rule(world: World, event: e.MediaEvent, t: int) -> None:
        channel = _channel(world, event)
        if channel is not None:
            put(world, channel, "routable", action, t, event.reasons or NO_FACTS)

    return rule


def _channel(world: World, event: e.MediaEvent) -> MediaChannel | None:
    return world.channels.get(channel_number(event.agent_id, event.media_type))


def _concerned(
    world: World, event: e.InteractionEvent, t: int
) -> tuple[Interaction, MediaChannel] | None:
    interaction = heard(world, event, t)
    if interaction is None:
        return None
    channel = world.channels.get(channel_number(event.agent_id, interaction.media))
    return None if channel is None else (interaction, channel)


def invite(world: World, event: e.EventInvite, t: int) -> None:
    """The interaction is offered to the agent; a strategy that had it has found him."""
    found = _concerned(world, event, t)
    if found is None:
        return
    interaction, channel = found
    if interaction.place is not None and interaction.place.type == STRATEGY:
        leave(world, interaction, "taken", t)
    if interaction not in channel.handled:
        begin(world, channel, interaction, DELIVERING, t)
        world.chronicle.happened(channel, CODES["DeliveringStarted"], 0, interaction)


def party_added(
    world: World, event: e.EventAccepted | e.EventInteractionPartyAdded, t: int
) -> None:
    """The agent works on the interaction from now on."""
    found = _concerned(world, event, t)
    if found is None:
        return
    interaction, channel = found
    present = channel.handled.get(interaction)
    if present is not None and present.action != DELIVERING:
        return  # EventAccepted and EventInteractionPartyAdded say the same
    if present is not None:
        end(world, channel, interaction)
        happened = world.chronicle.happened
        happened(channel, CODES["Accepted"], t - present.start, interaction)
    begin(world, channel, interaction, HANDLING[interaction.call_type], t)
    world.chronicle.happened(channel, STARTED[interaction.call_type], 0, interaction)


def _offer_over(name: str) -> Rule:
    def rule(world: World, event: e.InteractionEvent, t: int) -> None:
        found = _concerned(world, event, t)
        present = None if found is None else found[1].handled.get(found[0])
        if found is None or present is None or present.action != DELIVERING:
            return
        interaction, channel = found
        end(world, channel, interaction)
        world.chronicle.happened(channel, CODES[name], t - present.start, interaction)

    return rule


def party_removed(world: World, event: e.EventInteractionPartyRemoved, t: int) -> None:
    """The agent works on it no more."""
    found = _concerned(world, event, t)
    if found is not None:
        _complete(world, found[1], found[0], t)


def _complete(world: World, channel: MediaChannel, interaction: Interaction, t: int) -> None:
    present = end(world, channel, interaction)
    if present is not None and present.action in COMPLETED:
        spent = t - present.start
        world.chronicle.happened(channel, COMPLETED[present.action], spent, interaction)


def stopped(world: World, event: e.EventProcessingStopped, t: int) -> None:
    """The interaction is over, for whoever has it and wherever it waits."""
    interaction = world.interactions.get(event.interaction_id)
    if interaction is None:
        return
    heard(world, event, t)
    for number in sorted(interaction.handled):
        channel = world.channels[number]
        present = interaction.handled[number]
        _complete(world, channel, interaction, t)
        if channel.agent.id == event.agent_id and present.action != DELIVERING:
            spent = t - present.start
            world.chronicle.happened(channel, CODES["Stopped"], spent, interaction)
    leave(world, interaction, "stopped", t)
    world.interactions.forget(interaction)


def forget_all(world: World) -> None:
    """We no longer hear of any channel."""
    for channel in list(world.channels.values()):
        remove(world, channel)


RULES: dict[type[e.TEvent], Rule] = {
    e.EventMediaAdded: media_added,
    e.EventMediaRemoved: media_removed,
    e.EventReadyForMedia: _readiness(ROUTABLE),
    e.EventNotReadyForMedia: _readiness(NOT_ROUTABLE),
    e.EventInvite: invite,
    e.EventAccepted: party_added,
    e.EventInteractionPartyAdded: party_added,
    e.EventRejected: _offer_over("Rejected"),
    e.EventRevoked: _offer_over("Revoked"),
    e.EventInteractionPartyRemoved: party_removed,
    e.EventProcessingStopped: stopped,
}
