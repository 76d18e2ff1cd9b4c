"""The part of the action table about interactions and media channels; see :mod:`.transfer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .actions import CODES, NAMES
from .calls import Told
from .interactions import QUEUE, Interaction
from .media_channels import ChannelFacts, MediaChannel, make
from .occurrences import NO_FACTS, Occurrence

if TYPE_CHECKING:
    from .world import World

Data = dict[str, Any]


def export(world: World) -> Data:
    """All that waits, and all that is worked on."""
    return {
        "interactions": [_interaction(each) for each in world.interactions],
        "channels": [_channel(each) for each in world.channels.values()],
    }


def _interaction(interaction: Interaction) -> Data:
    place = interaction.place
    return {
        "id": interaction.conn_id,
        "media": interaction.media,
        "type": interaction.call_type,
        "facts": dict(interaction.facts),
        "former": [
            [until, told.media, told.call_type, dict(told.facts)]
            for until, told in interaction.former
        ],
        "heard_at": interaction.heard_at,
        "place": None if place is None else [place.type, place.key.number],
        "entered": interaction.entered,
        "queue": None if interaction.queue is None else interaction.queue.key.number,
        "queued": interaction.queued,
        "waits": interaction.wait is not None,
    }


def _channel(channel: MediaChannel) -> Data:
    return {
        "agent": channel.agent.id,
        "place": "" if channel.place is None else channel.place.name,
        "media": channel.media,
        "state": {
            slot: [NAMES[each.action], each.start, dict(each.reasons)]
            for slot, each in channel.state.items()
        },
        "handled": [
            [interaction.conn_id, NAMES[each.action], each.start]
            for interaction, each in channel.handled.items()
        ],
    }


def adopt(world: World, data: Data) -> None:
    """Let the same wait and be worked on here; nothing is reported.

    A member of an earlier release says nothing of either.

    Raises:
        KeyError, ValueError, TypeError: The data is no action table.
    """
    for each in data.get("interactions", ()):
        _adopt_interaction(world, each)
    for each in data.get("channels", ()):
        _adopt_channel(world, each)


def _adopt_interaction(world: World, data: Data) -> None:
    interaction = world.interactions.make(data["id"])
    if interaction is None:
        raise ValueError("too many interactions")
    interaction.media, interaction.call_type = data["media"], data["type"]
    interaction.facts = data["facts"] or NO_FACTS
    interaction.former = [
        (until, Told(interaction.conn_id, call_type, facts=facts or NO_FACTS, media=media))
        for until, media, call_type, facts in data["former"]
    ]
    interaction.heard_at, interaction.entered = data["heard_at"], data["entered"]
    if data["queue"] is not None:
        interaction.queue = world.interactions.place(QUEUE, data["queue"])
        interaction.queued = data["queued"]
    if data["place"] is not None:
        place = interaction.place = world.interactions.place(*data["place"])
        if data["waits"]:
            action = CODES["InteractionWait"]
            wait = Occurrence(action, interaction.entered, place, interaction)
            interaction.wait = place.waiting[interaction] = wait


def _adopt_channel(world: World, data: Data) -> None:
    agent, place = world.agent_for_sure(data["agent"]), world.place(data["place"])
    channel = make(world, agent, place, data["media"], world.began)
    for slot, (name, start, reasons) in data["state"].items():
        channel.state[slot] = ChannelFacts(CODES[name], start, channel, reasons or NO_FACTS)
    for interaction_id, name, start in data["handled"]:
        interaction = world.interactions.get(interaction_id)
        if interaction is None:
            raise ValueError(f"interaction {interaction_id!r} is worked on and not listed")
        occurrence = Occurrence(CODES[name], start, channel, interaction)
        channel.handled[interaction] = interaction.handled[channel.key.number] = occurrence
