"""The targets of a CurrentTargetState, kept up to date from what the server says."""

from __future__ import annotations

from typing import Any

from ..api import messages as m
from ..api.target_states import IDENTITY

ABOUT_ONE = (
    m.CurrentTargetStateTargetAdded,
    m.CurrentTargetStateTargetUpdated,
    m.CurrentTargetStateTargetRemoved,
)
TARGET_EVENTS = (m.CurrentTargetStateSnapshot, *ABOUT_ONE)

Targets = list[dict[str, Any]]


def applied(value: Any, event: m.Event) -> Any:
    """The value after such an event: ``{"targets": [...]}``, in the server's order."""
    if isinstance(event, m.CurrentTargetStateSnapshot):
        return {"targets": list(event.targets)}
    assert isinstance(event, ABOUT_ONE)
    targets: Targets = list((value or {}).get("targets", ()))
    place = _place(targets, event.target)
    if isinstance(event, m.CurrentTargetStateTargetRemoved):
        if place is not None:
            del targets[place]
    elif isinstance(event, m.CurrentTargetStateTargetUpdated) and place is not None:
        targets[place] = event.target
    else:
        targets.append(event.target)
    return {"targets": targets}


def _place(targets: Targets, wanted: dict[str, Any]) -> int | None:
    """Where it is; who works at two switches is a target at each of them."""
    identity = [wanted[key] for key in IDENTITY]
    found = (i for i, target in enumerate(targets) if [target[key] for key in IDENTITY] == identity)
    return next(found, None)
