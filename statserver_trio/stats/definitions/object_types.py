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
    "RegDN",
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

REGULAR = frozenset({"RegDN", "Agent", "Place", "GroupAgents", "GroupPlaces"})
MEDIATION = frozenset({"Queue", "RoutePoint", "GroupQueues"})
COMPATIBILITY_GROUPS = (REGULAR, MEDIATION)
GROUPS = frozenset({"GroupAgents", "GroupPlaces", "GroupQueues"})


def canonical(name: str) -> str | None:
    """The canonical spelling of an object type; None where there is none.

    >>> canonical("agentplace")
    'Place'
    """
    return _BY_LOWER.get(name.strip().lower())
