"""Rounds in which hardly anybody is looked at tell what rounds tell that leave nobody out.

Two engines live through the same day, with the same clients; one of them is plain
(:mod:`plain_telling`). Whatever they tell has to be the same: who, what, when, in which order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, evolve, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_telling import PlainEngine
from test_against_brute_force import (
    DEFINITIONS,
    DIRECTORY,
    MIDNIGHT,
    OPTIONS,
    SWITCH,
    Asked,
    Timed,
    days,
    few,
    questions,
    request,
)

from statserver_trio.stats.categories import CATEGORIES, Category
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.reconfigure import reconfigure
from statserver_trio.stats.requests import StatisticError
from statserver_trio.stats.telling.notifications import Mode, Notification, Subscription

LASTS = 260_000  # ms of a day that are looked at
GROUPS = {"Sales": (("a1", "a2"), ("a1",), ("a2",), ("a2", "a1"))}
# All but those that need a language to say what is counted.
ASKABLE = [c for c in CATEGORIES.values() if c.book not in ("custom", "formula")]


@frozen
class Client:
    """Who asks for some categories of one thing, and how he wants to be told."""

    asked: Asked
    categories: list[Category]
    mode: Mode
    frequency: int
    insensitivity: float
    suspended: tuple[int, int]  # from, to; ms after midnight
    leaves: int

    def notification(self) -> Notification:
        return Notification(self.mode, self.frequency, self.insensitivity)


clients = st.builds(
    Client,
    questions(),
    st.lists(st.sampled_from(ASKABLE), min_size=1, max_size=8, unique_by=lambda c: c.name),
    st.sampled_from([Mode.TIME_BASED, Mode.TIME_BASED, Mode.CHANGES_BASED]),
    st.sampled_from([5, 10, 15]),
    st.sampled_from([0, 0.5, 1, 1, 7]),
    st.tuples(st.integers(0, 300_000), st.integers(0, 300_000)),
    st.integers(100_000, 500_000),
)


@define
class Telling:
    """One engine and what it has told."""

    engine: Engine
    told: list[tuple[Any, ...]] = field(factory=list)
    subscriptions: dict[int, list[Subscription]] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.engine.add_source("ts1", SWITCH)
        self.engine.add_source("ts2", "sw2")

    def run(self, since: int, until: int) -> None:
        """Ask whenever something may be due."""
        now: float = since
        while (now := max(self.engine.next_deadline(int(now)), now + 1)) < until:
            self.listen(int(now))

    def listen(self, now: int) -> None:
        for notice in self.engine.notices(now):
            owner = notice.subscription.owner
            self.told.append((now, owner, notice.kind, notice.value, notice.reason))

    def come(self, number: int, client: Client, now: int) -> None:
        found = self.subscriptions[number] = []
        for category in client.categories:
            try:
                statistic = self.engine.open(asked(client.asked, category), now)
            except StatisticError:  # there is no such category of that
                continue
            owner = (number, category.name)
            wanted = client.notification()
            found.append(self.engine.subscribe(statistic, wanted, owner, now))
            value = self.engine.value_for(found[-1], now)
            self.told.append((now, owner, "Opened", value, ""))

    def suspend(self, number: int, suspended: bool) -> None:
        for subscription in self.subscriptions.get(number, ()):
            self.engine.suspend(subscription, suspended)

    def leave(self, number: int) -> None:
        for subscription in self.subscriptions.pop(number, ()):
            self.engine.unsubscribe(subscription)

    def regroup(self, members: tuple[str, ...], now: int) -> None:
        directory = evolve(self.engine.directory, agent_groups={"Sales": members})
        changes = reconfigure(self.engine, self.engine.definitions, directory, now)
        self.told += [(now, n.subscription.owner, n.kind, n.value) for n in changes.notices]


def asked(one: Asked, category: Category) -> Any:
    """The request, with the switch where two may have such a number."""
    kind, name = one.object
    if kind in ("RegDN", "Queue"):
        name = f"{name}@{SWITCH}"
    try:
        return evolve(request(one, category), object_id=name)
    except ValueError as error:
        raise StatisticError("incompatible", str(error)) from None


Step = tuple[int, int, Callable[[Telling], None]]


def steps(
    feeds: dict[str, list[Timed]],
    late: list[int],
    come: list[Client],
    members: list[tuple[int, tuple[str, ...]]],
) -> list[Step]:
    """All that happens, in order; events of each source some ms later than they say."""
    found: list[Step] = []
    for source, day in feeds.items():
        at = 0
        for number, (t, event) in enumerate(day):
            at = max(at, t + late[number % len(late)])
            found.append(
                (at, 0, lambda each, s=source, e=event, at=at: each.engine.apply(s, [e], at))
            )
    for number, one in enumerate(come):
        opened = MIDNIGHT + one.asked.opened
        begin, end = (MIDNIGHT + t for t in one.suspended)
        found += [
            (opened, 1, lambda each, n=number, o=one, t=opened: each.come(n, o, t)),
            (begin, 2, lambda each, n=number: each.suspend(n, True)),
            (end, 3, lambda each, n=number: each.suspend(n, False)),
            (MIDNIGHT + one.leaves, 4, lambda each, n=number: each.leave(n)),
        ]
    for at, names in members:
        t = MIDNIGHT + at
        found.append((t, 5, lambda each, names=names, t=t: each.regroup(names, t)))
    found.sort(key=lambda step: step[:2])
    return found


def live(engine: Engine, found: list[Step]) -> list[tuple[Any, ...]]:
    telling = Telling(engine)
    now = MIDNIGHT
    for t, _, happen in found:
        telling.run(now, t)
        happen(telling)
        telling.listen(t)
        now = t
    telling.run(now, MIDNIGHT + LASTS)
    return telling.told


@settings(few, max_examples=120)
@given(
    days,
    st.one_of(st.just([]), days),
    st.lists(st.sampled_from([0, 0, 0, 500, 3000, 12_000]), min_size=1, max_size=5),
    st.lists(clients, min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, LASTS), st.sampled_from(GROUPS["Sales"])), max_size=2),
)
def test_what_is_left_out_would_not_have_been_told(
    day: list[Timed],
    elsewhere: list[Timed],
    late: list[int],
    come: list[Client],
    members: list[tuple[int, tuple[str, ...]]],
) -> None:
    found = steps({"ts1": day, "ts2": elsewhere}, late, come, members)
    ours = live(Engine(DEFINITIONS, DIRECTORY, OPTIONS), found)
    assert ours == live(PlainEngine(DEFINITIONS, DIRECTORY, OPTIONS), found)
