"""A statistic: one stat type of one object, over one time profile.

Any number of clients share it. It holds no numbers of its own: its parts say
which rows it reads and where its first interval began.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from ..model.actions import ALL_ACTIONS, DURABLE, PSEUDO, mask_of
from ..model.nodes import Node
from .books.book import Book
from .books.reading import BookReader, role_names
from .categories import NO, Category, Reading
from .counting.counters import ACTIONS, DN_STATUSES, STATUSES, TERMS, RowKind
from .counting.ledger import Ledger
from .counting.measures import Measure
from .counting.parts import FormerPart, Part, Span, emptied, freeze, reachable, restart, span
from .counting.sessions import WATCHED
from .counting.stints import joined
from .definitions import StatType
from .definitions.filters import Filter
from .definitions.object_types import CAMPAIGN
from .definitions.pseudo_actions import uncounted
from .definitions.restrictions import Condition, OfCampaign, all_of
from .definitions.time_profiles import TimeProfile
from .definitions.time_ranges import TimeRange
from .extended.pushed import Pushed
from .source import Source
from .telling.notifications import Subscription

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


@frozen
class Key:
    """What makes two requests the same statistic (statistics.md §11.3).

    Names and not values; not in it: the client and how it wants to be told.
    """

    tenant: str
    object_type: str
    object_id: str
    stat_type: str
    time_profile: str
    time_range: str
    time_range2: str
    filter: str


def campaign_of(object_type: str, object_id: str) -> str:
    """The campaign of ``campaign``, or of ``campaign@group``, where the last ``@`` counts."""
    return object_id if object_type == "Campaign" else object_id.rpartition("@")[0]


@define(eq=False)
class Statistic:
    """One open statistic.

    Attributes:
        opened_at: On the clock of its source, ms; a statistic knows nothing
            of what was before.
        parts: By role (``main``, ``rel``, ``ranged``, ``rel_ranged``), one per
            node that contributes.
        former: Likewise, of nodes that have left the group; see :func:`.parts.freeze`.
        nodes: The nodes that are watched, for states and validity.
        valid: Whether all that contributes can be heard.
        gap_at: When, by the clock of its sources, events were last missing in what it
            contains, ms, although its sources have missed none; only in a pair.
        replicated_from: The member of the pair whose numbers it went on from; empty if none.
        use_pseudo: ``queue-use-pseudo-actions``, see :mod:`.definitions.pseudo_actions`.
        book: Where it writes down what columns cannot say; most have none.
        pushed: What an extension has told, where one tells the value: then there are no
            nodes and no parts.
    """

    key: Key
    stat_type: StatType
    category: Category
    profile: TimeProfile | None
    time_range: TimeRange | None
    time_range2: TimeRange | None
    filter: Filter | None
    opened_at: int
    sources: list[Source] = field(factory=list)  # of the nodes, one by one
    nodes: list[Node] = field(factory=list)
    parts: dict[str, list[Part]] = field(factory=dict)
    former: dict[str, list[FormerPart]] = field(factory=dict)
    subscriptions: dict[Subscription, None] = field(factory=dict)
    valid: bool = True
    gap_at: int | None = None
    replicated_from: str = ""
    use_pseudo: bool = True
    book: Book | None = None
    pushed: Pushed | None = None

    @property
    def counts(self) -> bool:
        """Whether it has anything to carry over to another server.

        A state is read from the world; what an extension tells is told there anew. Any other
        value, current ones included, may depend on what a row remembers (since when a filter
        has been true, or a status in the mask).
        """
        return self.category.kind != "state" and self.pushed is None

    @property
    def on_status(self) -> bool:
        """Whether it counts statuses rather than actions."""
        return COUNTED[self.stat_type.subject] != ACTIONS

    @property
    def grows(self) -> bool:
        """Whether its value may change although nothing happens."""
        if self.pushed is not None:
            return False
        if self.profile is not None and self.profile.kind == "Sliding":
            return True
        grows = self.category.grows
        return grows == "always" or (grows == "status" and self.on_status)

    def row_kinds(self) -> dict[str, RowKind]:
        """What has to be counted for it, by role."""
        if self.pushed is not None:
            return {}
        kinds, hidden = self._masked_kinds(), self.uncounted
        if hidden:
            kinds = {role: evolve(kind, mask=kind.mask & ~hidden) for role, kind in kinds.items()}
        if self.category.masks is not None:
            unfiltered, of = self._condition(None), COUNTED[self.stat_type.subject]
            for role, mask in self.category.masks.more:
                kinds[role] = RowKind(mask, of, None if mask & PSEUDO else unfiltered)
        if self.book is not None and self.category.is_historical:
            kinds = {role: evolve(k, feature=TERMS, range=None) for role, k in kinds.items()}
        if self.follows_sessions:
            kinds["session"] = WATCHED[self.key.object_type]
        return kinds

    @property
    def follows_sessions(self) -> bool:
        """Whether its interval begins with a login."""
        return self.profile is not None and self.profile.kind == "SinceLogin"

    @property
    def uncounted(self) -> int:
        """Actions that may stand in its masks and count nothing in it."""
        key, stat_type = self.key, self.stat_type
        is_filtered = self.filter is not None or bool(stat_type.attributes)
        hidden = uncounted(key.object_type, self.category.name, is_filtered, self.use_pseudo)
        return hidden | stat_type.other_media

    def _condition(self, chosen: Filter | None) -> Condition | None:
        """All that has to hold of what it counts: what it is about, and the filter."""
        key, conditions = self.key, [*self.stat_type.restrictions]
        if key.object_type in CAMPAIGN:
            conditions.append(OfCampaign(campaign_of(key.object_type, key.object_id)))
        return all_of([*conditions, chosen]) if conditions else chosen

    def _masked_kinds(self) -> dict[str, RowKind]:
        category, stat_type = self.category, self.stat_type
        of = COUNTED[stat_type.subject]
        if stat_type.formula is not None:
            return self._kinds_of_formula(stat_type.formula)
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
        condition = self._condition(self.filter)
        rel_filter = condition if category.filters_rel else self._condition(None)
        kinds = {"main": self._main_kind(main if category.instants else main & DURABLE)}
        if category.counts_range and self.time_range is not None:
            kinds["ranged"] = RowKind(main, of, condition, self.time_range)
        if rel is not None:
            kinds["rel"] = RowKind(rel, of, rel_filter)
            if self.time_range2 is not None:
                kinds["rel_ranged"] = RowKind(rel, of, rel_filter, self.time_range2)
        return kinds

    def _kinds_of_formula(self, formula: Formula) -> dict[str, RowKind]:
        of, aggregates = COUNTED[self.stat_type.subject], formula.aggregates
        kinds = {}
        for role, each in zip(role_names(len(aggregates)), aggregates, strict=True):
            mask = each.mask & DURABLE if each.is_current else each.mask
            kinds[role] = RowKind(mask, of, self._condition(self.filter))
        return kinds

    def _main_kind(self, mask: int) -> RowKind:
        feature, tally = self.category.feature, ""
        if feature == "depth":
            feature, tally = "", f"{self.key.object_type}:{self.key.object_id}"
            if self.stat_type.subject == "GroupStatus":  # not what its members add up to
                tally += ":GroupStatus"
        condition = self._condition(self.filter)
        return RowKind(mask, COUNTED[self.stat_type.subject], condition, None, feature, tally)

    def measure(
        self, role: str, clock: Callable[[Ledger], int], closing: bool = False
    ) -> Measure | None:
        """One of its measures; None where it has no such role."""
        return Measure(self.spans(role, clock, closing)) if role in self.parts else None

    def spans(self, role: str, clock: Callable[[Ledger], int], closing: bool = False) -> list[Span]:
        """Its parts of a role, over the interval that is reported now."""
        return [span(p, clock(p.ledger), closing) for p in self.all_parts(role)]

    def all_parts(self, role: str) -> Sequence[Part | FormerPart]:
        """Its parts of a role, those of former members among them, the oldest first."""
        parts, former = self.parts.get(role, []), self.former.get(role)
        if not former:
            return parts
        return sorted([*former, *parts], key=lambda part: part.opened_at)

    def arrange(self, nodes: list[Node]) -> None:
        """Let its nodes have that order, as if they had all been there from the start."""
        places = {id(node): place for place, node in enumerate(nodes)}
        order = sorted(range(len(self.nodes)), key=lambda index: places[id(self.nodes[index])])
        self.sources = [self.sources[index] for index in order]
        self.nodes = [self.nodes[index] for index in order]
        for role, parts in self.parts.items():
            self.parts[role] = [parts[index] for index in order]

    def leave(self, index: int, t: int) -> None:
        """The node of that index has left the group; what it has contributed stays."""
        ledger = self.sources[index].ledger
        del self.sources[index], self.nodes[index]
        for role, parts in self.parts.items():
            part = parts.pop(index)
            former = self.former.get(role, [])
            # The first that was opened says when the interval began, whatever it adds to it.
            first = min(former, key=lambda each: each.opened_at, default=None)
            kept = [
                each
                for each in former
                if each is first or each.ledger is not ledger or reachable(each, t)
            ]
            self.former[role] = [*kept, freeze(part, t)]
            self._join_stints(role)
            part.row.release(self, t)

    def _join_stints(self, role: str) -> None:
        """Let who left just now have left but once, where that comes to the same."""
        former = self.former[role]
        last = former[-1]
        for place, each in enumerate(former[:-1]):
            joint = joined(each, last)
            if joint is not None:
                former[place] = joint
                former.pop()
                return

    def log_in(self, node: Node, t: int) -> None:
        """A session begins there: what was counted before is over."""
        index = self._place_of(node)
        for parts in self.parts.values():
            restart(parts[index], t)
        if self.book is not None:
            self.book.restart(self.parts["main"][index].ledger, t)

    def log_out(self, node: Node, t: int, was_in: bool = True) -> None:
        """The session is over; what was counted stays.

        Args:
            was_in: There was one since the opening; else there is nothing to stay.
        """
        index = self._place_of(node)
        for parts in self.parts.values():
            frozen = freeze(parts[index], t)
            parts[index].frozen = frozen if was_in else emptied(frozen)
        if self.book is not None:
            self.book.pause(self.parts["main"][index].ledger, t)

    def _place_of(self, node: Node) -> int:
        return next(index for index, each in enumerate(self.nodes) if each is node)

    def read(self, clock: Callable[[Ledger], int], closing: bool = False) -> tuple[Any, int]:
        """Its number as the category makes it, and the interval in ms.

        With GroupBy a number for each child, by key.
        """
        if self.book is not None:
            reader = BookReader(self, clock, closing)
            return reader.value(), reader.interval
        main = self.measure("main", clock, closing)
        assert main is not None
        interval = 0
        if self.category.is_historical:
            interval = max((self._lasted(each, clock) for each in main.spans), default=0)
        reading = Reading(
            main,
            self.measure("rel", clock, closing),
            self.measure("ranged", clock, closing),
            self.measure("rel_ranged", clock, closing),
            self.time_range,
            interval,
            more=self._more(clock, closing),
        )
        return self.category.read(reading), interval

    def _lasted(self, one: Span, clock: Callable[[Ledger], int]) -> int:
        """How long the interval has, as one span sees it, ms; who came later sees less of it."""
        until = one.now if self.follows_sessions else clock(one.part.ledger)
        return until - one.start

    def _more(self, clock: Callable[[Ledger], int], closing: bool) -> dict[str, Measure]:
        """What a compound category measures besides."""
        masks = self.category.masks
        if masks is None:
            return {}
        return {role: Measure(self.spans(role, clock, closing)) for role, _ in masks.more}
