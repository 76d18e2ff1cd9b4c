"""Memberships of virtual agent groups: who belongs, and where a mistake is."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.expressions import ExpressionError
from statserver_trio.expressions.memberships import parse_membership
from statserver_trio.expressions.reading import DEPTH_MAX, TEXT_MAX


@frozen
class Somebody:
    """A person with skills, logged in somewhere."""

    skills: dict[str, int] = field(factory=dict)
    queues: frozenset[str] = frozenset()
    switches: frozenset[str] = frozenset()

    def skill(self, name: str) -> int | None:
        return self.skills.get(name)

    def is_logged_in(self, queue: str) -> bool:
        return queue in self.queues

    def is_logged_in_switch(self, switch: str) -> bool:
        return switch in self.switches


ANA = Somebody({"Spanish": 7, "Sales": 0, "Debt": -3}, frozenset({"8001@sw1"}), frozenset({"sw1"}))


@pytest.mark.parametrize(
    ("text", "belongs"),
    [
        ('Skill("Spanish") > 5', True),
        ("skill ( 'Spanish' )\t>7", False),
        ('Skill("Spanish") >= 7', True),
        ('Skill("Spanish") <= 7 & Skill("Spanish") < 8', True),
        ('Skill("Spanish") = 7', True),
        ('Skill("Spanish") <> 7', False),
        ('Skill("Spanish") != 6', True),
        ('5 < Skill("Spanish")', True),
        ('Skill("Debt") = -3', True),
        ('Skill("Spanish") > Skill("Sales")', True),
        ('Skill("spanish") > 0', False),
        # What is absent compares as false, either way.
        ('Skill("French") < 5', False),
        ('Skill("French") >= 5', False),
        ('Skill("French") <> 5', False),
        ('Skill("French") = Skill("German")', False),
        ('~Skill("French") >= 5', True),
        ('~(Skill("French") >= 5)', True),
        ('Skill("Sales") >= 0', True),
        ('LoggedIn("8001@sw1")', True),
        ('LoggedIn("8002@sw1")', False),
        ('~LoggedIn("8002@sw1")', True),
        ('LoggedIn("8001@sw1") = 1', True),
        ('LoggedIn("8002@sw1") = 1', False),
        ('LoggedInSwitch("sw1")', True),
        ('LoggedInSwitch("sw2")', False),
        ('LoggedIn("8001@sw1") = LoggedInSwitch("sw1")', True),
        # & binds tighter than |.
        ('LoggedInSwitch("sw1") | LoggedInSwitch("sw1") & LoggedInSwitch("sw2")', True),
        ('(LoggedInSwitch("sw1") | LoggedInSwitch("sw1")) & LoggedInSwitch("sw2")', False),
        ('~LoggedInSwitch("sw2") & Skill("Spanish") > 5', True),
    ],
)
def test_who_belongs(text: str, belongs: bool) -> None:
    assert parse_membership(text).holds(ANA) is belongs


def test_what_is_named_in_it() -> None:
    found = parse_membership(
        'Skill("B") > Skill("A") | Skill("B") = 1 & LoggedIn("1@x@sw") & ~LoggedInSwitch("sw2")'
    )
    assert found.skills == ("B", "A")
    assert found.queues == ("1@x@sw",)
    assert found.switches == ("sw2",)


def test_blanks_make_no_difference() -> None:
    one = parse_membership(' Skill( "two words" )\n> 5 &LoggedInSwitch("sw1") ')
    other = parse_membership('Skill("two words")>5&LoggedInSwitch("sw1")')
    assert one == other
    assert one.text == 'Skill("two words")>5&LoggedInSwitch("sw1")'
    assert parse_membership('Skill("twowords")>5&LoggedInSwitch("sw1")') != one


FUNCTIONS = "Skill, LoggedIn, LoggedInSwitch"
A_CONDITION = f"a condition ({FUNCTIONS}), a whole number, '~' or '('"
A_COMPARISON = "a comparison (=, <>, !=, <, <=, >, >=)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"column 1: expected {A_CONDITION}, not the end of the membership"),
        ("Skills('a') > 1", f"column 1: no such function as Skills; known: {FUNCTIONS}"),
        ("Skill('a')", f"column 11: expected {A_COMPARISON}, not the end of the membership"),
        ("Skill('a') & 1 = 1", f"column 12: expected {A_COMPARISON}, not '&'"),
        ("5", f"column 2: expected {A_COMPARISON}, not the end of the membership"),
        (
            "1 = 1",
            f"column 5: expected a function ({FUNCTIONS}): two numbers are not compared, not '1'",
        ),
        (
            "Skill('a') > 'b'",
            f"column 14: expected a function ({FUNCTIONS}) or a whole number, not 'b'",
        ),
        ("Skill('a') > 1.5", "column 14: expected a whole number, not '1.5'"),
        ("Skill('a') > -", "column 15: expected a whole number, not the end of the membership"),
        (
            "Skill('a') > 1234567890123456789",
            "column 14: '1234567890123456789' is no number of at most 18 decimal digits",
        ),
        ("Skill('a') > 5x", "column 14: '5x' is no number of at most 18 decimal digits"),
        ("Skill 'a'", "column 7: expected '(' after Skill, not 'a'"),
        ("Skill(a) > 1", "column 7: expected the name of a skill in quotes, not 'a'"),
        ("Skill(' ') > 1", "column 7: the name of a skill is empty"),
        ("Skill('a' > 1", "column 11: expected ')', not '>'"),
        ("Skill('a", "column 7: a text that begins with ' never ends"),
        ("LoggedIn('8001')", "column 10: expected a queue as 'number@switch', not '8001'"),
        ("LoggedIn('@sw')", "column 10: expected a queue as 'number@switch', not '@sw'"),
        ("Skill('a')>1 Skill", "column 14: expected '&', '|' or the end, not 'Skill'"),
        ("Skill('a') > 1 > 2", "column 16: expected '&', '|' or the end, not '>'"),
        ("(Skill('a') > 1", "column 16: expected '&', '|' or ')', not the end of the membership"),
        ("Skill('a') > x", f"column 14: no such function as x; known: {FUNCTIONS}"),
        (
            "~" * (DEPTH_MAX + 1) + "LoggedInSwitch('a')",
            "column 52: nested too deeply, at most 50 levels",
        ),
        ("(" * 4000, "column 52: nested too deeply, at most 50 levels"),
        (" " * (TEXT_MAX + 1), "column 4097: too long, at most 4096 characters are allowed"),
    ],
)  # fmt: skip
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_membership(text)
    assert str(caught.value) == message


NAMES = ["a", "b"]
PEOPLE = st.builds(
    Somebody,
    st.dictionaries(st.sampled_from(NAMES), st.integers(-2, 2)),
    st.frozensets(st.sampled_from(["a@a", "b@a"])),
    st.frozensets(st.sampled_from(NAMES)),
)
WORDS = "( ) & | ~ , = < > - <> >= Skill LoggedIn LoggedInSwitch 'a' \"a@a\" ' 1 1.5 x é ٣"
PIECES = st.sampled_from([*WORDS.split(), "9" * 20, " ", "\n"])


@given(st.lists(PIECES, max_size=40).map("".join) | st.text(), PEOPLE)
def test_any_text_is_a_membership_or_a_mistake(text: str, person: Somebody) -> None:
    column = 1
    try:
        found = parse_membership(text)
    except ExpressionError as refused:
        column = refused.column
    else:
        assert isinstance(found.holds(person), bool)
        again = parse_membership(found.text)
        assert again == found
        assert again.holds(person) is found.holds(person)
    assert 1 <= column <= len(text) + 1


SKILL = st.tuples(st.just("Skill"), st.sampled_from(NAMES))
LOGGED_IN = st.tuples(st.just("LoggedIn"), st.sampled_from(["a@a", "b@a"])) | st.tuples(
    st.just("LoggedInSwitch"), st.sampled_from(NAMES)
)
FUNCTION = SKILL | LOGGED_IN
SIGNS = st.sampled_from(["=", "<>", "!=", "<", "<=", ">", ">="])
COMPARED = (
    st.tuples(SIGNS, FUNCTION, st.integers(-2, 2))
    | st.tuples(SIGNS, st.integers(-2, 2), FUNCTION)
    | st.tuples(SIGNS, FUNCTION, FUNCTION)
)
TREES = st.recursive(
    COMPARED | LOGGED_IN,
    lambda inner: (
        st.tuples(st.just("~"), inner)
        | st.tuples(st.sampled_from("&|"), st.lists(inner, min_size=1, max_size=3))
    ),
    max_leaves=12,
)


def written(tree: Any) -> str:
    match tree:
        case int():
            return str(tree)
        case ("~", inner):
            return f"~{written(inner)}"
        case ("&" | "|" as sign, list(parts)):
            return "(" + f" {sign} ".join(map(written, parts)) + ")"
        case (sign, left, right):
            return f"{written(left)} {sign} {written(right)}"
    return f'{tree[0]}("{tree[1]}")'


def level(operand: Any, person: Somebody) -> int | None:
    match operand:
        case ("Skill", name):
            return person.skills.get(name)
        case ("LoggedIn", name):
            return int(name in person.queues)
        case ("LoggedInSwitch", name):
            return int(name in person.switches)
    assert isinstance(operand, int)
    return operand


def computed(tree: Any, person: Somebody) -> bool:
    match tree:
        case ("~", inner):
            return not computed(inner, person)
        case ("&", list(parts)):
            return all(computed(part, person) for part in parts)
        case ("|", list(parts)):
            return any(computed(part, person) for part in parts)
        case (sign, left, right):
            one, other = level(left, person), level(right, person)
            if one is None or other is None:
                return False
            order = "=" if one == other else "<" if one < other else ">"
            return order in {"<>": "<>", "!=": "<>"}.get(sign, sign)
    return level(tree, person) == 1


@given(TREES, PEOPLE)
def test_a_membership_computes_what_it_says(tree: Any, person: Somebody) -> None:
    assert parse_membership(written(tree)).holds(person) is computed(tree, person)
