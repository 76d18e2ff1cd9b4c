"""Meanings: what statistics of equal definition have in common, whatever object they are about.

A site opens a few hundred combinations of stat type, profile, range and filter, each on
thousands of objects. What follows from the combination alone is worked out and kept once, in
a :class:`Meaning`, and so are the names that make up most of a :class:`Key`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from attrs import define, evolve, field

from ..model.actions import ALL_ACTIONS, DURABLE, PSEUDO, mask_of
from .books.book import Rules
from .books.reading import role_names
from .categories import NO, Category
from .counting.counters import ACTIONS, DN_STATUSES, DURATIONS, STATUSES, TERMS, RowKind
from .counting.sessions import WATCHED
from .definitions import StatType
from .definitions.filters import Filter
from .definitions.object_types import CAMPAIGN
from .definitions.pseudo_actions import uncounted
from .definitions.restrictions import Condition, OfCampaign, all_of
from .definitions.time_profiles import TimeProfile
from .definitions.time_ranges import TimeRange
from .extended.offers import Offer

if TYPE_CHECKING:
    from ..expressions.formulas import Formula

WAITING_CALLS = mask_of("CallWait")

# Subject to what is counted at a node of that object.
COUNTED = {
    "DNAction": ACTIONS,
    "DNStatus": DN_STATUSES,
    "AgentStatus": STATUSES,
    "PlaceStatus": STATUSES,
    "GroupStatus": STATUSES,  # of the group itself, which is a node like any other
}

Kinds = dict[str, RowKind]  # what has to be counted, by role


class Names(NamedTuple):
    """A key without the object, see :class:`Key`."""

    tenant: str
    object_type: str
    stat_type: str
    time_profile: str
    time_range: str
    time_range2: str
    filter: str


class Key(NamedTuple):
    """What makes two requests the same statistic (statistics.md §11.3).

    Names and not values; not in it: the client and how it wants to be told.
    """

    names: Names
    object_id: str

    @property
    def tenant(self) -> str:
        """The tenant whose object it is."""
        return self.names.tenant

    @property
    def object_type(self) -> str:
        """Canonical, see :mod:`.object_types`."""
        return self.names.object_type

    @property
    def stat_type(self) -> str:
        """The name, or of a client's own definition the text."""
        return self.names.stat_type

    @property
    def time_profile(self) -> str:
        """Name, kind and text; empty without one."""
        return self.names.time_profile

    @property
    def time_range(self) -> str:
        """The name; empty without one."""
        return self.names.time_range

    @property
    def time_range2(self) -> str:
        """The name of the second one; empty without one."""
        return self.names.time_range2

    @property
    def filter(self) -> str:
        """The name; empty without one."""
        return self.names.filter


def campaign_of(object_type: str, object_id: str) -> str:
    """The campaign of ``campaign``, or of ``campaign@group``, where the last ``@`` counts."""
    return object_id if object_type == "Campaign" else object_id.rpartition("@")[0]


@define(eq=False)
class Meaning:
    """What is counted, and how.

    Attributes:
        use_pseudo: ``queue-use-pseudo-actions``, see :mod:`.definitions.pseudo_actions`.
        rules: How a book is kept of it; None where columns say all.
        offer: What an extension promises that tells the value, if one does: then there are
            no nodes and no parts.
        roles: Of its parts (``main``, ``rel``, ``ranged``, ``rel_ranged`` ...), in order.
        on_status: Whether it counts statuses rather than actions.
        follows_sessions: Whether its interval begins with a login.
        has_peaks: Whether rows remember in which interval something was longest or shortest.
        counts: Whether there is anything to carry over to another server. A state is read
            from the world; what an extension tells is told there anew. Any other value,
            current ones included, may depend on what a row remembers (since when a filter
            has been true, or a status in the mask).
        grows: Whether the value may change although nothing happens.
        uncounted: Actions that may stand in its masks and count nothing in it.
    """

    names: Names
    stat_type: StatType
    category: Category
    profile: TimeProfile | None
    time_range: TimeRange | None
    time_range2: TimeRange | None
    filter: Filter | None
    use_pseudo: bool = True
    rules: Rules | None = None
    offer: Offer | None = None
    roles: tuple[str, ...] = field(init=False)
    on_status: bool = field(init=False)
    follows_sessions: bool = field(init=False)
    has_peaks: bool = field(init=False)
    counts: bool = field(init=False)
    grows: bool = field(init=False)
    uncounted: int = field(init=False)
    _kinds: Kinds | None = field(init=False, default=None)  # where they are the same everywhere
    _renamed: Meaning | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        category, profile, is_told = self.category, self.profile, self.offer is not None
        # What an extension tells has no subject.
        self.on_status = COUNTED.get(self.stat_type.subject, ACTIONS) != ACTIONS
        self.follows_sessions = profile is not None and profile.kind == "SinceLogin"
        self.counts = category.kind != "state" and not is_told
        slides = profile is not None and profile.kind == "Sliding"
        by_itself = category.grows == "always" or (category.grows == "status" and self.on_status)
        self.grows = not is_told and (slides or by_itself)
        is_filtered = self.filter is not None or bool(self.stat_type.attributes)
        hidden = uncounted(self.names.object_type, category.name, is_filtered, self.use_pseudo)
        self.uncounted = hidden | self.stat_type.other_media
        kinds = self._worked_out("")
        self.roles = tuple(kinds)
        self.has_peaks = any(kind.feature == DURATIONS for kind in kinds.values())
        of_object = any(kind.tally for kind in kinds.values())
        if not of_object and self.names.object_type not in CAMPAIGN:
            self._kinds = kinds

    def of_stat_type(self, stat_type: StatType) -> Meaning:
        """The same with another wording of its stat type; one for all that ask."""
        renamed = self._renamed
        if renamed is None or renamed.stat_type is not stat_type:
            renamed = self._renamed = evolve(self, stat_type=stat_type)
        return renamed

    def row_kinds(self, object_id: str) -> Kinds:
        """What has to be counted at each node of an object, by role."""
        return self._worked_out(object_id) if self._kinds is None else self._kinds

    def _worked_out(self, object_id: str) -> Kinds:
        if self.offer is not None:
            return {}
        kinds, hidden = self._masked_kinds(object_id), self.uncounted
        if hidden:
            kinds = {role: evolve(kind, mask=kind.mask & ~hidden) for role, kind in kinds.items()}
        if self.category.masks is not None:
            unfiltered, of = self._condition(None, object_id), COUNTED[self.stat_type.subject]
            for role, mask in self.category.masks.more:
                kinds[role] = RowKind(mask, of, None if mask & PSEUDO else unfiltered)
        if self.rules is not None and self.category.is_historical:
            kinds = {role: evolve(k, feature=TERMS, range=None) for role, k in kinds.items()}
        if self.follows_sessions:
            kinds["session"] = WATCHED[self.names.object_type]
        return kinds

    def _condition(self, chosen: Filter | None, object_id: str) -> Condition | None:
        """All that has to hold of what it counts: what it is about, and the filter."""
        object_type, conditions = self.names.object_type, [*self.stat_type.restrictions]
        if object_type in CAMPAIGN:
            conditions.append(OfCampaign(campaign_of(object_type, object_id)))
        return all_of([*conditions, chosen]) if conditions else chosen

    def _masked_kinds(self, object_id: str) -> Kinds:
        category, stat_type = self.category, self.stat_type
        of = COUNTED[stat_type.subject]
        if stat_type.formula is not None:
            return self._kinds_of_formula(stat_type.formula, object_id)
        if category.kind == "state":  # nothing is read from them; they tell that it changed
            mask = stat_type.main_mask if of == ACTIONS else WAITING_CALLS
            if category.name == "CurrentTargetState":
                mask = DURABLE  # every call and interaction takes up some of the capacity
            return {
                "main": RowKind(mask),
                "status": RowKind(ALL_ACTIONS, STATUSES),
                "dns": RowKind(ALL_ACTIONS, DN_STATUSES),
            }
        if category.masks is not None:
            main, rel = category.masks.main, category.masks.rel
        else:
            main, rel = stat_type.main_mask, stat_type.rel_mask
            if category.rel_mask == NO:
                rel = None
        condition = self._condition(self.filter, object_id)
        rel_filter = condition if category.filters_rel else self._condition(None, object_id)
        mask = main if category.instants else main & DURABLE
        kinds = {"main": self._main_kind(mask, condition, object_id)}
        if category.counts_range and self.time_range is not None:
            kinds["ranged"] = RowKind(main, of, condition, self.time_range)
        if rel is not None:
            kinds["rel"] = RowKind(rel, of, rel_filter)
            if self.time_range2 is not None:
                kinds["rel_ranged"] = RowKind(rel, of, rel_filter, self.time_range2)
        return kinds

    def _kinds_of_formula(self, formula: Formula, object_id: str) -> Kinds:
        of, aggregates = COUNTED[self.stat_type.subject], formula.aggregates
        condition, kinds = self._condition(self.filter, object_id), {}
        for role, each in zip(role_names(len(aggregates)), aggregates, strict=True):
            mask = each.mask & DURABLE if each.is_current else each.mask
            kinds[role] = RowKind(mask, of, condition)
        return kinds

    def _main_kind(self, mask: int, condition: Condition | None, object_id: str) -> RowKind:
        feature, tally = self.category.feature, ""
        if feature == "depth":
            feature, tally = "", f"{self.names.object_type}:{object_id}"
            if self.stat_type.subject == "GroupStatus":  # not what its members add up to
                tally += ":GroupStatus"
        return RowKind(mask, COUNTED[self.stat_type.subject], condition, None, feature, tally)
