"""Planted bugs: each must be caught by the random schedules, or they prove nothing.

A seed is a schedule, the same for every bug; without a bug none of them fails.
Bugs that end in the same numbers by another way, or that need what the schedules
do not have, are caught by one story each.
"""

import random

import ha_pair
import pytest
import test_ha_intake as intake
import test_ha_scenarios as scenarios
from test_ha_random import STEPS, play

from statserver_trio.ha import coverage
from statserver_trio.ha.addp import Addp, State
from statserver_trio.ha.coverage import Choice
from statserver_trio.ha.deletion import Deletion
from statserver_trio.ha.installation import Installation
from statserver_trio.ha.messages import ChunkAck
from statserver_trio.ha.replication import Replication
from statserver_trio.ha.session import Session
from statserver_trio.ha.source_intake import SourceIntake
from statserver_trio.machine import Send

SEEDS = 100
# An action ends while the chunk travels that does not contain its end.
TRAVELLING = "slow, event, wait, open A, wait a moment, event, wait".split(", ")


def schedule(seed):
    rng = random.Random(seed)
    return [(rng.choice(STEPS), rng.randint(0, 5)) for _ in range(rng.randint(20, 80))]


def is_caught():
    schedules = [[(step, 0) for step in TRAVELLING], *map(schedule, range(SEEDS))]
    for steps in schedules:
        try:
            play(steps).check()
        except AssertionError:
            return True
    return False


def adding_instead_of_adopting(monkeypatch):
    install = ha_pair.Engine.install

    def add(self, item, as_of, anew):
        mine = self.statistics.get(item.key)
        before = (mine.count, mine.total) if mine else (0, 0)
        result = install(self, item, as_of, anew)
        self.statistics[item.key].count += before[0]
        return result

    monkeypatch.setattr(ha_pair.Engine, "install", add)


def forgetting_the_tail(monkeypatch):
    install = ha_pair.Engine.install

    def forget(self, item, as_of, anew):
        tails, self.tail = self.tail, {name: [] for name in self.tail}
        result = install(self, item, as_of, anew)
        self.tail = tails
        return result

    monkeypatch.setattr(ha_pair.Engine, "install", forget)


def taking_whatever_comes(monkeypatch):
    monkeypatch.setattr(ha_pair, "choose", lambda *args: Choice.TAKE)


def acknowledging_before_applying(monkeypatch):
    received = Installation._received

    def hasty(self, chunk, now):
        actions = received(self, chunk, now)
        results = [ha_pair.Result.OPENED] * len(chunk.items)
        ack = Send(ChunkAck(chunk.seq, results, {}, 0.0, 0.0, 0.0))
        self._installing = None
        return [ack] if actions else actions

    monkeypatch.setattr(Installation, "_received", hasty)


def restoring_any_session(monkeypatch):
    monkeypatch.setattr(Session, "_can_restore", lambda self, memory, *rest: True)
    monkeypatch.setattr(Session, "_begin", lambda self, session: setattr(self, "id", session))


def dropping_the_chunk_in_flight(monkeypatch):
    def drop(self):
        self._in_flight = []

    monkeypatch.setattr(Replication, "_take_back", drop)


def skipping_holes(monkeypatch):
    monkeypatch.setattr(SourceIntake, "_hole_before", lambda *args: None)


def applying_snapshots_always(monkeypatch):
    drain = SourceIntake.drain

    def eager(self, now, *most):
        self._wants_snapshots = True
        return drain(self, now, *most)

    monkeypatch.setattr(SourceIntake, "drain", eager)


def never_polling(monkeypatch):
    monkeypatch.setattr(Addp, "next_deadline", lambda self: float("inf"))


BUGS = [
    adding_instead_of_adopting,
    forgetting_the_tail,
    taking_whatever_comes,
    acknowledging_before_applying,
    restoring_any_session,
    dropping_the_chunk_in_flight,
    skipping_holes,
    applying_snapshots_always,
    never_polling,
]


def test_without_a_bug_nothing_is_caught():
    assert not is_caught()


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_caught(bug, monkeypatch):
    bug(monkeypatch)
    assert is_caught()


# -- bugs that a story catches -------------------------------------------------------------


def never_expiring(monkeypatch):
    monkeypatch.setattr(Session, "_is_expired", lambda self, now: False)
    monkeypatch.setattr(Session, "_expire", lambda self: [])


def never_giving_up(monkeypatch):
    handle_timer = Addp.handle_timer

    def ask_again(self, now):
        if self.state is State.POLLED and now >= self.next_deadline():
            return self._poll(now)
        return handle_timer(self, now)

    monkeypatch.setattr(Addp, "handle_timer", ask_again)


def applying_duplicates(monkeypatch):
    arrived = SourceIntake.arrived

    def again(self, events, now):
        repeated = [p for p, line in events if self.applied and line and p and p <= self.applied]
        if repeated:
            self.applied = min(repeated) - 1
        return arrived(self, events, now)

    monkeypatch.setattr(SourceIntake, "arrived", again)


def breaking_ties_by_arrival(monkeypatch):
    monkeypatch.setattr(coverage, "_rank", lambda ranges: 0)  # each takes what comes


def forgetting_tombstones(monkeypatch):
    deleted = Deletion._deleted

    def forget(self, keys, now):
        actions = deleted(self, keys, now)
        self.tombstones.clear()
        return actions

    monkeypatch.setattr(Deletion, "_deleted", forget)


STORIES = {
    never_expiring: scenarios.test_scenario_07_one_side_that_has_expired_is_enough,
    never_giving_up: lambda: scenarios.test_a_dead_peer_is_found_between_one_and_two_timeouts(
        0.001, 0.0
    ),
    applying_duplicates: intake.test_events_in_order_and_duplicates,
    breaking_ties_by_arrival: lambda: intake.test_both_members_choose_the_same(*intake.CHOICES[-1]),
    forgetting_tombstones: scenarios.test_scenario_16_deletion_while_disconnected,
}


@pytest.mark.parametrize("bug", STORIES, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_caught_by_its_story(bug, monkeypatch):
    STORIES[bug]()
    bug(monkeypatch)
    with pytest.raises(AssertionError):
        STORIES[bug]()
