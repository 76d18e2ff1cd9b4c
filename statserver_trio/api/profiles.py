"""Profiles: what is configured, for clients that let people choose.

One function per kind of ``GetStatisticProfile``; every item has a name (objects:
an id), and what is written in the configuration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..stats.definitions.time_profiles import DEFAULT_PROFILE
from ..stats.definitions.time_ranges import BUILT_IN_RANGE
from ..stats.engine import Engine
from ..stats.requests import StatisticError

Item = dict[str, Any]

# Types of DNs where calls wait; at all others people answer.
_OBJECT_TYPES = {
    "Queue": "Queue",
    "VirtualQueue": "Queue",
    "RoutePoint": "RoutePoint",
    "VirtualRoutePoint": "RoutePoint",
    "RouteQueue": "RoutePoint",
}


def items(engine: Engine, profile: str, now: int) -> tuple[str, list[Item]]:
    """The profile's name as it is written here, and its items.

    Raises:
        StatisticError: There is no such profile.
    """
    found = _BY_LOWER.get(profile.strip().lower())
    if found is None:
        raise StatisticError(
            "bad-request", f"profile: {profile!r} is none; allowed: {', '.join(PROFILES)}"
        )
    return found, PROFILES[found](engine, now)


def _stat_types(engine: Engine, now: int) -> list[Item]:
    return [
        {
            "name": name,
            "objects": sorted(stat_type.objects),
            "category": stat_type.category,
            "subject": stat_type.subject,
            "mainMask": stat_type.text.get("MainMask", ""),
            "relMask": stat_type.text.get("RelMask"),
            "description": stat_type.description,
            "mediaType": stat_type.text.get("MediaType"),
            "aggregationType": stat_type.aggregation_type or None,
            "attributes": {each.name: list(each.values) for each in stat_type.attributes},
        }
        for name, stat_type in engine.extended.stat_types(engine.definitions.stat_types).items()
    ]


def _time_profiles(engine: Engine, now: int) -> list[Item]:
    known = {DEFAULT_PROFILE.name: DEFAULT_PROFILE, **engine.definitions.time_profiles}
    return [{"name": name, "type": p.kind, "value": p.text} for name, p in known.items()]


def _time_ranges(engine: Engine, now: int) -> list[Item]:
    known = {BUILT_IN_RANGE.name: BUILT_IN_RANGE, **engine.definitions.time_ranges}
    return [{"name": name, "value": time_range.text} for name, time_range in known.items()]


def _filters(engine: Engine, now: int) -> list[Item]:
    return [{"name": name, "value": f.text} for name, f in engine.definitions.filters.items()]


def _objects(engine: Engine, now: int) -> list[Item]:
    """Everything configured or seen, in the order of the configuration."""
    directory = engine.directory
    found: dict[tuple[str, str], None] = {}
    for key, dn in directory.dns.items():
        found[object_type_of(dn.type), str(key)] = None
    agents = dict.fromkeys(directory.agents)
    interactions = dict.fromkeys(
        [("StagingArea", name) for name in directory.interaction_queues]
        + [("Workbin", name) for name in directory.workbins]
        + [("RoutingStrategy", name) for name in directory.routing_strategies]
    )
    for source in engine.sources.values():
        world = source.world(now)
        for node in world.dns():
            found[object_type_of(node.type), str(node.key)] = None
        agents.update(dict.fromkeys(world.agent_ids()))
        interactions.update(dict.fromkeys(world.interactions.places()))
    named = {
        "Agent": agents,
        "Place": directory.places,
        "GroupAgents": [*directory.agent_groups, *directory.virtual_agent_groups],
        "GroupPlaces": directory.place_groups,
        "GroupQueues": directory.queue_groups,
        "Campaign": directory.campaigns,
        "CampaignGroup": directory.campaign_groups(),
        "Switch": [source.switch for source in engine.sources.values()],
        "Tenant": [directory.tenant],
    }
    for object_type, names in named.items():
        found.update(dict.fromkeys((object_type, name) for name in names))
    found.update(interactions)
    return [{"objectType": kind, "objectId": object_id} for kind, object_id in found]


def object_type_of(dn_type: str) -> str:
    """What kind of object a client knows a DN as."""
    return _OBJECT_TYPES.get(dn_type, "RegDN")


PROFILES: dict[str, Callable[[Engine, int], list[Item]]] = {
    "StatTypes": _stat_types,
    "TimeProfiles": _time_profiles,
    "TimeRanges": _time_ranges,
    "Filters": _filters,
    "Objects": _objects,
}
_BY_LOWER = {name.lower(): name for name in PROFILES}
