"""State categories: not a number but a tree (statistics.md §5.7), see :mod:`..telling.states`
and :mod:`..telling.targets`."""

from __future__ import annotations

from .category import Category, Reading


def _no_value(r: Reading) -> int:
    raise AssertionError("a state is read from the nodes, not from measures")


STATE = tuple(
    Category(name, _no_value, kind="state", result="state", grows="never", objects=objects)
    for name, objects in (
        ("CurrentState", None),
        ("CurrentStateReasons", None),
        ("CurrentTargetState", frozenset({"Agent", "Place", "GroupAgents", "GroupPlaces"})),
    )
)
