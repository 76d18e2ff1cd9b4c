"""Masks: which actions count, written as ``*,~LoggedOut,~NotMonitored``.

Items are read from left to right as set operations: ``*`` sets all, a name adds,
``~name`` removes. A name that is an alias stands for its members, when it adds
and when it removes (our decision for masks; in formulas the vendor removes only
the literal name).
"""

from __future__ import annotations

from ...model.actions import ALIASES, ALL_ACTIONS, CODES, NAMES, mask_of

_CANONICAL = {name.lower(): name for name in (*CODES, *ALIASES)}


def known_action(name: str) -> str | None:
    """The canonical spelling of an action or alias; None where there is none."""
    return _CANONICAL.get(name.strip().lower())


def parse_mask(text: str, *, in_formula: bool = False) -> tuple[int, list[str]]:
    """The set of actions, and warnings about what was passed over.

    Args:
        in_formula: ``~Alias`` removes what is literally called so, which is nothing.

    Raises:
        ValueError: Nothing is left, and an unknown name is to blame; the
            message names it.

    >>> parse_mask("~CallInbound,*")[0] == ALL_ACTIONS
    True
    """
    mask = 0
    unknown: list[str] = []
    warnings: list[str] = []
    items = [item.strip() for item in text.split(",")]
    for position, item in enumerate(items):
        removes = item.startswith("~")
        name = item[1:].strip() if removes else item
        if name == "*":
            mask = 0 if removes else ALL_ACTIONS
            continue
        canonical = known_action(name)
        if canonical is None:
            unknown.append(name or "(nothing)")
            continue
        if removes:
            if position == 0:
                warnings.append(f"begins with ~{name}: removes from nothing; put * before it")
            if in_formula and canonical in ALIASES:
                warnings.append(f"~{canonical} removes nothing: name what it stands for")
                continue
            mask &= ~mask_of(canonical)
        else:
            mask |= mask_of(canonical)
    if unknown and not mask:
        raise ValueError(f"no such action: {', '.join(unknown)}")
    warnings += [f"no such action: {name}; passed over" for name in unknown]
    return mask, warnings


def names_in(mask: int) -> list[str]:
    """The names of the actions in a mask, in the order of their codes."""
    return [name for code, name in enumerate(NAMES) if mask >> code & 1]
