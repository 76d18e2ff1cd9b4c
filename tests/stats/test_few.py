"""A set of a few, beside a dictionary that does the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.stats.few import MANY, Few, added, members, removed

STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 2 * MANY)))


@given(STEPS)
def test_it_is_a_set_in_the_order_of_coming(steps: list[tuple[bool, int]]) -> None:
    few: Few = None
    plain: dict[int, None] = {}
    for comes, one in steps:
        if comes:
            few, plain[one] = added(few, one), None
        else:
            few = removed(few, one)
            plain.pop(one, None)
        assert list(members(few)) == list(plain)
        assert len(members(few)) == len(plain)
        assert (one in members(few)) is (one in plain)


def test_nothing_and_one_take_no_room() -> None:
    one = object()
    assert removed(added(None, one), one) is None
    assert added(added(None, one), one) is one
