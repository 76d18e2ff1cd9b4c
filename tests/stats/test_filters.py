"""Filters: what passes, and where a mistake is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.stats.definitions.filters import (
    DEPTH_MAX,
    TEXT_MAX,
    FilterError,
    parse_filter,
)

CALL = {"Language": "Spanish", "Level": 2, "Rate": 2.0, "Empty": "", "Star": "*", "List": [1]}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ('PairExists("Language","Spanish")', True),
        ("pairexists ( 'Language' ,\t'Spanish' )", True),
        ('PairExists("Language","spanish")', False),
        ('PairExists("language","Spanish")', False),
        ('PairExists("Language","*")', True),
        ('PairExists("Language","Span*")', False),
        ('PairExists("Nothing","*")', False),
        ('PairExists("Nothing","")', False),
        ('PairExists("Empty","")', True),
        ('PairExists("Empty","*")', True),
        ('PairExists("Level",2)', True),
        ('PairExists("Level","2")', True),
        ('PairExists("Rate",2)', True),
        ('PairExists("List","*")', True),
        ('PairExists("List","[1]")', False),
        ('~PairExists("Language","Spanish")', False),
        ('~~PairExists("Language","Spanish")', True),
        ('PairExists("Level",1) | PairExists("Level",2) & PairExists("Star","*")', True),
        ('(PairExists("Level",2) | PairExists("Level",1)) & PairExists("Level",1)', False),
        ('PairExists("Level",2) | PairExists("Level",1) & PairExists("Level",1)', True),
        ('~(PairExists("Level",1) | PairExists("Level",3))', True),
        ('PairExists("It\'s","*")', False),
    ],
)
def test_what_passes(text: str, passes: bool) -> None:
    assert parse_filter("F", text).matches(CALL) is passes


def test_no_data_is_empty_data() -> None:
    assert not parse_filter("F", 'PairExists("a","*")').matches(None)
    assert parse_filter("F", '~PairExists("a","*")').matches(None)


def test_filters_are_equal_if_they_are_written_alike() -> None:
    one, other = parse_filter("F", 'PairExists("a",1)'), parse_filter("F", 'PairExists("a",1)')
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: expected a condition (PairExists), '~' or '(', not the end of the filter"),
        (
            "  ",
            "column 3: expected a condition (PairExists), '~' or '(', not the end of the filter",
        ),
        ('Foo("a")', "column 1: no such function as Foo; known: PairExists"),
        ("PairExists", "column 11: expected '(' after PairExists, not the end of the filter"),
        ("PairExists()", "column 12: expected a text in quotes or a whole number, not ')'"),
        ('PairExists("a")', "column 15: expected ',': PairExists takes 2 arguments, not ')'"),
        ('PairExists("a",1,2)', "column 17: expected ')': PairExists takes 2 arguments, not ','"),
        ("PairExists(a,1)", "column 12: expected a text in quotes or a whole number, not 'a'"),
        ('PairExists("a', 'column 12: a text that begins with " never ends'),
        ("PairExists('a\",1)", "column 12: a text that begins with ' never ends"),
        (
            'PairExists("a",1) PairExists',
            "column 19: expected '&', '|' or the end, not 'PairExists'",
        ),
        ('(PairExists("a",1)', "column 19: expected '&', '|' or ')', not the end of the filter"),
        (
            '(PairExists("a",1) & )',
            "column 22: expected a condition (PairExists), '~' or '(', not ')'",
        ),
        ("§", "column 1: expected a condition (PairExists), '~' or '(', not '§'"),
        (
            "~" * (DEPTH_MAX + 1) + 'PairExists("a",1)',
            "column 52: nested too deeply, at most 50 levels",
        ),
        ("(" * 4000, "column 52: nested too deeply, at most 50 levels"),
        (" " * (TEXT_MAX + 1), "column 4097: too long, at most 4096 characters are allowed"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter("F", text)
    assert str(caught.value) == message


PIECES = st.sampled_from(
    ["PairExists", "(", ")", ",", "&", "|", "~", '"a"', "'*'", "1", "-2", " ", "\t", '"', "x", "é"]
)
DATA = st.none() | st.dictionaries(
    st.sampled_from(["a", "1", "*"]),
    st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.integers()),
)


@given(st.lists(PIECES, max_size=40).map("".join) | st.text(), DATA)
def test_any_text_is_a_filter_or_a_mistake(text: str, data: dict[str, Any] | None) -> None:
    column = 1
    try:
        passes = parse_filter("F", text).matches(data)
    except FilterError as refused:
        column = refused.column
    else:
        assert isinstance(passes, bool)
    assert 1 <= column <= len(text) + 1


EXPRESSIONS = st.recursive(
    st.tuples(st.sampled_from("ab"), st.integers(0, 1)),
    lambda inner: (
        st.tuples(st.just("~"), inner)
        | st.tuples(st.sampled_from("&|"), st.lists(inner, min_size=1, max_size=3))
    ),
    max_leaves=12,
)


def written(tree: Any) -> str:
    match tree:
        case ("~", inner):
            return f"~{written(inner)}"
        case ("&" | "|" as sign, list(parts)):
            return "(" + f" {sign} ".join(map(written, parts)) + ")"
    return f'PairExists("{tree[0]}",{tree[1]})'


def computed(tree: Any, data: dict[str, int]) -> bool:
    match tree:
        case ("~", inner):
            return not computed(inner, data)
        case ("&", list(parts)):
            return all(computed(part, data) for part in parts)
        case ("|", list(parts)):
            return any(computed(part, data) for part in parts)
    return bool(data.get(tree[0]) == tree[1])


@given(EXPRESSIONS, st.dictionaries(st.sampled_from("ab"), st.integers(0, 1)))
def test_a_filter_computes_what_it_says(tree: Any, data: dict[str, int]) -> None:
    assert parse_filter("F", written(tree)).matches(data) is computed(tree, data)
