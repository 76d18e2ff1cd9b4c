"""Conditions: the language of filters (statistics.md §6.4).

::

    PairExists("Language","Spanish") & (ANI <> "" | ~CallType = "Internal") & GetNumber("Age") > 7

    condition := function "(" argument ("," argument)* ")"         see :mod:`.logic` for the rest
               | operand comparison operand
    operand   := attribute | value function | text | ["-"] number
    argument  := text | ["-"] number

=====================================  ===============================================
``PairExists(key, value)``             the attached data have that key with that value
``ReasonExists(key, value)``           likewise the agent's reasons
``ExtensionReasonCode(value)``         the hardware reason has that code
``GetNumber(key)``                     the number that is attached under a key
``GetString(key)``                     the text that is attached there, a number as text
``GetGlobalNumber(key)``               the same of what is attached to the call
``GetGlobalString(key)``
=====================================  ===============================================

The value ``"*"`` alone stands for any value; inside a longer text it stands for itself.

How operands compare is told in :mod:`.values`. An attribute that is not known and a pair
that is not attached make every comparison false, ``<>`` too: ``ANI <> ""`` is true of every
call whose ANI was told, and ``~(ANI = "5")`` of one without it as well.

Our decisions, where the vendor's pages are silent: a number may have decimals; an
attribute may stand on either side; the data of a call are the same for all its parties, so
``GetGlobalNumber`` differs from ``GetNumber`` only where an action belongs to no call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from .logic import COMPARISONS, SIGNS, LogicReader
from .reading import ExpressionError, Language, Token
from .values import Value, comparison, number_read, text_of

Facts = Mapping[str, Any]
Test = Callable[[Facts, Any], bool]  # attached data, and what has them
Operand = Callable[[Facts, Any], Value]
Argument = str | int | float

LANGUAGE = Language("filter", SIGNS)
FUNCTIONS = {"pairexists": "PairExists", "reasonexists": "ReasonExists"}
ONE_ARGUMENT = {"extensionreasoncode": "ExtensionReasonCode"}
VALUES = {
    name.lower(): name for name in ("GetNumber", "GetString", "GetGlobalNumber", "GetGlobalString")
}


@frozen
class Scope:
    """What a filter can look at besides the attached data: each asks what has them.

    Attributes:
        attributes: By name; None where it is not known.
        reasons: The agent's reasons; the hardware reason under ``ReasonCode``.
        call_data: What is attached to the call.
    """

    attributes: Mapping[str, Callable[[Any], str | None]]
    reasons: Callable[[Any], Facts]
    call_data: Callable[[Any], Facts]


def parse_condition(text: str, scope: Scope) -> Test:
    """Read a filter.

    Raises:
        ExpressionError: Where it goes wrong, and what was expected there.
    """
    return _Reader(text, scope).whole()


def has_pair(key: str, value: Argument) -> Test:
    """Whether data have a pair, whatever has the data.

    Two numbers compare as numbers, anything else as texts: 1 is "1".

    >>> has_pair("Level", "2")({"Level": 2}, None), has_pair("Level", "*")({}, None)
    (True, False)
    """
    if value == "*":
        return lambda data, source: key in data
    text = str(value)

    def is_text(data: Facts, source: Any) -> bool:
        found = data.get(key)
        if type(found) is str:  # nearly always
            return found == text
        return isinstance(found, int | float) and str(found) == text

    def is_number(data: Facts, source: Any) -> bool:
        found = data.get(key)
        return found == text if isinstance(found, str) else bool(found == value)

    return is_text if isinstance(value, str) else is_number


class _Reader(LogicReader[Test]):
    """Reads conditions and the operands of comparisons."""

    def __init__(self, text: str, scope: Scope) -> None:
        super().__init__(text, LANGUAGE)
        self._scope = scope
        self._attributes = {name.lower(): name for name in scope.attributes}
        functions = ", ".join([*FUNCTIONS.values(), *ONE_ARGUMENT.values()])
        self._known_functions = f"{functions}, {', '.join(VALUES.values())}"
        self._known_attributes = ", ".join(scope.attributes)
        self._a_value = f"an attribute ({self._known_attributes}), \
{', '.join(VALUES.values())}, a text in quotes or a number"
        self._a_condition = f"a condition ({functions}), {self._a_value}, '~' or '('"

    def any_of(self, tests: list[Test]) -> Test:
        if len(tests) == 2:
            one, other = tests
            return lambda data, source: one(data, source) or other(data, source)
        return lambda data, source: any(test(data, source) for test in tests)

    def all_of(self, tests: list[Test]) -> Test:
        if len(tests) == 2:
            one, other = tests
            return lambda data, source: one(data, source) and other(data, source)
        return lambda data, source: all(test(data, source) for test in tests)

    def none_of(self, test: Test) -> Test:
        return lambda data, source: not test(data, source)

    def condition(self) -> Test:
        token = self.token
        name = token.written.lower() if token.kind == "name" else ""
        if name in FUNCTIONS or name in ONE_ARGUMENT:
            self.take("name", "")
            return self._function(name)
        left = self._operand(self._a_condition)
        sign = self.take_one_of(tuple(COMPARISONS), f"a comparison ({', '.join(COMPARISONS)})")
        compared, right = comparison(sign.kind), self._operand(self._a_value)
        return lambda data, source: compared(left(data, source), right(data, source))

    def _function(self, name: str) -> Test:
        known = FUNCTIONS.get(name) or ONE_ARGUMENT[name]
        self.take("(", f"'(' after {known}")
        reasons = self._scope.reasons
        if name in ONE_ARGUMENT:
            has = has_pair("ReasonCode", self._argument())
            self.take(")", f"')': {known} takes 1 argument")
            return lambda data, source: has(reasons(source), source)
        key = str(self._argument())
        self.take(",", f"',': {known} takes 2 arguments")
        has = has_pair(key, self._argument())
        self.take(")", f"')': {known} takes 2 arguments")
        if name == "reasonexists":
            return lambda data, source: has(reasons(source), source)
        return has

    def _argument(self) -> Argument:
        """``text | ["-"] number``"""
        negative = self.accept("-") is not None
        if self.token.kind == "text" and not negative:
            return self.take("text", "").value
        number = self.take("number", "a number" if negative else "a text in quotes or a number")
        assert not isinstance(number.value, str)
        return -number.value if negative else number.value

    def _operand(self, expected: str) -> Operand:
        """``attribute | value function | text | ["-"] number``"""
        token = self.token
        if token.kind in ("text", "number", "-"):
            value = self._argument()
            return lambda data, source: value
        self.take("name", expected)
        if self.token.kind == "(":
            return self._value(token)
        if token.written.lower() not in self._attributes:
            known = f"attributes: {self._known_attributes}; functions: {self._known_functions}"
            raise ExpressionError(token.column, f"no such attribute as {token.written}; {known}")
        attribute = self._scope.attributes[self._attributes[token.written.lower()]]
        return lambda data, source: attribute(source)

    def _value(self, token: Token) -> Operand:
        """``name "(" argument ")"``"""
        name = token.written.lower()
        known = VALUES.get(name)
        if name in FUNCTIONS or name in ONE_ARGUMENT:
            what = f"{token.written} is a condition and has no value to compare"
            raise ExpressionError(token.column, what)
        if known is None:
            what = f"no such function as {token.written}; known: {self._known_functions}"
            raise ExpressionError(token.column, what)
        self.take("(", "")
        key = str(self._argument())
        self.take(")", f"')': {known} takes 1 argument")
        convert = number_read if known.endswith("Number") else text_of
        if "Global" in known:
            call_data = self._scope.call_data
            return lambda data, source: convert(call_data(source).get(key))
        return lambda data, source: convert(data.get(key))
