"""State categories: not a number but a tree (statistics.md §5.7), see :mod:`..telling.states`."""

from __future__ import annotations

from .category import Category, Reading


def _no_value(r: Reading) -> int:
    raise AssertionError("a state is read from the nodes, not from measures")


STATE = (Category("CurrentState", _no_value, kind="state", result="state", grows="never"),)
