"""Lag: who stays behind the peer asks it for what no later event has shown to be missing."""

import itertools

import pytest

from statserver_trio.ha.clock_offset import WallClock
from statserver_trio.ha.feed_words import (
    Arrived,
    PeerAbsent,
    SourceAdded,
    SourceAt,
    SourceAway,
    SourceDescribed,
)
from statserver_trio.ha.intake import Intake
from statserver_trio.ha.intake_options import IntakeOptions
from statserver_trio.ha.messages import JoinRequest, Journal, JournalRequest, Standing
from statserver_trio.ha.source_intake import BEHIND_SECONDS, State
from statserver_trio.ha.store import ApplyEvents
from statserver_trio.machine import Send

PATIENCE = IntakeOptions().gap_timeout
MISSED = [(11, b"11"), (12, b"12")]
ASKED = [Send(JournalRequest("s", 11, 12))]


@pytest.fixture
def intake():
    """At 10, linked with a peer that has the same picture and is at 12 since second 1."""
    intake = at_10(contiguous=True)
    intake.peer_at({"s": 12}, 1)
    return intake


def at_10(contiguous):
    ids = map(str, itertools.count())
    intake = Intake(True, lambda: next(ids), WallClock())
    intake.handle_event(SourceAdded("s", contiguous), 0)
    intake.handle_event(PeerAbsent(), 0)
    intake.handle_event(SourceAt("s", 10), 0)
    intake.handle_event(SourceDescribed("s"), 0)
    intake.open(intake.standings, False, 0)
    return intake


def looked(intake, now):
    """What it does then about being behind."""
    return intake.handle_timer(now) if intake.next_deadline() <= now else []


def test_whoever_is_behind_for_long_asks_the_peer(intake):
    assert looked(intake, 1 + PATIENCE - 0.5) == []
    assert looked(intake, 1 + PATIENCE) == ASKED
    answer = intake.handle_event(Journal("s", 11, 12, MISSED, True), 7)
    assert answer == [ApplyEvents("s", MISSED)]
    source = intake.sources["s"]
    assert (source.state, source.applied, source.repaired) == (State.LIVE, 12, 1)
    assert looked(intake, 9 + PATIENCE) == [], "nothing is missing any more"


def test_what_the_peer_cannot_say_either_is_not_lost(intake):
    assert looked(intake, 1 + PATIENCE) == ASKED
    assert intake.handle_event(Journal("s", 11, 12, [], False), 7) == []
    source = intake.sources["s"]
    assert (source.state, source.left, source.coverage) == (State.LIVE, 0, [])
    assert intake.handle_event(Arrived("s", MISSED), 8) == [ApplyEvents("s", MISSED)]


def test_a_silent_peer_is_not_waited_for(intake):
    assert looked(intake, 1 + PATIENCE) == ASKED
    assert looked(intake, 1 + 2 * PATIENCE) == []
    assert intake.sources["s"].state is State.LIVE


def test_what_the_own_feed_brings_meanwhile_is_applied_at_once(intake):
    assert looked(intake, 1 + PATIENCE) == ASKED
    assert intake.handle_event(Arrived("s", MISSED), 6.5) == [ApplyEvents("s", MISSED)]
    assert intake.handle_event(Journal("s", 11, 12, MISSED, True), 7) == []


def test_whoever_caught_up_in_between_has_not_been_behind_for_long(intake):
    intake.handle_event(Arrived("s", MISSED), 2)
    intake.peer_at({"s": 13}, 4)
    assert looked(intake, 1 + PATIENCE) == []
    assert looked(intake, 4 + PATIENCE) == [Send(JournalRequest("s", 13, 13))]


def test_further_and_further_behind_is_behind_since_the_beginning(intake):
    intake.peer_at({"s": 14}, 4)
    assert looked(intake, 1 + PATIENCE) == [Send(JournalRequest("s", 11, 14))]


def test_without_a_peer_there_is_nothing_to_be_behind_of(intake):
    intake.close(2)
    assert looked(intake, 1 + PATIENCE) == []


def test_where_positions_only_grow_the_next_one_says_nothing():
    intake = at_10(contiguous=False)
    intake.peer_at({"s": 12}, 1)
    assert looked(intake, 1 + PATIENCE) == []


def test_a_peer_that_has_not_noticed_that_the_source_counts_anew_is_not_ahead():
    intake = at_10(contiguous=True)
    as_before = {"s": intake.standings["s"]}
    assert isinstance(as_before["s"], Standing)
    intake.handle_event(SourceAt("s", 3), 0.5)
    assert intake.sources["s"].restarts == 1
    intake.open(as_before, False, 1)
    intake.peer_at({"s": 12}, 1)
    (told,) = looked(intake, 1 + PATIENCE)
    assert told == Send(JoinRequest(1, {}, intake.standings)), "so it learns that it does"


SNAPSHOT = (None, b"snapshot")


@pytest.mark.parametrize(
    ("event", "is_lost"), [((11, b"11"), False), ((12, b"12"), True), ((13, b"13"), True)]
)
def test_snapshots_because_of_what_the_peer_has_given_are_not_wanted(intake, event, is_lost):
    """They come later than the events that follow them happened (days 1066955, 1067666)."""
    assert looked(intake, 1 + PATIENCE) == ASKED
    intake.handle_event(Journal("s", 11, 12, MISSED, True), 7)
    intake.handle_event(Arrived("s", [event]), 8)  # the first that our own feed tells
    came = intake.handle_event(Arrived("s", [SNAPSHOT]), 9)
    assert came == ([] if is_lost else [ApplyEvents("s", [SNAPSHOT])])


def test_a_feed_that_has_lost_events_does_not_count_anew(intake):
    """It stays behind what the peer told, and has been at the same event before (day 300049)."""
    assert looked(intake, 1 + PATIENCE) == ASKED
    intake.handle_event(Journal("s", 11, 12, MISSED, True), 7)
    assert looked(intake, 8 + BEHIND_SECONDS) == []
    assert intake.sources["s"].restarts == 0


def test_a_feed_that_greets_behind_what_the_peer_told_does_not_count_anew(intake):
    """Its greeting was under way while the peer was asked (day 500745)."""
    intake.handle_event(SourceAway("s"), 2)
    assert looked(intake, 1 + PATIENCE) == ASKED
    intake.handle_event(Journal("s", 11, 12, MISSED, True), 7)
    assert intake.handle_event(SourceAt("s", 11), 7.5) == []
    assert intake.handle_event(Arrived("s", MISSED[1:]), 8) == []
    more = [(13, b"13")]
    assert intake.handle_event(Arrived("s", more), 8) == [ApplyEvents("s", more)]
    assert intake.sources["s"].restarts == 0
