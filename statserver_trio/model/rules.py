"""Rules: which function applies which T-event, at which kind of DN or at none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..tlib import events as e
from . import (
    agent_state,
    channel_rules,
    interaction_snapshots,
    interactions,
    media_channels,
    mediation_dn,
    monitoring,
    regular_dn,
    supervision,
    tenant,
)

if TYPE_CHECKING:
    from .world import World

REGULAR_RULES = {
    **regular_dn.RULES,
    **supervision.RULES,
    **agent_state.RULES,
    **monitoring.DN_RULES,
}
MEDIATION_RULES = {**mediation_dn.RULES, **monitoring.DN_RULES}


def source_down(world: World, event: e.TEvent, t: int) -> None:
    """Nothing can be heard any more: of no DN, no media channel and no interaction."""
    monitoring.source_down(world, event, t)
    media_channels.forget_all(world)
    interactions.forget_all(world)


# Of what concerns no single DN.
WORLD_RULES: dict[type[e.TEvent], monitoring.WorldRule] = {
    **monitoring.WORLD_RULES,
    **dict.fromkeys((e.EventServerDisconnected, e.EventLinkDisconnected), source_down),
    **tenant.RULES,
    **interactions.RULES,
    **channel_rules.RULES,
    **interaction_snapshots.RULES,
}
