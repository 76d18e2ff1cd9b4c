"""Objects: from the id a client names to the nodes that contribute.

A DN or queue is one node of its switch's world. An agent or a place has a node
in every world where it has anything; a group has its members' nodes. Whoever
appears later (an agent who logs in on another switch for the first time) is
found by asking again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from ..model.directory import Directory, DNKey
from ..model.nodes import MediationDN, Node, RegularDN
from .requests import StatisticError
from .source import Source

T = TypeVar("T")
Finder = Callable[["Objects", str, int], list[tuple[Source, Node]]]
Found = list[tuple[Source, Node]]


class Objects:
    """Looks objects up in the directory and in the worlds."""

    def __init__(self, directory: Directory, sources: Mapping[str, Source]) -> None:
        self.directory = directory
        self._sources = sources

    def find(self, object_type: str, object_id: str, now: int, subject: str = "") -> Found:
        """The nodes of an object, as that subject sees it.

        Raises:
            StatisticError: ``unknown-object``, with what would have been known.
        """
        finders = GROUP_FINDERS if subject == "GroupStatus" else FINDERS
        return finders[object_type](self, object_id, now)

    # -- DNs -------------------------------------------------------------------------

    def _dn(self, object_id: str, dn_type: str, now: int) -> tuple[Source, Node]:
        key = DNKey.parse(object_id)
        switches = [source.switch for source in self._sources.values()]
        if key is None or key.switch not in switches:
            if len(switches) == 1 and (key is None or "@" in key.number or not key.number):
                key = DNKey(object_id, switches[0])
            else:
                allowed = ", ".join(f"number@{switch}" for switch in switches) or "no switch yet"
                raise _unknown(f"{object_id!r} names no DN; allowed: {allowed}")
        source = next(s for s in self._sources.values() if s.switch == key.switch)
        dn = source.world(now).dn(key.number, dn_type)
        wanted = MediationDN if dn_type == "Queue" else RegularDN
        if dn is None:
            raise _unknown(f"DN {key.number!r} is not configured on switch {key.switch!r}")
        if not isinstance(dn, wanted):
            raise _unknown(f"{key} is a {dn.type}, not a {_words(wanted)}")
        return source, dn

    def regular_dn(self, object_id: str, now: int) -> Found:
        """``number@switch`` of an extension or the like."""
        return [self._dn(object_id, "Extension", now)]

    def mediation_dn(self, object_id: str, now: int) -> Found:
        """``number@switch`` of a queue or route point."""
        return [self._dn(object_id, "Queue", now)]

    def queue_group(self, name: str, now: int) -> Found:
        """The queues of a group."""
        members = self._members(self.directory.queue_groups, name, "queue group")
        return [
            self._dn(str(key), "Queue", now)
            for key in members
            if any(source.switch == key.switch for source in self._sources.values())
        ]

    # -- people ----------------------------------------------------------------------

    def agent(self, agent_id: str, now: int) -> Found:
        """The agent's nodes; in the first world where he has none anywhere yet."""
        self._check_agent(agent_id, now)
        found: Found = []
        worlds = [(source, source.world(now)) for source in self._sources.values()]
        for source, world in worlds:
            if world.knows_agent(agent_id):
                found += _node(source, world.agent(agent_id))
        if not found and worlds:
            source, world = worlds[0]
            found = _node(source, world.agent(agent_id))
        return found

    def _check_agent(self, agent_id: str, now: int) -> None:
        if agent_id not in self.directory.agents and not self._may_be_made(agent_id, now):
            raise _unknown(f"agent {agent_id!r} is not configured")

    def _may_be_made(self, agent_id: str, now: int) -> bool:
        return bool(agent_id) and (
            self.directory.auto_create
            or any(s.world(now).knows_agent(agent_id) for s in self._sources.values())
        )

    def agent_group(self, name: str, now: int) -> Found:
        """The agents of a group."""
        members = self._members(self.directory.agent_groups, name, "agent group")
        return [found for member in members for found in self.agent(member, now)]

    def place(self, name: str, now: int) -> Found:
        """The place's nodes."""
        if name not in self.directory.places:
            known = ", ".join(self.directory.places) or "none"
            raise _unknown(f"place {name!r} is not configured; known: {known}")
        found: Found = []
        for source in self._sources.values():
            found += _node(source, source.world(now).place(name))
        return found

    def place_group(self, name: str, now: int) -> Found:
        """The places of a group."""
        members = self._members(self.directory.place_groups, name, "place group")
        return [found for member in members for found in self.place(member, now)]

    # -- groups themselves -----------------------------------------------------------

    def agent_group_itself(self, name: str, now: int) -> Found:
        """The group, wherever any of its agents is known; nobody comes into being for it."""
        for member in self._members(self.directory.agent_groups, name, "agent group"):
            self._check_agent(member, now)
        return self._group("GroupAgents", name, now)

    def place_group_itself(self, name: str, now: int) -> Found:
        """The group, wherever any of its places is."""
        self.place_group(name, now)  # or else it says which one is missing
        return self._group("GroupPlaces", name, now)

    def _group(self, group_type: str, name: str, now: int) -> Found:
        groups = [(s, s.world(now).groups.get(group_type, name)) for s in self._sources.values()]
        found: Found = [(source, group) for source, group in groups if group is not None]
        populated = [(s, group) for s, group in groups if group is not None and group.members]
        return [*populated] or found[:1]

    def _members(self, groups: Mapping[str, tuple[T, ...]], name: str, what: str) -> tuple[T, ...]:
        if name not in groups:
            known = ", ".join(groups) or "none"
            raise _unknown(f"{what} {name!r} is not configured; known: {known}")
        return groups[name]


def _node(source: Source, node: Node | None) -> Found:
    return [] if node is None else [(source, node)]


def _words(cls: type) -> str:
    return "queue or route point" if cls is MediationDN else "regular DN"


def _unknown(message: str) -> StatisticError:
    return StatisticError("unknown-object", f"object.objectId: {message}")


FINDERS: dict[str, Finder] = {
    "RegDN": Objects.regular_dn,
    "Queue": Objects.mediation_dn,
    "RoutePoint": Objects.mediation_dn,
    "GroupQueues": Objects.queue_group,
    "Agent": Objects.agent,
    "GroupAgents": Objects.agent_group,
    "Place": Objects.place,
    "GroupPlaces": Objects.place_group,
}

# Whose own status is asked for, and not those of the members.
GROUP_FINDERS: dict[str, Finder] = {
    "GroupAgents": Objects.agent_group_itself,
    "GroupPlaces": Objects.place_group_itself,
}
