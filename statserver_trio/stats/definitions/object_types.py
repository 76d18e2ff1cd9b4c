"""Object types: the names a client may use, and which may stand together.

Names, order and aliases are those of the public client library; the groups are
our decision (the vendor's subject table defines them only indirectly).
"""

from __future__ import annotations

OBJECT_TYPES = (
    "Agent",
    "Place",
    "GroupAgents",
    "GroupPlaces",
    "RoutePoint",
    "Queue",
    "GroupQueues",
    "Switch",
    "RegDN",
    "Campaign",
    "CampaignGroup",
    "CallingList",
    "CampaignCallingList",
    "Tenant",
    "StagingArea",
    "RoutingStrategy",
    "Workbin",
)

ALIASES = {
    "AgentPlace": "Place",
    "AgentGroup": "GroupAgents",
    "PlaceGroup": "GroupPlaces",
    "QueueGroup": "GroupQueues",
    "RegularDN": "RegDN",
}

_BY_LOWER = {name.lower(): name for name in OBJECT_TYPES} | {
    alias.lower(): name for alias, name in ALIASES.items()
}

PEOPLE = frozenset({"Agent", "Place", "GroupAgents", "GroupPlaces"})
REGULAR = PEOPLE | {"RegDN", "Tenant", "Switch", "Campaign", "CampaignGroup"}
MEDIATION = frozenset({"Queue", "RoutePoint", "GroupQueues"})
CAMPAIGN = frozenset({"Campaign", "CampaignGroup", "CallingList", "CampaignCallingList"})
INTERACTION = frozenset({"StagingArea", "RoutingStrategy", "Workbin"})
COMPATIBILITY_GROUPS = (
    REGULAR,
    MEDIATION,
    CAMPAIGN,  # with the subject CampaignAction
    *(frozenset({each}) for each in sorted(INTERACTION)),
)
# Groups of the directory: somebody has written down who is in them.
GROUPS = frozenset({"GroupAgents", "GroupPlaces", "GroupQueues"})
# Whoever belongs to these contributes one by one, and may come and go.
COMPOSED = GROUPS | {"Tenant", "Switch", "Campaign", "CampaignGroup"}


def canonical(name: str) -> str | None:
    """The canonical spelling of an object type; None where there is none.

    >>> canonical("agentplace")
    'Place'
    """
    return _BY_LOWER.get(name.strip().lower())
