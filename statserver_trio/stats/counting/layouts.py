"""Layouts: which rows there are at a node, and which of them an action concerns.

Of ten thousand agents most are counted in the same way, so what follows from the kinds of their
rows alone is worked out once, and shared: a node has no more than its rows, in the order of its
layout. That took 50 bytes less for each of a million statistics than tables of its own.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

from .counters import ACTIONS, DN_STATUSES, STATUSES, RowKind

Places = tuple[int, ...]
NO_ONE: tuple[Places, Places] = ((), ())


class Concerned(dict[int, tuple[Places, Places]]):
    """The places of plain rows and of those with counters, by the action, or the status showing
    it, that concerns them.

    Filled in when an action is first seen, so a mask of a hundred actions costs nothing
    until they happen; and a dictionary, since every event looks here several times.
    """

    __slots__ = ("_kinds", "_of")

    def __init__(self, of: int, kinds: tuple[RowKind, ...]) -> None:
        self._of = of
        self._kinds = kinds

    def __missing__(self, action: int) -> tuple[Places, Places]:
        of, kinds = self._of, self._kinds
        places = [n for n, kind in enumerate(kinds) if kind.of == of and kind.mask >> action & 1]
        found = NO_ONE
        if places:
            found = (
                tuple([n for n in places if kinds[n].is_plain]),
                tuple([n for n in places if not kinds[n].is_plain]),
            )
        self[action] = found
        return found


class Layout:
    """Rows of these kinds, in this order; get one from :data:`NOTHING_COUNTED` on.

    Attributes:
        places: Where the row of a kind is.
        interest: The actions that concern any of them, as a mask.
        wants_status, wants_dn_statuses: Some of them count statuses, or those of the DNs.
        wants_facts, wants_moments: Some of them look at facts, or have counters.
    """

    __slots__ = (
        "__weakref__", "_more", "actions", "dn_statuses", "interest", "kinds", "places", "statuses",
        "wants_dn_statuses", "wants_facts", "wants_moments", "wants_status",
    )  # fmt: skip

    def __init__(self, kinds: tuple[RowKind, ...]) -> None:
        self.kinds = kinds
        self.places = {kind: place for place, kind in enumerate(kinds)}
        self.actions = Concerned(ACTIONS, kinds)
        self.statuses = Concerned(STATUSES, kinds)
        self.dn_statuses = Concerned(DN_STATUSES, kinds)
        self.interest = 0
        for kind in kinds:
            if kind.of == ACTIONS:
                self.interest |= kind.mask
        self.wants_status = any(kind.of == STATUSES for kind in kinds)
        self.wants_dn_statuses = any(kind.of == DN_STATUSES for kind in kinds)
        self.wants_facts = any(kind.filter is not None for kind in kinds)
        self.wants_moments = not all(kind.is_plain for kind in kinds)
        self._more: WeakValueDictionary[RowKind, Layout] = WeakValueDictionary()

    def with_kind(self, kind: RowKind) -> Layout:
        """The layout that has one of that kind besides, not necessarily as the last one."""
        found = self._more.get(kind)
        if found is None:
            found = self._more[kind] = _layout((*self.kinds, kind))
        return found

    def without(self, kind: RowKind) -> Layout:
        """The layout that has none of that kind."""
        return _layout(tuple(each for each in self.kinds if each != kind))


# Those that some node has. Whoever first had rows of these kinds has decided their order.
_known: WeakValueDictionary[frozenset[RowKind], Layout] = WeakValueDictionary()


def _layout(kinds: tuple[RowKind, ...]) -> Layout:
    which = frozenset(kinds)
    found = _known.get(which)
    if found is None:
        found = _known[which] = Layout(kinds)
    return found


NOTHING_COUNTED = _layout(())
