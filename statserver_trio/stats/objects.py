"""Objects: from the id a client names to the nodes that contribute.

A DN or queue is one node of its switch's world. An agent has a node in the first world and in
every other that has seen him, a place in every world; a group has its members' nodes. Whoever
appears later (an agent who logs in on another switch for the first time) is
found by asking again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from ..model.directory import Directory, DNKey
from ..model.nodes import DNNode, MediationDN, Node, RegularDN
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
        finder = FINDERS_OF_SUBJECTS.get((object_type, subject), FINDERS[object_type])
        return finder(self, object_id, now)

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
        """The agent's nodes; see :meth:`_each_at`."""
        self._check_agent(agent_id, now)
        return self._each_at([(agent_id,)] * len(self._sources), now)

    def _check_agent(self, agent_id: str, now: int) -> None:
        if agent_id not in self.directory.agents and not self._may_be_made(agent_id, now):
            raise _unknown(f"agent {agent_id!r} is not configured")

    def _may_be_made(self, agent_id: str, now: int) -> bool:
        return bool(agent_id) and (
            self.directory.auto_create
            or any(s.world(now).has_seen(agent_id) for s in self._sources.values())
        )

    def agent_group(self, name: str, now: int) -> Found:
        """The agents of a group; of a virtual one those who are in it."""
        if name in self.directory.virtual_agent_groups:
            return self._virtual_group(name, now)
        members = self._members(self.directory.agent_groups, name, "agent group")
        return [found for member in members for found in self.agent(member, now)]

    def _virtual_group(self, name: str, now: int) -> Found:
        """Its members."""
        members: list[Collection[str]] = [
            source.world(now).virtual.members(name) for source in self._sources.values()
        ]
        return self._each_at(members, now)

    def _each_at(self, agents: Sequence[Collection[str]], now: int) -> Found:
        """Agents in every world: in the first one all of these, elsewhere who has been seen there.

        So it is for each source to say who is there, by its own events: it must not depend on
        what happened at another one before, nor on who asked for whom, or the members of a pair
        would not agree (our decision).

        Args:
            agents: The ids that are meant, by source.
        """
        found: list[tuple[str, Source, Node]] = []
        for number, (source, ids) in enumerate(zip(self._sources.values(), agents, strict=True)):
            world = source.world(now)
            for agent_id in ids:
                if number == 0 or world.has_seen(agent_id):
                    node = world.agent(agent_id)
                    if node is not None:
                        found.append((agent_id, source, node))
        found.sort(key=lambda each: each[0])  # of one agent in the order of the sources
        return [(source, node) for _, source, node in found]

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
        """The group, wherever any of its agents has been seen; nobody comes into being for it."""
        if name not in self.directory.virtual_agent_groups:
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
        populated = [(s, group) for s, group in groups if group is not None and group.is_known]
        return [*populated] or found[:1]

    # -- more than a group -----------------------------------------------------------

    def tenant_agents(self, name: str, now: int) -> Found:
        """Every agent there is: all that are listed, and who has been seen."""
        self._check_tenant(name)
        agents: list[Collection[str]] = []
        for source in self._sources.values():
            seen = [each for each, node in source.world(now).agents() if node.seen]
            ids = dict.fromkeys([*([] if agents else self.directory.agents), *seen])
            agents.append([each for each in ids if self._is(each)])
        return self._each_at(agents, now)

    def _is(self, agent_id: str) -> bool:
        return self.directory.auto_create or agent_id in self.directory.agents

    def tenant(self, name: str, now: int) -> Found:
        """Every DN there is, and what happens to the tenant itself."""
        self._check_tenant(name)
        found: Found = []
        for source in self._sources.values():
            found += [(source, dn) for dn in self._dns_of(source, now)]
            found.append((source, source.world(now).tenant))
        return found

    def _check_tenant(self, name: str) -> None:
        if name != self.directory.tenant:
            raise _unknown(f"tenant {name!r} is none; known: {self.directory.tenant}")

    def switch(self, name: str, now: int) -> Found:
        """The regular DNs of a switch."""
        for source in self._sources.values():
            if source.switch == name:
                dns = self._dns_of(source, now)
                return [(source, dn) for dn in dns if isinstance(dn, RegularDN)]
        known = ", ".join(source.switch for source in self._sources.values()) or "none"
        raise _unknown(f"switch {name!r} has no T-Server; known: {known}")

    def _dns_of(self, source: Source, now: int) -> list[DNNode]:
        """In the order of their numbers, however they came into being."""
        world, listed = source.world(now), self.directory
        dns = [dn for dn in world.dns() if listed.auto_create or dn.key in listed.dns]
        return sorted(dns, key=lambda dn: dn.key)

    def campaign(self, name: str, now: int) -> Found:
        """The members of all groups that work for a campaign, each once."""
        groups = self._members(self.directory.campaigns, name, "campaign")
        found = [each for group in groups for each in self._group_of_campaign(group, now)]
        return list({id(node): (source, node) for source, node in found}.values())

    def campaign_group(self, object_id: str, now: int) -> Found:
        """``campaign@group``: the members of one group that works for a campaign."""
        campaign, at, group = object_id.rpartition("@")
        if not at:
            raise _unknown(f"{object_id!r} is none; write campaign@group")
        groups = self._members(self.directory.campaigns, campaign, "campaign")
        if group not in groups:
            known = ", ".join(groups) or "none"
            raise _unknown(f"group {group!r} does not work for {campaign!r}; known: {known}")
        return self._group_of_campaign(group, now)

    # -- interactions ----------------------------------------------------------------

    def staging_area(self, name: str, now: int) -> Found:
        """A queue of interactions, at every source that may tell of it."""
        return self._interactions("StagingArea", self.directory.interaction_queues, name, now)

    def workbin(self, name: str, now: int) -> Found:
        """A workbin, likewise."""
        return self._interactions("Workbin", self.directory.workbins, name, now)

    def routing_strategy(self, name: str, now: int) -> Found:
        """A strategy, likewise."""
        return self._interactions("RoutingStrategy", self.directory.routing_strategies, name, now)

    def _interactions(self, kind: str, listed: Sequence[str], name: str, now: int) -> Found:
        worlds = [(source, source.world(now)) for source in self._sources.values()]
        known = name in listed or any(w.interactions.knows_place(kind, name) for _, w in worlds)
        if not name or not (known or self.directory.auto_create):
            raise _unknown(
                f"{kind} {name!r} is not configured; known: {', '.join(listed) or 'none'}"
            )
        return [(source, world.interactions.place(kind, name)) for source, world in worlds]

    def _group_of_campaign(self, name: str, now: int) -> Found:
        if name in self.directory.place_groups:
            return self.place_group(name, now)
        return self.agent_group(name, now)

    def _members(self, groups: Mapping[str, tuple[T, ...]], name: str, what: str) -> tuple[T, ...]:
        if name not in groups:
            virtual = self.directory.virtual_agent_groups if what == "agent group" else ()
            known = ", ".join([*groups, *virtual]) or "none"
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
    "Tenant": Objects.tenant,
    "Switch": Objects.switch,
    "Campaign": Objects.campaign,
    "CampaignGroup": Objects.campaign_group,
    "StagingArea": Objects.staging_area,
    "Workbin": Objects.workbin,
    "RoutingStrategy": Objects.routing_strategy,
}

# Where the subject decides whose statuses are meant.
FINDERS_OF_SUBJECTS: dict[tuple[str, str], Finder] = {
    ("GroupAgents", "GroupStatus"): Objects.agent_group_itself,
    ("GroupPlaces", "GroupStatus"): Objects.place_group_itself,
    ("Tenant", "AgentStatus"): Objects.tenant_agents,
}
