"""Planted bugs: each must be caught by the random schedules, or they prove nothing.

A seed is a schedule, the same for every bug; without a bug none of them fails.
"""

import random

import ha_pair
import pytest
from test_ha_random import STEPS, play

from statserver_trio.ha.addp import Addp
from statserver_trio.ha.coverage import Choice
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
