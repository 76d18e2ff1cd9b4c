"""Media channels: one medium of one agent, and the steps that the rules about it are made of.

A channel is to agent and place what a DN is, only that nobody can be logged in there but its
agent. What an event means for it is in :mod:`.channel_rules`, and what may be sent there in
:mod:`.capacity`. Statuses stay those of telephones: no channel decides the status of agent or
place (our decision).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .directory import DNKey
from .interactions import Interaction
from .nodes import MONITORED, AgentNode, DNNode, PlaceNode
from .occurrences import Facts, Occurrence, Status

if TYPE_CHECKING:
    from .world import World


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


def make(
    world: World, agent: AgentNode, place: PlaceNode | None, media: str, t: int
) -> MediaChannel:
    """A new channel of the world."""
    channel = MediaChannel(agent, place, media, world.switch, t)
    world.channels[channel.key.number] = channel
    world.has_capacity = True
    return channel


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


def clear(world: World, channel: MediaChannel, slot: str) -> None:
    """End what goes on in that slot, if anything does."""
    present = channel.state.pop(slot, None)
    if present is not None:
        world.chronicle.ended(present)


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
        del parent.channels[channel]
    del world.channels[channel.key.number]


def forget_all(world: World) -> None:
    """We no longer hear of any channel."""
    for channel in list(world.channels.values()):
        remove(world, channel)
