"""A statistic: one stat type of one object, over one time profile.

Any number of clients share it. It holds no numbers of its own: its parts say
which rows it reads and where its first interval began. There may be a million of
them, so what a statistic has in common with others is kept in their meaning, and
what few have in :class:`Seldom`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..model.nodes import Node
from .books.book import Book
from .books.reading import BookReader
from .categories import Category, Reading
from .counting.counters import RowKind
from .counting.ledger import Ledger
from .counting.measures import Measure
from .counting.parts import (
    FormerPart,
    Part,
    PartOfSession,
    Span,
    emptied,
    freeze,
    reachable,
    restart,
    span,
)
from .counting.stints import last_joined
from .definitions import StatType
from .definitions.filters import Filter
from .definitions.time_profiles import TimeProfile
from .definitions.time_ranges import TimeRange
from .extended.pushed import Pushed
from .few import Few, added, members, removed
from .meaning import Key as Key
from .meaning import Meaning
from .meaning import campaign_of as campaign_of
from .seldom import NONE_LEFT, Former, Seldom

if TYPE_CHECKING:
    from .source import Source
    from .telling.notifications import Subscription


class Statistic:
    """One open statistic.

    Attributes:
        opened_at: On the clock of its source, ms; a statistic knows nothing
            of what was before.
        valid: Whether all that contributes can be heard.
        replicated_from: The member of the pair whose numbers it went on from; empty if none.
    """

    # Eight of them are 96 bytes; a dictionary or a weak reference would make that 200.
    __slots__ = (
        "_parts", "_seldom", "_subscriptions", "meaning", "object_id", "opened_at",
        "replicated_from", "valid",
    )  # fmt: skip

    def __init__(self, meaning: Meaning, object_id: str) -> None:
        self.meaning = meaning
        self.object_id = object_id
        self.opened_at = 0
        self._subscriptions: Few = None
        self.valid = True
        self.replicated_from = ""
        # Node by node, each in the order of the roles. Most have one, without a tuple around it.
        self._parts: Part | tuple[Part, ...] = ()
        self._seldom: Seldom | None = None
        if meaning.rules is not None or meaning.offer is not None:
            self._seldom = Seldom(
                book=None if meaning.rules is None else Book(meaning.rules),
                pushed=None if meaning.offer is None else Pushed(meaning.offer),
            )

    # -- what it means ---------------------------------------------------------------

    @property
    def key(self) -> Key:
        """What makes two requests the same statistic."""
        return Key(self.meaning.names, self.object_id)

    @property
    def object_type(self) -> str:
        """Of what kind its object is; canonical."""
        return self.meaning.names.object_type

    @property
    def stat_type(self) -> StatType:
        """What is counted."""
        return self.meaning.stat_type

    @stat_type.setter
    def stat_type(self, stat_type: StatType) -> None:
        """Show another wording of it, that means the same."""
        self.meaning = self.meaning.of_stat_type(stat_type)

    @property
    def category(self) -> Category:
        """What is made of it."""
        return self.meaning.category

    @property
    def profile(self) -> TimeProfile | None:
        """Since when; None for what has no past."""
        return self.meaning.profile

    @property
    def time_range(self) -> TimeRange | None:
        """Of what duration it has to be, if that matters."""
        return self.meaning.time_range

    @property
    def time_range2(self) -> TimeRange | None:
        """Likewise, of what it is compared with."""
        return self.meaning.time_range2

    @property
    def filter(self) -> Filter | None:
        """What has to be true of it."""
        return self.meaning.filter

    @property
    def counts(self) -> bool:
        """Whether it has anything to carry over to another server; see :class:`.Meaning`."""
        return self.meaning.counts

    @property
    def on_status(self) -> bool:
        """Whether it counts statuses rather than actions."""
        return self.meaning.on_status

    @property
    def grows(self) -> bool:
        """Whether its value may change although nothing happens."""
        return self.meaning.grows

    @property
    def follows_sessions(self) -> bool:
        """Whether its interval begins with a login."""
        return self.meaning.follows_sessions

    @property
    def uncounted(self) -> int:
        """Actions that may stand in its masks and count nothing in it."""
        return self.meaning.uncounted

    def row_kinds(self) -> dict[str, RowKind]:
        """What has to be counted for it, by role."""
        return self.meaning.row_kinds(self.object_id)

    # -- what few have ---------------------------------------------------------------

    @property
    def former(self) -> Former:
        """By role the parts of nodes that have left the group; see :func:`.parts.freeze`."""
        return NONE_LEFT if self._seldom is None else self._seldom.former

    @former.setter
    def former(self, former: Former) -> None:
        """Likewise, where there are any."""
        if former or self._seldom is not None:
            self._at_hand().former = former

    @property
    def gap_at(self) -> int | None:
        """When, by the clock of its sources, events were last missing in what it contains,
        ms, although its sources have missed none; only in a pair."""
        return None if self._seldom is None else self._seldom.gap_at

    @gap_at.setter
    def gap_at(self, t: int | None) -> None:
        """Likewise."""
        if t is not None or self._seldom is not None:
            self._at_hand().gap_at = t

    @property
    def book(self) -> Book | None:
        """Where it writes down what columns cannot say; most have none."""
        return None if self._seldom is None else self._seldom.book

    @property
    def pushed(self) -> Pushed | None:
        """What an extension has told, where one tells the value: then there are no nodes
        and no parts."""
        return None if self._seldom is None else self._seldom.pushed

    def _at_hand(self) -> Seldom:
        if self._seldom is None:
            self._seldom = Seldom()
        return self._seldom

    # -- who is told -----------------------------------------------------------------

    @property
    def subscriptions(self) -> Collection[Subscription]:
        """Whoever is told about it, in order."""
        return members(self._subscriptions)

    def subscribed(self, subscription: Subscription) -> None:
        """Somebody is told about it from now on."""
        self._subscriptions = added(self._subscriptions, subscription)

    def unsubscribed(self, subscription: Subscription) -> None:
        """Somebody is told no more."""
        self._subscriptions = removed(self._subscriptions, subscription)

    # -- its nodes and parts ---------------------------------------------------------

    @property
    def parts(self) -> dict[str, tuple[Part, ...]]:
        """By role, one per node that contributes."""
        return {role: self.parts_of(role) for role in self.meaning.roles}

    def parts_of(self, role: str) -> tuple[Part, ...]:
        """Those of one role; none where it has no such role."""
        roles, parts = self.meaning.roles, self._parts
        if role not in roles:
            return ()
        if isinstance(parts, Part):
            return (parts,)
        return parts[roles.index(role) :: len(roles)]

    @property
    def only_part(self) -> Part | None:
        """Its one part of the main role, if it has no more and that tells everything."""
        more, part = self._seldom, self._parts
        if more is not None and (more.book is not None or more.former):
            return None
        if not isinstance(part, Part):
            parts = self.parts_of("main")
            if len(parts) != 1:
                return None
            part = parts[0]
        return None if part.frozen or self.meaning.category.kind == "state" else part

    def _each(self) -> tuple[Part, ...]:
        """All of them, node by node."""
        return (self._parts,) if isinstance(self._parts, Part) else self._parts

    def _keep(self, parts: tuple[Part, ...]) -> None:
        self._parts = parts[0] if len(parts) == 1 else parts

    def ledgers(self) -> list[Ledger]:
        """Where its parts are counted, of each part."""
        return [part.row.ledger for part in self._each()]

    def places(self) -> list[tuple[Source, Node]]:
        """The nodes that are watched, for states and validity, and whose they are."""
        step = len(self.meaning.roles)
        if not step:
            return [] if self._seldom is None else list(self._seldom.places)
        return [(part.row.source, part.row.node) for part in self._each()[::step]]

    @property
    def nodes(self) -> list[Node]:
        """The nodes that are watched."""
        return [node for _, node in self.places()]

    @property
    def sources(self) -> list[Source]:
        """Whose they are, one by one."""
        return [source for source, _ in self.places()]

    def join(self, places: Sequence[tuple[Source, Node]], parts: Iterable[Part]) -> None:
        """More nodes contribute.

        Args:
            parts: Of each node, in the order of the roles.
        """
        if self.meaning.roles:
            self._keep((*self._each(), *parts))
        elif places:
            more = self._at_hand()
            more.places = (*more.places, *places)

    def drop(self, index: int) -> tuple[Part, ...]:
        """The node of that index contributes no more; the parts of it, which are still read."""
        step = len(self.meaning.roles)
        if not step:
            more = self._at_hand()
            more.places = (*more.places[:index], *more.places[index + 1 :])
            return ()
        parts, first = self._each(), index * step
        self._keep(parts[:first] + parts[first + step :])
        return parts[first : first + step]

    def arrange(self, nodes: list[Node]) -> None:
        """Let its nodes have that order, as if they had all been there from the start."""
        rank = {id(node): number for number, node in enumerate(nodes)}
        step = len(self.meaning.roles)
        if not step:
            more = self._at_hand()
            more.places = tuple(sorted(more.places, key=lambda place: rank[id(place[1])]))
            return
        # Sorting keeps the parts of a node in order.
        self._keep(tuple(sorted(self._each(), key=lambda part: rank[id(part.row.node)])))

    def leave(self, index: int, t: int) -> None:
        """The node of that index has left the group; what it has contributed stays."""
        left = dict(self.former)
        for role, part in zip(self.meaning.roles, self.drop(index), strict=False):
            former, ledger = left.get(role, []), part.ledger
            # The first that was opened says when the interval began, whatever it adds to it.
            first = min(former, key=lambda each: each.opened_at, default=None)
            kept = [
                each
                for each in former
                if each is first or each.ledger is not ledger or reachable(each, t)
            ]
            left[role] = last_joined([*kept, freeze(part, t)])
            part.row.release(self, t)
        self.former = left

    def log_in(self, node: Node, t: int) -> None:
        """A session begins there: what was counted before is over."""
        parts = self._parts_at(node)
        for part in parts:
            restart(part, t)
        if self.book is not None:
            self.book.restart(parts[0].ledger, t)

    def log_out(self, node: Node, t: int, was_in: bool = True) -> None:
        """The session is over; what was counted stays.

        Args:
            was_in: There was one since the opening; else there is nothing to stay.
        """
        parts = self._parts_at(node)
        for part in parts:
            assert isinstance(part, PartOfSession)
            frozen = freeze(part, t)
            part.frozen = frozen if was_in else emptied(frozen)
        if self.book is not None:
            self.book.pause(parts[0].ledger, t)

    def _parts_at(self, node: Node) -> list[Part]:
        return [part for part in self._each() if part.row.node is node]

    # -- what it is worth ------------------------------------------------------------

    def measure(
        self, role: str, clock: Callable[[Ledger], int], closing: bool = False
    ) -> Measure | None:
        """One of its measures; None where it has no such role."""
        if role not in self.meaning.roles:
            return None
        return Measure(self.spans(role, clock, closing))

    def spans(self, role: str, clock: Callable[[Ledger], int], closing: bool = False) -> list[Span]:
        """Its parts of a role, over the interval that is reported now."""
        return [span(p, clock(p.ledger), closing) for p in self.all_parts(role)]

    def all_parts(self, role: str) -> Sequence[Part | FormerPart]:
        """Its parts of a role, those of former members among them, the oldest first."""
        parts, former = self.parts_of(role), self.former.get(role)
        if not former:
            return parts
        return sorted([*former, *parts], key=lambda part: part.opened_at)

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
