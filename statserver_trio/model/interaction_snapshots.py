"""Snapshots of media and of interaction places: what a feed tells once it was connected anew.

What is told there is brought in line, quietly: what was missed is not counted as if it had
happened now. Whoever is not spoken of stays as he was; but an agent has no other media, and a
place no other interactions, than its snapshot lists::

    {"event": "EventAgentMediaInfo", "AgentID": "a1", "Place": "Desk", "Extensions": {"media": [
        {"MediaType": "chat", "state": "Ready", "interactions": [
            {"InteractionID": "i1", "InteractionType": "Inbound", "state": "Handling"}]}]}}
    {"event": "EventInteractionPlaceInfo", "Queue": "mail", "Extensions": {"interactions": [
        {"InteractionID": "i2", "MediaType": "email", "UserData": {"Segment": "gold"}}]}}

No public text has either; both are our decision, in the manner of EventRegistered. An entry that
makes no sense is passed over, as there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..tlib import events as e
from . import capacity
from .channel_rules import ACTIVE, DELIVERING, HANDLING
from .interactions import (
    QUEUE,
    STRATEGY,
    WORKBIN,
    Interaction,
    InteractionPlace,
    begin_wait,
    end_wait,
    heard,
)
from .media_channels import begin, channel_number, clear, end, make, put, remove
from .nodes import AgentNode
from .occurrences import NO_FACTS, VOICE

if TYPE_CHECKING:
    from .world import World

Entry = dict[str, Any]


def agent_media(world: World, event: e.EventAgentMediaInfo, t: int) -> None:
    """The media of an agent, and what he does with each."""
    agent = world.agent(event.agent_id)
    if agent is None:
        return
    world.saw(agent)
    listed = {
        entry["MediaType"]: entry
        for entry in _entries(event, "media", "MediaType")
        if entry["MediaType"] != VOICE  # what a telephone does, its T-Server tells
    }
    for channel in list(agent.channels):
        if channel.media not in listed and channel.media != VOICE:
            handled = list(channel.handled)
            remove(world, channel)
            for interaction in handled:
                _let_go(world, interaction)
    for media, entry in listed.items():
        _channel(world, agent, event.place, media, entry, t)
    capacity.settle(world, agent, t)


def _channel(world: World, agent: AgentNode, place: str, media: str, entry: Entry, t: int) -> None:
    channel = world.channels.get(channel_number(agent.id, media))
    if channel is None:
        channel = make(world, agent, world.place(place), media, t)
        put(world, channel, "active", ACTIVE, t, NO_FACTS)
    reasons = entry.get("Reasons")
    why = reasons if isinstance(reasons, dict) else NO_FACTS
    if entry.get("state") == "Ready":
        put(world, channel, "available", capacity.AVAILABLE, t, why)
    else:
        clear(world, channel, "available")
        put(world, channel, "routable", capacity.NOT_ROUTABLE, t, why)
    present = dict(_interactions(world, entry, media, t))
    for interaction in [each for each in channel.handled if each not in present]:
        end(world, channel, interaction)
        _let_go(world, interaction)
    for interaction, found in present.items():
        is_offer = found.get("state") == "Delivering"
        action = DELIVERING if is_offer else HANDLING[interaction.call_type]
        before = channel.handled.get(interaction)
        if before is None or (before.action == DELIVERING) is not is_offer:
            end(world, channel, interaction)
            begin(world, channel, interaction, action, t)


def place(world: World, event: e.EventInteractionPlaceInfo, t: int) -> None:
    """What waits in a queue, in a workbin or with a strategy."""
    named = ((QUEUE, event.queue), (WORKBIN, event.workbin), (STRATEGY, event.strategy))
    for object_type, name in named:
        if name:
            here = world.interactions.place(object_type, name)
            _bring_in_line(world, here, event, t)


def _bring_in_line(
    world: World, here: InteractionPlace, event: e.EventInteractionPlaceInfo, t: int
) -> None:
    present = dict(_interactions(world, event.extensions or {}, "", t))
    for interaction in [each for each in here.waiting if each not in present]:
        end_wait(world, interaction)
        _let_go(world, interaction)
    for interaction in present:
        if interaction not in here.waiting:
            end_wait(world, interaction)
            begin_wait(world, interaction, here, t)


def _interactions(
    world: World, entry: Entry, media: str, t: int
) -> Iterator[tuple[Interaction, Entry]]:
    """Every interaction that is listed, with what is told of it taken over."""
    for found in _listed(entry.get("interactions"), "InteractionID"):
        data = found.get("UserData")
        told = e.EventPropertiesChanged(
            interaction_id=found["InteractionID"],
            media_type=_text(found.get("MediaType")) or media,
            interaction_type=_text(found.get("InteractionType")),
            user_data=data if isinstance(data, dict) else None,
        )
        interaction = heard(world, told, t)
        if interaction is not None:
            yield interaction, found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _let_go(world: World, interaction: Interaction) -> None:
    """Nobody speaks of it any more: it may be over."""
    if interaction.wait is None and not interaction.handled:
        world.interactions.forget(interaction)


def _entries(event: e.EventAgentMediaInfo, key: str, name: str) -> list[Entry]:
    return _listed((event.extensions or {}).get(key), name)


def _listed(entries: Any, name: str) -> list[Entry]:
    """The entries that are tables and have a name."""
    if not isinstance(entries, list):
        return []
    return [
        entry
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get(name), str) and entry[name]
    ]


RULES: dict[type[e.TEvent], Any] = {
    e.EventAgentMediaInfo: agent_media,
    e.EventInteractionPlaceInfo: place,
}
