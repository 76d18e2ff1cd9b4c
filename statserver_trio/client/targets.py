"""The targets of a CurrentTargetState, kept up to date from what the server says."""

from __future__ import annotations

from typing import Any

from ..api import messages as m

ABOUT_ONE = (
    m.CurrentTargetStateTargetAdded,
    m.CurrentTargetStateTargetUpdated,
    m.CurrentTargetStateTargetRemoved,
)
TARGET_EVENTS = (m.CurrentTargetStateSnapshot, *ABOUT_ONE)

Targets = list[dict[str, Any]]


def applied(value: Any, event: m.Event) -> Any:
    """The value after such an event: ``{"targets": [...]}``, in the server's order.

    Somebody who is a target at two switches is there twice; which of the two has changed is
    told by its DNs, else it is the first.
    """
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
    found = [
        index
        for index, target in enumerate(targets)
        if (target["type"], target["target"]) == (wanted["type"], wanted["target"])
    ]
    alike = [index for index in found if targets[index].get("dns") == wanted.get("dns")]
    return next(iter([*alike, *found]), None)
