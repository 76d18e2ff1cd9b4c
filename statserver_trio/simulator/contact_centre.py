"""A seeded contact centre: T-events with times and positions, the same for the same seed.

centre = ContactCentre(Random(1), start=1_700_000_000.0, agents=20)
centre.advance(1_700_000_060.0)     # the events of the first minute
centre.snapshot("7001")             # what 7001 is doing after them
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from ..tlib.events import EventRegistered, TEvent
from .agenda import Agenda, Story
from .agent_day import agent_day
from .floor import Floor
from .inbound import customer
from .manual import internal_call, outbound_call
from .settings import Settings
from .snapshots import Snapshots

if TYPE_CHECKING:
    from random import Random

START = 1_700_000_000.0  # of a recording that nobody asked to begin elsewhere


@frozen
class Seat:
    """An agent and where he works, for those who write a configuration."""

    agent: str
    dn: str
    place: str
    group: str
    queues: tuple[str, ...]


class ContactCentre:
    """The contact centre.

    Args:
        rng: Where all chance comes from.
        start: Unix seconds at which the first agent may log in.
        settings: See :class:`~.settings.Settings`; or give its fields by name.
        options: Fields of the settings, such as ``agents=20``.
    """

    def __init__(
        self, rng: Random, start: float = START, settings: Settings | None = None, **options: float
    ) -> None:
        assert settings is None or not options, "settings or their fields, not both"
        self.settings = settings or Settings(**options)  # type: ignore[arg-type]
        self.position = 0
        self._agenda = Agenda(start)
        self._floor = Floor(rng, self.settings, self._agenda)
        self.dns = self._floor.dns()
        self._snapshots = Snapshots(self.dns)
        for agent in self._floor.agents:
            agent.day = self._agenda.start(agent_day(self._floor, agent))
        for story in (_customers, _internal_calls, _outbound_calls):
            self._agenda.start(story(self._floor))

    def seats(self) -> list[Seat]:
        """Who works here, and where."""
        return [
            Seat(agent.name, agent.dn, agent.place, agent.group, agent.logins)
            for agent in self._floor.agents
        ]

    def next_time(self) -> float:
        """When the next event may come."""
        return self._agenda.now if self._floor.said else self._agenda.next_time()

    def advance(self, until: float, limit: int | None = None) -> list[TEvent]:
        """The events up to ``until``, but not more than ``limit``.

        What the limit holds back comes with the next call.
        """
        said = self._floor.said
        while self._agenda.next_time() <= until and (limit is None or len(said) < limit):
            self._agenda.run_next()
        events = said[:limit]
        del said[:limit]
        apply = self._snapshots.apply
        for event in events:
            self.position += 1
            event.position = self.position
            apply(event)
        return events

    def take(self, count: int) -> list[TEvent]:
        """The next ``count`` events, however long they take."""
        return self.advance(float("inf"), count)

    def snapshot(self, dn: str) -> EventRegistered | None:
        """What ``dn`` is doing after the events handed out; None if there is no such DN."""
        return self._snapshots.take(dn)

    def close(self) -> None:
        """Let no new call begin; those under way end in their own time."""
        self._floor.open = False


def generate(
    rng: Random, events: int = 200_000, agents: int = 500, queues: int = 50, start: float = START
) -> list[TEvent]:
    """Many events at once, for benchmarks and recordings."""
    return ContactCentre(rng, start, agents=agents, queues=queues).take(events)


def _customers(floor: Floor) -> Story:
    while True:
        yield floor.about(floor.settings.between_calls())
        if floor.open:
            call, story = customer(floor)
            call.story = floor.agenda.start(story)


def _internal_calls(floor: Floor) -> Story:
    while True:
        yield floor.about(floor.settings.between_internal / floor.settings.agents)
        caller = floor.free_agent()
        if floor.open and caller is not None:
            floor.agenda.start(internal_call(floor, caller))


def _outbound_calls(floor: Floor) -> Story:
    while True:
        yield floor.about(floor.settings.between_outbound / floor.settings.agents)
        caller = floor.free_agent()
        if floor.open and caller is not None:
            floor.agenda.start(outbound_call(floor, caller))
