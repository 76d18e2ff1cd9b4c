"""Interactions in their queues, workbins and strategies: entering, waiting, leaving.

An interaction waits in one place at a time (InteractionWait, our decision: numbers of now need
something that lasts). How it left says which retrospective action is counted there, with the
time since it entered; the table is :data:`LEFT`. Rules: statistics.md §4.5, t-events.md §4.

Where public texts say nothing, our decision is:

* a workbin and a routing strategy count as a queue does. A strategy has an interaction from
  the moment it took it out of a queue until somebody else has it;
* taken out of a queue, by a strategy perhaps, and then placed in another one, it counts as
  distributed to a queue as well, where the event names the queue before, with the time since
  it entered that one;
* what is stopped while it waits nowhere has been counted where it last waited;
* when the feed is lost nobody knows what waits: all of it ends as calls do, quietly. What waits
  once it is back, snapshots tell (:mod:`.interaction_snapshots`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..tlib import events as e
from .actions import CODES, DIRECTIONS
from .calls import Call
from .directory import DNKey
from .nodes import MONITORED, DNNode
from .occurrences import Occurrence, Status

if TYPE_CHECKING:
    from .world import World

Rule = Callable[["World", Any, int], None]

INTERACTIONS_MAX = 1_000_000  # known at once in one world; further ones are passed over
AGENT_OR_STRATEGY = 2  # the party type of who takes an interaction to work on it
WAIT = CODES["InteractionWait"]
QUEUE, WORKBIN, STRATEGY = "StagingArea", "Workbin", "RoutingStrategy"

# What becomes of an interaction that waits somewhere -> what is counted there.
LEFT = {
    "taken": CODES["InteractionDistributed"],
    "taken away": CODES["InteractionCleared"],
    "placed elsewhere": CODES["InteractionDistributedToQueue"],
    "stopped": CODES["InteractionDeleted"],
}


class InteractionPlace(DNNode):
    """Where interactions wait; its number is its name, its type that of the object."""

    __slots__ = ("waiting",)

    def __init__(self, key: DNKey, object_type: str, t: int) -> None:
        super().__init__(key, object_type, t)
        self.state.clear()
        self.status = Status(MONITORED, t, Occurrence(MONITORED, t, self))
        self.waiting: dict[Interaction, Occurrence] = {}

    @property
    def address(self) -> tuple[str, ...]:
        """By its type and name."""
        return ("interactions", self.type, self.key.number)

    def going_on(self) -> Iterator[tuple[Occurrence, int]]:
        """Everything that waits."""
        for wait in self.waiting.values():
            yield wait, wait.start


class Interaction(Call):
    """An e-mail, a chat or a task; ``conn_id`` is its id and ``call_type`` its direction.

    Attributes:
        media: As its events call it.
        place: Where it waits, or did last.
        entered: Since when, ms.
        wait: While it does.
        queue: The last place of these that was a queue.
        queued: When it entered that, ms.
        handled: What goes on at media channels because of it, by the channel's number.
    """

    __slots__ = ("entered", "handled", "place", "queue", "queued", "wait")

    def __init__(self, interaction_id: str) -> None:
        super().__init__(interaction_id)
        self.media = ""
        self.call_type = DIRECTIONS[0]
        self.place: InteractionPlace | None = None
        self.entered = 0
        self.wait: Occurrence | None = None
        self.queue: InteractionPlace | None = None
        self.queued = 0
        self.handled: dict[str, Occurrence] = {}

    def occurrences(self) -> list[Occurrence]:
        """Everything that goes on because of it."""
        return [*([] if self.wait is None else [self.wait]), *self.handled.values()]

    def hear(self, event: e.InteractionEvent, t: int) -> bool:
        """Take over what the event tells; true where filters have to look again."""
        self.heard_at = t
        said = (self.media, self.call_type, self.facts)
        direction = event.interaction_type
        news = (
            event.media_type or self.media,
            direction if direction in DIRECTIONS else self.call_type,
            self.facts if event.user_data is None else event.user_data,
        )
        if news == said:
            return False
        self.remember(t)
        self.media, self.call_type, self.facts = news
        return True


class Interactions:
    """All interactions of one world, and the places where they wait."""

    def __init__(self, switch: str, t: int) -> None:
        self._switch = switch
        self._began = t
        self._known: dict[str, Interaction] = {}
        self._places: dict[tuple[str, str], InteractionPlace] = {}

    def __iter__(self) -> Iterator[Interaction]:
        return iter(self._known.values())

    def place(self, object_type: str, name: str) -> InteractionPlace:
        """A place, made with the first word of it."""
        found = self._places.get((object_type, name))
        if found is None:
            key = DNKey(name, self._switch)
            found = InteractionPlace(key, object_type, self._began)
            self._places[object_type, name] = found
        return found

    def knows_place(self, object_type: str, name: str) -> bool:
        """Whether anything has ever been there."""
        return (object_type, name) in self._places

    def places(self) -> list[tuple[str, str]]:
        """Type and name of every place where anything has ever been."""
        return list(self._places)

    def get(self, interaction_id: str) -> Interaction | None:
        """An interaction by its id."""
        return self._known.get(interaction_id)

    def make(self, interaction_id: str) -> Interaction | None:
        """An interaction by its id, new if need be; None where there are too many."""
        found = self._known.get(interaction_id)
        if found is None and len(self._known) < INTERACTIONS_MAX:
            found = self._known[interaction_id] = Interaction(interaction_id)
        return found

    def forget(self, interaction: Interaction) -> None:
        """It is over."""
        self._known.pop(interaction.conn_id, None)


def heard(world: World, event: e.InteractionEvent, t: int) -> Interaction | None:
    """The interaction an event speaks of, with what it tells taken over."""
    interaction = world.interactions.make(event.interaction_id)
    if interaction is None:
        world.ignored[type(event).__name__] += 1
    elif interaction.hear(event, t):
        world.chronicle.facts_changed(interaction)
    return interaction


# -- steps --------------------------------------------------------------------------------


def enter(world: World, interaction: Interaction, place: InteractionPlace, t: int) -> None:
    """It waits there from now on."""
    world.chronicle.happened(place, CODES["InteractionEntered"], 0, interaction)
    begin_wait(world, interaction, place, t)


def begin_wait(world: World, interaction: Interaction, place: InteractionPlace, t: int) -> None:
    """It waits there, without a word about how it came there."""
    interaction.place, interaction.entered = place, t
    if place.type == QUEUE:
        interaction.queue, interaction.queued = place, t
    wait = interaction.wait = place.waiting[interaction] = Occurrence(WAIT, t, place, interaction)
    world.chronicle.began(wait)


def leave(world: World, interaction: Interaction, how: str, t: int) -> None:
    """It waits no more, if it did; ``how`` is a key of :data:`LEFT`."""
    place, spent = interaction.place, t - interaction.entered
    if end_wait(world, interaction):
        assert place is not None
        world.chronicle.happened(place, LEFT[how], spent, interaction)


def end_wait(world: World, interaction: Interaction) -> bool:
    """End its waiting without a word about why; whether it did wait."""
    wait, interaction.wait = interaction.wait, None
    if wait is None or interaction.place is None:
        return False
    del interaction.place.waiting[interaction]
    world.chronicle.ended(wait)
    return True


# -- rules --------------------------------------------------------------------------------


def submitted(world: World, event: e.EventSubmitted, t: int) -> None:
    """A new interaction, which may wait in its first queue already."""
    interaction = heard(world, event, t)
    if interaction is not None and event.queue and event.interaction_state == 0:
        _place(world, interaction, world.interactions.place(QUEUE, event.queue), t)


def placed_in_queue(world: World, event: e.EventPlacedInQueue, t: int) -> None:
    """It goes to a queue, perhaps from another one that it was taken out of before."""
    interaction = heard(world, event, t)
    if interaction is None or not event.queue:
        return
    place, last = world.interactions.place(QUEUE, event.queue), interaction.queue
    waits_there = interaction.wait is not None and interaction.place is last
    if (
        not waits_there
        and last is not None
        and last is not place
        and last.key.number == event.old_queue
    ):
        spent = t - interaction.queued
        world.chronicle.happened(last, LEFT["placed elsewhere"], spent, interaction)
    _place(world, interaction, place, t)


def placed_in_workbin(world: World, event: e.EventPlacedInWorkbin, t: int) -> None:
    """It goes to a workbin."""
    interaction = heard(world, event, t)
    if interaction is not None and event.workbin:
        _place(world, interaction, world.interactions.place(WORKBIN, event.workbin), t)


def _place(world: World, interaction: Interaction, place: InteractionPlace, t: int) -> None:
    if interaction.wait is not None and interaction.place is place:
        return  # said twice
    leave(world, interaction, "placed elsewhere", t)
    enter(world, interaction, place, t)


def taken(world: World, event: e.EventTakenFromQueue | e.EventTakenFromWorkbin, t: int) -> None:
    """Somebody has it now; a strategy until it has found somebody else."""
    interaction = heard(world, event, t)
    if interaction is None:
        return
    for_work = event.party_type == AGENT_OR_STRATEGY
    leave(world, interaction, "taken" if for_work else "taken away", t)
    if isinstance(event, e.EventTakenFromQueue) and for_work and event.strategy:
        enter(world, interaction, world.interactions.place(STRATEGY, event.strategy), t)


def properties_changed(world: World, event: e.EventPropertiesChanged, t: int) -> None:
    """Facts about it."""
    heard(world, event, t)


def forget_all(world: World) -> None:
    """We no longer hear of any interaction."""
    for interaction in list(world.interactions):
        end_wait(world, interaction)
        world.interactions.forget(interaction)


RULES: dict[type[e.TEvent], Rule] = {
    e.EventSubmitted: submitted,
    e.EventPlacedInQueue: placed_in_queue,
    e.EventTakenFromQueue: taken,
    e.EventPlacedInWorkbin: placed_in_workbin,
    e.EventTakenFromWorkbin: taken,
    e.EventPropertiesChanged: properties_changed,
}
