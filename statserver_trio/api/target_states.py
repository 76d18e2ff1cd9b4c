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

IDENTITY = ("type", "target", "switch")  # what makes a target the same one

Targets = dict[tuple[str, ...], dict[str, Any]]


def by_name(value: dict[str, Any]) -> Targets:
    """The targets; somebody who works at two switches is there twice."""
    return {tuple(target[key] for key in IDENTITY): target for target in value["targets"]}


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
    for key in before:
        if key not in now:
            left = dict(zip(IDENTITY, key, strict=True))
            events.append(CurrentTargetStateTargetRemoved(**whose, target=left))
    for key, target in now.items():
        if key not in before:
            events.append(CurrentTargetStateTargetAdded(**whose, target=target))
        elif target != before[key]:
            events.append(CurrentTargetStateTargetUpdated(**whose, target=target))
    return now, events
