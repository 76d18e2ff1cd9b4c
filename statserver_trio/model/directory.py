"""The directory: who and what exists by configuration.

A directory says nothing about what anybody is doing. It is read by the worlds
(one per source) and never written by them; a reload makes a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from attrs import field, frozen

from ..expressions.capacities import Capacity
from ..expressions.memberships import Membership

REGULAR_TYPES = frozenset({"Extension", "Position", "VoIPPort", "Mixed", "VoiceMail", "Cellular"})
QUEUE_TYPES = frozenset({"Queue", "VirtualQueue"})
ROUTE_POINT_TYPES = frozenset({"RoutePoint", "VirtualRoutePoint", "RouteQueue"})
MEDIATION_TYPES = QUEUE_TYPES | ROUTE_POINT_TYPES
DN_TYPES = REGULAR_TYPES | MEDIATION_TYPES


class DNKey(NamedTuple):
    """A DN is a number on a switch, never a number alone."""

    number: str
    switch: str

    def __str__(self) -> str:
        """The object id that clients use."""
        return f"{self.number}@{self.switch}"

    @classmethod
    def parse(cls, text: str) -> DNKey | None:
        """``number@switch``; the last ``@`` counts. None where there is none.

        >>> DNKey.parse("Local/a1@agents@sw1")
        DNKey(number='Local/a1@agents', switch='sw1')
        """
        number, at, switch = text.rpartition("@")
        return cls(number, switch) if at and number and switch else None


@frozen
class DN:
    """One configured DN."""

    key: DNKey
    type: str  # one of DN_TYPES

    @property
    def is_mediation(self) -> bool:
        """A queue or route point, where calls wait; else people answer there."""
        return self.type in MEDIATION_TYPES


@frozen
class Agent:
    """A person who takes calls; ``id`` is what T-events call AgentID."""

    id: str
    skills: Mapping[str, int] = field(factory=dict)


@frozen
class Place:
    """A desk: the DNs that stand on it."""

    name: str
    dns: tuple[DNKey, ...] = ()


@frozen
class Capacities:
    """The capacity rules by name, and who has which: agents by id, places by name, the tenant."""

    rules: Mapping[str, Capacity] = field(factory=dict)
    agents: Mapping[str, str] = field(factory=dict)
    places: Mapping[str, str] = field(factory=dict)
    tenant: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nobody has any."""
        return not (self.agents or self.places or self.tenant)

    def users(self, rule: str) -> list[str]:
        """Who has that rule, for a person."""
        agents = [f"agent {who}" for who, name in self.agents.items() if name == rule]
        places = [f"place {which}" for which, name in self.places.items() if name == rule]
        return [*agents, *places, *(["the tenant"] if self.tenant == rule else [])]


@frozen
class Directory:
    """Everything configured, by name.

    Attributes:
        origination_dns: By name of an agent or place group, the queues and route points
            where its calls come from: who is in the group serves them.
        campaigns: The agent and place groups that work for a campaign.
        virtual_agent_groups: Agent groups that have an expression and no list of members.
        interaction_queues: Objects of type StagingArea.
        tenant: Whose all this is.
        capacities: What may be sent to whom at most; the tenant's rule is for everybody who has
            none of his own nor of his place.
        auto_create: DNs, queues and agents that are seen in events and not
            listed here come into being; otherwise they are ignored and a
            request for them is refused.
    """

    dns: Mapping[DNKey, DN] = field(factory=dict)
    agents: Mapping[str, Agent] = field(factory=dict)
    places: Mapping[str, Place] = field(factory=dict)
    agent_groups: Mapping[str, tuple[str, ...]] = field(factory=dict)  # agent ids
    place_groups: Mapping[str, tuple[str, ...]] = field(factory=dict)  # place names
    queue_groups: Mapping[str, tuple[DNKey, ...]] = field(factory=dict)
    origination_dns: Mapping[str, tuple[DNKey, ...]] = field(factory=dict)
    auto_create: bool = True
    campaigns: Mapping[str, tuple[str, ...]] = field(factory=dict)  # names of groups
    virtual_agent_groups: Mapping[str, Membership] = field(factory=dict)
    interaction_queues: tuple[str, ...] = ()
    workbins: tuple[str, ...] = ()
    routing_strategies: tuple[str, ...] = ()
    tenant: str = "Environment"
    capacities: Capacities = Capacities()

    def campaign_groups(self) -> list[str]:
        """Every ``campaign@group``."""
        return [f"{name}@{group}" for name, groups in self.campaigns.items() for group in groups]

    def place_of(self) -> dict[DNKey, str]:
        """The place each DN stands on."""
        return {key: place.name for place in self.places.values() for key in place.dns}
