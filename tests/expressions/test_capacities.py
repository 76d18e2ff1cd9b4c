"""Capacity rules: how many of which medium go together, and where a mistake is."""

from __future__ import annotations

import doctest
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.expressions import ExpressionError, capacities
from statserver_trio.expressions.capacities import ONE_OF_EACH, parse_capacity

BLENDED = "voice = 1 | chat = 3, email = 1"


def test_the_examples_in_the_text():
    assert doctest.testmod(capacities).failed == 0


@pytest.mark.parametrize(
    ("rule", "present", "medium", "most"),
    [
        (BLENDED, {}, "voice", 1),
        (BLENDED, {"voice": 0, "chat": 0}, "voice", 1),
        (BLENDED, {"chat": 1}, "voice", 0),
        (BLENDED, {"chat": 3}, "email", 1),
        (BLENDED, {"chat": 4}, "email", 0),  # he has more than he should
        (BLENDED, {"chat": 2}, "chat", 3),  # what there is of it itself does not matter
        (BLENDED, {"voice": 1}, "chat", 0),
        (BLENDED, {}, "fax", 0),
        ("VOICE = 2", {"Voice": 1}, "voicE", 2),
        ("voice = 1, * = 1", {"fax": 1}, "letter", 1),
        ("voice = 1, * = 1", {"fax": 2}, "letter", 0),
        ("chat = 1 | chat = 2", {}, "chat", 2),
        ('"work item" = 2', {}, "work item", 2),
        ("chat = 0", {}, "chat", 0),
        (ONE_OF_EACH.text, {"chat": 1, "voice": 1}, "fax", 1),
    ],
)
def test_what_a_rule_leaves(rule, present, medium, most):
    assert parse_capacity(rule).most(medium, present) == most


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "column 1: expected a medium, in quotes perhaps, or '*', not the end of the"),
        ("voice", "column 6: expected '=' after voice, not the end of the capacity rule"),
        ("voice = x", "column 9: expected a whole number, not 'x'"),
        ("voice = -1", "column 9: expected a whole number, not '-'"),
        ("voice = 1.5", "column 9: 1.5 is no whole number of at most 10000"),
        ("voice = 10001", "column 9: 10001 is no whole number of at most 10000"),
        ("voice = 1, Voice = 2", "column 12: Voice is said twice, between two '|'"),
        ("voice = 1 chat = 1", "column 11: expected '|', ',' or the end of the rule, not 'chat'"),
        ("voice = 1 |", "column 12: expected a medium, in quotes perhaps, or '*'"),
        ("work item = 1", "column 6: expected '=' after work, not 'item'"),
    ],
)
def test_where_a_mistake_is(text, mistake):
    with pytest.raises(ExpressionError) as error:
        parse_capacity(text)
    assert str(error.value).startswith(mistake)


MEDIA = ("voice", "chat", "email")
LOADS = st.lists(
    st.dictionaries(st.sampled_from((*MEDIA, "*")), st.integers(0, 3), min_size=1),
    min_size=1,
    max_size=4,
)


@given(LOADS, st.dictionaries(st.sampled_from(MEDIA), st.integers(0, 4)), st.sampled_from(MEDIA))
def test_the_most_is_the_greatest_number_that_some_load_allows(loads, present, medium):
    text = " | ".join(", ".join(f"{k} = {n}" for k, n in load.items()) for load in loads)
    allowed = [
        number
        for number, load in itertools.product(range(5), loads)
        if all(
            count <= load.get(each, load.get("*", 0))
            for each, count in {**present, medium: number}.items()
        )
    ]
    assert parse_capacity(text).most(medium, present) == max(allowed, default=0)
