"""Books against the slow way: terms one by one, picked out of the list of everything.

The days, the observer and the objects are those of :mod:`test_against_brute_force`; here
each term has a call, a key and a value of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import brute_force as slow
import pytest
from attrs import define, evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st
from test_against_brute_force import (
    ACTION_MASKS,
    FILTERS,
    MEMBERS,
    MIDNIGHT,
    OF,
    PROFILES,
    PSEUDO_ACTIONS,
    Both,
    Timed,
    days,
    floor,
    limits_of,
    moments,
    openings,
    quick,
    reads_of_a_day,
)

from statserver_trio.model.actions import ALL_ACTIONS, DURABLE, NAMES
from statserver_trio.stats.categories import CATEGORIES, Category
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_profiles import UTC, parse_time_profile
from statserver_trio.stats.refusals import NOT_OF_TERMS
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.statistic import Statistic

SELECTIONS = {f"last {n}": parse_time_profile(f"Last{n},Selection", str(n), UTC) for n in (1, 2, 5)}
ALL_PROFILES = PROFILES | SELECTIONS
COUNTED = [
    c.name
    for c in CATEGORIES.values()
    if not c.book and c.kind != "state" and c.name not in NOT_OF_TERMS and c.masks is None
]
OBJECTS = sorted(MEMBERS.keys() - {("Tenant", "Environment")})  # whose diary is of statuses only
CUSTOM = 'GetNumber("Revenue")*2+Duration'
KEY = 'kvstr(udata,"Segment")'
# What is asked for -> the options that ask for it.
KINDS: dict[str, dict[str, str]] = {
    "by call": {"Formula": "DCID"},
    "custom": {"Formula": CUSTOM},
    "custom by call": {"Formula": f"DistByConnID, {CUSTOM}"},
    "children": {"GroupBy": KEY},
    "selection": {},
    "union": {},
    "distinct": {},
    "formula": {},
    "formula children": {"GroupBy": KEY},
}


@frozen
class Asked:
    """One statistic that keeps a book."""

    kind: str
    category: str
    object: tuple[str, str]
    main: str
    rel: str
    profile: str
    filter: str  # a name, or empty
    opened: int  # ms after midnight


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    kind = draw(st.sampled_from(sorted(KINDS)))
    if kind.startswith("custom"):
        found = [c.name for c in CATEGORIES.values() if c.book == "custom"]
    elif kind.startswith("formula"):
        found = sorted(FORMULAS)
    elif kind == "union":
        found = ["TotalDistinctTime"]
    elif kind == "distinct":
        found = ["CurrentDistinctNumber"]
    elif kind == "by call":
        found = COUNTED
    else:
        found = [name for name in COUNTED if CATEGORIES[name].is_historical]
    profiles = SELECTIONS if kind == "selection" else PROFILES
    return Asked(
        kind,
        draw(st.sampled_from(found)),
        draw(st.sampled_from(OBJECTS)),
        draw(st.sampled_from(ACTION_MASKS)),
        draw(st.sampled_from(ACTION_MASKS)),
        draw(st.sampled_from(sorted(profiles))),
        draw(st.sampled_from(["", "", *FILTERS])),
        draw(openings),
    )


def category_of(asked: Asked) -> Category:
    return CATEGORIES["Formula" if asked.category in FORMULAS else asked.category]


def request(asked: Asked) -> StatisticRequest:
    category = category_of(asked)
    options = {
        "Objects": asked.object[0],
        "Category": category.name,
        "Subject": "DNAction",
        "MainMask": asked.main,
        **KINDS[asked.kind],
    }
    if asked.category in FORMULAS:
        options["Expression"] = re.sub(r"\bM\b", asked.main, asked.category)
    if category.rel_mask != "no":
        options["RelMask"] = asked.rel
    return StatisticRequest(
        *asked.object,
        parse_stat_type("", options),
        ALL_PROFILES[asked.profile],
        time_range="5-20" if category.time_range != "no" else None,
        filter=asked.filter or None,
    )


# -- the slow way -------------------------------------------------------------------------


@frozen
class Term:
    """What is over and counts, or goes on and would."""

    start: int
    end: int
    duration: int
    since: int  # where its interval began when it was over
    within: int
    is_whole: bool
    of: slow.Durable | slow.Instant
    order: int
    facts: Any

    @property
    def call(self) -> str:
        return self.of.conn_id

    @property
    def custom(self) -> float:
        return (self.revenue or 0) * 2 + self.seconds

    @property
    def seconds(self) -> int:
        """As long as a formula sees it."""
        return (self.end - (self.start if self.is_whole else max(self.start, self.since))) // 1000

    @property
    def revenue(self) -> Any:
        return self.facts.get("Revenue")

    @property
    def has_data(self) -> bool:
        return bool(self.call) or NAMES[self.of.action] == "UserEvent"


def mean(found: list[Any]) -> float:
    return slow.ratio(sum(found), len(found))


# What a formula of a mask M comes to, of terms and of what goes on now.
FORMULAS: dict[str, Callable[[list[Term], list[Term]], Any]] = {
    "COUNT(M; duration > 10)": lambda over, now: sum(t.seconds > 10 for t in over),
    "SUM(M; duration) + @SUM(M; duration)": lambda over, now: sum(t.seconds for t in (*over, *now)),
    'AVG(M; kvnum(udata, "Revenue"))': lambda over, now: mean(
        [t.revenue for t in over if t.revenue is not None]
    ),
    'MAX(M; kvnum(udata, "Revenue")) - 1': lambda over, now: max(
        (t.revenue - 1 for t in over if t.revenue is not None), default=0
    ),
    "MIN(M; duration; duration >= 5)": lambda over, now: min(
        (t.seconds for t in over if t.seconds >= 5), default=0
    ),
    'DCOUNT(M; kvstr(udata, "Segment"))': lambda over, now: len(
        {t.facts["Segment"] for t in over if "Segment" in t.facts}
    ),
    "DCOUNT(M)": lambda over, now: len({t.call for t in over if t.call}),
    "LAST(M; thisdn)": lambda over, now: over[-1].of.dn if over else 0,
    "FIRST(M; connid)": lambda over, now: next((t.call for t in over if t.call), 0),
    '@COUNT(M; kvstr(udata, "Segment") = "gold")': lambda over, now: sum(
        t.facts.get("Segment") == "gold" for t in now
    ),
    'IF(COUNT(M) > 2 AND NOT @COUNT(M) > 0, "many", "few")': lambda over, now: (
        "many" if len(over) > 2 and not now else "few"
    ),
}


Since = Callable[[int], int]  # where the interval began that was reported then


def terms(diaries: list[slow.Diary], q: slow.Question, since: Since) -> list[Term]:
    found = []
    for p in [p for d in diaries for p in slow.ended(d, q)]:
        assert p.end is not None
        facts = [what for _, order, what in p.of.facts if order < p.ended_at][-1]
        within = p.end - max(p.start, q.since)
        times = p.start, p.end, p.end - p.start, since(p.end), within
        found.append(Term(*times, False, p.of, p.ended_at, facts))
    for i in [i for d in diaries for i in slow.instants(d, q)]:
        times = i.at - i.duration, i.at, i.duration, q.since, i.duration
        found.append(Term(*times, True, i, i.ended_at, i.facts))
    return sorted(found, key=lambda term: term.order)


def going_on(diaries: list[slow.Diary], q: slow.Question) -> list[Term]:
    found = []
    for p in [p for d in diaries for p in slow.live(d, q)]:
        start = p.whole_start  # a current value looks at actions, not at stretches
        times = start, q.now, q.now - start, start, q.now - start
        found.append(Term(*times, False, p.of, 0, p.of.facts[-1][2]))
    return found


def one_of_each_call(found: list[Term]) -> list[Term]:
    kept = []
    for term in found:
        same = [t for t in found if t.call == term.call and t.call]
        if term is min(same, key=lambda t: (t.end, t.start, t.of.dn), default=term):
            kept.append(term)
    return kept


def union(diaries: list[slow.Diary], q: slow.Question) -> int:
    found = [p for d in diaries for p in slow.pieces(d, q)]
    cut = [
        evolve(p, start=max(p.start, q.opened)) for p in found if p.end is None or p.end > q.opened
    ]
    times = slow.without_gaps(cut)
    return sum(
        end - max(start, q.since) for start, end in times if end is not None and end >= q.since
    )


def formulas(main: list[Term], rel: list[Term], interval: int) -> dict[str, float]:
    """Those over an interval once more, of terms."""
    ratio = slow.ratio
    limits = limits_of("5-20")
    assert limits is not None
    ranged = [t for t in main if slow.in_range(t.duration, limits)]
    values = [t.custom for t in main if t.has_data]
    time = sum(t.within for t in main)
    rel_seconds = sum(t.within for t in rel) / 1000
    return {
        "TotalNumber": len(main),
        "TotalAdjustedNumber": len(main),
        "TotalTime": time // 1000,
        "TotalAdjustedTime": sum(t.duration for t in main) // 1000,
        "MaxTime": max((t.within for t in main), default=0) // 1000,
        "MinTime": min((t.within for t in main), default=0) // 1000,
        "TotalNumberInTimeRange": len(ranged),
        "TotalNumberInTimeRangePercentage": ratio(len(ranged), len(rel), 100),
        "TotalTimeInTimeRange": sum(t.duration for t in ranged) // 1000,
        "AverageTime": ratio(sum(t.duration for t in main) / 1000, len(rel)),
        "RelativeNumber": ratio(len(main), len(rel)),
        "RelativeNumberPercentage": ratio(len(ranged), len(rel), 100),
        "RelativeTimePercentage": ratio(time / 1000, rel_seconds, 100),
        "AverageNumberPerRelativeHour": ratio(len(main), rel_seconds, 3600),
        "ElapsedTimePercentage": ratio(time, interval, 100),
        "TotalNumberPerSecond": ratio(len(main), interval, 1000),
        "TotalCustomValue": sum(values),
        "AverageCustomValue": ratio(sum(values), len(values)),
        "MaxCustomValue": max(values, default=0),
        "MinCustomValue": min(values, default=0),
    }


def formulas_of_now(main: list[Term], rel: list[Term]) -> dict[str, float]:
    """Those of what goes on."""
    ratio = slow.ratio
    limits = limits_of("5-20")
    assert limits is not None
    spent = [t.duration for t in main]
    ranged = sum(slow.in_range(duration, limits) for duration in spent)
    values = [t.custom for t in main if t.has_data]
    return {
        "CurrentNumber": len(main),
        "CurrentTime": sum(spent) // 1000,
        "CurrentMaxTime": max(spent, default=0) // 1000,
        "CurrentMinTime": min(spent, default=0) // 1000,
        "CurrentAverageTime": ratio(sum(spent) / 1000, len(rel)),
        "CurrentRelativeNumberPercentage": ratio(len(main), len(rel), 100),
        "CurrentRelativeTimePercentage": ratio(sum(spent), sum(t.duration for t in rel), 100),
        "CurrentNumberInTimeRange": ranged,
        "CurrentNumberInTimeRangePercentage": ratio(ranged, len(main), 100),
        "CurrentCustomValue": sum(values),
        "CurrentAverageCustomValue": ratio(sum(values), len(values)),
        "CurrentMaxCustomValue": max(values, default=0),
        "CurrentMinCustomValue": min(values, default=0),
        "CurrentDistinctNumber": len(main),
    }


@define
class Books(Both):
    """An engine with books, and the observer."""

    asked: list[tuple[Asked, Statistic]] = field(factory=list)

    def ask(self, asked: Any, now: int) -> None:
        self.name(MEMBERS[asked.object])
        statistic = self.engine.open(request(asked), now)
        self.observer.settle()
        self.observer.order += 1
        self.openings.setdefault(statistic, (floor(now), self.observer.order))
        self.asked.append((asked, statistic))

    def compare(self, now: int) -> None:
        for asked, statistic in self.asked:
            ours = self.engine.value(statistic, now).value
            theirs = self.slowly(asked, statistic, floor(now))
            assert ours == pytest.approx(theirs), (asked, now - MIDNIGHT)

    def slowly(self, asked: Asked, statistic: Statistic, t: int) -> Any:
        opened, order = self.openings[statistic]
        category, profile = category_of(asked), ALL_PROFILES[asked.profile]

        def since(moment: int) -> int:
            start = None
            if category.is_historical and profile.kind == "Growing":
                start = profile.last_reset(moment)
            if category.is_historical and profile.kind == "Sliding":
                start = profile.edge(moment)
            return opened if start is None else max(start, opened)

        test = FILTERS[asked.filter][1] if asked.filter else None
        counted = ALL_ACTIONS
        if asked.object[0] in ("Queue", "GroupQueues"):
            counted &= ~PSEUDO_ACTIONS
            if not asked.filter and asked.category in (
                "CurrentNumber",
                "CurrentRelativeNumberPercentage",
            ):
                counted = ALL_ACTIONS
        stat = statistic.stat_type
        diaries = [self.observer.diaries.get(n, slow.Diary()) for n in MEMBERS[asked.object]]
        main_mask = stat.main_mask & counted
        q = slow.Question(OF["DNAction"], main_mask, test, opened, since(t), t, order)
        other = q if stat.rel_mask is None else evolve(q, mask=stat.rel_mask & counted)
        if asked.category == "AverageNumberPerRelativeHour":
            other = evolve(other, test=None)
        if asked.kind == "union":
            return union(diaries, evolve(q, mask=q.mask & DURABLE)) // 1000
        if asked.category in FORMULAS:
            over, now = terms(diaries, q, since), going_on(diaries, q)
            compute = FORMULAS[asked.category]
            if asked.kind == "formula":
                return compute(over, now)
            seen = [*over, *now] if "@" in asked.category else over
            return {key: compute(of_key(over, key), of_key(now, key)) for key in keys_of(seen)}
        if not category.is_historical:
            main, rel = going_on(diaries, q), going_on(diaries, other)
            if asked.kind != "custom":
                main, rel = one_of_each_call(main), one_of_each_call(rel)
            return formulas_of_now(main, rel)[asked.category]
        main, rel = terms(diaries, q, since), terms(diaries, other, since)
        if profile.kind == "Selection":
            main, rel = main[-profile.count :], rel[-profile.count :]
        if "by call" in asked.kind:
            main, rel = one_of_each_call(main), one_of_each_call(rel)
        interval = t - since(t)
        if asked.kind != "children":
            return formulas(main, rel, interval)[asked.category]
        keys = keys_of([*main, *rel] if category.rel_mask != "no" else main)
        return {
            key: formulas(of_key(main, key), of_key(rel, key), interval)[asked.category]
            for key in keys
        }


def keys_of(found: list[Term]) -> list[str]:
    return sorted({str(term.facts.get("Segment", "")) for term in found})


def of_key(found: list[Term], key: str) -> list[Term]:
    return [term for term in found if str(term.facts.get("Segment", "")) == key]


def live_through(day: list[Timed], asked: list[Asked], reads: list[int]) -> Books:
    both = Books(MIDNIGHT)
    for _, _, what in moments(day, asked, reads):  # type: ignore[arg-type]
        what(both)
    return both


@quick
@given(days, st.lists(questions(), min_size=1, max_size=4), reads_of_a_day)
def test_every_value_is_what_the_terms_come_to(
    day: list[Timed], asked: list[Asked], reads: list[int]
) -> None:
    both = live_through(day, asked, reads)
    both.compare(max(MIDNIGHT + 420_000, *(t for t, _ in day), MIDNIGHT + max(reads)))
