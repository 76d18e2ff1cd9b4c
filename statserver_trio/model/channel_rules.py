"""Rules of media channels: what an agent does with interactions, event by event.

::

    EventMediaAdded ── Active ──────────────────────────────────────────── EventMediaRemoved
                       NotRoutable ── EventReadyForMedia ── Routable ── EventNotReadyForMedia
    EventInvite ── Delivering ─┬─ EventAccepted ── Handling... ── EventInteractionPartyRemoved
                               ├─ EventRejected                   (or EventProcessingStopped)
                               └─ EventRevoked

Accepted, Rejected and Revoked carry how long the interaction was offered, the Completed ones how
long it was worked on (statistics.md §4.5, t-events.md §4). That transfers and conferences are
momentary here, unlike those of calls, is the vendor's (RTME User, MediaChannelActions 8.5.0).
Our decision, where those say nothing:

* Available lasts while the agent says that he is ready for the medium, whatever his capacity;
* the place is that of the EventMediaAdded, where it has a DN on the same switch;
* who is offered an interaction again, or accepts what he was not offered, just has it;
* the event by which somebody gets an interaction says whether it was transferred to him or he
  was brought in, and by whom; who did it must still work on it then, or it is not counted for him.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..tlib import events as e
from . import capacity
from .actions import CODES, DIRECTIONS
from .capacity import AVAILABLE, NOT_ROUTABLE
from .interactions import STRATEGY, Interaction, heard, leave
from .media_channels import MediaChannel, begin, channel_number, clear, end, make, put, remove
from .occurrences import NO_FACTS, VOICE

if TYPE_CHECKING:
    from .world import World

Rule = Callable[["World", Any, int], None]

ACTIVE, DELIVERING = CODES["Active"], CODES["Delivering"]
HANDLING = {direction: CODES["Handling" + direction] for direction in DIRECTIONS}
STARTED = {direction: CODES[f"Handling{direction}Started"] for direction in DIRECTIONS}
COMPLETED = {CODES["Handling" + each]: CODES[f"Handling{each}Completed"] for each in DIRECTIONS}
# How somebody came to an interaction -> what is counted for him, and for who brought him.
JOINS = {
    "Transfer": (CODES["TransferTaken"], CODES["TransferMade"]),
    "Conference": (CODES["ConferenceJoined"], CODES["ConferenceMade"]),
    "Intrusion": (CODES["ConferenceJoinedByIntrusion"], None),
}


# -- rules --------------------------------------------------------------------------------


def media_added(world: World, event: e.EventMediaAdded, t: int) -> None:
    """The agent has the medium; he is not ready for it before he says so."""
    agent = world.agent(event.agent_id)
    number = channel_number(event.agent_id, event.media_type)
    if agent is None or number in world.channels or event.media_type == VOICE:
        return
    world.saw(agent)
    channel = make(world, agent, world.place(event.place), event.media_type, t)
    put(world, channel, "active", ACTIVE, t, NO_FACTS)
    put(world, channel, "routable", NOT_ROUTABLE, t, event.reasons or NO_FACTS)


def media_removed(world: World, event: e.EventMediaRemoved, t: int) -> None:
    """He has it no more."""
    channel = _channel(world, event)
    if channel is not None:
        remove(world, channel)
        capacity.settle(world, channel.agent, t)


def ready(world: World, event: e.EventReadyForMedia, t: int) -> None:
    """He can be sent interactions, as far as his capacity goes."""
    channel = _channel(world, event)
    if channel is not None:
        put(world, channel, "available", AVAILABLE, t, event.reasons or NO_FACTS)
        capacity.settle(world, channel.agent, t)


def not_ready(world: World, event: e.EventNotReadyForMedia, t: int) -> None:
    """He cannot, whatever his capacity."""
    channel = _channel(world, event)
    if channel is not None:
        clear(world, channel, "available")
        clear(world, channel, "blocked")
        put(world, channel, "routable", NOT_ROUTABLE, t, event.reasons or NO_FACTS)


def _channel(world: World, event: e.MediaEvent) -> MediaChannel | None:
    if event.media_type == VOICE:
        return None  # what a telephone does, its T-Server tells
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
        capacity.settle(world, channel.agent, t)


def party_added(world: World, event: e.PartyEvent, t: int) -> None:
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
    _joined(world, channel, interaction, event)
    capacity.settle(world, channel.agent, t)


def _joined(
    world: World,
    channel: MediaChannel,
    interaction: Interaction,
    event: e.PartyEvent,
) -> None:
    """Count how he came to it, and who brought him."""
    taken, made = JOINS.get(event.operation, (None, None))
    if taken is not None:
        world.chronicle.happened(channel, taken, 0, interaction)
    by = interaction.handled.get(channel_number(event.other_agent_id, interaction.media))
    if made is not None and by is not None:
        world.chronicle.happened(by.dn, made, 0, interaction)


def _offer_over(name: str) -> Rule:
    def rule(world: World, event: e.InteractionEvent, t: int) -> None:
        found = _concerned(world, event, t)
        present = None if found is None else found[1].handled.get(found[0])
        if found is None or present is None or present.action != DELIVERING:
            return
        interaction, channel = found
        end(world, channel, interaction)
        world.chronicle.happened(channel, CODES[name], t - present.start, interaction)
        capacity.settle(world, channel.agent, t)

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
    capacity.settle(world, channel.agent, t)


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


RULES: dict[type[e.TEvent], Rule] = {
    e.EventMediaAdded: media_added,
    e.EventMediaRemoved: media_removed,
    e.EventReadyForMedia: ready,
    e.EventNotReadyForMedia: not_ready,
    e.EventInvite: invite,
    e.EventAccepted: party_added,
    e.EventInteractionPartyAdded: party_added,
    e.EventRejected: _offer_over("Rejected"),
    e.EventRevoked: _offer_over("Revoked"),
    e.EventInteractionPartyRemoved: party_removed,
    e.EventProcessingStopped: stopped,
}
