"""Target states over the wire: everything once, and afterwards who came, changed and left."""

from __future__ import annotations

from typing import Any

from ..stats.telling.notifications import Mode, Value
from .messages import (
    CurrentTargetStateSnapshot,
    CurrentTargetStateTargetAdded,
    CurrentTargetStateTargetRemoved,
    CurrentTargetStateTargetUpdated,
    Event,
)

Targets = dict[tuple[Any, ...], dict[str, Any]]


def by_name(value: dict[str, Any]) -> Targets:
    """The targets; somebody who is there twice, at two switches, has a number besides."""
    found: Targets = {}
    for target in value["targets"]:
        name, number = (target["type"], target["target"]), 0
        while (*name, number) in found:
            number += 1
        found[(*name, number)] = target
    return found


def told(
    before: Targets | None, value: Value, reference_id: int, statistic_id: int, mode: Mode
) -> tuple[Targets, list[Event]]:
    """What a client has to hear, and what it knows then.

    Args:
        before: What it knows; None for nothing yet.
        mode: With TimeBased it is told everything every time.
    """
    now = by_name(value.value)
    whose: dict[str, Any] = {
        "reference_id": reference_id,
        "statistic_id": statistic_id,
        "time": value.time,
    }
    if before is None or mode is Mode.TIME_BASED:
        targets = list(now.values())
        return now, [CurrentTargetStateSnapshot(**whose, targets=targets)]
    events: list[Event] = []
    for key, target in before.items():
        if key not in now:
            left = {"target": target["target"], "type": target["type"]}
            events.append(CurrentTargetStateTargetRemoved(**whose, target=left))
    for key, target in now.items():
        if key not in before:
            events.append(CurrentTargetStateTargetAdded(**whose, target=target))
        elif target != before[key]:
            events.append(CurrentTargetStateTargetUpdated(**whose, target=target))
    return now, events
