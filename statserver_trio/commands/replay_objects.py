"""What a recording speaks of, for ``statserver replay --open-all``."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

from ..config.site import Site
from ..model.directory import MEDIATION_TYPES
from ..stats.categories import CATEGORIES
from ..stats.definitions.stat_types import UNFED
from ..stats.engine import Engine
from ..stats.requests import StatisticRequest
from ..tlib.codec import Message

SOURCE = "replay"


@define
class Objects:
    """Every object that is configured or spoken of in a recording, by type."""

    by_type: dict[str, dict[str, None]] = field(factory=dict)

    def add(self, object_type: str, object_id: str) -> None:
        """One more."""
        self.by_type.setdefault(object_type, {})[object_id] = None


def find_objects(site: Site, switch: str, batches: Iterable[list[Message]]) -> Objects:
    """What ``--open-all`` opens statistics of: the events are gone through once for that."""
    engine = Engine(site.definitions, site.directory, site.world_options, site.resolution)
    source = engine.add_source(SOURCE, switch)
    for batch in batches:
        source.apply(batch, 0)
    world = source.world(0)
    found = Objects()
    directory = site.directory
    for dn in world.dns():
        kind = "Queue" if dn.type in MEDIATION_TYPES else "RegDN"
        kind = "RoutePoint" if "Route" in dn.type else kind
        found.add(kind, str(dn.key))
    for agent_id in dict.fromkeys([*directory.agents, *world.agent_ids()]):
        found.add("Agent", agent_id)
    for object_type, names in (
        ("Place", directory.places),
        ("GroupAgents", [*directory.agent_groups, *directory.virtual_agent_groups]),
        ("GroupPlaces", directory.place_groups),
        ("GroupQueues", directory.queue_groups),
        ("Campaign", directory.campaigns),
        ("CampaignGroup", directory.campaign_groups()),
        ("Switch", [switch]),
        ("Tenant", [directory.tenant]),
        ("StagingArea", directory.interaction_queues),
        ("Workbin", directory.workbins),
        ("RoutingStrategy", directory.routing_strategies),
    ):
        for name in names:
            found.add(object_type, name)
    for object_type, name in world.interactions.places():
        found.add(object_type, name)
    return found


def requests_for_all(site: Site, objects: Objects) -> list[StatisticRequest]:
    """Every stat type on every object it fits."""
    return [
        StatisticRequest(object_type, object_id, name)
        for name, stat_type in site.definitions.stat_types.items()
        if stat_type.subject not in UNFED
        for object_type in sorted(stat_type.objects)
        if not stat_type.extension  # a recording holds nothing of extensions
        if CATEGORIES[stat_type.category].objects is None
        or object_type in CATEGORIES[stat_type.category].objects  # type: ignore[operator]
        for object_id in objects.by_type.get(object_type, {})
    ]
