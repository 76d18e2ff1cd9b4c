"""Positions: coverage and journal by example, the intake of one source as stories."""

import doctest
import itertools
from collections import Counter
from math import inf

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.ha import coverage
from statserver_trio.ha.clock_offset import WallClock
from statserver_trio.ha.coverage import (
    Choice,
    better,
    choose,
    clipped,
    contains,
    holes,
    merged,
    size,
)
from statserver_trio.ha.feed_words import (
    Arrived,
    PeerAbsent,
    Restored,
    SnapshotsFollow,
    SourceAdded,
    SourceAt,
    SourceAway,
    SourceDescribed,
)
from statserver_trio.ha.held import FACT
from statserver_trio.ha.intake import SERVE_SHARE, Intake
from statserver_trio.ha.intake_options import IntakeOptions
from statserver_trio.ha.journal import RANGE_BYTES_MAX, Journal
from statserver_trio.ha.messages import JoinRequest, JoinState, JournalRequest, Standing
from statserver_trio.ha.messages import Journal as JournalAnswer
from statserver_trio.ha.rejoining import HOPE_MAX
from statserver_trio.ha.rejoining import INTERVAL as REJOIN_INTERVAL
from statserver_trio.ha.source_intake import (
    BEHIND_SECONDS,
    DRAIN_EVENTS_MAX,
    DRAIN_PAUSE,
    SourceIntake,
    State,
)
from statserver_trio.ha.store import (
    AdoptWorld,
    ApplyEvents,
    BeginAt,
    HoleLeft,
    ServeJoin,
    WorldBuilt,
)
from statserver_trio.machine import Send

RANGES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6)


def test_the_examples_in_the_text():
    assert doctest.testmod(coverage).failed == 0


def positions(ranges):
    return {p for first, last in ranges for p in range(first, last + 1)}


@given(RANGES, RANGES, st.integers(0, 30), st.integers(0, 30))
def test_ranges_are_sets_of_positions(one, other, first, last):
    window = set(range(first, last + 1))
    assert positions(merged(one)) == positions(one)
    assert size(merged(one)) == len(positions(one))
    assert positions(clipped(one, first, last)) == positions(one) & window
    assert positions(holes(merged(one), first, last)) == window - positions(one)
    assert contains(merged(one), other) == (positions(other) <= positions(one))


# mine, where I stand, theirs, as of; what I do with theirs, what they do with mine
CHOICES = [
    ([(1, 9)], 9, [(1, 9)], 9, Choice.KEEP, Choice.KEEP),
    ([(1, 9)], 9, [(1, 5)], 5, Choice.KEEP, Choice.KEEP),
    ([(5, 9)], 9, [(1, 5)], 5, Choice.TAKE, Choice.KEEP_MORE),
    ([], 9, [(1, 9)], 9, Choice.TAKE, Choice.KEEP_MORE),
    ([(1, 3), (5, 9)], 9, [(1, 9)], 9, Choice.TAKE, Choice.KEEP_MORE),
    ([(1, 3), (6, 9)], 9, [(1, 6), (8, 9)], 9, Choice.TAKE_INEXACT, Choice.KEEP_INEXACT),
    ([(1, 8)], 9, [(2, 9)], 9, Choice.KEEP_INEXACT, Choice.TAKE_INEXACT),
]


@pytest.mark.parametrize(("mine", "here", "theirs", "there", "i_do", "they_do"), CHOICES)
def test_both_members_choose_the_same(mine, here, theirs, there, i_do, they_do):
    assert choose({"s": mine}, {"s": theirs}, {"s": here}, {"s": there}) is i_do
    assert choose({"s": theirs}, {"s": mine}, {"s": there}, {"s": here}) is they_do


BEFORE = coverage.former("s")


@pytest.mark.parametrize(
    ("mine", "theirs", "i_do", "they_do"),
    [
        ([(1, 90)], [(1, 90)], Choice.KEEP, Choice.KEEP),
        ([(1, 90)], [(1, 95)], Choice.TAKE, Choice.KEEP_MORE),
        ([(1, 90)], [], Choice.KEEP_MORE, Choice.TAKE),
        ([(1, 90)], [(5, 95)], Choice.TAKE_INEXACT, Choice.KEEP_INEXACT),
    ],
)
def test_what_was_told_in_old_numbers_is_compared_whole(mine, theirs, i_do, they_do):
    one, other = ({"s": [(0, 9)], BEFORE: old} for old in (mine, theirs))
    assert choose(one, other, {"s": 9}, {"s": 9}) is i_do
    assert choose(other, one, {"s": 9}, {"s": 9}) is they_do


def test_a_hole_in_old_numbers_is_not_asked_for():
    assert coverage.missing({"s": [(0, 3), (5, 9)]}, {"s": 9})
    assert not coverage.missing({"s": [(0, 9)], BEFORE: [(0, 3), (5, 9)]}, {"s": 9})


def line(position):
    return b"%d" % position


def test_a_journal_gives_whole_ranges_or_nothing():
    journal = Journal(100, 60)
    for position in (1, 2, 3, 7, 8):
        journal.append(position, line(position), 0)
    journal.append(8, b"again", 0)
    assert journal.range(2, 3) == [(2, b"2"), (3, b"3")]
    assert journal.range(3, 7) is None
    journal.fill(4, 6, [(p, line(p)) for p in (4, 5, 6)], 0)
    assert journal.range(1, 8) == [(p, line(p)) for p in range(1, 9)]
    assert journal.range(8, 9) is None
    assert journal.size == 8


def test_a_journal_is_bounded_by_events_and_by_time():
    journal = Journal(5, 10)
    for position in range(1, 10):
        journal.append(position, line(position), position)
    assert (journal.size, journal.range(4, 5)) == (5, None)
    assert journal.range(5, 9) is not None
    journal.append(10, b"10", 18)
    assert journal.range(7, 9) is None
    assert journal.range(8, 10) is not None
    journal.change(1, 10, 18)
    assert journal.range(10, 10) == [(10, b"10")]
    journal.clear()
    assert (journal.size, journal.last) == (0, None)


def test_positions_that_only_grow_have_holes_where_the_stream_was_interrupted():
    journal = Journal(100, 60, contiguous=False)
    journal.append(10, b"", 0)
    journal.append(20, b"", 0)
    assert journal.range(11, 19) == []
    journal.interrupted()
    journal.append(30, b"", 0)
    assert journal.range(21, 29) is None
    journal.fill(21, 29, [(25, b"")], 0)
    assert journal.range(10, 30) == [(p, b"") for p in (10, 20, 25, 30)]


def test_a_long_range_is_given_out_in_pieces():
    journal = Journal(100, 60)
    for position in range(1, 11):
        journal.append(position, b"x" * (RANGE_BYTES_MAX // 3), 0)
    assert [journal.piece(first, 10)[0] for first in (1, 4, 7, 10)] == [3, 6, 9, 10]


def events(*numbers):
    return [(n, line(n)) for n in numbers]


SNAPSHOT = (None, b"snapshot")


def live(contiguous=True, at=10):
    ids = itertools.count()

    def standing(since, now):
        return Standing(f"l{next(ids)}", since, now)

    source = SourceIntake("s", contiguous, Journal(100, 60, contiguous), standing)
    assert source.stands_at(at, 0) == []
    assert source.alone(0) == [BeginAt("s", at)]
    assert source.arrived([SNAPSHOT], 0) == [ApplyEvents("s", [SNAPSHOT])]
    return source


def test_events_in_order_and_duplicates():
    source = live()
    assert source.arrived(events(11, 12), 1) == [ApplyEvents("s", events(11, 12))]
    assert source.arrived(events(11, 12, 13), 1) == [ApplyEvents("s", events(13))]
    assert (source.duplicates, source.applied, source.coverage) == (2, 13, [(11, 13)])


def test_a_hole_is_filled_and_what_was_held_follows():
    source = live()
    assert source.arrived(events(11, 14), 1) == [ApplyEvents("s", events(11))]
    assert (source.state, source.hole) == (State.HOLE, (12, 13))
    assert source.arrived([SNAPSHOT, *events(15, 18)], 2) == []
    assert source.fill(12, events(12), 3) == [ApplyEvents("s", events(12))]
    assert source.fill(13, events(13), 3) == [
        ApplyEvents("s", events(13)),
        ApplyEvents("s", events(14, 15)),
    ]
    assert source.hole == (16, 17)
    assert source.leave(9) == [HoleLeft("s", 16, 17, waited=6), ApplyEvents("s", events(18))]
    assert source.coverage == [(11, 15), (18, 18)]
    assert (source.repaired, source.left, source.standing) == (1, 1, Standing("l1", 17, 9))


def test_a_feed_that_was_away_says_where_it_stands():
    source = live()
    assert source.stands_at(10, 1) == []
    assert source.arrived([SNAPSHOT], 1) == []  # nothing was missed
    assert source.stands_at(12, 2) == []
    assert source.hole == (11, 12)
    source.arrived([SNAPSHOT, *events(13)], 2)
    assert source.leave(7) == [
        HoleLeft("s", 11, 12, waited=5),
        ApplyEvents("s", [SNAPSHOT, *events(13)]),
    ]


FROM_FILE = Restored("s", 20, Standing("file", 3, 1.5), [(4, 9), (11, 20)])


def restarted(contiguous=True, event=FROM_FILE):
    """A source of which there was a backup file."""
    new = lambda since, now: Standing("new", since, now)  # noqa: E731
    source = SourceIntake("s", contiguous, Journal(100, 60, contiguous), new)
    source.restored(event)
    return source


def test_a_restarted_member_goes_on_where_it_was():
    source = restarted()
    assert (source.state, source.applied, source.standing) == (State.LIVE, 20, FROM_FILE.standing)
    assert source.as_of_now() == FROM_FILE
    assert not source.is_whole  # there may be a hole before the first word of the feed
    assert source.arrived(events(21, 22), 0) == [ApplyEvents("s", events(21, 22))]
    assert source.is_whole
    assert source.arrived([SNAPSHOT], 0) == []  # the feed goes on, so they tell us nothing
    assert source.coverage == [(4, 9), (11, 22)]
    assert source.journal.range(21, 22) == events(21, 22)
    assert source.journal.range(20, 22) is None  # what came before is not here, only known


def test_what_a_restarted_member_missed_is_a_hole_like_any_other():
    source = restarted()
    assert source.stands_at(25, 0) == []
    assert (source.state, source.hole) == (State.HOLE, (21, 25))
    waiting = source.as_of_now()  # a second restart, before it is filled
    assert (waiting.position, waiting.wants_snapshots) == (20, True)
    source.arrived([SNAPSHOT], 0)
    assert source.fill(25, events(*range(21, 26)), 1) == [
        ApplyEvents("s", events(*range(21, 26))),
    ]
    assert (source.standing, source.coverage) == (FROM_FILE.standing, [(4, 9), (11, 25)])


def test_snapshots_that_were_still_to_come_are_welcome_after_a_restart():
    source = restarted(event=evolve(FROM_FILE, wants_snapshots=True, described=False))
    assert source.arrived([SNAPSHOT], 0) == [ApplyEvents("s", [SNAPSHOT])]
    assert not source.is_whole
    source.is_described()
    assert source.is_whole


def test_a_peer_that_has_not_noticed_that_the_source_counts_anew_has_nothing_for_us():
    source = live(at=0)
    theirs = source.standing  # in step until now
    source.arrived(events(1, 2), 1)
    source.stands_at(0, 1)
    assert better(theirs, source.standing, i_accept=False)  # it began earlier; in old numbers
    assert not source.is_worse(theirs, i_accept=False)
    assert source.is_worse(Standing("another", 0, 0), i_accept=False)


def test_a_source_that_stood_further_when_it_greeted_last_begins_anew():
    # Although it has told no event since (simulation, rough day 469).
    source = live(at=64)
    source.comes_or_goes(away=True)
    [alarm, begin] = source.stands_at(0, 1)
    assert alarm.level == "alarm"
    assert begin == BeginAt("s", 0)


def test_a_source_that_was_restarted_as_well_begins_anew():
    source = restarted()
    [alarm, begin] = source.stands_at(7, 1)
    assert alarm.level == "alarm"
    assert begin == BeginAt("s", 7)
    assert source.standing == Standing("new", 7, 1, replaces="file")


def test_a_feed_that_is_back_with_nothing_new_has_been_heard():
    source = restarted()
    source.comes_or_goes(away=True)
    assert not source.is_whole
    source.comes_or_goes(away=False)
    assert source.is_whole


def after_a_restart():
    wall = WallClock()
    wall.set(1000.0, 0.0)
    intake = Intake(True, lambda: "new", wall, IntakeOptions(gap_timeout=5, join_timeout=30))
    for event in (SourceAdded("s"), SourceAdded("t"), FROM_FILE):
        assert intake.handle_event(event, 0) == []
    return intake


def test_only_what_is_not_in_the_file_waits_for_the_peer():
    intake = after_a_restart()
    intake.start(0)
    assert intake.is_joining  # the other source
    assert not intake.is_fresh
    assert intake.positions == {"s": 20}
    assert intake.standings == {"s": FROM_FILE.standing}
    assert intake.open({}, False, 1) == [Send(JoinRequest(1, {"t": 0}, intake.standings))]


def test_the_hole_after_a_restart_waits_for_the_first_link():
    intake = after_a_restart()
    intake.start(0)
    intake.handle_event(SourceAt("s", 25), 1)
    assert intake.next_deadline() == 30
    assert intake.handle_timer(20) == []
    asked = intake.open({"s": FROM_FILE.standing}, False, 21)
    assert Send(JournalRequest("s", 21, 25)) in asked
    assert intake.handle_timer(25.9) == []
    assert HoleLeft("s", 21, 25, waited=25) in intake.handle_timer(26)


def test_nobody_to_wait_for_no_patience():
    intake = after_a_restart()
    intake.start(0)
    intake.handle_event(SourceAt("s", 25), 1)
    intake.handle_event(PeerAbsent(), 2)
    assert HoleLeft("s", 21, 25, waited=5) in intake.handle_timer(6)


def test_a_joiner_goes_on_from_the_peers_picture():
    source = live()
    source.join()
    assert source.arrived([SNAPSHOT, *events(11, 12, 13)], 1) == []
    theirs = Standing("theirs", 3, 0)
    assert source.adopt(12, theirs, 2) == [ApplyEvents("s", events(13))]
    assert (source.standing, source.coverage) == (theirs, [(13, 13)])


def test_a_joiner_asks_for_what_lies_between():
    source = live()
    source.join()
    source.arrived(events(15), 1)
    assert source.adopt(12, Standing("theirs", 3, 0), 2) == []
    assert source.hole == (13, 14)


def test_positions_that_only_grow_have_a_hole_only_after_an_interruption():
    source = live(contiguous=False)
    assert source.arrived(events(20), 1) == [ApplyEvents("s", events(20))]
    source.interrupted()
    assert source.arrived(events(30), 2) == []
    assert source.hole == (21, 29)
    assert source.fill(29, events(25), 3) == [
        ApplyEvents("s", events(25)),
        ApplyEvents("s", events(30)),
    ]


LINK_DOWN = (FACT, b"link down")
IT_HAPPENED = (None, b"link down")


def test_a_fact_without_a_number_is_applied_where_it_comes():
    source = live()
    source.stands_at(10, 1)  # nothing was missed: snapshots are not wanted any more
    assert source.arrived([*events(11), LINK_DOWN, *events(12)], 1) == [
        ApplyEvents("s", [*events(11), IT_HAPPENED, *events(12)])
    ]
    assert source.arrived([SNAPSHOT], 2) == [ApplyEvents("s", [SNAPSHOT])], "they say what is now"


def test_a_fact_is_held_like_an_event_and_forgotten_if_the_picture_has_it():
    source = live()
    source.join()
    source.arrived([*events(11), LINK_DOWN, *events(12, 13), LINK_DOWN], 1)
    assert source.adopt(12, Standing("theirs", 3, 0), 2) == [
        ApplyEvents("s", [*events(13), IT_HAPPENED])
    ]


def test_a_picture_is_whole_when_its_snapshots_have_come():
    source = live()
    assert source.is_whole
    source.described = False  # connected, and the first snapshot has not arrived
    assert not source.is_whole
    source.stands_at(10, 0)  # nothing was missed: no snapshot is needed
    assert source.is_whole


@pytest.mark.parametrize("is_filled", [True, False])
def test_a_picture_with_a_hole_is_whole_when_the_peer_filled_it_or_snapshots_have_come(is_filled):
    # Whoever took it over before they come would never hear of them (simulation, rough day 206).
    intake = after_a_restart()
    source = intake.sources["s"]
    intake.handle_event(SourceAt("s", 20), 0)
    intake.linked = True
    intake.handle_event(SnapshotsFollow("s"), 1)
    intake.handle_event(Arrived("s", events(23)), 1)
    assert source.hole == (21, 22)
    assert source.is_whole  # it waits for the hole, not for the snapshots
    source.fill(22, events(21, 22), 1) if is_filled else source.leave(1)
    assert source.is_whole is is_filled
    intake.handle_event(SourceDescribed("s"), 2)
    assert source.is_whole


def applied(actions):
    return [[position for position, _ in a.events] for a in actions if isinstance(a, ApplyEvents)]


def test_a_lot_that_was_held_is_applied_a_little_at_a_time():
    source = live()
    source.join()
    many = DRAIN_EVENTS_MAX * 2 + 10
    source.arrived(events(*range(11, 11 + many)), 1)
    done = applied(source.adopt(10, Standing("theirs", 3, 0), 2))
    assert [len(each) for each in done] == [DRAIN_EVENTS_MAX]
    assert source.drain_at == 2 + DRAIN_PAUSE
    done += applied(source.arrived(events(11 + many), 2))  # waits behind them
    done += applied(source.drain(3))
    assert [p for each in done for p in each] == list(range(11, 12 + many))
    assert source.drain_at == inf


def test_a_source_that_counts_anew_while_a_lot_is_held_loses_nothing():
    source = live()
    source.join()
    many = DRAIN_EVENTS_MAX + 10
    source.arrived(events(*range(11, 11 + many)), 1)
    source.adopt(10, Standing("theirs", 3, 0), 2)
    done = source.stands_at(3, 2)
    assert applied(done) == [list(range(11 + DRAIN_EVENTS_MAX, 11 + many))]
    assert done[-1] == BeginAt("s", 3)


def test_the_intake_asks_to_be_woken_for_what_is_held():
    intake = Intake(True, lambda: "id", WallClock())
    intake.handle_event(SourceAdded("s"), 0)
    many = DRAIN_EVENTS_MAX + 10
    intake.handle_event(Arrived("s", events(*range(1, 1 + many))), 0)
    done = intake.handle_event(PeerAbsent(), 1)
    assert [len(each) for each in applied(done)] == [DRAIN_EVENTS_MAX]
    deadline = intake.next_deadline()
    assert deadline > 1
    assert [len(each) for each in applied(intake.handle_timer(deadline))] == [10]
    assert intake.next_deadline() == inf


def test_a_source_that_counts_anew():
    source = live()
    source.arrived(events(11), 0)
    assert source.stands_at(3, 1)[-1] == BeginAt("s", 3)
    assert source.arrived(events(4), 1) == [ApplyEvents("s", events(4))]
    assert source.restarts == 1


def begun_anew(actions):
    return [(a.source, a.position) for a in actions if isinstance(a, BeginAt)]


def test_a_source_that_counts_anew_while_the_peers_picture_is_waited_for():
    source = live()
    source.join()
    source.arrived(events(11, 12), 0)
    done = source.stands_at(3, 1)
    assert applied(done) == [[11, 12]]
    assert begun_anew(done) == [("s", 3)]
    assert source.state is State.LIVE


def test_a_source_that_counts_anew_while_a_hole_is_waited_for():
    source = live()
    source.arrived(events(13), 0)
    assert source.state is State.HOLE
    done = source.stands_at(3, 1)
    assert HoleLeft("s", 11, 12, waited=1) in done
    assert begun_anew(done) == [("s", 3)]
    assert source.arrived(events(4), 1) == [ApplyEvents("s", events(4))]


def test_a_source_that_counts_anew_before_anything_has_begun():
    source = SourceIntake("s", True, Journal(100, 60), lambda since, now: Standing("n", since, now))
    source.comes_or_goes(away=False)
    source.arrived(events(11, 12), 0)
    assert source.stands_at(3, 1) == []
    assert begun_anew(source.alone(2)) == [("s", 3)]
    assert source.arrived(events(4), 2) == [ApplyEvents("s", events(4))]


def test_a_feed_that_stays_behind_what_the_peer_told_counts_anew():
    intake = an_intake(accepts=True)
    source = intake.sources["s"]
    source.join()
    source.adopt(1000, Standing("theirs", 0, 0.0), 1)
    assert intake.handle_event(Arrived("s", events(11)), 2) == []
    assert source.behind_until == 2 + BEHIND_SECONDS
    assert intake.handle_event(Arrived("s", events(12)), 3) == []
    done = intake.handle_timer(2 + BEHIND_SECONDS)
    assert begun_anew(done) == [("s", 12)]
    assert ApplyEvents("s", events(13)) in intake.handle_event(Arrived("s", events(13)), 40)


def test_to_ask_for_a_better_picture_again_and_again_does_not_hide_that():
    # The peer has noticed, so its picture never comes: it is behind ours (rough day 833).
    source = live(at=5)
    source.join()
    source.adopt(13, Standing("theirs", 0, 0.0), 1)
    source.comes_or_goes(away=False)
    source.arrived(events(11), 2)
    assert source.look_behind(2) == []
    for now in range(3, 30, 5):
        source.join()
        assert source.behind_until == inf
        assert source.look_behind(now) == []
        source.alone(now + 1)
    assert begun_anew(source.look_behind(2 + BEHIND_SECONDS)) == [("s", 11)]


def test_a_feed_that_comes_up_with_what_the_peer_told_does_not():
    intake = an_intake(accepts=True)
    source = intake.sources["s"]
    source.join()
    source.adopt(13, Standing("theirs", 0, 0.0), 1)
    intake.handle_event(Arrived("s", events(11)), 2)
    intake.handle_event(Arrived("s", events(12, 13, 14)), 3)
    assert source.behind_until == inf
    assert source.applied == 14


def test_a_greeting_of_the_feed_that_is_older_than_what_the_peer_told_us():
    source = live(at=5)
    source.join()
    source.adopt(10, Standing("theirs", 3, 0), 1)
    assert source.stands_at(9, 1) == []
    assert source.arrived(events(10, 11), 2) == [ApplyEvents("s", events(11))]
    assert source.restarts == 0


def an_intake(accepts):
    """Alone from 10 on; the peer has the same picture."""
    ids = map(str, itertools.count())
    intake = Intake(accepts, lambda: next(ids), WallClock())
    intake.handle_event(SourceAdded("s"), 0)
    intake.handle_event(PeerAbsent(), 0)
    intake.handle_event(SourceAt("s", 10), 0)
    intake.open(intake.standings, False, 0)
    return intake


@pytest.mark.parametrize("accepts", [True, False])
def test_a_better_picture_that_comes_too_late_is_asked_for_again(accepts):
    intake = an_intake(accepts)
    intake.handle_event(JoinRequest(1, {"s": 10}), 1)
    intake.handle_event(WorldBuilt(1, ["s"], b""), 1)
    theirs = {"s": Standing("theirs", 3, 0.0)}
    assert intake.handle_event(JoinState(1, {"s": 10}, b"", theirs), 2) == []
    soon = 2 + intake.options.gap_timeout
    assert intake.next_deadline() == soon
    assert intake.handle_timer(soon) == [Send(JoinRequest(1, {"s": 10}))]


def test_a_better_picture_is_waited_for_twice_as_long_as_the_last_one_took():
    intake = an_intake(accepts=True)
    intake.change(IntakeOptions(gap_timeout=1.0, join_timeout=5.0), 0)
    theirs = {"s": Standing("theirs", 3, 0.0)}
    intake.open(theirs, False, now := 100.0)
    waits = []
    for number in range(1, 6):
        assert intake.is_joining
        while intake.is_joining:
            intake.handle_timer(until := intake.next_deadline())
        waits.append(until - now)  # and it goes on with what it has
        assert intake.handle_event(JoinState(number, {"s": 10}, b"", theirs), until + 0.5) == []
        assert intake.handle_timer(until + 1.49) == []
        intake.handle_timer(now := until + 1.5)
    assert waits == [1.0, 3.0, 7.0, 15.0, 30.0]


def test_whoever_is_impatient_asks_again_after_as_long_as_the_answer_took():
    """And not only after gap-timeout, which may be much longer (day 994337)."""
    intake = an_intake(accepts=True)
    intake.change(IntakeOptions(gap_timeout=5.0, join_timeout=0.1), 0)
    theirs = {"s": Standing("theirs", 3, 0.0)}
    intake.open(theirs, False, 100.0)
    intake.handle_timer(100.1)
    assert not intake.is_joining
    assert intake.handle_event(JoinState(1, {"s": 10}, b"", theirs), 101.0) == []
    assert intake.next_deadline() == 102.0
    assert intake.handle_timer(102.0) == [Send(JoinRequest(2, {"s": 10}))]
    assert intake.next_deadline() == 104.0, "and waits for twice as long"


def test_a_picture_that_is_still_on_its_way_is_not_asked_for_again():
    # On a thin link each further one would come later than the one before (day 774056).
    intake = an_intake(accepts=True)
    intake.change(IntakeOptions(gap_timeout=1.0, join_timeout=5.0), 0)
    theirs = {"s": Standing("theirs", 3, 0.0)}
    intake.open(theirs, False, 100.0)
    assert intake.handle_timer(101.0) == []
    assert not intake.is_joining
    assert intake.handle_timer(109.0) == []
    assert intake.next_deadline() == 100.0 + REJOIN_INTERVAL, "should the answer never come"
    assert intake.handle_event(JoinState(1, {"s": 10}, b"", theirs), 110.0) == []
    assert intake.next_deadline() == 111.0
    assert intake.handle_timer(111.0) == [Send(JoinRequest(2, {"s": 10}))]
    assert intake.next_deadline() == 131.0, "as long as it took, and as long again"


def test_nothing_is_exchanged_while_a_better_picture_may_come():
    intake = an_intake(accepts=True)
    intake.change(IntakeOptions(gap_timeout=1.0, join_timeout=5.0), 0)
    theirs = {"s": Standing("theirs", 3, 0.0)}
    assert not intake.hopes
    intake.open(theirs, False, 100.0)
    intake.handle_timer(101.0)
    assert not intake.is_joining
    assert intake.hopes
    intake.handle_event(JoinState(1, {"s": 10}, b"", theirs), 102.0)
    assert intake.hopes, "it is asked for again"
    intake.handle_timer(103.0)
    intake.handle_event(JoinState(2, {}, b"", theirs), 103.1)
    assert not intake.hopes, "the peer has none for us at the moment"


def test_hope_has_an_end():
    """On a link on which a picture takes 100 s."""
    intake = an_intake(accepts=True)
    intake.change(IntakeOptions(gap_timeout=1.0, join_timeout=5.0), 0)
    theirs = {"s": Standing("theirs", 3, 0.0)}
    intake.open(theirs, False, 100.0)
    silent, hopeful, on_its_way = Counter(), Counter(), {200: 1}  # number by when it comes
    for now in range(101, 1110):
        attempt = max(on_its_way.values())
        silent[attempt] += intake.is_joining
        hopeful[attempt] += intake.is_joining or intake.hopes
        said = intake.handle_timer(now)
        if now in on_its_way:
            state = JoinState(on_its_way[now], {"s": 10}, b"", theirs)
            said += intake.handle_event(state, now)
        for each in said:
            on_its_way[now + 100] = each.message.number
    assert list(silent.values()) == [1, *[30] * HOPE_MAX, 1, 1, 1]
    assert list(hopeful.values()) == [101] * HOPE_MAX + [30, 1, 1, 1]


def test_whoever_hears_nothing_says_at_once_that_its_picture_is_behind():
    intake = an_intake(accepts=True)
    assert intake.handle_event(JoinRequest(1, {"s": 20}), 1) == []
    intake.handle_event(SourceAway("s"), 2)
    assert intake.handle_event(JoinRequest(2, {"s": 20}), 3) == [ServeJoin(2, [])]
    assert intake.handle_event(JoinRequest(3, {"s": 10}), 3) == [ServeJoin(3, [])]
    assert intake.handle_event(JoinRequest(4, {"s": 0}), 3) == [ServeJoin(4, ["s"])]


def test_two_that_wait_for_each_other_learn_who_need_not():
    intake = an_intake(accepts=True)
    intake.change(IntakeOptions(join_timeout=3.0), 0)
    mine = intake.standings
    intake.close(1)
    intake.open({"s": Standing("theirs", 3, 0.0)}, False, 1)
    assert intake.is_joining
    intake.handle_event(JoinRequest(1, {"s": 10}), 1)
    patience = intake.options.join_timeout * SERVE_SHARE
    assert ServeJoin(1, []) in intake.handle_timer(1 + patience)
    answer = [Send(JoinState(1, {}, b"", mine))]
    assert intake.handle_event(WorldBuilt(1, [], b""), 1 + patience) == answer


def test_how_good_the_peers_picture_is_is_asked_every_minute():
    intake = an_intake(accepts=True)
    mine = intake.standings["s"]
    assert intake.handle_timer(REJOIN_INTERVAL) == [Send(JoinRequest(1, {}, {"s": mine}))]
    now = REJOIN_INTERVAL + 1
    worse, better_one = Standing("w", 11, mine.began), Standing("b", 9, mine.began)
    assert intake.handle_event(JoinState(1, {}, b"", {"s": worse}), now) == []
    joins = [Send(JoinRequest(2, {"s": 10}))]
    assert intake.handle_event(JoinState(1, {}, b"", {"s": better_one}), now) == joins


def test_whoever_has_the_better_picture_says_so_soon_after_a_session_has_begun():
    """The peer was greeted before that began, and would ask a minute later (rough day 7195)."""
    intake = an_intake(accepts=False)
    mine = intake.standings["s"]
    intake.close(1)
    intake.open({"s": Standing("theirs", 12, 99.0)}, False, now := 5.0)
    assert not intake.is_joining
    assert intake.next_deadline() == now + intake.options.gap_timeout
    said = intake.handle_timer(now + intake.options.gap_timeout)
    assert said == [Send(JoinRequest(1, {}, {"s": mine}))]
    assert intake.handle_timer(now + REJOIN_INTERVAL / 2) == [], "and once is enough"


def test_whoever_asks_says_how_good_its_own_picture_is():
    intake = an_intake(accepts=True)
    theirs = {"s": Standing("theirs", 3, 0.0)}
    done = intake.handle_event(JoinRequest(5, {}, theirs), 1)
    assert done == [Send(JoinRequest(1, {"s": 10})), ServeJoin(5, [])]


def test_the_answer_says_how_good_our_picture_is_at_once():
    intake = an_intake(accepts=False)
    assert intake.handle_event(JoinRequest(5, {}), 1) == [ServeJoin(5, [])]
    answer = [Send(JoinState(5, {}, b"", intake.standings))]
    assert intake.handle_event(WorldBuilt(5, [], b""), 1) == answer


def test_whoever_asked_for_our_picture_may_still_have_a_better_one():
    intake = an_intake(accepts=True)
    theirs = {"s": Standing("theirs", 3, 0.0)}
    intake.handle_event(JoinState(7, {"s": 10}, b"", theirs), 1)
    intake.handle_event(WorldBuilt(1, ["s"], b""), 2)
    assert intake.handle_timer(REJOIN_INTERVAL) == [Send(JoinRequest(1, {"s": 10}))]


def test_whoever_does_not_notice_that_the_source_counts_anew_learns_it_from_the_peer():
    """Its feed comes back where it stood, or further on: in new numbers (rough day 399)."""
    intake = an_intake(accepts=True)
    mine = intake.standings["s"]
    intake.handle_event(SourceAway("s"), 1)
    theirs = {"s": Standing("theirs", 17, 3.0, replaces=mine.lineage)}
    assert begun_anew(intake.handle_event(JoinState(1, {}, b"", theirs), 2)) == [("s", 0)]
    assert intake.handle_event(SourceAt("s", 10), 3) == [Send(JournalRequest("s", 1, 10))]
    assert intake.handle_event(JournalAnswer("s", 1, 10, [], False), 4) == [
        Send(JoinRequest(1, {"s": 0}))
    ]
    done = intake.handle_event(JoinState(1, {"s": 20}, b"", theirs), 5)
    assert AdoptWorld({"s": 20}, b"", {"s": 0}) in done
    assert intake.standings == theirs
    assert intake.handle_event(JoinState(2, {}, b"", theirs), 6) == [], "once is enough"


def test_whose_feed_is_there_counts_anew_from_where_that_stands():
    intake = an_intake(accepts=True)
    intake.handle_event(Arrived("s", events(11, 12)), 1)
    theirs = {"s": Standing("theirs", 3, 0.0, replaces=intake.standings["s"].lineage)}
    done = intake.handle_event(JoinRequest(5, {}, theirs), 2)
    assert begun_anew(done) == [("s", 12)]
    assert Send(JoinRequest(1, {"s": 12})) in done


def test_whoever_notices_it_says_which_picture_is_in_old_numbers():
    intake = an_intake(accepts=True)
    old = intake.standings["s"].lineage
    intake.handle_event(SourceAt("s", 4), 1)
    assert intake.standings["s"].replaces == old
    intake.handle_event(SourceAt("s", 9), 2)
    intake.handle_timer(2 + intake.options.gap_timeout)
    assert intake.sources["s"].left == 1
    assert intake.standings["s"].replaces == old, "also of the picture that began at a hole"


def test_a_peer_that_has_nothing_to_give_does_not_end_hope():
    """It does not hear its own feed for a while, and then does (rough day 735)."""
    intake = an_intake(accepts=True)
    intake.change(IntakeOptions(gap_timeout=1.0, join_timeout=5.0), 0)
    theirs = {"s": Standing("theirs", 3, 0.0)}
    intake.open(theirs, False, 100.0)
    for number in range(1, 2 * HOPE_MAX):
        assert intake.is_joining
        intake.handle_event(JoinState(number, {}, b"", theirs), 99.0 + number)
        assert not intake.hopes, "until then they exchange what they have"
        intake.handle_timer(100.0 + number)
    intake.handle_timer(intake.next_deadline())
    assert not intake.is_joining
    assert intake.hopes, "this time the answer has not come yet"


OLD, NEW, SAME = Standing("a", 1, 10.0), Standing("b", 5, 3.0), Standing("c", 1, 10.0)
OLDER = Standing("d", 1, 9.0)  # nothing has happened since, but it heard more true beginnings
# theirs, mine, whether theirs is better if I accept, and if I dial
STANDINGS = [
    (None, None, False, False),
    (OLD, None, True, True),
    (None, OLD, False, False),
    (OLD, OLD, False, False),
    (OLD, NEW, True, True),
    (NEW, OLD, False, False),
    (OLD, SAME, False, True),
    (OLDER, OLD, True, True),
    (OLD, OLDER, False, False),
]


@pytest.mark.parametrize(("theirs", "mine", "accepting", "dialling"), STANDINGS)
def test_one_of_two_pictures_is_the_better_one(theirs, mine, accepting, dialling):
    assert better(theirs, mine, True) is accepting
    assert better(theirs, mine, False) is dialling
