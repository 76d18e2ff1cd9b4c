"""Logic: ``&``, ``|``, ``~`` and parentheses, which filters and memberships share.

::

    expression := term ("|" term)*
    term       := factor ("&" factor)*
    factor     := "~" factor | "(" expression ")" | condition

What a condition is, and what it looks at, is a language's own business.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .reading import Reader

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

SIGNS = ("&", "|", "~", "(", ")", ",", "-", *COMPARISONS)

Test = TypeVar("Test")  # what tells whether something passes


class LogicReader(Reader, ABC, Generic[Test]):
    """Reads what is made of conditions; a language says what these are."""

    @abstractmethod
    def condition(self) -> Test:
        """Read one condition."""

    @abstractmethod
    def any_of(self, tests: list[Test]) -> Test:
        """What passes if one of several does."""

    @abstractmethod
    def all_of(self, tests: list[Test]) -> Test:
        """What passes if all of several do."""

    @abstractmethod
    def none_of(self, test: Test) -> Test:
        """What passes if something does not."""

    def whole(self) -> Test:
        """Read everything there is.

        Raises:
            ExpressionError: Where it goes wrong, and what was expected there.
        """
        test = self._expression()
        self.take("end", "'&', '|' or the end")
        return test

    def _expression(self) -> Test:
        """``term ("|" term)*``"""
        tests = [self._term()]
        while self.accept("|"):
            tests.append(self._term())
        return tests[0] if len(tests) == 1 else self.any_of(tests)

    def _term(self) -> Test:
        """``factor ("&" factor)*``"""
        tests = [self._factor()]
        while self.accept("&"):
            tests.append(self._factor())
        return tests[0] if len(tests) == 1 else self.all_of(tests)

    def _factor(self) -> Test:
        """``"~" factor | "(" expression ")" | condition``"""
        if self.accept("~"):
            with self.nested():
                return self.none_of(self._factor())
        if self.accept("("):
            with self.nested():
                inner = self._expression()
            self.take(")", "'&', '|' or ')'")
            return inner
        return self.condition()
