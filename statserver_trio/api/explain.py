"""Explain: how a value came about, for somebody who does not believe it.

Shown is what was asked for, every row that is read with what it amounts to over
the present interval, when the interval began and ends, how far each source has
been heard, and whether anything was missed. Times are Unix seconds, durations
seconds.
"""

from __future__ import annotations

from typing import Any

from ..stats.counting.counters import ACTIONS, DN_STATUSES, STATUSES
from ..stats.counting.ledger import Ledger
from ..stats.counting.parts import Part, span
from ..stats.definitions.filters import Filter
from ..stats.definitions.time_ranges import TimeRange
from ..stats.engine import Engine
from ..stats.statistic import Statistic

AGGREGATES_MAX = 200  # rows shown of a big group; the rest is counted in ``definition.omitted``

_COUNTED = {ACTIONS: "actions", STATUSES: "statuses", DN_STATUSES: "DN statuses"}
_NAMES = ("key", "id", "name")  # what nodes are called by
Shown = dict[str, Any]


def explain(engine: Engine, statistic: Statistic, now: int) -> Shown:
    """The fields of a ``StatisticExplained``, apart from whose it is."""
    clocks = {source.ledger: source.clock(now) for source in engine.sources.values()}
    names = {source.ledger: source.name for source in engine.sources.values()}
    parts = [(role, part) for role, found in statistic.parts.items() for part in found]
    definition = _definition(statistic)
    if statistic.pushed is not None:
        offer = statistic.pushed.offer
        asked = {"path": offer.path, "name": offer.name}
        definition["extension"] = {**asked, "kind": offer.kind, "result": offer.result}
        clocks = {}  # its resets go by ours
    if len(parts) > AGGREGATES_MAX:
        definition["omitted"] = len(parts) - AGGREGATES_MAX
    value = engine.value(statistic, now)
    return {
        "definition": definition,
        "aggregates": [
            _aggregate(role, part, names, clocks) for role, part in parts[:AGGREGATES_MAX]
        ],
        "reset": _reset(statistic, max(clocks.values(), default=now)),
        "positions": {source.name: source.position for source in engine.sources.values()},
        "coverage": {
            "complete": value.complete,
            "since": value.time - value.interval,
            "valid": statistic.valid,
            "reason": "" if statistic.valid else engine.why_invalid(statistic),
            "gaps": {
                source.name: source.last_gap / 1000
                for source in engine.sources.values()
                if source.last_gap is not None
            },
        },
        "replicated_from": statistic.replicated_from or None,
    }


def _definition(statistic: Statistic) -> Shown:
    key, stat_type, profile = statistic.key, statistic.stat_type, statistic.profile
    return {
        "objectType": key.object_type,
        "objectId": key.object_id,
        "tenantName": key.tenant,
        "statisticType": stat_type.name,
        "options": dict(stat_type.text),
        "timeProfile": None
        if profile is None
        else {"name": profile.name, "type": profile.kind, "value": profile.text},
        "timeRange": _named(statistic.time_range),
        "timeRange2": _named(statistic.time_range2),
        "filter": _named(statistic.filter),
        "opened": statistic.opened_at / 1000,
        "clients": len(statistic.subscriptions),
    }


def _named(found: TimeRange | Filter | None) -> Shown | None:
    return None if found is None else {"name": found.name, "value": found.text}


def _aggregate(role: str, part: Part, names: dict[Ledger, str], clocks: dict[Ledger, int]) -> Shown:
    row = part.row
    seen = span(part, clocks[row.ledger])
    return {
        "role": role,
        "source": names[row.ledger],
        "object": _name(row.node),
        "counts": _COUNTED[row.kind.of],
        "since": seen.start / 1000,
        "ended": seen.ended,
        "endedTime": seen.elapsed / 1000,
        "inProgress": seen.sums.live,
        "inProgressTime": seen.spent / 1000,
    }


def _name(node: Any) -> str:
    """What a client calls a DN, an agent or a place."""
    return str(next(getattr(node, name) for name in _NAMES if hasattr(node, name)))


def _reset(statistic: Statistic, t: int) -> Shown:
    """The last and the next reset; null where there is none."""
    profile = statistic.profile
    if profile is None or profile.kind != "Growing":
        return {"last": None, "next": None}
    last, following = profile.last_reset(t), profile.next_reset(t)
    return {
        "last": None if last is None else last / 1000,
        "next": None if following is None else following / 1000,
    }
