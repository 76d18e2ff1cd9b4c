"""Creation: what an event says about the kind of a DN that nobody has heard of before."""

from __future__ import annotations

from ..tlib import events as e
from . import agent_state

CREATES: dict[type[e.TEvent], str] = {
    **dict.fromkeys((e.EventQueued, e.EventDiverted), "Queue"),
    **dict.fromkeys(
        (
            e.EventRouteRequest,
            e.EventRouteUsed,
            e.EventTreatmentRequired,
            e.EventTreatmentApplied,
            e.EventTreatmentNotApplied,
            e.EventTreatmentEnd,
        ),
        "RoutePoint",
    ),
    **dict.fromkeys(
        (
            e.EventDialing,
            e.EventRinging,
            e.EventEstablished,
            e.EventMonitoringNextCall,
            *agent_state.RULES,
        ),
        "Extension",
    ),
}
ADDRESS_TYPES = {
    "DN": "Extension",
    "Position": "Position",
    "Queue": "Queue",
    "RouteDN": "RoutePoint",
    "RouteQueue": "RouteQueue",
}
