"""Filters: what passes, and where a mistake is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.expressions.reading import DEPTH_MAX, TEXT_MAX
from statserver_trio.model.actions import CODES
from statserver_trio.model.calls import Told
from statserver_trio.model.directory import DNKey
from statserver_trio.model.nodes import AgentNode, MediationDN, RegularDN
from statserver_trio.model.occurrences import NO_FACTS, Facts, Occurrence
from statserver_trio.stats.definitions.attributes import ATTRIBUTES
from statserver_trio.stats.definitions.filters import FilterError, parse_filter

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
        ('PairExists("Level",-2)', False),
        ('PairExists("Rate",2)', True),
        ('PairExists("Rate",2.5)', False),
        ('PairExists("List","*")', True),
        ('PairExists("List","[1]")', False),
        ('~PairExists("Language","Spanish")', False),
        ('~~PairExists("Language","Spanish")', True),
        ('PairExists("Level",1) | PairExists("Level",2) & PairExists("Star","*")', True),
        ('(PairExists("Level",2) | PairExists("Level",1)) & PairExists("Level",1)', False),
        ('PairExists("Level",2) | PairExists("Level",1) & PairExists("Level",1)', True),
        ('~(PairExists("Level",1) | PairExists("Level",3))', True),
        ('PairExists("It\'s","*")', False),
        # Values that are attached.
        ('GetNumber("Level") > 1', True),
        ('getnumber("Level") >= 2.5', False),
        ('GetNumber("Level") = -2', False),
        ('2 = GetNumber("Level")', True),
        ('GetNumber("Language") <> 1', False),  # no number, so as good as missing
        ('GetNumber("Nothing") <> 1', False),
        ('~(GetNumber("Nothing") = 1)', True),
        ('GetNumber("List") <> 1', False),
        ('GetString("Language") = "Spanish"', True),
        ('GetString("Language") < "Swedish"', True),
        ('GetString("Language") <> 5', True),
        ('GetString("Language") > 5', False),
        ('GetString("Empty") = ""', True),
        ('GetString("Nothing") = ""', False),
        ('GetString("Level") = "2"', True),
        ('GetString("Level") = 2', True),
        ('GetString("Level") = "2.0"', False),
        ('GetString("Level") < "10"', False),
        ('GetString("Level") < 10', True),
        ('GetNumber("Level") = GetString("Rate")', True),
        ("1 = 1", True),
        ('"a" <> "a"', False),
        ('GetNumber(5) = 1 | "a" = "a"', True),
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


# -- attributes ---------------------------------------------------------------------------

PHONE = RegularDN(DNKey("7001", "sw1"), "Extension", 0)
PHONE.agent = AgentNode("a1", 0)
EMPTY_PHONE = RegularDN(DNKey("7002", "sw1"), "Extension", 0)
QUEUE = MediationDN(DNKey("8001", "sw1"), "Queue", 0)
TOLD = Told("c1", "Inbound", "0123", "800", {"Segment": "gold"}, {"7001": "7002"}, {"7001": "8001"})


def occurrence(
    action: str, dn: Any, call: Told | None = None, reasons: Facts = NO_FACTS
) -> Occurrence:
    return Occurrence(CODES[action], 0, dn, call, reasons)


TALK = occurrence("CallInbound", PHONE, TOLD)
RINGING = occurrence("CallRingingInbound", EMPTY_PHONE, TOLD)
NEW = occurrence("CallUnknown", EMPTY_PHONE, Told("c2"))
WAIT = occurrence("CallWaitInbound", QUEUE, TOLD)
MUSIC = occurrence("CallTreatmentStarted", QUEUE, TOLD, {"TreatmentType": "Music"})
LUNCH = occurrence("NotReadyForNextCall", PHONE, None, {"Why": "Lunch", "ReasonCode": "12"})
AGENT_READY = occurrence("AgentReady", QUEUE, None, {"AgentID": "a1"})
MESSAGE = occurrence("UserEvent", PHONE, None, {"Why": "Lunch", "TreatmentType": "Music"})
NEWS = occurrence("UserEventReceived", QUEUE, None, {"Why": "News", "TreatmentType": "Music"})


@pytest.mark.parametrize(
    ("text", "passing"),
    [
        ('ANI = "0123"', [TALK, RINGING, WAIT, MUSIC]),
        ("ani = 123", [TALK, RINGING, WAIT, MUSIC]),
        ('ANI = "123"', []),
        ('"0123" = ANI', [TALK, RINGING, WAIT, MUSIC]),
        ('ANI <> ""', [TALK, RINGING, WAIT, MUSIC]),
        ('ANI <> "0123"', []),
        ('~(ANI = "0123")', [NEW, LUNCH, AGENT_READY, MESSAGE, None]),
        ("DNIS >= 800 & DNIS < 900", [TALK, RINGING, WAIT, MUSIC]),
        ('CallType = "Inbound"', [TALK, RINGING, WAIT, MUSIC]),
        ('CallType = "Unknown"', [NEW]),
        ('ThisDN = "7001"', [TALK, LUNCH, MESSAGE]),
        ('OtherDN = "7002"', [TALK]),
        ('ThisQueue = "8001"', [TALK, WAIT, MUSIC, AGENT_READY]),
        ('ThisQueue <> "8001"', []),
        ('TreatmentType = "Music"', [MUSIC]),
        ('AgentID = "a1"', [TALK, LUNCH, AGENT_READY, MESSAGE]),
        ('AgentID <> "a1"', []),
        (
            'MediaType = "voice"',
            [TALK, RINGING, NEW, WAIT, MUSIC, LUNCH, AGENT_READY, MESSAGE],
        ),
        ('MediaType = "email"', []),
        (
            'CustomerID = "Environment" & TenantID = CustomerID',
            [TALK, RINGING, NEW, WAIT, MUSIC, LUNCH, AGENT_READY, MESSAGE, None],
        ),
        ('ReasonExists("Why","Lunch")', [LUNCH]),
        ('ReasonExists("Why","*")', [LUNCH]),
        ('ReasonExists("Why","Tea")', []),
        ("ExtensionReasonCode(12)", [LUNCH]),
        ('ExtensionReasonCode("*")', [LUNCH]),
        ('PairExists("Why","Lunch")', [LUNCH, MESSAGE]),
        ('GetString("Why") = "Lunch"', [LUNCH, MESSAGE]),
        ('GetGlobalString("Why") = "Lunch"', []),
        ('GetGlobalString("Segment") = "gold"', [TALK, RINGING, WAIT, MUSIC]),
        ("GetGlobalNumber('Segment') <> 1", []),
        ('PairExists("Segment","gold") & OtherDN = "7002"', [TALK]),
    ],
)
def test_attributes(text: str, passing: list[Occurrence | None]) -> None:
    test = parse_filter("F", text)
    everything = [TALK, RINGING, NEW, WAIT, MUSIC, LUNCH, AGENT_READY, MESSAGE, None]
    assert not parse_filter("F", 'TreatmentType <> ""').matches(NEWS.facts, NEWS)
    found = [o for o in everything if test.matches(NO_FACTS if o is None else o.facts, o)]
    assert found == passing


# -- mistakes -----------------------------------------------------------------------------

NAMES = ", ".join(ATTRIBUTES)
VALUES = "GetNumber, GetString, GetGlobalNumber, GetGlobalString"
FUNCTIONS = "PairExists, ReasonExists, ExtensionReasonCode"
AN_OPERAND = f"an attribute ({NAMES}), {VALUES}, a text in quotes or a number"
A_CONDITION = f"a condition ({FUNCTIONS}), {AN_OPERAND}, '~' or '('"
A_COMPARISON = "a comparison (=, <>, !=, <, <=, >, >=)"
THE_END = "the end of the filter"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"column 1: expected {A_CONDITION}, not {THE_END}"),
        ("  ", f"column 3: expected {A_CONDITION}, not {THE_END}"),
        ('Foo("a")', f"column 1: no such function as Foo; known: {FUNCTIONS}, {VALUES}"),
        ("PairExists", f"column 11: expected '(' after PairExists, not {THE_END}"),
        ("PairExists()", "column 12: expected a text in quotes or a number, not ')'"),
        ('PairExists("a")', "column 15: expected ',': PairExists takes 2 arguments, not ')'"),
        ('PairExists("a",1,2)', "column 17: expected ')': PairExists takes 2 arguments, not ','"),
        ("PairExists(a,1)", "column 12: expected a text in quotes or a number, not 'a'"),
        ("PairExists(-'a',1)", "column 13: expected a number, not 'a'"),
        ('PairExists("a', 'column 12: a text that begins with " never ends'),
        ("PairExists('a\",1)", "column 12: a text that begins with ' never ends"),
        (
            'PairExists("a",1) PairExists',
            "column 19: expected '&', '|' or the end, not 'PairExists'",
        ),
        ('(PairExists("a",1)', f"column 19: expected '&', '|' or ')', not {THE_END}"),
        ('(PairExists("a",1) & )', f"column 22: expected {A_CONDITION}, not ')'"),
        ("ReasonExists('a')", "column 17: expected ',': ReasonExists takes 2 arguments, not ')'"),
        (
            "ExtensionReasonCode('a','b')",
            "column 24: expected ')': ExtensionReasonCode takes 1 argument, not ','",
        ),
        (
            "Ani2 = 1",
            f"column 1: no such attribute as Ani2; attributes: {NAMES}; "
            f"functions: {FUNCTIONS}, {VALUES}",
        ),
        ("ANI", f"column 4: expected {A_COMPARISON}, not {THE_END}"),
        ("ANI & DNIS = 1", f"column 5: expected {A_COMPARISON}, not '&'"),
        ("ANI = ", f"column 7: expected {AN_OPERAND}, not {THE_END}"),
        ("ANI == 1", f"column 6: expected {AN_OPERAND}, not '='"),
        ("ANI = 1 = 2", "column 9: expected '&', '|' or the end, not '='"),
        (
            "ANI = PairExists('a',1)",
            "column 7: PairExists is a condition and has no value to compare",
        ),
        ("GetNumber('a')", f"column 15: expected {A_COMPARISON}, not {THE_END}"),
        ("GetNumber('a',1) = 1", "column 14: expected ')': GetNumber takes 1 argument, not ','"),
        ("'a'", f"column 4: expected {A_COMPARISON}, not {THE_END}"),
        ("('a') = 'a'", f"column 5: expected {A_COMPARISON}, not ')'"),
        ("ANI = 0x1", "column 7: '0x1' is no number of at most 18 decimal digits"),
        ("§", f"column 1: expected {A_CONDITION}, not '§'"),
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


WORDS = """
PairExists PairExists("a",1) ReasonExists( ExtensionReasonCode(1) GetNumber("a") GetString( ANI
CallType = <> >= ( ) , & | ~ - "a" '*' 1 2.5 " x é
"""
PIECES = st.sampled_from([*WORDS.split(), " ", "\t"])
DATA = st.none() | st.dictionaries(
    st.sampled_from(["a", "1", "*"]),
    st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.integers()),
)
SOURCES = st.sampled_from([None, TALK, NEW, WAIT, MUSIC, LUNCH, AGENT_READY, MESSAGE])


@given(st.lists(PIECES, max_size=40).map("".join) | st.text(), DATA, SOURCES)
def test_any_text_is_a_filter_or_a_mistake(
    text: str, data: dict[str, Any] | None, source: Occurrence | None
) -> None:
    column = 1
    try:
        passes = parse_filter("F", text).matches(data, source)
    except FilterError as refused:
        column = refused.column
    else:
        assert isinstance(passes, bool)
    assert 1 <= column <= len(text) + 1


# -- against brute force ------------------------------------------------------------------

OPERANDS = (
    st.integers(-2, 12)
    | st.sampled_from(["text:", "text:a", "text:10", "text:9", "ANI", "CallType", "OtherDN"])
    | st.tuples(st.sampled_from(["GetNumber", "GetString"]), st.sampled_from("ab"))
)
SIGNS = st.sampled_from(["=", "<>", "!=", "<", "<=", ">", ">="])
EXPRESSIONS = st.recursive(
    st.tuples(st.sampled_from("ab"), st.integers(0, 1)) | st.tuples(SIGNS, OPERANDS, OPERANDS),
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
        case str():
            return f"'{tree[5:]}'" if tree.startswith("text:") else tree
        case ("~", inner):
            return f"~{written(inner)}"
        case ("&" | "|" as sign, list(parts)):
            return "(" + f" {sign} ".join(map(written, parts)) + ")"
        case ("GetNumber" | "GetString" as name, key):
            return f'{name}("{key}")'
        case (sign, left, right):
            return f"{written(left)} {sign} {written(right)}"
    return f'PairExists("{tree[0]}",{tree[1]})'


def reads_as(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.lstrip("-").isdigit() else value


def operand(tree: Any, data: dict[str, Any], told: Told) -> Any:
    match tree:
        case "ANI":
            return told.ani or None
        case "CallType":
            return told.call_type
        case "OtherDN":
            return told.others.get("7001")
        case ("GetNumber", key):
            number = reads_as(data.get(key))
            return number if isinstance(number, int) else None
        case ("GetString", key):
            return str(data[key]) if key in data else None
    return tree[5:] if isinstance(tree, str) else tree


def compares(sign: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    if isinstance(left, int) or isinstance(right, int):
        left, right = reads_as(left), reads_as(right)
    if type(left) is not type(right):
        return sign in ("<>", "!=")
    order = "=" if left == right else "<" if left < right else ">"
    return order in {"<>": "<>", "!=": "<>"}.get(sign, sign)


def computed(tree: Any, data: dict[str, Any], told: Told) -> bool:
    match tree:
        case ("~", inner):
            return not computed(inner, data, told)
        case ("&", list(parts)):
            return all(computed(part, data, told) for part in parts)
        case ("|", list(parts)):
            return any(computed(part, data, told) for part in parts)
        case (sign, left, right):
            return compares(sign, operand(left, data, told), operand(right, data, told))
    return str(data.get(tree[0])) == str(tree[1])


@given(
    EXPRESSIONS,
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 1) | st.sampled_from(["", "x", "10"])),
    st.sampled_from(["", "9", "10", "a"]),
    st.sampled_from([{}, {"7001": "9"}, {"7002": "9"}]),
)
def test_a_filter_computes_what_it_says(
    tree: Any, data: dict[str, Any], ani: str, others: dict[str, str]
) -> None:
    told = Told("c1", "Inbound", ani, "", data, others)
    source = occurrence("CallInbound", PHONE, told)
    assert parse_filter("F", written(tree)).matches(data, source) is computed(tree, data, told)
