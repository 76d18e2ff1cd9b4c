"""Custom values: what one action is worth, and where a mistake is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.expressions import ExpressionError
from statserver_trio.expressions.custom_values import parse_custom_value
from statserver_trio.expressions.reading import DEPTH_MAX, TEXT_MAX

CALL = {
    "duration": 90,
    "udata": {
        "Revenue": "100",
        "Items": 3,
        "Rate": " 2.5 ",
        "Name": "A",
        "List": [1],
        "Big": 9e307,
    },
}


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ('GetNumber("Revenue")', 100),
        ("getnumber ( 'Items' )", 3),
        ('GetNumber("Rate")', 2.5),
        ('GetNumber("Missing")', 0),
        ('GetNumber("Name")', 0),
        ('GetNumber("List")', 0),
        ('GetString("Revenue")', 100),
        ('GetString("Name")+1', 1),
        ("Duration", 90),
        ("duration / 60", 1.5),
        ("Duration*2-1", 179),
        ("-Duration", -90),
        ("- -5", 5),
        ("2+3*4", 14),
        ("(2+3)*4", 20),
        ("20-3-4", 13),
        ("100/5/2", 10.0),
        (".5*4", 2.0),
        ("1/0", 0),
        ("1/0+5", 5),
        ('Duration/GetNumber("Missing")', 0),
        # What is too great to be a number is none.
        ('GetNumber("Big")*100', 0),
        ("999999999999999999*999999999999999999", 999999999999999999.0**2),
    ],
)
def test_what_an_action_is_worth(text: str, worth: float) -> None:
    value = parse_custom_value(text).value
    assert value is not None
    assert value(CALL) == worth
    assert type(value(CALL)) is type(worth)


def test_without_data_it_is_nothing() -> None:
    value = parse_custom_value('GetNumber("Revenue")+Duration').value
    assert value is not None
    assert value({"duration": None, "udata": None}) == 0


@pytest.mark.parametrize(
    ("text", "squeezed", "by_conn_id", "has_value"),
    [
        ("DCID", "DCID", True, False),
        (" distbyconnid ", "distbyconnid", True, False),
        ("DistByConnID , Duration", "DistByConnID,Duration", True, True),
        ('GetNumber( "two words" ) * 2', 'GetNumber("two words")*2', False, True),
    ],
)
def test_the_flag(text: str, squeezed: str, by_conn_id: bool, has_value: bool) -> None:
    found = parse_custom_value(text)
    assert (found.text, found.by_conn_id) == (squeezed, by_conn_id)
    assert (found.value is not None) is has_value
    assert found == parse_custom_value(squeezed)


KNOWN = "GetNumber, GetString, Duration"
A_VALUE = f"a number, {KNOWN}, '-' or '('"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"column 1: expected {A_VALUE}, not the end of the custom value"),
        ("DCID,", f"column 6: expected {A_VALUE}, not the end of the custom value"),
        ("DCID 1", "column 6: expected ',' and what an action is worth, or the end, not '1'"),
        ("Duration, DCID", "column 9: expected '+', '-', '*', '/' or the end, not ','"),
        ("Duration + DCID", "column 12: DCID stands first, before a ','"),
        ("DCID,DCID", "column 6: DCID stands first, before a ','"),
        ("Revenue", f"column 1: no such function as Revenue; known: {KNOWN}"),
        ("GetNumber", "column 10: expected '(' after GetNumber, not the end of the custom value"),
        ("GetNumber(5)", "column 11: expected the key of an attached pair in quotes, not '5'"),
        ("GetNumber('a'", "column 14: expected ')', not the end of the custom value"),
        ("GetNumber('a", "column 11: a text that begins with ' never ends"),
        ("1 +", f"column 4: expected {A_VALUE}, not the end of the custom value"),
        ("'a'", f"column 1: expected {A_VALUE}, not 'a'"),
        ("(1", "column 3: expected '+', '-', '*', '/' or ')', not the end of the custom value"),
        ("1 % 2", "column 3: expected '+', '-', '*', '/' or the end, not '%'"),
        ("1.2.3", "column 1: '1.2.3' is no number of at most 18 decimal digits"),
        ("-" * 4000, f"column {DEPTH_MAX + 2}: nested too deeply, at most 50 levels"),
        ("(" * 4000, f"column {DEPTH_MAX + 2}: nested too deeply, at most 50 levels"),
        ("1" + " " * TEXT_MAX, "column 4097: too long, at most 4096 characters are allowed"),
    ],
)  # fmt: skip
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_custom_value(text)
    assert str(caught.value) == message


WORDS = "( ) + - * / , DCID Duration GetNumber GetString ('a') 'a' ' 1 1.5 0 . x é %"
PIECES = st.sampled_from([*WORDS.split(), "9" * 18, " ", "\n"])
ATTACHED = st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.just([1])


@given(st.lists(PIECES, max_size=40).map("".join) | st.text(), ATTACHED, ATTACHED)
def test_any_text_is_a_custom_value_or_a_mistake(text: str, a: Any, duration: Any) -> None:
    column = 1
    try:
        found = parse_custom_value(text)
    except ExpressionError as refused:
        column = refused.column
    else:
        again = parse_custom_value(found.text)
        assert again == found
        if found.value is not None and again.value is not None:
            about = {"udata": {"a": a}, "duration": duration if a is None else 5}
            worth = found.value(about)
            assert isinstance(worth, int | float)
            assert abs(worth) < 1.8e308
            assert again.value(about) == worth
    assert 1 <= column <= len(text) + 1


def test_a_long_one_is_no_deep_one() -> None:
    value = parse_custom_value("+".join(["1"] * 2000)).value
    assert value is not None
    assert value(CALL) == 2000


LEVELS = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3}
TREES = st.recursive(
    st.integers(0, 5) | st.sampled_from(["Duration", "a", "b"]),
    lambda inner: (
        st.tuples(st.just("neg"), inner) | st.tuples(st.sampled_from("+-*/"), inner, inner)
    ),
    max_leaves=12,
)


def written(tree: Any, level: int = 0) -> str:
    """With no more parentheses than it takes."""
    match tree:
        case int() | "Duration":
            return str(tree)
        case str():
            return f'GetNumber("{tree}")'
        case ("neg", inner):
            text = f"-{written(inner, 3)}"
        case (sign, left, right):
            own = LEVELS[sign]
            text = f"{written(left, own)}{sign}{written(right, own + 1)}"
    return f"({text})" if LEVELS[tree[0]] < level else text


def computed(tree: Any, data: dict[str, float]) -> float:
    match tree:
        case int():
            return tree
        case str():
            return data.get(tree, 0)
        case ("neg", inner):
            return 0 - computed(inner, data)
        case (sign, left, right):
            one, other = computed(left, data), computed(right, data)
    if sign == "/":
        return one / other if other else 0
    return {"+": one + other, "-": one - other, "*": one * other}[sign]


@given(TREES, st.dictionaries(st.sampled_from(["Duration", "a", "b"]), st.integers(-3, 3)))
def test_it_computes_what_it_says(tree: Any, data: dict[str, float]) -> None:
    value = parse_custom_value(written(tree)).value
    assert value is not None
    about = {"udata": data, "duration": data.get("Duration", 0)}
    assert value(about) == computed(tree, data)
