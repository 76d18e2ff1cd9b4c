"""Scalars: what the formula language computes of one action, and of aggregates.

The brute force below is a second reading of the rules, on trees instead of text.
"""

from __future__ import annotations

from math import fmod, isfinite
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.expressions import ExpressionError
from statserver_trio.expressions.functions import FUNCTIONS
from statserver_trio.expressions.keys import parse_key
from statserver_trio.expressions.reading import DEPTH_MAX, Language
from statserver_trio.expressions.scalars import OF_ONE, SIGNS, ScalarReader
from statserver_trio.expressions.values import TEXT_KEPT_MAX, TEXT_VALUE_MAX, Value, Variables

LANGUAGE = Language("expression", SIGNS)
CALL: dict[str, Value] = {
    "duration": 90.5,
    "udata": {"Priority": "7", "Level": 2, "Rate": 2.0, "Class": "gold", "VIP": True, "List": [1]},
    "reasons": {},
    "ext": {"ReasonCode": "12"},
    "connid": "c1",
    "ani": "0123",
    "dnis": "",
    "thisdn": "7001",
    "otherdn": None,
    "calltype": "Inbound",
    "mediatype": "voice",
    "action": "CallInbound",
    "start": 1000,
    "end": None,
}


def value(text: str, about: Variables = CALL) -> Value:
    reader = ScalarReader(text, LANGUAGE)
    evaluate = reader.expression()
    reader.take("end", "the end")
    return evaluate(about)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("1.5", 1.5),
        ("'a'", "a"),
        ("NULL", None),
        ("Duration", 90.5),
        ("end", None),
        ("otherdn", None),
        # Arithmetic.
        ("2+3*4-6/2", 11.0),
        ("7/2", 3.5),
        ("7%3", 1),
        ("-7%3", -1),
        ("-7.5%2", -1.5),
        ("7%-3", 1),
        ("1/0", None),
        ("1%0", None),
        ("1.5%0", None),
        ("1+NULL", None),
        ("1+'1'", None),
        ("udata+1", None),
        ("-'1'", None),
        ("(duration>10)+1", 2),
        ("999999999999999999*9", 8999999999999999991),
        ("999999999999999999*99", 999999999999999999.0 * 99),
        # Logic.
        ("duration > 10", True),
        ("duration > 10 AND NOT calltype='Outbound'", True),
        ("1=2 OR 1=1 AND 1=2", False),
        ("(1=2 OR 1=1) AND 1=2", False),
        ("1=1 or 1=1 and 1=2", True),
        ("NOT 1=2 AND 1=2", False),
        ("not not 1", True),
        ("NULL = NULL", False),
        ("NULL <> 1", False),
        ("NOT NULL", True),
        ("NOT (NULL > 1)", True),
        ("NULL AND 1", False),
        ("'1' OR 0", False),
        ("ani = '123'", False),
        ("ani = 123", True),
        ("udata = udata", False),
        ("1 < 'x'", False),
        # Branches.
        ("IF(duration>10,'long','short')", "long"),
        ("if(NULL,1,2)", 2),
        ("CASE WHEN duration<10 THEN 1 WHEN duration<100 THEN 2 ELSE 3 END", 2),
        ("CASE WHEN 0 THEN 1 ELSE CASE WHEN 1 THEN 5 END END + 1", 6),
        ("CASE WHEN 0 THEN 1 END", None),
        ("CASE WHEN end > start THEN end ELSE start END", 1000),  # end is a variable, too
        # Pairs.
        ("kvnum(udata,'Priority')", 7),
        ("KVNUM ( udata , 'Level' )", 2),
        ("kvnum(udata,'Class')", None),
        ("kvnum(udata,'List')", None),
        ("kvnum(udata,'VIP')", 1),
        ("kvstr(udata,'Class')", "gold"),
        ("kvstr(udata,'Rate')", "2"),
        ("kvstr(udata,'List')", None),
        ("kvstr(udata,'Missing')", None),
        ("kvstr(udata,NULL)", None),
        ("kvstr(ext,concat('Reason','Code'))", "12"),
        ("kvexists(udata,'List')", True),
        ("kvexists(reasons,'List')", False),
        # Functions.
        ("abs(-3)", 3),
        ("abs('-3')", None),
        ("min(3,1,2)", 1),
        ("max(3,duration)", 90.5),
        ("max('a','b')", "b"),
        ("max('a',1)", None),
        ("min(1,NULL)", None),
        ("floor(-1.5)", -2),
        ("ceil(-1.5)", -1),
        ("floor(duration)", 90),
        ("round(2.5)", 3),
        ("round(-2.5)", -3),
        ("round(0.4999)", 0),
        ("round(1.005,2)", 1.01),
        ("round(1250,-2)", 1300),
        ("round(5)", 5),
        ("round(1,0.5)", None),
        ("round(1,99)", None),
        ("sqrt(9)", 3.0),
        ("sqrt(-1)", None),
        ("len('äöü')", 3),
        ("len(1234)", 4),
        ("len(udata)", None),
        ("upper('straße')", "STRASSE"),
        ("lower(action)", "callinbound"),
        ("substr('abcdef',2)", "bcdef"),
        ("substr('abcdef',2,3)", "bcd"),
        ("substr('abcdef',-2)", "ef"),
        ("substr('abcdef',-9,2)", "ab"),
        ("substr('abcdef',0,2)", "ab"),
        ("substr('abcdef',9)", ""),
        ("substr('abcdef',2,-1)", ""),
        ("substr('abcdef','x')", None),
        ("concat(ani,'/',5,'/',5.0)", "0123/5/5"),
        ("concat('a',NULL)", None),
        ("contains(calltype,'bound')", True),
        ("contains(calltype,'BOUND')", False),
    ],
)
def test_what_it_is_worth(text: str, expected: Value) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_texts_do_not_grow_without_end() -> None:
    long = {**CALL, "ani": "x" * 3000}
    assert value("concat(ani,ani)", long) == "x" * TEXT_VALUE_MAX
    assert value("upper(concat(ani,ani))", long) == "X" * TEXT_VALUE_MAX
    assert value("substr(ani,1)", {"ani": "x" * 9999}) == "x" * TEXT_VALUE_MAX


VARIABLES = ", ".join(OF_ONE)
A_VALUE = f"a number, a text in quotes, a variable ({VARIABLES}), a function, '-' or '('"
KNOWN = f"{', '.join(FUNCTIONS)}, kvnum, kvstr, kvexists, IF"
OF_ALL_ONLY = "only in a formula, outside an aggregate"
AN_OPERATOR = "expected an operator or ')'"
AN_END = "the end of the expression"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"column 1: expected {A_VALUE}, not {AN_END}"),
        ("1 +", f"column 4: expected {A_VALUE}, not {AN_END}"),
        ("1 = 2 = 3", "column 7: expected the end, not '='"),
        ("1 AND", f"column 6: expected {A_VALUE}, not {AN_END}"),
        ("AND 1", f"column 1: expected {A_VALUE}, not 'AND'"),
        ("foo", f"column 1: no such variable as foo; known here: {VARIABLES}"),
        ("now", f"column 1: now is known {OF_ALL_ONLY}; here: {VARIABLES}"),
        ("sqrt", "column 1: sqrt is a function: '(' expected after it"),
        ("foo(1)", f"column 1: no such function as foo; known: {KNOWN}"),
        ("SUM(CallInbound)", "column 1: SUM: no aggregate may stand in a key"),
        ("RankDesc(1)", "column 1: RankDesc: functions that rank or sort are not supported"),
        ("sqrt(1,2)", "column 7: expected an operator or ')': sqrt takes 1 argument, not ','"),
        ("round()", f"column 7: expected {A_VALUE}, not ')'"),
        ("contains('a')", "column 13: expected ',': contains takes 2 arguments, not ')'"),
        ("round(1,2,3)", f"column 10: {AN_OPERATOR}: round takes 1 to 2 arguments, not ','"),
        ("IF(1,2)", "column 7: expected ',': IF takes 3 arguments, not ')'"),
        ("IF 1", "column 4: expected '(' after IF, not '1'"),
        ("CASE 1", "column 6: expected WHEN after CASE, not '1'"),
        ("CASE WHEN 1", f"column 12: expected an operator or THEN, not {AN_END}"),
        ("CASE WHEN 1 THEN 2", f"column 19: expected an operator, WHEN, ELSE or END, not {AN_END}"),
        ("CASE WHEN 1 THEN ELSE 2 END", f"column 18: expected {A_VALUE}, not 'ELSE'"),
        ("kvnum(ani,'a')", "column 7: expected a list of pairs (udata, reasons, ext), not 'ani'"),
        ("kvnum(udata)", "column 12: expected ',': kvnum takes 2 arguments, not ')'"),
        ("kvnum(udata,'a',1)", f"column 16: {AN_OPERATOR}: kvnum takes 2 arguments, not ','"),
        ("(1", f"column 3: expected an operator or ')', not {AN_END}"),
        ("1 ; 2", "column 3: expected the end, not ';'"),
        ("'a", "column 1: a text that begins with ' never ends"),
        ("(" * 4000, f"column {DEPTH_MAX + 2}: nested too deeply, at most 50 levels"),
        ("not " * 1000, "column 205: nested too deeply, at most 50 levels"),
    ],
)  # fmt: skip
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("(", ")"), ("concat(1,", ")"), ("IF(1,", ",2)"), ("CASE WHEN 1 THEN ", " END")],
)
def test_the_deepest_one_can_be_computed(opening: str, closing: str) -> None:
    text = opening * DEPTH_MAX + "5" + closing * DEPTH_MAX
    assert str(value(text)).endswith("5")
    with pytest.raises(ExpressionError, match="nested too deeply"):
        value(f"({text})")


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "%", "AND", "OR"])
def test_a_long_one_is_no_deep_one(sign: str) -> None:
    value(f" {sign} ".join(["1"] * 600))


# -- against brute force ------------------------------------------------------------------

DATA = st.fixed_dictionaries(
    {
        "duration": st.integers(-3, 3) | st.sampled_from([0.5, 2.5, 1e300]),
        "ani": st.sampled_from(["", "1", "x", "2.5"]),
        "otherdn": st.none(),
        "udata": st.dictionaries(
            st.sampled_from(["a", "b"]),
            st.none() | st.integers(-2, 2) | st.sampled_from(["a", "2", "-1.5", [1], True, 0.5]),
        ),
    }
)
LEAVES = (
    st.sampled_from([0, 1, 2, 5, 0.5, 10**17, "text:a", "text:2", "NULL"])
    | st.sampled_from(["duration", "ani", "otherdn", "udata"])
    | st.tuples(st.sampled_from(["kvnum", "kvstr", "kvexists"]), st.sampled_from("ab"))
)
LEVELS = {"OR": 1, "AND": 2, "NOT": 3, **dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), 4)}
LEVELS |= {"+": 5, "-": 5, "*": 6, "/": 6, "%": 6, "neg": 7}
BINARY = [sign for sign in LEVELS if sign not in ("NOT", "neg")]
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.tuples(st.sampled_from(["NOT", "neg", "abs", "sqrt", "len", "floor"]), inner)
        | st.tuples(st.sampled_from(BINARY), inner, inner)
        | st.tuples(st.sampled_from(["IF", "CASE"]), inner, inner, inner)
        | st.tuples(st.sampled_from(["min", "max", "concat"]), inner, inner)
    ),
    max_leaves=15,
)


def written(tree: Any, level: int = 0) -> str:
    """With no more parentheses than it takes."""
    match tree:
        case int() | float():
            return str(tree)
        case str():
            return f"'{tree[5:]}'" if tree.startswith("text:") else tree
        case ("kvnum" | "kvstr" | "kvexists" as name, key):
            return f"{name}(udata, '{key}')"
        case ("CASE", condition, then, otherwise):
            return (
                f"CASE WHEN {written(condition)} THEN {written(then)} ELSE {written(otherwise)} END"
            )
        case ("NOT", inner):
            text = f"NOT {written(inner, 3)}"
        case ("neg", inner):
            text = f"-{written(inner, 7)}"
        case (sign, left, right) if sign in LEVELS:
            own = LEVELS[sign]
            text = f"{written(left, own + (own == 4))} {sign} {written(right, own + 1)}"
        case (name, *arguments):
            return f"{name}({','.join(map(written, arguments))})"
    return f"({text})" if LEVELS[tree[0]] < level else text


def number(found: Any) -> Any:
    return found if isinstance(found, int | float) else None


def in_bounds(found: Any) -> Any:
    if isinstance(found, int) and not -(2**63) <= found < 2**63:
        found = float(found)
    return found if isfinite(found) else None


def read(found: Any) -> Any:
    try:
        return float(found) if isinstance(found, str) else number(found)
    except ValueError:
        return None


def as_text(found: Any) -> Any:
    if isinstance(found, bool):
        return str(int(found))
    if isinstance(found, float) and found == int(found) and abs(found) < 1e15:
        return str(int(found))
    return found if isinstance(found, str) else None if number(found) is None else str(found)


def yes(found: Any) -> bool:
    return number(found) is not None and found != 0


def calculated(sign: str, left: Any, right: Any) -> Any:
    one, other = number(left), number(right)
    if one is None or other is None or (sign in "/%" and not other):
        return None
    if sign == "%":
        whole = isinstance(one, int) and isinstance(other, int)
        return in_bounds(
            (abs(one) % abs(other)) * (-1 if one < 0 else 1) if whole else fmod(one, other)
        )
    if sign == "/":
        return in_bounds(one / other)
    return in_bounds({"+": one + other, "-": one - other, "*": one * other}[sign])


def compares(sign: str, left: Any, right: Any) -> bool:
    if left is None or right is None or isinstance(left, dict) or isinstance(right, dict):
        return False
    if not (isinstance(left, str) and isinstance(right, str)):
        left, right = read(left), read(right)
        if left is None or right is None:
            return sign == "<>"
    return {"=": left == right, "<>": left != right, "<": left < right, ">": left > right}.get(
        sign, left == right or (left < right) == (sign == "<=")
    )


def applied(name: str, found: list[Any]) -> Any:
    if name in ("len", "concat"):
        texts = [as_text(each) for each in found]
        if None in texts:
            return None
        return len(texts[0]) if name == "len" else "".join(texts)
    if name in ("min", "max") and all(isinstance(each, str) for each in found):
        return sorted(found)[0 if name == "min" else -1]
    if any(number(each) is None for each in found):
        return None
    if name in ("min", "max"):
        one, other = found
        return one if (one <= other if name == "min" else one >= other) else other
    only = found[0]
    if name == "sqrt":
        return None if only < 0 else only**0.5
    return in_bounds(abs(only) if name == "abs" else only // 1)


def computed(tree: Any, data: dict[str, Any]) -> Any:
    match tree:
        case "NULL":
            return None
        case str():
            return tree[5:] if tree.startswith("text:") else data[tree]
        case int() | float():
            return tree
        case ("kvexists", key):
            return key in data["udata"]
        case ("kvnum", key):
            return read(data["udata"].get(key))
        case ("kvstr", key):
            return as_text(data["udata"].get(key))
        case ("IF" | "CASE", condition, then, otherwise):
            return computed(then if yes(computed(condition, data)) else otherwise, data)
    name, found = tree[0], [computed(part, data) for part in tree[1:]]
    match name:
        case "NOT":
            return not yes(found[0])
        case "neg":
            return calculated("-", 0, found[0])
        case "AND" | "OR":
            return (all if name == "AND" else any)(map(yes, found))
        case "+" | "-" | "*" | "/" | "%":
            return calculated(name, *found)
        case "=" | "<>" | "<" | "<=" | ">" | ">=":
            return compares(name, *found)
    return applied(name, found)


@given(TREES, DATA)
def test_it_computes_what_it_says(tree: Any, data: dict[str, Any]) -> None:
    assert value(written(tree), data) == computed(tree, data)


WORDS = "( ) + - * / % , ; @ ~ = < <> >= AND OR NOT IF CASE WHEN THEN ELSE END NULL ( ( ) ) , "
WORDS += "duration udata ani 'a' ' 1 2.5 kvnum kvstr kvexists abs round substr concat é x min"
PIECES = st.sampled_from([*WORDS.split(), "9" * 18, " "])


@given(st.lists(PIECES, max_size=40).map(" ".join) | st.text(), DATA)
def test_any_text_is_a_key_or_a_mistake(text: str, data: dict[str, Any]) -> None:
    column = 1
    try:
        key = parse_key(text)
    except ExpressionError as refused:
        column = refused.column
    else:
        found = key.value({**CALL, **data})
        assert isinstance(found, str)
        assert len(found) <= TEXT_KEPT_MAX
        assert parse_key(key.text) == key
        assert parse_key(key.text).value({**CALL, **data}) == found
    assert 1 <= column <= len(text) + 1


@pytest.mark.parametrize(
    ("text", "child"),
    [
        ("kvstr(udata,'Class')", "gold"),
        ("kvstr(udata,'Missing')", ""),
        ("kvnum(udata,'Rate')", "2"),
        ("floor(duration/60)*60", "60"),
        ("duration > 10", "1"),
        ("udata", ""),
        ("upper(kvstr(udata,'Class'))", "GOLD"),
    ],
)
def test_keys_name_children(text: str, child: str) -> None:
    assert parse_key(text).value(CALL) == child


def test_a_key_is_not_longer_than_a_name() -> None:
    assert parse_key("ani").value({**CALL, "ani": "x" * 999}) == "x" * TEXT_KEPT_MAX
