"""Values: numbers, texts, NULL, and how they compare."""

from __future__ import annotations

from math import inf, isfinite, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.expressions.logic import COMPARISONS
from statserver_trio.expressions.values import (
    WHOLE_MAX,
    Value,
    comparison,
    is_true,
    number_of,
    number_read,
    text_of,
)


@pytest.mark.parametrize(
    ("value", "number", "read", "text", "true"),
    [
        (5, 5, 5, "5", True),
        (0, 0, 0, "0", False),
        (-2.5, -2.5, -2.5, "-2.5", True),
        (5.0, 5.0, 5.0, "5", True),
        (1e22, 1e22, 1e22, "1e+22", True),
        (True, 1, 1, "1", True),
        (False, 0, 0, "0", False),
        (None, None, None, None, False),
        ({"a": 1}, None, None, None, False),
        (inf, None, None, None, False),
        (nan, None, None, None, False),
        (10**400, None, None, None, False),
        (WHOLE_MAX - 1, WHOLE_MAX - 1, WHOLE_MAX - 1, str(WHOLE_MAX - 1), True),
        (WHOLE_MAX, 2.0**63, 2.0**63, "9.223372036854776e+18", True),
        ("", None, None, "", False),
        ("5", None, 5, "5", False),
        (" 005 ", None, 5, " 005 ", False),
        ("-1.5", None, -1.5, "-1.5", False),
        (".5", None, 0.5, ".5", False),
        ("5.", None, 5.0, "5.", False),
        ("1e3", None, 1000.0, "1e3", False),
        ("1e999", None, None, "1e999", False),
        ("9" * 25, None, 1e25, "9" * 25, False),
        ("9" * 101, None, None, "9" * 101, False),
        ("inf", None, None, "inf", False),
        ("nan", None, None, "nan", False),
        ("1_000", None, None, "1_000", False),
        ("1,5", None, None, "1,5", False),
        ("٣", None, None, "٣", False),
        ("0x10", None, None, "0x10", False),
    ],
)
def test_what_a_value_is(
    value: Value, number: object, read: object, text: object, true: bool
) -> None:
    assert (number_of(value), number_read(value)) == (number, read)
    assert (text_of(value), is_true(value)) == (text, true)
    assert not isinstance(number_of(value), bool)


@pytest.mark.parametrize(
    ("left", "signs", "right"),
    [
        (5, "= <= >=", 5.0),
        (5, "<> != < <=", 6),
        ("5", "= <= >=", 5),
        ("05", "= <= >=", 5),
        ("05", "<> != < <=", "5"),
        ("10", "<> != < <=", "9"),
        ("10", "<> != > >=", 9),
        ("a", "<> != < <=", "b"),
        ("B", "<> != < <=", "a"),
        ("x", "<> !=", 9),
        (9, "<> !=", "x"),
        (True, "= <= >=", 1),
        (None, "", None),
        (None, "", 1),
        ("", "", None),
        ({}, "", {}),
        ({}, "", 1),
        ("a", "", {}),
        (nan, "", 1),
        (2**60 + 1, "<> != > >=", float(2**60)),
    ],
)
def test_how_values_compare(left: Value, signs: str, right: Value) -> None:
    assert [sign for sign in COMPARISONS if comparison(sign)(left, right)] == [
        sign for sign in COMPARISONS if sign in signs.split()
    ]


ANY: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just({"a": 1})
)


@given(ANY, ANY)
def test_any_two_values_have_one_order_or_none(left: Value, right: Value) -> None:
    found = {sign: comparison(sign)(left, right) for sign in COMPARISONS}
    assert found["<="] is (found["<"] or found["="])
    assert found[">="] is (found[">"] or found["="])
    assert found["<>"] is found["!="]
    assert sum((found["<"], found["="], found[">"])) <= 1
    assert not (found["="] and found["<>"])
    mirrored = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
    assert found == {s: comparison(mirrored.get(s, s))(right, left) for s in COMPARISONS}
    for number in (number_of(left), number_read(left)):
        assert number is None or (isfinite(number) and abs(number) <= max(WHOLE_MAX, 1.8e308))
