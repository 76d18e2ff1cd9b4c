"""A set of a few, in the order in which they came, that takes no more room than it has to.

A million statistics have one subscription each, and their rows a handful of readers. A dictionary
for each would take 230 bytes; nothing, the one, or a tuple of some take 0, 0 and 50 to 100. Only
where there are many is it a dictionary, which finds them.

What such a set is is a value of its owner's attribute: it is replaced, and not changed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

# None, one that is neither a tuple nor a dictionary, a tuple of some, or a dictionary.
Few: TypeAlias = Any
MANY = 8  # from here on they are looked up


def members(few: Few) -> Collection[Any]:
    """All of them; what changes afterwards may show or not."""
    if few is None:
        return ()
    kind = type(few)
    return few if kind is tuple or kind is dict else (few,)


def added(few: Few, one: T) -> Few:
    """The set with that one, too; it comes last if it is new."""
    if few is None:
        return one
    if type(few) is dict:
        few[one] = None
        return few
    known = members(few)
    if one in known:
        return few
    found = (*known, one)
    return found if len(found) < MANY else dict.fromkeys(found)


def removed(few: Few, one: T) -> Few:
    """The set without that one, if it was in it."""
    if type(few) is dict:
        few.pop(one, None)
        return few or None
    left = tuple(each for each in members(few) if each is not one)
    return left if len(left) > 1 else next(iter(left), None)
