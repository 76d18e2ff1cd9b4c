"""Rounds in which hardly anybody is looked at tell what rounds tell that leave nobody out.

Two engines live through the same day, with the same clients; one of them is plain
(:mod:`plain_telling`). Whatever they tell has to be the same: who, what, when, in which order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
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
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_profiles import UTC, parse_time_profile
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.reconfigure import reconfigure
from statserver_trio.stats.requests import StatisticError, StatisticRequest
from statserver_trio.stats.telling.notifications import Mode, Notification, Subscription
from statserver_trio.stats.transfer import adopt_statistic, export_statistic
from statserver_trio.tlib import events as e

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


# -- what a round must not leave out, one by one ------------------------------------------


class Round:
    """An engine with one client, who is told every ten seconds what has changed."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.telling = Telling(engine)
        self.now = MIDNIGHT

    def wait(self, seconds: float) -> None:
        until = MIDNIGHT + round(seconds * 1000)
        self.telling.run(self.now, until + 1)
        self.now = until

    def say(self, seconds: float, cls: Any, dn: str = "7001", late: float = 0, **more: Any) -> None:
        if issubclass(cls, e.CallEvent):
            more = {"conn_id": "c1", "call_type": "Inbound", **more}
        self.wait(seconds + late)
        event = cls(this_dn=dn, time=MIDNIGHT / 1000 + seconds, **more)
        self.engine.apply("ts1", [event], self.now)
        self.telling.listen(self.now)

    def open(
        self,
        category: str,
        mask: str = "CallInbound",
        *,
        subject: str = "DNAction",
        object: tuple[str, str] = ("RegDN", f"7001@{SWITCH}"),
        profile: str = "Growing:never",
        insensitivity: float = 1,
    ) -> Subscription:
        options = {
            "Objects": object[0], "Category": category, "Subject": subject, "MainMask": mask
        }  # fmt: skip
        kind, _, text = profile.partition(":")
        request = StatisticRequest(
            *object, parse_stat_type("", options), parse_time_profile(f"P,{kind}", text, UTC)
        )
        statistic = self.engine.open(request, self.now)
        wanted = Notification(Mode.TIME_BASED, 10, insensitivity)
        subscription = self.engine.subscribe(statistic, wanted, None, self.now)
        self.engine.value_for(subscription, self.now)
        return subscription

    def heard(self) -> list[tuple[float, Any]]:
        return [
            ((t - MIDNIGHT) / 1000, value.value)
            for t, _, kind, value, _ in self.telling.told
            if kind == "Info"
        ]


@pytest.fixture(params=[Engine, PlainEngine])
def site(request: pytest.FixtureRequest) -> Round:
    """Either way, so that what is expected here is what the plain way tells."""
    return Round(request.param(DEFINITIONS, DIRECTORY, OPTIONS))


def test_the_next_event_may_say_that_it_was_opened_earlier(site: Round) -> None:
    site.say(0, e.EventAgentLogin, agent_id="a1")
    site.open("TotalNumber")
    site.wait(29)
    for insensitivity in range(2, 30):
        busy = "*,~LoggedOut,~NotMonitored"
        agent, wanted = ("Agent", "a1"), insensitivity / 2 + 5
        site.open("TotalTime", busy, subject="AgentStatus", object=agent, insensitivity=wanted)
    site.say(22, e.EventOnHook, "7003", late=9)
    site.wait(60)
    assert (50, 19) in site.heard()


def test_who_goes_on_hears_what_he_has_missed(site: Round) -> None:
    subscription = site.open("TotalNumber")
    site.engine.suspend(subscription, True)
    site.say(1, e.EventEstablished)
    site.say(5, e.EventReleased)
    site.wait(25)
    site.engine.suspend(subscription, False)
    site.wait(31)
    assert site.heard() == [(30, 1)]


def test_who_joins_a_group_brings_what_goes_on(site: Round) -> None:
    site.say(1, e.EventAgentLogin, "7001", agent_id="a1")
    site.say(1, e.EventAgentReady, "7001", agent_id="a1")
    site.say(1, e.EventAgentLogin, "7002", agent_id="a2")
    site.say(1, e.EventAgentReady, "7002", agent_id="a2")
    group = ("GroupAgents", "Sales")
    site.open("CurrentNumber", "WaitForNextCall", subject="AgentStatus", object=group)
    site.wait(15)
    site.telling.regroup(("a1",), site.now)
    site.wait(45)
    site.telling.regroup(("a1", "a2"), site.now)
    site.wait(61)
    assert site.heard() == [(21, 1), (51, 2)]


def test_what_another_server_had_counted_of_who_has_left_is_told(site: Round) -> None:
    """No row here has anything to do with it."""
    there = Round(Engine(DEFINITIONS, DIRECTORY, OPTIONS))
    for each in (there, site):
        each.say(1, e.EventAgentLogin, agent_id="a1")
    theirs = there.open("TotalNumber", object=("GroupAgents", "Sales")).statistic
    for each in (there, site):
        each.say(2, e.EventEstablished)
        each.say(5, e.EventReleased)
        each.telling.regroup((), each.now)
    ours = site.open("TotalNumber", object=("GroupAgents", "Sales")).statistic
    site.wait(35)
    assert not ours.nodes
    adopt_statistic(site.engine, ours, export_statistic(theirs), site.now)
    site.wait(46)
    assert site.heard() == [(45, 1)]


def test_a_time_of_a_group_grows_with_every_member(site: Round) -> None:
    """So it is told the sooner, the more of them there are."""
    for dn, agent in (("7001", "a1"), ("7002", "a2")):
        site.say(0, e.EventAgentLogin, dn, agent_id=agent)
    group, busy = ("GroupAgents", "Sales"), "*,~LoggedOut,~NotMonitored"
    site.open("TotalTime", busy, subject="AgentStatus", object=group, insensitivity=55)
    site.say(2, e.EventOnHook, "7003")  # now it is certain since when it counts
    site.wait(61)
    assert site.heard() == [(30, 60), (60, 120)]


def test_a_window_lets_go_of_what_was_in_it(site: Round) -> None:
    site.open("TotalNumber", profile="Sliding:30:10")
    site.say(1, e.EventEstablished)
    site.say(5, e.EventReleased)
    site.wait(61)
    assert site.heard() == [(10, 1), (30, 0)]


def test_a_share_of_the_time_falls_with_the_time(site: Round) -> None:
    site.open("ElapsedTimePercentage")
    site.say(1, e.EventEstablished)
    site.say(6, e.EventReleased)
    site.wait(31)
    assert site.heard() == [(10, 50.0), (20, 25.0), (30, pytest.approx(100 / 6))]


@pytest.mark.parametrize(("insensitivity", "told"), [(1, 9), (25, 3), (1000, 0)])
def test_a_time_that_grows_is_told_when_it_has_grown_enough(
    site: Round, insensitivity: int, told: int
) -> None:
    site.say(0, e.EventAgentLogin, agent_id="a1")
    agent = ("Agent", "a1")
    busy = "*,~LoggedOut,~NotMonitored"
    site.open("TotalTime", busy, subject="AgentStatus", object=agent, insensitivity=insensitivity)
    site.say(1, e.EventOnHook, "7003")
    site.wait(91)
    assert len(site.heard()) == told


def test_who_grows_enough_in_each_round_is_told_in_each(site: Round) -> None:
    """Also where rounds are not at the full tens of seconds."""
    site.say(0, e.EventAgentLogin, agent_id="a1")
    site.wait(5)
    agent, busy = ("Agent", "a1"), "*,~LoggedOut,~NotMonitored"
    site.open("TotalTime", busy, subject="AgentStatus", object=agent, insensitivity=10)
    site.say(6, e.EventOnHook, "7003")
    site.wait(36)
    assert site.heard() == [(15, 10), (25, 20), (35, 30)]


def test_a_time_that_was_taken_back_with_the_clock_is_told(site: Round) -> None:
    """It had grown by the minutes in which nothing came; then the source says how late it is."""
    site.say(0, e.EventAgentLogin, agent_id="a1")
    agent, busy = ("Agent", "a1"), "*,~LoggedOut,~NotMonitored"
    site.open("TotalTime", busy, subject="AgentStatus", object=agent, insensitivity=30)
    site.say(1, e.EventOnHook, "7003")
    site.wait(65)
    site.say(2, e.EventOffHook, "7003", late=70)
    site.wait(111)
    assert site.heard() == [(30, 30), (60, 60), (80, 10), (110, 40)]


def test_who_is_touched_later_is_looked_at_again(site: Round) -> None:
    site.open("TotalNumber")
    site.open("CurrentNumber")
    site.say(15, e.EventEstablished)
    site.say(38, e.EventReleased)
    site.wait(61)
    assert site.heard() == [(20, 1), (40, 1), (40, 0)]


def test_a_reset_is_a_change_though_nothing_happens(site: Round) -> None:
    site.open("TotalNumber", profile="Growing:0:00 +0:01")
    site.say(1, e.EventEstablished)
    site.say(5, e.EventReleased)
    site.wait(80)
    assert site.heard() == [(10, 1), (60, 0)]


def test_a_clock_that_is_set_back_over_a_reset_brings_the_value_back(site: Round) -> None:
    site.open("TotalNumber", profile="Growing:0:00 +0:01")
    site.say(1, e.EventEstablished)
    site.say(5, e.EventReleased)
    site.say(58, e.EventOnHook, "7003")
    site.wait(61)
    site.say(59, e.EventOffHook, "7003", late=10.5)
    site.wait(81)
    assert site.heard() == [(10, 1), (60, 0), (70, 1), (80, 0)]
