"""Filters: conditions on a call's attached data.

Grammar (statistics.md §6.4, of which this is the part about attached data)::

    expression := term ("|" term)*
    term       := factor ("&" factor)*
    factor     := "~" factor | "(" expression ")" | function
    function   := name "(" argument ("," argument)* ")"
    argument   := "text" | 'text' | integer

Blanks may stand anywhere between these. A text ends at the quote it began
with and has no escapes. Function names are matched whatever their case.
Adding a function is adding a line to :data:`FUNCTIONS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

from attrs import field, frozen

from ...model.occurrences import Occurrence

TEXT_MAX = 4096  # characters of one filter (our decision)
DEPTH_MAX = 50  # parentheses and negations inside each other (our decision)

Argument = str | int
Test = Callable[[Mapping[str, Any]], bool]


class FilterError(ValueError):
    """A filter that cannot be read.

    Attributes:
        column: Where, counted from one.
    """

    def __init__(self, column: int, what: str) -> None:
        super().__init__(f"column {column}: {what}")
        self.column = column


@frozen
class Filter:
    """One configured filter; two are equal if they are named and written alike."""

    name: str
    text: str
    _test: Test = field(eq=False, repr=False)

    def matches(self, data: Mapping[str, Any] | None, source: Occurrence | None = None) -> bool:
        """Whether what has this attached data passes; None is no data at all.

        Args:
            source: What has it: an action that goes on or happened at once; None for a status
                that shows none.
        """
        return self._test(data if data is not None else {})


def parse_filter(name: str, text: str) -> Filter:
    """Read a filter.

    Raises:
        FilterError: Where it goes wrong, and what was expected there.

    >>> spanish = parse_filter("Spanish", 'PairExists("Language", "Spanish")')
    >>> spanish.matches({"Language": "Spanish"}), spanish.matches(None)
    (True, False)
    """
    if len(text) > TEXT_MAX:
        raise FilterError(TEXT_MAX + 1, f"too long, at most {TEXT_MAX} characters are allowed")
    reader = _Reader(text)
    test = reader.expression(0)
    if reader.token.kind != "end":
        reader.refuse("'&', '|' or the end")
    return Filter(name, text, test)


def pair_exists(key: Argument, value: Argument) -> Test:
    """``PairExists(key, value)``: the data have that key with that value.

    ``"*"`` alone stands for any value; inside a longer text it stands for
    itself. Two numbers compare as numbers, anything else as texts: 1 is "1".
    """
    key = str(key)
    if value == "*":
        return lambda data: key in data
    text = str(value)

    def test(data: Mapping[str, Any]) -> bool:
        found = data.get(key)
        if isinstance(found, str) or isinstance(value, str):
            return isinstance(found, str | int | float) and str(found) == text
        return bool(found == value)

    return test


class _Function(NamedTuple):
    name: str
    arguments: int
    build: Callable[..., Test]


FUNCTIONS = {
    known.name.lower(): known
    for known in (
        _Function("PairExists", 2, pair_exists),
    )
}  # fmt: skip


class _Token(NamedTuple):
    kind: str  # a sign itself, or "name", "text", "number", "end", "bad"
    value: Argument
    column: int


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<sign> [&|~(),] )
      | (?P<name> [A-Za-z_][A-Za-z_0-9]* )
      | (?P<number> -?[0-9]{1,18} (?![0-9A-Za-z_]) )
      | "(?P<double> [^"]* )" | '(?P<single> [^']* )'
      | (?P<bad> \S )
      | (?P<end> $ )
    )""",
    re.VERBOSE,
)


class _Reader:
    """Reads a filter from left to right, one token ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.token = self._read()

    def _read(self) -> _Token:
        found = _TOKEN.match(self._text, self._at)
        assert found is not None, "the last two branches match anything"
        kind = str(found.lastgroup)
        value, column = found[kind], found.start(kind) + 1
        self._at = found.end()
        match kind:
            case "sign":
                return _Token(value, value, column)
            case "double" | "single":
                return _Token("text", value, column - 1)
            case "number":
                return _Token("number", int(value), column)
        return _Token(kind, value, column)

    def _take(self, kind: str, expected: str) -> _Token:
        """The present token, which must be of this kind; moves on to the next."""
        token = self.token
        if token.kind != kind:
            self.refuse(expected)
        self.token = self._read()
        return token

    def refuse(self, expected: str) -> NoReturn:
        """The present token is not what may stand here."""
        token = self.token
        match token.kind:
            case "end":
                found = "the end of the filter"
            case "bad" if str(token.value) in "\"'":
                raise FilterError(token.column, f"a text that begins with {token.value} never ends")
            case _:
                found = repr(token.value)
        raise FilterError(token.column, f"expected {expected}, not {found}")

    def expression(self, depth: int) -> Test:
        """``term ("|" term)*``"""
        tests = [self._term(depth)]
        while self.token.kind == "|":
            self._take("|", "")
            tests.append(self._term(depth))
        if len(tests) == 1:
            return tests[0]
        return lambda data: any(test(data) for test in tests)

    def _term(self, depth: int) -> Test:
        """``factor ("&" factor)*``"""
        tests = [self._factor(depth)]
        while self.token.kind == "&":
            self._take("&", "")
            tests.append(self._factor(depth))
        if len(tests) == 1:
            return tests[0]
        return lambda data: all(test(data) for test in tests)

    def _factor(self, depth: int) -> Test:
        """``"~" factor | "(" expression ")" | function``"""
        if depth > DEPTH_MAX:
            raise FilterError(self.token.column, f"nested too deeply, at most {DEPTH_MAX} levels")
        if self.token.kind == "~":
            self._take("~", "")
            negated = self._factor(depth + 1)
            return lambda data: not negated(data)
        if self.token.kind == "(":
            self._take("(", "")
            inner = self.expression(depth + 1)
            self._take(")", "'&', '|' or ')'")
            return inner
        return self._function()

    def _function(self) -> Test:
        known = ", ".join(function.name for function in FUNCTIONS.values())
        token = self._take("name", f"a condition ({known}), '~' or '('")
        function = FUNCTIONS.get(str(token.value).lower())
        if function is None:
            raise FilterError(token.column, f"no such function as {token.value}; known: {known}")
        self._take("(", f"'(' after {function.name}")
        arguments = [self._argument()]
        while len(arguments) < function.arguments:
            self._take(",", f"',': {function.name} takes {function.arguments} arguments")
            arguments.append(self._argument())
        self._take(")", f"')': {function.name} takes {function.arguments} arguments")
        return function.build(*arguments)

    def _argument(self) -> Argument:
        kind = "number" if self.token.kind == "number" else "text"
        return self._take(kind, "a text in quotes or a whole number").value
