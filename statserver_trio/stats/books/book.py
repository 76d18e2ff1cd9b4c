"""The book of one statistic: its terms, by source, child and role.

A *page* is what happened at one source, which has its own clock; a *child* is one value of
the GroupBy key, or the only one, ``""``, where there is no GroupBy; a *role* is one of the
statistic's masks (``main``, ``rel``, ...).

A page has an interval as a row has one, and passes a reset point with the first term after
it; read later than that without a term in between it is empty, and stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from ...model.occurrences import Facts, Occurrence, Status
from ..definitions.time_profiles import TimeProfile
from ..definitions.time_ranges import TimeRange
from .cells import Cell
from .stores import STORES, How, Selection, Store, Window
from .terms import Evaluate, Term, Value, Variables, conn_id_of, dn_of

if TYPE_CHECKING:
    from ..counting.ledger import Ledger
    from ..counting.parts import Part

OTHER = "*other*"  # the key of whatever is too much
TEXT_MAX = 1000  # characters of a value or key; what is longer is cut off (our decision)


@frozen
class Entry:
    """What is written down of the terms of one role.

    Attributes:
        value: Computed from each; None where only numbers and times are wanted.
        condition: Only terms of which it is true count.
        tells_apart: Distinct values are wanted.
        is_current: Only what goes on now is looked at, and nothing written down.
        range: Of the terms that count only those that lasted so long.
    """

    value: Evaluate | None = None
    condition: Evaluate | None = None
    tells_apart: bool = False
    is_current: bool = False
    range: TimeRange | None = None

    def passes(self, variables: Variables) -> bool:
        """Whether the term counts."""
        return self.condition is None or bool(self.condition(variables))

    def value_of(self, variables: Variables) -> Value:
        """What is computed from it."""
        return None if self.value is None else plain(self.value(variables))


def plain(value: Any) -> Value:
    """A value that can be kept and sent: truth is 1 or 0, and texts have an end."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return value[:TEXT_MAX]
    return value if isinstance(value, int | float) else None


@frozen
class Rules:
    """How a statistic keeps its book.

    Attributes:
        entries: By role.
        by_call: A call counts once (``DistByConnID``).
        key: The GroupBy key of a term.
        of_union: Terms are the times during which anything went on (TotalDistinctTime).
    """

    profile: TimeProfile | None
    entries: dict[str, Entry] = field(factory=lambda: {"main": Entry()})
    by_call: bool = False
    key: Evaluate | None = None
    of_union: bool = False
    children_max: int = 1000

    def new_store(self, role: str) -> Store:
        """An empty one."""
        assert self.profile is not None
        return STORES[self.profile.kind](self.how(role))

    def how(self, role: str) -> How:
        """How its terms are kept."""
        assert self.profile is not None
        entry = self.entries[role]
        return How(self.profile, self.by_call, entry.tells_apart, entry.range)

    def key_of(self, variables: Variables) -> str:
        """Under what key something counts; a missing value is the empty text."""
        if self.key is None:
            return ""
        found = plain(self.key(variables))
        return "" if found is None else str(found)


def interval_start(profile: TimeProfile, t: int) -> int | None:
    """When the interval that is reported at ``t`` began; None for: at opening."""
    if profile.kind == "Sliding":
        return profile.edge(t)
    return profile.last_reset(t) if profile.kind == "Growing" else None


class Page:
    """What a statistic has written down of one source.

    Attributes:
        ledger: Of the source.
        opened_at: By the clock of the source, ms.
        start: Where the interval began whose terms are here.
        stores: By child and role.
        at_once: How many occurrences go on (of a union).
        since: Since when, without a gap.
        left_at: When the last of them was over; None while anything goes on.
        paused_at: When a session ended, where no other has begun since.
    """

    def __init__(self, rules: Rules, ledger: Ledger, t: int) -> None:
        self._rules = rules
        self.ledger = ledger
        self.opened_at = self.start = t
        self.stores: dict[str, dict[str, Store]] = {}
        self.at_once = 0
        self.since = t
        self.left_at: int | None = None
        self.paused_at: int | None = None

    def open_by(self, t: int) -> None:
        """Have been opened at ``t``, if not before; see :meth:`.ledger.Ledger.opened`."""
        if t < self.opened_at:
            self.opened_at = t
            self.start, self.since = min(self.start, t), min(self.since, t)

    def start_at(self, t: int) -> int:
        """When the interval began that is reported at ``t``."""
        assert self._rules.profile is not None
        start = interval_start(self._rules.profile, t)
        return self.opened_at if start is None else max(start, self.opened_at)

    def restart(self, t: int) -> None:
        """A session begins: what was before is over."""
        self.stores.clear()
        self.opened_at = self.start = self.since = t
        self.left_at = self.paused_at = None

    def _roll(self, t: int) -> int:
        """Pass the reset points up to ``t``; where the interval begins in which ``t`` is."""
        start = self.start_at(t)
        if start > self.start and self._rules.profile is not None:
            if self._rules.profile.kind == "Sliding":
                self._forget_empty(start)
            else:
                self.stores.clear()
            self.start = start
        return start

    def _forget_empty(self, start: int) -> None:
        for key, stores in list(self.stores.items()):
            if all(isinstance(s, Window) and s.newest < start for s in stores.values()):
                del self.stores[key]

    def write(
        self, role: str, each: Occurrence | Status, term: Term, facts: Facts | None = None
    ) -> None:
        """Write a term down; ``facts`` are the data it had, where they are others now."""
        rules, entry = self._rules, self._rules.entries[role]
        if self.paused_at is not None:
            return  # nobody is logged in
        start = self._roll(term.end)
        variables = Variables(each, term.within(start), term.start, term.end, facts)
        if not entry.passes(variables):
            return
        value = entry.value_of(variables)
        self._store(rules.key_of(variables), role).add(term._replace(value=value), start)

    def _store(self, key: str, role: str) -> Store:
        if key not in self.stores and len(self.stores) >= self._rules.children_max:
            key = OTHER
        stores = self.stores.setdefault(key, {})
        if role not in stores:
            stores[role] = self._rules.new_store(role)
        return stores[role]

    # -- the union -------------------------------------------------------------------

    def began(self, t: int) -> None:
        """One more goes on from ``t``; right where the last one ended there is no gap."""
        if not self.at_once and self.left_at != t:
            if (term := self._last_time()) is not None:
                self._store("", "main").add(term, self._roll(term.end))
            self.since = t
        self.left_at = None
        self.at_once += 1

    def over(self, t: int) -> None:
        """One less; the last one ends the time without a gap, which counts then."""
        self.at_once -= 1
        if not self.at_once:
            self.left_at = t

    def _last_time(self) -> Term | None:
        """The time without a gap that is over, and not written down yet."""
        if self.left_at is None or self.left_at == self.since:
            return None
        return Term(self.since, self.left_at, self.left_at - self.since, False, "", "")

    # -- reading ---------------------------------------------------------------------

    def cell(self, key: str, role: str, start: int) -> Cell | None:
        """The terms of one child and role in the interval that began at ``start``."""
        store = self.stores.get(key, {}).get(role)
        found = None
        if store is not None and (start <= self.start or isinstance(store, Window)):
            found = store.cell(start)
        last = self._last_time()
        if last is not None and last.end >= start:
            cell = Cell()
            cell.add(last, start)
            if found is not None:
                cell.merge(found)
            return cell
        return found

    def export(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "opened_at": self.opened_at,
            "start": self.start,
            "since": self.since,
            "left_at": self.left_at,
            "paused_at": self.paused_at,
            "stores": {
                key: {role: store.export() for role, store in stores.items()}
                for key, stores in self.stores.items()
            },
        }

    @classmethod
    def read(cls, rules: Rules, ledger: Ledger, data: dict[str, Any]) -> Page:
        """What was exported; how many go on now is the world's business."""
        page = cls(rules, ledger, data["opened_at"])
        page.start, page.since = data["start"], data["since"]
        page.left_at, page.paused_at = data["left_at"], data["paused_at"]
        for key, stores in data["stores"].items():
            for role, told in stores.items():
                store = rules.new_store(role)
                store.adopt(told)
                page.stores.setdefault(key, {})[role] = store
        return page


class Book:
    """All pages of one statistic."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.pages: dict[str, Page] = {}

    def page(self, ledger: Ledger, t: int) -> Page:
        """The page of a source; a new one begins at ``t``."""
        page = self.pages.get(ledger.source)
        if page is None:
            page = self.pages[ledger.source] = Page(self.rules, ledger, t)
            ledger.opened(page)
        return page

    def restart(self, ledger: Ledger, t: int) -> None:
        """A session begins at a source."""
        self.page(ledger, t).restart(t)

    def pause(self, ledger: Ledger, t: int) -> None:
        """It is over."""
        self.page(ledger, t).paused_at = t

    # -- what happens ----------------------------------------------------------------

    def began(self, part: Part, t: int) -> None:
        """Something in the mask goes on from ``t``."""
        if self.rules.of_union:
            self.page(part.ledger, t).began(t)

    def over(self, part: Part, t: int) -> None:
        """It goes on no more, whether it counts or not."""
        if self.rules.of_union:
            self.page(part.ledger, t).over(t)

    def lost(self, part: Part, number: int) -> None:
        """So many that went on are not watched any more; they are not over."""
        self.pages[part.ledger.source].at_once -= number

    def ended(
        self,
        part: Part,
        role: str,
        each: Occurrence | Status,
        start: int,
        end: int,
        facts: Facts | None = None,
    ) -> None:
        """A durable action or status is over, and counts.

        Args:
            facts: What its data were, where it is over because they are others now.
        """
        if self.rules.of_union or self.rules.entries[role].is_current:
            return
        call, dn = conn_id_of(each), dn_of(each)
        term = Term(start, end, end - start, False, call, dn, part.opened_at)
        self.page(part.ledger, end).write(role, each, term, facts)

    def happened(self, part: Part, role: str, about: Occurrence, duration: int, t: int) -> None:
        """Something happened at once."""
        if self.rules.of_union or self.rules.entries[role].is_current:
            return
        term = Term(t - duration, t, duration, True, about.conn_id, dn_of(about))
        self.page(part.ledger, t).write(role, about, term)

    # -- reading ---------------------------------------------------------------------

    def children(self, starts: dict[str, int]) -> list[str]:
        """The keys under which there is anything, in order."""
        found = {
            key
            for source, page in self.pages.items()
            for key, stores in page.stores.items()
            for role in stores
            if (cell := page.cell(key, role, starts[source])) is not None and cell.number
        }
        return sorted(found)

    def cell(self, key: str, role: str, starts: dict[str, int]) -> Cell:
        """What all pages come to, each since where its interval began."""
        entry = self.rules.entries[role]
        if self.rules.profile is not None and self.rules.profile.kind == "Selection":
            return self._selected(key, role)
        total = Cell(tells_apart=entry.tells_apart)
        for source, page in sorted(self.pages.items()):
            found = page.cell(key, role, starts[source])
            if found is not None:
                total.merge(found)
        return total

    def _selected(self, key: str, role: str) -> Cell:
        """The last n of all pages."""
        assert self.rules.profile is not None
        stores = (page.stores.get(key, {}).get(role) for _, page in sorted(self.pages.items()))
        terms = [term for store in stores if isinstance(store, Selection) for term in store.terms]
        terms.sort(key=lambda term: term.end)
        return self.rules.how(role).cell_of(terms[-self.rules.profile.count :], 0)

    def starts(self, clock: Callable[[Ledger], int]) -> dict[str, int]:
        """Where the interval of each page begins that is reported now."""
        return {source: page.start_at(clock(page.ledger)) for source, page in self.pages.items()}

    # -- the pair --------------------------------------------------------------------

    def export(self) -> dict[str, Any]:
        """Plain data."""
        return {source: page.export() for source, page in self.pages.items()}

    def read(self, data: dict[str, Any], ledgers: Mapping[str, Ledger]) -> dict[str, Page]:
        """The pages that were exported, for :meth:`replace`.

        Args:
            ledgers: Of our sources, by name.

        Raises:
            KeyError, ValueError, TypeError: They are none.
        """
        return {
            source: Page.read(self.rules, ledgers[source], told) for source, told in data.items()
        }

    def replace(self, pages: dict[str, Page]) -> None:
        """Have these pages; what goes on now goes on."""
        for source, page in pages.items():
            if source in self.pages:
                page.at_once = self.pages[source].at_once
            self.pages[source] = page
            page.ledger.opened(page)
