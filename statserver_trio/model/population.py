"""Population: the objects of one world, how they come into being and how they are found.

Configured DNs, places and groups are there from the start; agents, and with ``auto-create``
DNs, appear when an event or a question names them. Whoever watches several objects at once is
told by :attr:`Population.changed` that there are others now.
"""

from __future__ import annotations

from collections.abc import Iterable

from .chronicle import Chronicle
from .directory import MEDIATION_TYPES, Directory, DNKey
from .groups import Groups
from .nodes import AgentNode, DNNode, MediationDN, PlaceNode, RegularDN
from .rules import MEDIATION_RULES, REGULAR_RULES
from .tenant import TenantNode
from .virtual_groups import VirtualGroups

Topic = tuple[str, ...]
AGENTS: Topic = ("agents",)  # somebody has appeared
DNS: Topic = ("DNs",)


def members_of(name: str) -> Topic:
    """That a virtual group has other members now."""
    return ("members", name)


class Population:
    """The objects of one world.

    Attributes:
        changed: What there is more, less or else of than when it was last taken.
    """

    def __init__(self, switch: str, directory: Directory, t: int) -> None:
        self.switch = switch
        self.directory = directory
        self.chronicle = Chronicle()
        # Whatever we have not heard of is unmonitored, and whoever has not logged in is logged
        # out, since the world began: not since somebody happened to ask.
        self.began = t
        self.now = t
        self.changed: dict[Topic, None] = {AGENTS: None, DNS: None}
        self.tenant = TenantNode(DNKey(directory.tenant, switch), t)
        self._dns: dict[str, DNNode] = {}
        self._agents: dict[str, AgentNode] = {}
        self._places: dict[str, PlaceNode] = {}
        self._place_of = directory.place_of()
        self.groups = Groups(self.chronicle)
        self.virtual = VirtualGroups(switch)
        for place in directory.places.values():
            if any(key.switch == switch for key in place.dns):
                self._places[place.name] = PlaceNode(place.name, t)
        for key, dn in directory.dns.items():
            if key.switch == switch:
                self._new_dn(key.number, dn.type)
        # What stands on a place exists, listed or not: if it came into being with the first
        # question about it, that question would change what others see at the place.
        for key in self._place_of:
            if key.switch == switch and key.number not in self._dns:
                self._new_dn(key.number, "Extension")
        self.list_queues()
        self.list_groups(t)

    def list_queues(self) -> None:
        """What a group of queues has as a member exists, too, for the same reason."""
        for keys in self.directory.queue_groups.values():
            for key in keys:
                if key.switch == self.switch:
                    self.dn(key.number, "Queue")

    def list_groups(self, t: int) -> None:
        """Have the groups of the directory, each with its members, from ``t`` on."""
        self.virtual.relist(self.directory, self._agents)
        virtual = {name: self.virtual.members(name) for name in self.virtual}
        self.groups.relist(self.directory, virtual, self._agents, self._places, t)
        self.changed.update(dict.fromkeys(map(members_of, virtual)))

    def take_changes(self) -> Iterable[Topic]:
        """What has changed since the last time."""
        changed, self.changed = self.changed, {}
        return changed

    # -- finding and making ----------------------------------------------------------

    def dns(self) -> Iterable[DNNode]:
        """Every DN of this switch that is known."""
        return list(self._dns.values())

    def dn(self, number: str, dn_type: str = "") -> DNNode | None:
        """A DN by number; made where it may be and ``dn_type`` says what it would be."""
        dn = self._dns.get(number)
        if dn is None and dn_type and self.directory.auto_create and number:
            dn = self._new_dn(number, dn_type)
        return dn

    def mediation_dn(self, number: str) -> MediationDN | None:
        """A queue by number; made where it may be."""
        dn = self.dn(number, "Queue")
        return dn if isinstance(dn, MediationDN) else None

    def is_mediation_dn(self, number: str) -> bool:
        """Whether calls wait at this number, as far as we know."""
        return isinstance(self._dns.get(number), MediationDN)

    def agent(self, agent_id: str) -> AgentNode | None:
        """An agent by id; made where he is configured or may be made."""
        agent = self._agents.get(agent_id)
        may_be = agent_id in self.directory.agents or self.directory.auto_create
        return self.agent_for_sure(agent_id) if agent is None and agent_id and may_be else agent

    def agent_for_sure(self, agent_id: str) -> AgentNode:
        """An agent by id, made if need be: another server knows that he exists."""
        agent = self._agents.get(agent_id)
        if agent is None:
            agent = self._agents[agent_id] = AgentNode(agent_id, self.began)
            self.groups.appeared(agent)
            self.changed.update(
                dict.fromkeys((AGENTS, *map(members_of, self.virtual.of(agent_id))))
            )
        return agent

    def saw(self, agent: AgentNode) -> None:
        """An event has spoken of an agent."""
        if agent.seen:
            return
        agent.seen = True
        self.changed[AGENTS] = None
        for name in self.virtual.seen(agent):
            self.groups.change(name, agent, True, self.now)
            self.changed[members_of(name)] = None

    def has_seen(self, agent_id: str) -> bool:
        """Whether an event has ever spoken of the agent."""
        agent = self._agents.get(agent_id)
        return agent is not None and agent.seen

    def agent_ids(self) -> list[str]:
        """Everybody who has ever been anything here."""
        return list(self._agents)

    def agents(self) -> Iterable[tuple[str, AgentNode]]:
        """Everybody who has ever been anything here, by id."""
        return list(self._agents.items())

    def places(self) -> Iterable[tuple[str, PlaceNode]]:
        """The places with DNs on this switch, by name."""
        return list(self._places.items())

    def place(self, name: str) -> PlaceNode | None:
        """A place by name, where any of its DNs is on this switch."""
        return self._places.get(name)

    def dn_for_sure(self, number: str, dn_type: str) -> DNNode:
        """A DN by number, made if need be: another server knows that it exists."""
        return self._dns.get(number) or self._new_dn(number, dn_type)

    def _new_dn(self, number: str, dn_type: str) -> DNNode:
        key = DNKey(number, self.switch)
        dn: DNNode
        if dn_type in MEDIATION_TYPES:
            dn = MediationDN(key, dn_type, self.began)
            dn.rules = MEDIATION_RULES
        else:
            dn = RegularDN(key, dn_type, self.began)
            dn.rules = REGULAR_RULES
            name = self._place_of.get(key)
            if name is not None:
                self._stand_on(dn, name)
        self._dns[number] = dn
        self.changed[DNS] = None
        return dn

    def _stand_on(self, dn: RegularDN, name: str) -> None:
        place = self._places[name]
        place.dns = (*place.dns, dn)
        dn.place = place
        dn.parents = (place,) if dn.agent is None else (place, dn.agent)
        self.chronicle.restatus_parent(place, self.now)
