"""SinceLogin against the slow way: a session is cut out of the diary, and counted as if alone.

What is counted is what happened from the event of the last login on, up to and with the event
of the logout if there was one since. The days are those of :mod:`test_against_brute_force`.
"""

from __future__ import annotations

from typing import Any

import brute_force as slow
import pytest
from attrs import define, evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st
from test_against_brute_force import (
    ACTION_MASKS,
    MIDNIGHT,
    OF,
    STATUS_MASKS,
    Asked,
    Both,
    Timed,
    categories_of,
    days,
    floor,
    limits_of,
    moments,
    openings,
    quick,
    reads_of_a_day,
    request,
)

from statserver_trio.model.actions import CODES
from statserver_trio.stats.categories import CATEGORIES
from statserver_trio.stats.definitions.time_profiles import UTC, parse_time_profile
from statserver_trio.stats.statistic import Statistic

LOGIN = parse_time_profile("Session,SinceLogin", "", UTC)
LOGGED_OUT = CODES["LoggedOut"]


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    subject = draw(st.sampled_from(["DNAction", "DNStatus", "AgentStatus"]))
    masks = ACTION_MASKS if subject == "DNAction" else STATUS_MASKS
    return Asked(
        ("Agent", draw(st.sampled_from(["a1", "a2"]))),
        subject,
        draw(st.sampled_from(masks)),
        draw(st.sampled_from(masks)),
        "never",
        "",
        draw(openings),
    )


@frozen
class Session:
    """From when to when, and between which places in the order of everything."""

    start: int
    after: int
    end: int | None = None
    until: int | None = None


def session(observer: slow.Observer, agent: str, opened: int, order: int) -> Session | None:
    """The present one, or the last one; None if there was none since the opening."""
    statuses = observer.diaries[f"agent {agent}"].statuses
    end = until = None
    if statuses[-1].action == LOGGED_OUT:
        if len(statuses) == 1 or statuses[-2].ended_at <= order:
            return None
        end = statuses[-1].start
        until = min(e for e in [*observer.events, observer.order] if e > statuses[-2].ended_at - 1)
        statuses = statuses[:-1]
    before = [s for s in statuses if s.action == LOGGED_OUT and s.ended_at > order]
    if not before:
        return Session(opened, order, end, until)
    login = before[-1]
    assert login.end is not None
    return Session(login.end, max(e for e in observer.events if e < login.ended_at), end, until)


def cut(diary: slow.Diary, until: int | None) -> slow.Diary:
    """The diary as it was at some place in the order."""
    if until is None:
        return diary

    def as_it_was(found: list[slow.Durable]) -> list[slow.Durable]:
        kept = [d for d in found if d.facts[0][1] <= until]
        return [d if d.ended_at <= until else evolve(d, end=None, ended_at=0) for d in kept]

    return slow.Diary(
        as_it_was(diary.actions),
        [i for i in diary.instants if i.ended_at <= until],
        as_it_was(diary.statuses),
        as_it_was(diary.dn_statuses),
    )


@define
class Sessions(Both):
    """An engine that counts since logins, and the observer."""

    asked: list[tuple[Asked, dict[str, Statistic]]] = field(factory=list)

    def ask(self, asked: Asked, now: int) -> None:
        self.name([f"agent {asked.object[1]}"])
        opened = {
            c.name: self.engine.open(evolve(request(asked, c), time_profile=LOGIN), now)
            for c in categories_of(asked)
            if c.is_historical and c.masks is None
        }
        self.observer.settle()
        self.observer.order += 1
        for statistic in opened.values():
            self.openings.setdefault(statistic, (floor(now), self.observer.order))
        self.asked.append((asked, opened))

    def compare(self, now: int) -> None:
        for asked, statistics in self.asked:
            for name, statistic in statistics.items():
                ours = self.engine.value(statistic, now).value
                theirs = self.slowly(asked, name, statistic, floor(now))
                assert ours == pytest.approx(theirs), (name, asked, now - MIDNIGHT)

    def slowly(self, asked: Asked, name: str, statistic: Statistic, t: int) -> Any:
        opened, order = self.openings[statistic]
        category, agent = CATEGORIES[name], asked.object[1]
        found = session(self.observer, agent, opened, order)
        if found is None:
            return 0
        t = t if found.end is None else found.end
        diaries = [cut(self.observer.diaries[f"agent {agent}"], found.until)]
        main_mask, rel_mask = statistic.stat_type.main_mask, statistic.stat_type.rel_mask
        of, since = OF[asked.subject], found.start
        q = slow.Question(of, main_mask, None, since, since, t, found.after)
        main = slow.Numbers(diaries, q)
        rel = main if rel_mask is None else slow.Numbers(diaries, evolve(q, mask=rel_mask))
        limits = limits_of("5-20") if category.time_range != "no" else None
        if found.end is not None and name == "EstimTimeToEndCurrentNumber":
            return 0  # nothing goes on now
        value = slow.value(name, main, rel, limits, t - since)
        return value // 1000 if category.result == "time" else value


def live_through(day: list[Timed], asked: list[Asked], reads: list[int]) -> Sessions:
    both = Sessions(MIDNIGHT)
    for _, _, what in moments(day, asked, reads):
        what(both)
    return both


@quick
@given(days, st.lists(questions(), min_size=1, max_size=2), reads_of_a_day)
def test_every_value_is_that_of_the_last_session(
    day: list[Timed], asked: list[Asked], reads: list[int]
) -> None:
    both = live_through(day, asked, reads)
    both.compare(max(MIDNIGHT + 420_000, *(t for t, _ in day), MIDNIGHT + max(reads)))
