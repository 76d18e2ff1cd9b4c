"""Masks: which actions count. The order of reading is vector V21, in tests/conformance."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.model.actions import ALIASES, ALL_ACTIONS, CODES, DURABLE, NAMES, mask_of
from statserver_trio.stats.definitions.masks import known_action, names_in, parse_mask

steady = settings(derandomize=True, deadline=None)

words = st.sampled_from(
    ["*", "CallInbound", "CallWait", "CallWaitInbound", "LoggedOut", "callheld"]
)
items = st.lists(st.tuples(st.booleans(), words), min_size=1, max_size=6)


@steady
@given(items)
def test_set_operations_from_left_to_right(listed: list[tuple[bool, str]]) -> None:
    expected: set[str] = set()
    for removes, word in listed:
        canonical = known_action(word) or word
        members = set(NAMES) if word == "*" else set(ALIASES.get(canonical, (canonical,)))
        expected = expected - members if removes else expected | members
    text = " , ".join(("~" if removes else "") + word for removes, word in listed)
    assert set(names_in(parse_mask(text)[0])) == expected


def test_an_alias_stands_for_its_members_also_when_it_removes() -> None:
    assert names_in(parse_mask("CallWait,~CallWaitConsult")[0]) == [
        "CallWaitUnknown",
        "CallWaitInternal",
        "CallWaitOutbound",
        "CallWaitInbound",
    ]
    assert parse_mask("CallWait,CallInbound,~CallWait")[0] == mask_of("CallInbound")
    assert parse_mask("CallHoldInbound")[0] == mask_of("CallOnHoldInbound")


def test_in_a_formula_an_alias_removes_nothing() -> None:
    mask, warnings = parse_mask("CallWait,~CallWait,~CallWaitConsult", in_formula=True)
    assert mask == mask_of("CallWait") & ~mask_of("CallWaitConsult")
    assert warnings == ["~CallWait removes nothing: name what it stands for"]


def test_nothing_known_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="no such action: CallSideways"):
        parse_mask("CallSideways")
    with pytest.raises(ValueError, match="nothing"):
        parse_mask("")


def test_what_is_unknown_besides_is_a_warning() -> None:
    mask, warnings = parse_mask("CallInbound,CallSideways")
    assert mask == mask_of("CallInbound")
    assert warnings == ["no such action: CallSideways; passed over"]


def test_no_action_is_lost() -> None:
    assert names_in(ALL_ACTIONS) == list(NAMES)
    assert len(set(NAMES)) == len(NAMES) == len(CODES)
    assert "CallInbound" in names_in(DURABLE)
    assert "CallWaitInbound" in names_in(DURABLE)
    assert not {"CallEntered", "CallAnswered", "CallHeld"} & set(names_in(DURABLE))
