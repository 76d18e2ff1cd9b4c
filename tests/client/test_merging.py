"""What two members say, as one stream: no change lost, none told twice, never back in time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.api import messages as m
from statserver_trio.client import merging
from statserver_trio.client.merging import MergedStatistic

A, B = 0, 1


def change(value: Any, time: float = 0, number: int = 0, complete: bool = True) -> m.Info:
    """A change; by its number tests know it again."""
    return m.Info(
        reference_id=0, statistic_id=number, value=value, time=time, interval=1, complete=complete
    )


def invalid(reason: str = "ts1 is away") -> m.StatisticInvalid:
    return m.StatisticInvalid(reference_id=0, statistic_id=0, reason=reason)


def valid() -> m.StatisticValid:
    return m.StatisticValid(reference_id=0, statistic_id=0, reason="")


def closed() -> m.StatisticClosed:
    return m.StatisticClosed(reference_id=0, statistic_id=0, reason="deleted")


class Story:
    """Two members with a statistic open, and what was delivered."""

    def __init__(self, changes_only: bool = False) -> None:
        self.merged = MergedStatistic(2, changes_only)
        self.delivered: list[Any] = []
        for member in (A, B):
            self.merged.opened(member)

    def tell(self, member: int, *events: Any) -> Story:
        for event in events:
            said = event if isinstance(event, m.Event) else change(*event)
            self.delivered += self.merged.told(member, said)
        return self

    def lose(self, member: int) -> Story:
        self.delivered += self.merged.lost(member)
        return self

    @property
    def values(self) -> list[Any]:
        return [each.value for each in self.delivered if isinstance(each, m.Info)]

    @property
    def words(self) -> list[str]:
        return [type(each).__name__ for each in self.delivered if not isinstance(each, m.Info)]


# -- stories ------------------------------------------------------------------------------


def test_what_both_say_is_delivered_once() -> None:
    story = Story().tell(A, (5, 1), (6, 2)).tell(B, (5, 1), (6, 2), (7, 3)).tell(A, (7, 3))
    assert story.values == [5, 6, 7]


def test_what_the_other_one_was_ahead_by_is_delivered_when_the_leader_is_lost() -> None:
    story = Story().tell(A, (5, 1), (6, 2)).tell(B, (5, 1), (6, 2), (7, 3), (8, 4))
    assert story.values == [5, 6]
    assert story.lose(A).values == [5, 6, 7, 8]


def test_what_nobody_could_vouch_for_when_all_were_lost_is_valid_when_it_is_opened_anew() -> None:
    story = Story().tell(A, (5, 1), invalid()).tell(B, invalid()).lose(A).lose(B)
    assert story.merged.opened(B) == [valid()]
    assert story.merged.is_valid


def test_what_the_other_one_owes_is_not_delivered_again() -> None:
    story = Story().tell(A, (5, 1), (6, 2), (7, 2)).tell(B, (5, 1)).lose(A)
    assert story.tell(B, (6, 2), (7, 2), (8, 3)).values == [5, 6, 7, 8]


def test_a_value_that_comes_back_within_the_same_second_is_a_change() -> None:
    story = Story().tell(A, (5, 1), (6, 1), (5, 1)).tell(B, (5, 1), (6, 1), (5, 1), (6, 1))
    assert story.lose(A).values == [5, 6, 5, 6]


def test_who_comes_back_begins_with_what_is_old_news() -> None:
    story = Story().tell(A, (5, 1), (6, 1), (7, 1)).lose(B)
    story.merged.opened(B)
    story.tell(B, (6, 1)).lose(A)  # it stands a little behind
    assert story.tell(B, (7, 1), (8, 2)).values == [5, 6, 7, 8]


def test_values_that_grow_are_one_members_at_a_time_and_never_go_back() -> None:
    story = Story()
    for tick in range(5):
        story.tell(A, (tick, tick)).tell(B, (tick + 0.3, tick + 0.3))
    assert story.values == [0, 1, 2, 3, 4]
    story.lose(A).tell(B, (5.3, 5.3))
    assert story.values == [0, 1, 2, 3, 4, 4.3, 5.3]


def test_the_leader_may_be_told_of_something_late() -> None:
    """Its clock had gone on by itself, and then an event came that was of an earlier time."""
    story = Story().tell(A, (0, 5), (1, 3), (2, 4)).tell(B, (0, 5), (1, 3))
    assert story.values == [0, 1, 2]
    assert story.lose(A).tell(B, (2, 4), (3, 5)).values == [0, 1, 2, 3]


def test_completeness_is_a_change() -> None:
    story = Story().tell(A, (5, 1), change(5, 1, complete=False))
    assert [each.complete for each in story.delivered] == [True, False]


def test_the_one_that_can_vouch_for_the_value_leads() -> None:
    story = Story().tell(A, (5, 1)).tell(B, (5, 1), (6, 2)).tell(A, invalid())
    assert (story.values, story.words) == ([5, 6], [])
    story.tell(B, invalid())
    assert story.words == ["StatisticInvalid"]
    story.tell(A, valid(), (7, 3))
    assert (story.values, story.words) == ([5, 6, 7], ["StatisticInvalid", "StatisticValid"])


@pytest.mark.parametrize("value", [5, 6])
def test_who_comes_back_after_both_were_gone_can_vouch_for_it_again(value: int) -> None:
    story = Story().tell(A, (5, 1), invalid()).tell(B, invalid()).lose(A).lose(B)
    story.delivered += story.merged.opened(B)
    story.tell(B, (value, 1))
    assert story.words == ["StatisticInvalid", "StatisticValid"]
    assert story.values == sorted({5, value})
    story.tell(B, invalid())
    assert story.words[-1] == "StatisticInvalid"


def test_what_is_current_at_a_member_that_comes_back_is_no_change() -> None:
    story = Story(changes_only=True).tell(A, (5, 1)).tell(B, (5, 1)).lose(B)
    story.merged.opened(B)
    story.tell(B, (5, 9)).lose(A).tell(B, (6, 10))
    assert story.values == [5, 6]
    story = Story().tell(A, (5, 1)).tell(B, (5, 1), (5, 2)).lose(A)
    assert story.values == [5, 5], "with TimeBased the same value is another word"


def test_several_changes_told_as_one_are_told_once() -> None:
    story = Story(changes_only=True).tell(A, (5, 1), (6, 2), (7, 3)).tell(B, (5, 1), (7, 4))
    story.lose(A)
    assert story.tell(B, (8, 5)).values == [5, 6, 7, 8]
    story = Story(changes_only=True).tell(A, (5, 1), (6, 2), (7, 3)).tell(B, (5, 1)).lose(A)
    assert story.tell(B, (7, 4), (8, 5)).values == [5, 6, 7, 8]


def test_who_led_and_never_said_anything_leaves_no_doubt_behind() -> None:
    story = Story(changes_only=True).tell(B, (0, 0), (1, 3)).lose(A)
    story.merged.opened(A)
    story.tell(A, (0, 0)).lose(B)
    assert story.tell(A, (1, 2), (2, 4)).values == [0, 1, 2]


def test_an_incomplete_value_is_another_one() -> None:
    story = Story(changes_only=True).tell(A, (5, 1)).tell(B, (5, 1))
    story.tell(B, change(5, 2, complete=False)).lose(A)
    assert [each.complete for each in story.delivered] == [True, False]


def test_an_invalid_leader_is_better_than_none() -> None:
    story = Story().tell(B, invalid("not heard")).tell(A, (5, 1)).lose(A)
    assert [each.reason for each in story.delivered if isinstance(each, m.StatisticInvalid)] == [
        "not heard"
    ]


def test_it_is_closed_when_both_have_closed_it() -> None:
    story = Story().tell(A, (5, 1)).tell(B, (5, 1), (6, 2)).tell(A, closed())
    assert (story.values, story.words) == ([5, 6], [])
    assert story.tell(B, closed()).words == ["StatisticClosed"]
    assert not story.merged.is_open


def test_after_nobody_was_there_an_earlier_time_counts() -> None:
    """Both were started anew, with an old backup file, or another T-Server."""
    story = Story().tell(A, (5, 100)).lose(A).lose(B)
    assert story.merged.leader is None
    story.merged.opened(B)
    assert story.tell(B, (3, 50)).values == [5, 3]


def test_targets_go_over_as_a_whole() -> None:
    def target(kind: type, name: str, status: str) -> Any:
        told = {"targetType": "Agent", "targetId": name, "switch": "sw1", "status": status}
        told |= dict.fromkeys(merging_identity() - told.keys(), "")
        return kind(reference_id=0, statistic_id=0, target=told, time=2)

    empty = m.CurrentTargetStateSnapshot(reference_id=0, statistic_id=0, targets=[], time=1)
    added = target(m.CurrentTargetStateTargetAdded, "a1", "ready")
    updated = target(m.CurrentTargetStateTargetUpdated, "a1", "busy")
    story = Story().tell(A, empty, added).tell(B, empty, added, updated)
    assert story.words == ["CurrentTargetStateSnapshot", "CurrentTargetStateTargetAdded"]
    story.lose(A)
    assert story.delivered[-1].targets == [updated.target]
    story = Story().tell(A, empty, added).tell(B, empty, added).lose(A)
    assert len(story.delivered) == 2


def merging_identity() -> set[str]:
    from statserver_trio.api.target_states import IDENTITY

    return set(IDENTITY)


def test_what_members_are_apart_by_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "APART_MAX", 3)
    story = Story().tell(A, (0, 0)).tell(B, *((n, n) for n in range(10)))
    assert story.lose(A).values == [0, 7, 8, 9]


# -- any story ------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn, alike: bool = True) -> list[m.Info]:
    """The changes of a statistic, of which some look alike: of a moment, or a value comes back."""
    found: list[m.Info] = []
    time = 0
    for number in range(draw(st.integers(1, 12))):
        time += draw(st.sampled_from([0, 0, 1] if alike else [1, 2]))
        before = found[-1].value if found else None
        value = number
        if alike:
            value = draw(st.sampled_from([v for v in (5, 6, 7) if v != before]))
        found.append(change(value, time, number))
    return found


@settings(derandomize=True, deadline=None, max_examples=100)
@given(histories(), st.data())
def test_whoever_dies_nothing_is_lost_and_nothing_told_twice(
    history: list[m.Info], data: st.DataObject
) -> None:
    """Both tell everything, at a pace of their own; one of them dies some time."""
    story = Story(data.draw(st.booleans(), "changes only"))
    told = {A: 0, B: 0}
    dies = data.draw(st.sampled_from([A, B, None]), "dies")
    while any(told[member] < len(history) for member in told):
        member = data.draw(st.sampled_from([n for n in told if told[n] < len(history)]))
        story.tell(member, history[told[member]])
        told[member] += 1
        if dies in told and data.draw(st.integers(0, 5)) == 0:
            story.lose(dies)
            del told[dies]
    assert [each.statistic_id for each in story.delivered] == list(range(len(history)))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(histories(alike=False), st.data())
def test_whoever_comes_and_goes_time_never_goes_back(
    history: list[m.Info], data: st.DataObject
) -> None:
    """Members come back and begin with what is current then; some changes are skipped."""
    story = Story(data.draw(st.booleans(), "changes only"))
    at = {A: -1, B: -1}
    gone: set[int] = set()
    for _ in range(2 * len(history)):
        member = data.draw(st.sampled_from([A, B]))
        if member in gone:
            gone.discard(member)
            story.merged.opened(member)
            at[member] = min(at[member] + data.draw(st.integers(0, 3)), len(history) - 1)
            if at[member] >= 0:
                story.tell(member, history[at[member]])
        elif data.draw(st.integers(0, 5)) == 0 and not gone:
            gone.add(member)
            story.lose(member)
        elif at[member] + 1 < len(history):
            at[member] = min(at[member] + data.draw(st.integers(1, 2)), len(history) - 1)
            story.tell(member, history[at[member]])
    for member in (A, B):
        if member not in gone and at[member] + 1 < len(history):
            story.tell(member, *history[at[member] + 1 :])
    assert (story.delivered[-1].value, story.delivered[-1].time) == (
        history[-1].value,
        history[-1].time,
    )
    times = [each.time for each in story.delivered]
    assert times == sorted(times)
    changes = [(each.value, each.time) for each in story.delivered]
    assert all(one != other for one, other in pairwise(changes))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.data())
def test_a_value_told_of_another_moment_is_told_once(data: st.DataObject) -> None:
    """Members skip changes, come and go, and date what they say up to the next change."""
    story = Story(changes_only=True)
    last = data.draw(st.integers(1, 12))
    at, gone = {A: -1, B: -1}, set[int]()
    for _ in range(3 * last):
        member = data.draw(st.sampled_from([A, B]))
        if member in gone:
            gone.discard(member)
            story.merged.opened(member)
            at[member] = max(at[member], 0)
        elif data.draw(st.integers(0, 5)) == 0 and not gone:
            gone.add(member)
            story.lose(member)
            continue
        elif at[member] == last:
            continue
        else:
            at[member] = min(at[member] + data.draw(st.integers(1, 2)), last)
        story.tell(
            member, (max(at[member], 0), 2 * max(at[member], 0) + data.draw(st.integers(0, 1)))
        )
    for member in (A, B):
        if member not in gone:
            story.tell(member, *((n, 2 * n) for n in range(at[member] + 1, last + 1)))
    assert story.values == sorted(set(story.values))
    assert story.values[-1] == last


def test_a_member_that_leaves_is_followed_by_the_other_one() -> None:
    story = Story().tell(A, (5, 1)).tell(B, (5, 1), (6, 2))
    story.delivered += story.merged.leaves(A)
    assert story.merged.leader == B
    assert story.values == [5, 6]
    assert story.tell(A, (6, 2)).lose(A).tell(B, (7, 3)).values == [5, 6, 7]


def test_nobody_else_can_vouch_for_it_so_it_stays_to_the_end() -> None:
    story = Story().tell(A, (5, 1)).tell(B, (5, 1), invalid())
    assert story.merged.leaves(A) == []
    assert story.merged.leader == A
    assert story.tell(A, (6, 2)).values == [5, 6]


def test_both_leave() -> None:
    story = Story().tell(A, (5, 1)).tell(B, (5, 1))
    assert story.merged.leaves(B) == story.merged.leaves(A) == []
    assert story.tell(A, (6, 2)).lose(A).tell(B, (6, 2), (7, 3)).values == [5, 6, 7]
