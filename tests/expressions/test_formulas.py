"""Formulas: their aggregates, what is made of them, and where a mistake is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.expressions import ExpressionError
from statserver_trio.expressions.formulas import AGGREGATES_MAX, Aggregate, Formula, parse_formula
from statserver_trio.expressions.reading import DEPTH_MAX
from statserver_trio.expressions.scalars import AGGREGATES, OF_ONE
from statserver_trio.expressions.values import TEXT_KEPT_MAX, Value
from statserver_trio.model.actions import ALL_ACTIONS, mask_of
from statserver_trio.stats.definitions import masks

ENV = {"now": 1000.0, "interval": 60, "object": "8001@sw1"}


def parse_mask(text: str) -> tuple[int, list[str]]:
    return masks.parse_mask(text, in_formula=True)


def parse(text: str) -> Formula:
    return parse_formula(text, parse_mask)


def shown(aggregate: Aggregate) -> str:
    """Everything about an aggregate but what it computes."""
    assert aggregate.text.startswith("@") is aggregate.is_current
    assert aggregate.function in aggregate.text
    assert (aggregate.value is None) is (aggregate.function == "COUNT")
    return aggregate.text


@pytest.mark.parametrize(
    ("text", "aggregates"),
    [
        ("@COUNT(CallWait; duration > 10)", ["@COUNT(CallWait;duration>10)"]),
        (
            'AVG(CallInbound; kvnum(udata, "Priority"))',
            ['AVG(CallInbound;kvnum(udata,"Priority"))'],
        ),
        ("count(CallInbound)", ["COUNT(CallInbound)"]),
        ("COUNT(CallInbound;)", ["COUNT(CallInbound)"]),
        ("COUNT(CallInbound;;ani='1')", ["COUNT(CallInbound;ani='1')"]),
        ("SUM(CallInbound;duration;ani='1')", ["SUM(CallInbound;duration;ani='1')"]),
        # Without a value it is the duration; of DCOUNT the call.
        ("SUM(CallInbound)", ["SUM(CallInbound;duration)"]),
        ("MAX(CallInbound;;ani='1')", ["MAX(CallInbound;duration;ani='1')"]),
        ("DCOUNT(CallInbound)", ["DCOUNT(CallInbound;connid)"]),
        ("DCOUNT(CallInbound;ani)", ["DCOUNT(CallInbound;ani)"]),
        ("FIRST(*;ani) = LAST(*;ani)", ["FIRST(*;ani)", "LAST(*;ani)"]),
        ("COUNT( * , ~ CallInbound )", ["COUNT(*,~CallInbound)"]),
        # What is written twice is computed once; the other one of now and then is another one.
        ("COUNT(*)+COUNT( * )+@COUNT(*)+@ COUNT(*)", ["COUNT(*)", "@COUNT(*)"]),
        ("SUM(*)+SUM(*;duration)", ["SUM(*;duration)"]),
        ("IF(COUNT(*)>0,SUM(*)/COUNT(*),0)", ["COUNT(*)", "SUM(*;duration)"]),
        # MIN and MAX are functions, too.
        ("min(COUNT(*),5)", ["COUNT(*)"]),
        ("min(CallInbound)", ["MIN(CallInbound;duration)"]),
        ("MAX(*)", ["MAX(*;duration)"]),
        ("Max(now,interval)", []),
        ("SUM(CallInbound;min(duration,60))", ["SUM(CallInbound;min(duration,60))"]),
        ("now - interval", []),
    ],
)
def test_aggregates(text: str, aggregates: list[str]) -> None:
    found = parse(text)
    assert list(map(shown, found.aggregates)) == aggregates
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("text", "aggregates", "warnings"),
    [
        (
            "SUM(CallInternal,duration)+@SUM(CallInternal;duration )",
            ["SUM(CallInternal;duration)", "@SUM(CallInternal;duration)"],
            ["column 17: ',' is read as ';': what follows is no action"],
        ),
        (
            "COUNT(CallInbound, CallWait, duration > 10)",
            ["COUNT(CallInbound,CallWait;duration>10)"],
            ["column 28: ',' is read as ';': what follows is no action"],
        ),
        (
            "COUNT(CallInbound,CallSideways;ani='1')",
            ["COUNT(CallInbound,CallSideways;ani='1')"],
            ["column 7: no such action: CallSideways; passed over"],
        ),
        (
            "COUNT(~CallInbound)",
            ["COUNT(~CallInbound)"],
            ["column 7: begins with ~CallInbound: removes from nothing; put * before it"],
        ),
        (
            "COUNT(*,~CallWait)",
            ["COUNT(*,~CallWait)"],
            ["column 7: ~CallWait removes nothing: name what it stands for"],
        ),
    ],
)
def test_what_is_odd(text: str, aggregates: list[str], warnings: list[str]) -> None:
    found = parse(text)
    assert list(map(shown, found.aggregates)) == aggregates
    assert found.warnings == tuple(warnings)


def test_masks_of_aggregates() -> None:
    found = parse("COUNT(CallWait,CallInbound)+COUNT(*,~CallInbound)+COUNT(*,~CallWait)")
    assert [aggregate.mask for aggregate in found.aggregates] == [
        mask_of("CallWait", "CallInbound"),
        ALL_ACTIONS & ~mask_of("CallInbound"),
        ALL_ACTIONS,  # an alias removes nothing
    ]


def test_blanks_make_no_difference() -> None:
    one, other = parse("COUNT( * )\t+ 1"), parse("COUNT(*)+1")
    assert one == other
    assert one.text == "COUNT(*)+1"
    assert one.aggregates == other.aggregates
    assert parse("COUNT(*)+2") != one


CALL: dict[str, Value] = {"duration": 90, "udata": {"a": "x" * 999, "n": "7"}, "ani": "12"}


@pytest.mark.parametrize(
    ("text", "value", "counts"),
    [
        ("SUM(*)", 90, None),
        ("SUM(*;kvnum(udata,'n'))", 7, None),
        ("SUM(*;kvstr(udata,'n'))", None, None),  # a text is no number
        ("AVG(*;udata)", None, None),
        ("MIN(*;ani)", None, None),
        ("MAX(*;duration>1)", 1, None),
        ("FIRST(*;kvstr(udata,'n'))", "7", None),
        ("LAST(*;udata)", None, None),
        ("LAST(*;duration>1)", 1, None),
        ("DCOUNT(*;kvstr(udata,'a'))", "x" * TEXT_KEPT_MAX, None),
        ("SUM(*;duration;ani=12)", 90, True),
        ("SUM(*;duration;kvnum(udata,'missing'))", 90, False),
        ("SUM(*;duration;ani)", 90, False),
    ],
)
def test_what_an_aggregate_looks_at(text: str, value: Value, counts: bool | None) -> None:
    aggregate = parse(text).aggregates[0]
    assert aggregate.value is not None
    found = aggregate.value(CALL)
    assert found == value
    assert type(found) is type(value)
    assert (aggregate.condition is None) is (counts is None)
    if aggregate.condition is not None:
        assert aggregate.condition(CALL) is counts


@pytest.mark.parametrize(
    ("text", "values", "result"),
    [
        ("SUM(CallInternal,duration)+@SUM(CallInternal;duration )", [80, 15], 95),
        ("SUM(*)/COUNT(*)", [6, 4], 1.5),
        ("SUM(*)/COUNT(*)", [6, 0], None),
        ("COUNT(*) > 3", [4], 1),
        ("LAST(*;ani)", ["0123"], "0123"),
        ("LAST(*;ani)", [None], None),
        ("IF(COUNT(*)>3,'busy','quiet')", [4], "busy"),
        ("FIRST(*)", [float("nan")], None),
        ("FIRST(*)", [float("inf")], None),
        ("FIRST(*)*10", [1e308], None),
        ("FIRST(*)", [True], 1),
        ("COUNT(*)/interval*3600", [4], 240.0),
        ("object", [], "8001@sw1"),
        ("now-interval", [], 940.0),
        ("concat(object,':',COUNT(*))", [4], "8001@sw1:4"),
    ],
)
def test_what_a_formula_is_worth(text: str, values: list[Value], result: Value) -> None:
    found = parse(text).evaluate(values, ENV)
    assert found == result
    assert type(found) is type(result)


def test_there_are_as_many_values_as_aggregates() -> None:
    with pytest.raises(ValueError, match="shorter"):
        parse("COUNT(*)").evaluate([], ENV)
    with pytest.raises(ValueError, match="longer"):
        parse("COUNT(*)").evaluate([1, 2], ENV)


VARIABLES = ", ".join(OF_ONE)
NAMES = ", ".join(AGGREGATES)
OUTSIDE = "a number, a text in quotes, a variable (now, interval, object), a function, '-' or '('"
A_VALUE = f"an aggregate ({NAMES}), {OUTSIDE}"
OF_ONE_ONLY = "only inside an aggregate; here: now, interval, object"
OF_ALL_ONLY = "only in a formula, outside an aggregate"
THE_END = "the end of the formula"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"column 1: expected {A_VALUE}, not {THE_END}"),
        ("COUNT", "column 1: COUNT is an aggregate: '(' expected after it"),
        ("@", f"column 2: expected an aggregate ({NAMES}) after '@', not {THE_END}"),
        ("@now", f"column 2: expected an aggregate ({NAMES}) after '@', not 'now'"),
        ("@COUNT", f"column 7: expected '(' after COUNT, not {THE_END}"),
        ("COUNT()", "column 7: expected an action, '*' or '~', not ')'"),
        ("COUNT(5)", "column 7: expected an action, '*' or '~', not '5'"),
        ("COUNT(~)", "column 8: expected an action, '*' or '~', not ')'"),
        ("COUNT(*", f"column 8: expected ')' after what COUNT is about, not {THE_END}"),
        ("COUNT(CallSideways)", "column 7: no such action: CallSideways"),
        ("COUNT(CallSideways;1)", "column 7: no such action: CallSideways"),
        (
            "SUM(CallInbound,CallSideways)",
            f"column 17: CallSideways is neither an action nor a variable; variables: {VARIABLES}",
        ),
        ("COUNT(*;1;2)", "column 8: COUNT takes a mask and a condition, and no value"),
        ("SUM(*;1;2;3)", "column 10: expected ')' after what SUM is about, not ';'"),
        ("SUM(*;now)", f"column 7: now is known {OF_ALL_ONLY}; here: {VARIABLES}"),
        ("duration", f"column 1: duration is known {OF_ONE_ONLY}"),
        ("SUM(*;COUNT(*))", "column 7: COUNT: no aggregate may stand inside another one"),
        ("SUM(*;@COUNT(*))", "column 7: '@': no aggregate may stand inside another one"),
        ("kvnum(udata,'a')", f"column 7: udata is known {OF_ONE_ONLY}"),
        ("rank(COUNT(*))", "column 1: rank: functions that rank or sort are not supported"),
        ("COUNT(*) COUNT(*)", "column 10: expected an operator or the end, not 'COUNT'"),
        ("COUNT(*;'a)", "column 9: a text that begins with ' never ends"),
        ("(" * 4000, f"column {DEPTH_MAX + 2}: nested too deeply, at most 50 levels"),
        (
            "+".join(f"COUNT(*;{n})" for n in range(AGGREGATES_MAX + 1)),
            "column 375: too many aggregates, at most 32 different ones",
        ),
    ],
)  # fmt: skip
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_one_aggregate_may_stand_in_many_places() -> None:
    found = parse("+".join(["COUNT(*)"] * 400))
    assert len(found.aggregates) == 1
    assert found.evaluate([2], ENV) == 800


WORDS = """
( ) + - * / , ; @ ~ = < AND OR NOT IF( CASE WHEN THEN ELSE END COUNT( COUNT(*) SUM( MIN( DCOUNT( )
CallInbound CallWait CallSideways duration now object udata 'a' ' 1 2.5 kvnum abs( é @SUM(*; ;; *)
"""
PIECES = st.sampled_from([*WORDS.split(), "9" * 18, " "])
VALUES = st.none() | st.integers(-2, 2) | st.floats() | st.text(max_size=2)


@given(st.lists(PIECES, max_size=30).map(" ".join) | st.text(), VALUES)
def test_any_text_is_a_formula_or_a_mistake(text: str, value: Value) -> None:
    column = 1
    try:
        found = parse(text)
    except ExpressionError as refused:
        column = refused.column
    else:
        result = found.evaluate([value] * len(found.aggregates), ENV)
        assert result is None or isinstance(result, str) or abs(result) < float("inf")
        again = parse(found.text)
        assert again == found
        assert again.aggregates == found.aggregates
        for aggregate in found.aggregates:
            assert parse(shown(aggregate)).aggregates == (aggregate,)
    assert 1 <= column <= len(text) + 1


TREES = st.recursive(
    st.integers(0, 5)
    | st.sampled_from(["now", "interval"])
    | st.tuples(st.sampled_from(["COUNT(*)", "@COUNT(*)", "SUM(CallInbound)", "LAST(*;ani)"])),
    lambda inner: st.tuples(st.sampled_from("+-*"), inner, inner),
    max_leaves=12,
)


def written(tree: Any) -> str:
    match tree:
        case (sign, left, right):
            return f"({written(left)} {sign} {written(right)})"
        case (aggregate,):
            return str(aggregate)
    return str(tree)


def computed(tree: Any, values: dict[str, int]) -> float:
    match tree:
        case (sign, left, right):
            one, other = computed(left, values), computed(right, values)
            return {"+": one + other, "-": one - other, "*": one * other}[sign]
        case (aggregate,):
            return values[aggregate.removesuffix(")")]
        case str():
            return ENV[tree]  # type: ignore[return-value]
    return int(tree)


@given(TREES, st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3))
def test_it_computes_what_it_says(tree: Any, a: int, b: int, c: int, d: int) -> None:
    values = {"COUNT(*": a, "@COUNT(*": b, "SUM(CallInbound": c, "LAST(*;ani": d}
    found = parse(written(tree))
    names = [each.text.removesuffix(")").removesuffix(";duration") for each in found.aggregates]
    assert found.evaluate([values[name] for name in names], ENV) == computed(tree, values)
