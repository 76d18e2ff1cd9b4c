"""Waiting, and being woken before the time is up."""

from math import inf

from statserver_trio.simulator.agenda import Agenda


def run(agenda):
    while agenda.next_time() < inf:
        agenda.run_next()


def sleeper(agenda, log, name, *waits):
    for wait in waits:
        woken = yield wait
        log.append((agenda.now, name, woken))


def test_stories_run_side_by_side():
    agenda, log = Agenda(100.0), []
    agenda.start(sleeper(agenda, log, "a", 1, 2))
    agenda.start(sleeper(agenda, log, "b", 2, 1))
    run(agenda)
    assert log == [(101, "a", False), (102, "b", False), (103, "a", False), (103, "b", False)]


def test_who_is_woken_does_not_wait_on():
    agenda, log = Agenda(0.0), []
    woken = agenda.start(sleeper(agenda, log, "a", inf, 5))

    def waker():
        yield 3
        agenda.wake(woken)
        agenda.wake(woken)
        log.append((agenda.now, "waker", None))

    agenda.start(waker())
    run(agenda)
    assert log == [(3, "waker", None), (3, "a", True), (8, "a", False)]


def test_waking_wins_over_the_same_moment():
    agenda, log = Agenda(0.0), []

    def waker():
        yield 3
        agenda.wake(process)

    agenda.start(waker())
    process = agenda.start(sleeper(agenda, log, "a", 3))
    run(agenda)
    assert log == [(3, "a", True)]


def test_who_is_done_cannot_be_woken():
    agenda, log = Agenda(0.0), []
    process = agenda.start(sleeper(agenda, log, "a", 1))
    run(agenda)
    agenda.wake(process)
    run(agenda)
    assert log == [(1, "a", False)]
    assert agenda.next_time() == inf
